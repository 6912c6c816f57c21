"""What is there before anything is signed: places that can be written, evidence that can stay.

An entry in a log is for ever, so whatever can be known to fail is found before the first one is made.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.wire import WireBundle
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest, digest_of_file
from pip_warden.disk import draft_name, open_new, open_regular
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.publish.same import Judge, OtherError
from pip_warden.values import dataclass

_MOST_TOLD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is to be made for one file.

    Attributes:
        path: The file.
        bundle: Name of the bundle.
        others: Names that evidence beside it may get.
        statement: Makes the statement about the file; None where the file itself is signed.
        contents: Makes all evidence files, by name, from the bundle.
    """

    path: Path
    bundle: str
    others: tuple[str, ...]
    statement: Callable[[Digest], bytes] | None
    contents: Callable[[WireBundle, bytes], dict[str, bytes]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Evidence of one file.

    Attributes:
        path: The file.
        contents: The content of each evidence file that is not written yet, by its name.
        proved: What that evidence proves.
        kept: Names of the evidence that was there, and stays.
    """

    path: Path
    contents: dict[str, bytes]
    proved: VerificationResult
    kept: tuple[str, ...] = ()


def check_places(jobs: Sequence[Job], directory: Path | None) -> None:
    """Check that all evidence can be written, each under a name of its own; make directories.

    Args:
        jobs: What is to be made.
        directory: Where it is written; next to each file where None.

    Raises:
        UsageError: ``cannot-write`` or ``evidence-exists``.
    """
    places = [(directory or job.path.parent) / name for job in jobs for name in (job.bundle, *job.others)]
    for place in places:
        try:
            is_taken = stat.S_ISDIR(place.stat().st_mode)
        except FileNotFoundError:
            is_taken = False
        except OSError as err:
            raise _cannot_write(place.parent, err) from err
        if is_taken:
            raise UsageError("cannot-write", f"expected to write {place}, found a directory of that name")
    for parent in dict.fromkeys(place.parent for place in places):
        try:
            parent.mkdir(parents=True, exist_ok=True)
            draft = parent / draft_name()
            os.close(open_new(draft, 0o600))
            draft.unlink()
        except OSError as err:
            raise _cannot_write(parent, err) from err
    twice = [place for place, number in Counter(map(os.path.realpath, places)).items() if number > 1]
    if twice:
        raise UsageError(
            "evidence-exists",
            f"expected one file for each name, found several whose evidence would be {twice[0]}",
            hint="Sign files of one name apart, each with an --output-directory of its own.",
        )


def _cannot_write(directory: Path, err: OSError) -> UsageError:
    return UsageError("cannot-write", f"expected to write to {directory}, found {err.strerror}")


def kept_evidence(jobs: Sequence[Job], directory: Path | None, judge: Judge) -> list[Made | None]:
    """Return for each job the evidence that is there and good, or None where there is none.

    Good is what verifies for the file's bytes now, under the identity, the project and the commit of the
    token now, and says the same: a statement may differ in when the build ended, and in nothing else.

    Args:
        jobs: What is to be made.
        directory: Where evidence is; next to each file where None.
        judge: By what it may stay.

    Raises:
        UsageError: ``evidence-exists``: other evidence is there; all of it is counted.
    """
    found: list[Made | None] = []
    wrong: list[str] = []
    for job in jobs:
        try:
            found.append(_kept(job, directory or job.path.parent, judge))
        except OtherError as err:
            wrong.append(str(err))
    if wrong:
        told = "; ".join(wrong[:_MOST_TOLD])
        more = f"; and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        raise UsageError(
            "evidence-exists",
            f"expected no evidence, or such as would be made now, found {told}{more}",
            hint="Nothing was signed. --overwrite signs all anew and replaces it.",
        )
    return found


def _kept(job: Job, directory: Path, judge: Judge) -> Made | None:
    there = [name for name in (job.bundle, *job.others) if os.path.lexists(directory / name)]
    if not there:
        return None
    if job.bundle not in there:
        raise OtherError(f"{escape_text(there[0])} without {escape_text(job.bundle)}")
    place = directory / job.bundle
    raw = _read(place)
    digest = digest_of_file(job.path)
    try:
        wire, proved = judge.same(
            read_bundle(job.bundle, raw), digest, job.statement(digest) if job.statement else None
        )
    except OtherError as err:
        raise _other(place, str(err)) from err
    contents = job.contents(wire, raw)
    for name in there:
        if _read(directory / name) != contents.get(name):
            raise _other(directory / name, f"another content than that which belongs to {job.bundle}")
    missing = {name: content for name, content in contents.items() if name not in there}
    return Made(path=job.path, contents=missing, proved=proved, kept=tuple(there))


def _other(place: Path, found: str) -> OtherError:
    return OtherError(f"{escape_text(str(place))} ({escape_text(found)})")


def _read(place: Path) -> bytes:
    try:
        with open_regular(place, follow=True) as stream:
            return stream.read(LARGEST_BUNDLE + 1)
    except OSError as err:
        raise _other(place, err.strerror or "no regular file") from err
