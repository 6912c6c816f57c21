"""Says what a local file says: a wheel or sdist with what lies beside it, or a piece of evidence.

No connection is opened for it, but to look up a detached signature that is to be verified.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.model import Artifact
from pip_warden.disk import open_regular, require_file
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError
from pip_warden.evidence.detached import Pair, complete, read_pair
from pip_warden.evidence.locate import LogEntryFinder, locate
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.names import CERTIFICATE, SIGNATURE
from pip_warden.evidence.offered import read_any
from pip_warden.evidence.siblings import Siblings
from pip_warden.faults import Fault
from pip_warden.inspection.contents import LARGEST, NOT_INSPECTABLE, pieces_in
from pip_warden.inspection.model import ClaimedPiece, InspectedFile, Inspection
from pip_warden.inspection.once import StoreReadOnce
from pip_warden.inspection.pieces import pair_piece, piece_of
from pip_warden.inspection.proving import marked
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.session.parts import SessionParts
from pip_warden.verify import FindEvidence, private_copy, verify_copies

_ARCHIVES = (".whl", ".tar.gz")
_HALVES = {SIGNATURE: CERTIFICATE, CERTIFICATE: SIGNATURE}


def inspect_path(path: Path, workspace: Path, session: SessionParts | None = None) -> Inspection:
    """Read what a local file says.

    Args:
        path: The file: known by its name where it is a wheel or sdist, else by what is in it.
        workspace: A private directory of this run.
        session: What the run works with, to verify the file too; None to look at it alone.

    Raises:
        UsageError: ``no-such-file``; ``not-inspectable``; ``evidence-alone``: there is no file beside it that
            it could be verified for.
        RefusedError: Nothing of it can be read; with the code of what is wrong with it.
        UndecidedError: ``cannot-store``.
    """
    require_file(path, else_hint="A release is named NAME==VERSION.")
    if artifact_name(path.name) is not None:
        return _archive(path, workspace, session)
    raw = _read(path)
    pieces = tuple(_pieces(path, raw))
    if session is None:
        return readable(Inspection(about=str(path), pieces=pieces))
    artifact = private_copy(_spoken_of(path), workspace)
    return _judged(path, file_of(artifact, pieces), partial(_items, path, raw, artifact), session)


def artifact_name(filename: str) -> ArtifactName | None:
    """Return the parsed name of a wheel or sdist, None for any other name."""
    try:
        return parse_artifact_name(filename)
    except UsageError:
        return None


def file_of(artifact: Artifact, evidence: tuple[ClaimedPiece, ...]) -> InspectedFile:
    """Return what a file says of itself, with what was found for it."""
    fault = artifact.contents if isinstance(artifact.contents, Fault) else None
    return InspectedFile(filename=artifact.name.filename, artifact=artifact, fault=fault, evidence=evidence)


def readable(found: Inspection) -> Inspection:
    """Return what was found, where anything of what was named could be read.

    Raises:
        RefusedError: It could not; with the code of what is wrong with it.
        UsageError: ``not-inspectable``: it is nothing of the kind.
    """
    faults = [file.fault for file in found.files] + [
        piece.fault for piece in found.pieces if piece.says_nothing
    ]
    if faults and None not in faults and len(faults) == len(found.files) + len(found.pieces):
        fault = faults[0]
        assert fault is not None  # noqa: S101 -- none of them is
        kind = UsageError if fault.code == NOT_INSPECTABLE else RefusedError
        raise kind(
            fault.code,
            f"{escape_text(found.about)}: expected {escape_text(fault.expected, 400)}, "
            f"found {escape_text(fault.found, 400)}",
            hint=fault.hint,
        )
    return found


def _archive(path: Path, workspace: Path, session: SessionParts | None) -> Inspection:
    artifact = private_copy(path, workspace)
    store = StoreReadOnce(Siblings(path.absolute().parent))
    find = partial(locate, path.name, artifact.digest, [store])
    file = file_of(artifact, tuple(_beside(path.name, find, store)))
    if session is None:
        return readable(Inspection(about=str(path), files=(file,)))
    return _judged(path, file, find, session)


def _beside(filename: str, find: FindEvidence, store: StoreReadOnce) -> Iterator[ClaimedPiece]:
    """Yield what lies beside a file; no log is asked for a detached signature, which has its certificate."""
    for item in find(_ask_no_log):
        if isinstance(item, BadItem) and item.fault.code == "no-log-entry":
            halves = (store.fetch(f"{filename}{half}", max_bytes=LARGEST) or b"" for half in _HALVES)
            yield pair_piece(read_pair(item.label, *halves), item.label)
        else:
            yield piece_of(item)


def _ask_no_log(_wanted: Hashedrekord) -> LogEntry | None:
    return None


def _judged(path: Path, file: InspectedFile, find: FindEvidence, session: SessionParts) -> Inspection:
    """Have a file judged from the very items that are told of."""
    assert file.artifact is not None  # noqa: S101 -- it is a copy of a local file
    looked_up: dict[str, ClaimedPiece] = {}

    def evidence(find_entry: LogEntryFinder) -> Iterator[Item | BadItem]:
        for item in find(find_entry):
            if isinstance(item, Item) and item.form is EvidenceForm.DETACHED:
                looked_up[item.label] = piece_of(item)
            yield item

    report = verify_copies(session, [(file.artifact, evidence)], command="inspect")
    pieces = tuple(looked_up.get(piece.label, piece) for piece in file.evidence)
    judged = marked(replace(file, evidence=pieces), report)
    return Inspection(about=str(path), files=(judged,), report=report)


def _pieces(path: Path, raw: bytes) -> tuple[ClaimedPiece, ...]:
    """Return what a piece of evidence says; a signature says it by the certificate beside it."""
    pair = _pair(path, raw) if path.name.endswith(SIGNATURE) else None
    return pieces_in(path.name, raw) if pair is None else (pair_piece(pair, path.name),)


def _items(
    path: Path, raw: bytes, artifact: Artifact, find_entry: LogEntryFinder
) -> Iterator[Item | BadItem]:
    pair = _pair(path, raw)
    if pair is None:
        yield from read_any(path.name, raw)
    elif isinstance(pair, Pair):
        yield complete(pair, artifact.digest, find_entry(pair.wanted(artifact.digest)))
    else:
        yield BadItem(label=path.name, form=EvidenceForm.DETACHED, fault=pair)


def _pair(path: Path, raw: bytes) -> Pair | Fault | None:
    """Read a detached signature and its certificate from the one and what lies beside it, if they are."""
    ending = path.suffix
    other = path.with_suffix(_HALVES[ending]) if ending in _HALVES else None
    if other is None or not os.path.isfile(other):
        return None
    halves = {ending: raw, other.suffix: _read(other)}
    return read_pair(path.name, halves[SIGNATURE], halves[CERTIFICATE])


def _spoken_of(path: Path) -> Path:
    """Return the file beside some evidence that it is named after.

    Raises:
        UsageError: ``evidence-alone``.
    """
    for ending in _ARCHIVES:
        head, found, _ = path.name.partition(f"{ending}.")
        file = path.with_name(f"{head}{ending}")
        if found and artifact_name(file.name) is not None and os.path.isfile(file):
            return file
    raise UsageError(
        "evidence-alone",
        f"expected the wheel or sdist that {escape_text(path.name)} speaks for, beside it, found none",
        hint="Without --verify it is told what it says. To verify it for a file of another name: "
        "`pip-warden verify FILE --bundle EVIDENCE`.",
    )


def _read(path: Path) -> bytes:
    try:
        with open_regular(path, follow=True) as stream:
            return stream.read(LARGEST + 1)
    except OSError as err:
        found = err.strerror or type(err).__name__
        raise UsageError("no-such-file", f"expected a readable file {path}, found: {found}") from err
