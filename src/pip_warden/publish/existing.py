"""What is there before anything is signed: places that can be written, evidence that can stay.

An entry in a log is for ever, so whatever can be known to fail is found before the first one is made.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pip_warden._sigstore.result import CertificateClaims, VerificationResult
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden._sigstore.wire import WireBundle
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest, digest_of_file
from pip_warden.disk import draft_name, open_new, open_regular
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import Item
from pip_warden.faults import Fault
from pip_warden.publish.token import TokenClaims
from pip_warden.strict_json import MalformedError, loads_object

_MOST_TOLD = 3
_PROVENANCE = "https://slsa.dev/provenance/v1"


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
class Judge:
    """By what evidence that is there may stay.

    Attributes:
        root: The trusted root.
        claimed: Who signs now, as the token says; None keeps nothing.
        stamps: How many time stamps it must have.
    """

    root: Root
    claimed: TokenClaims | None
    stamps: int


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
        except _OtherError as err:
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


class _OtherError(Exception):
    """What is there is not what would be made."""


def _kept(job: Job, directory: Path, judge: Judge) -> Made | None:
    there = [name for name in (job.bundle, *job.others) if os.path.lexists(directory / name)]
    if not there:
        return None
    if job.bundle not in there:
        raise _OtherError(f"{escape_text(there[0])} without {escape_text(job.bundle)}")
    place = directory / job.bundle
    raw = _read(place)
    item = read_bundle(job.bundle, raw)
    if not isinstance(item, Item):
        raise _other(place, item.fault.found)
    digest = digest_of_file(job.path)
    proved = verify_bundle(item.wire, digest, judge.root)
    if isinstance(proved, Fault):
        raise _other(place, f"{proved.code}: {proved.found}")
    _check_same(place, proved, job.statement(digest) if job.statement else None)
    _check_signer(place, proved.claims, judge.claimed)
    if len(item.wire.timestamps) < judge.stamps:
        raise _other(place, f"{len(item.wire.timestamps)} time stamps of {judge.stamps}")
    contents = job.contents(item.wire, raw)
    for name in there:
        if _read(directory / name) != contents.get(name):
            raise _other(directory / name, f"another content than that which belongs to {job.bundle}")
    missing = {name: content for name, content in contents.items() if name not in there}
    return Made(path=job.path, contents=missing, proved=proved, kept=tuple(there))


def _other(place: Path, found: str) -> _OtherError:
    return _OtherError(f"{escape_text(str(place))} ({escape_text(found)})")


def _read(place: Path) -> bytes:
    try:
        with open_regular(place, follow=True) as stream:
            return stream.read(LARGEST_BUNDLE + 1)
    except OSError as err:
        raise _other(place, err.strerror or "no regular file") from err


def _check_signer(place: Path, claims: CertificateClaims, claimed: TokenClaims | None) -> None:
    if claimed is None:
        raise _other(place, "it cannot be compared with a token")
    wanted = (claimed.claimed_certificate_issuer, claimed.claimed_subject)
    if (claims.issuer, *claims.subjects) != wanted:
        raise _other(place, f"signed by {', '.join(claims.subjects)} of {claims.issuer}")
    for name, value in claimed.claimed_place:
        if claims.get(name) != value:
            raise _other(place, f"signed with the {name} {claims.get(name)}, not {value}")


def _check_same(place: Path, proved: VerificationResult, statement: bytes | None) -> None:
    if statement is None:
        if proved.envelope is not None:
            raise _other(place, "a statement, not a signature of the file")
        return
    if proved.envelope is None:
        raise _other(place, "a signature of the file, not a statement")
    try:
        same = _lasting(proved.envelope.payload) == _lasting(statement)
    except MalformedError as err:
        raise _other(place, str(err)) from err
    if not same:
        raise _other(place, "a statement that says something else")


def _lasting(statement: bytes) -> dict[str, object]:
    """Return what a statement says, but for when the build ended: that is new each time it is made."""
    said: dict[str, object] = dict(loads_object(statement, max_bytes=LARGEST_BUNDLE))
    if said.get("predicateType") == _PROVENANCE:
        at: object = said
        for step in ("predicate", "runDetails", "metadata"):
            at = at.get(step) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at.pop("finishedOn", None)
    return said
