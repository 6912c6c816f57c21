"""Verifies without installing: local files with their evidence, and whole releases from their registry."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from packaging.version import Version

from pip_warden.artifact.model import Artifact
from pip_warden.artifact.receive import copy_local
from pip_warden.disk import open_regular, require_file, storing
from pip_warden.errors import InternalError, RefusedError, UndecidedError, UsageError
from pip_warden.evidence.arguments import artifacts_among
from pip_warden.evidence.detached import Pair, complete, read_pair
from pip_warden.evidence.locate import LogEntryFinder, locate, unless_settled
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.offered import read_any, read_offered
from pip_warden.evidence.siblings import Siblings
from pip_warden.gate import Gate
from pip_warden.names import ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Outcome, Report, undecided_line
from pip_warden.session.parts import SessionParts
from pip_warden.trust.model import Source, TrustFile
from pip_warden.values import dataclass
from pip_warden.verdict.model import Accepted, Refused, Verdict

_LARGEST_EVIDENCE = 8 << 20

FindEvidence = Callable[[LogEntryFinder], Iterator[Item | BadItem]]
"""Finds the evidence of a file, each item when it is asked for, with a look-up in the transparency logs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedEvidence:
    """Evidence named on the command line; if all are None, the evidence is next to the file.

    Attributes:
        bundle: A Sigstore bundle of any version, or a PEP 740 attestation or provenance object.
        signature: A detached signature.
        certificate: Its certificate.
    """

    bundle: Path | None = None
    signature: Path | None = None
    certificate: Path | None = None


def verify_files(session: SessionParts, files: tuple[Path, ...], *, given: NamedEvidence) -> Report:
    """Verify local files.

    Args:
        session: What the run works with.
        files: Wheels and sdists.
        given: Evidence for a single file, where it was named.

    Raises:
        UsageError: As for :func:`files_to_verify`; or evidence is named for several files.
    """
    files = files_to_verify(files)
    _check_given(given, files)
    copies = ((path, private_copy(path, session.workspace)) for path in files)
    return verify_copies(
        session, ((copy, partial(_evidence, path, copy, given)) for path, copy in copies), command="verify"
    )


def verify_copies(
    session: SessionParts, copies: Iterable[tuple[Artifact, FindEvidence]], *, command: str
) -> Report:
    """Verify private copies of local files.

    Args:
        session: What the run works with.
        copies: Each copy, and what finds its evidence.
        command: What the report is of.
    """
    ledger = Ledger()
    settled: set[Path] = set()
    with session.gate(ledger, settled=settled) as gate:
        for artifact, evidence in copies:
            find_entry = unless_settled(artifact, settled, session.find_entry)
            try:
                gate.admit_local(artifact, evidence(find_entry))
            except UndecidedError as err:
                ledger.add(undecided_line(artifact.name, err))
    return replace(_report(command, session.trust, ledger), sources=_unmirrored(session.trust))


def _unmirrored(trust: TrustFile) -> tuple[Source, ...]:
    """Return the sources without their mirrors: nothing of a local file came from there."""
    return tuple(replace(source, mirror=None) for source in trust.sources)


def files_to_verify(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels and sdists that are to be verified: zero files are never a success.

    Raises:
        UsageError: ``nothing-to-verify``, or as for :func:`~pip_warden.evidence.arguments.artifacts_among`.
    """
    nothing = UsageError(
        "nothing-to-verify",
        "expected at least one FILE, found none",
        hint="Name wheels or sdists: `pip-warden verify dist/*.whl`. Zero files are never a success.",
    )
    return artifacts_among(paths, nothing=nothing)


def verify_file(session: SessionParts, path: Path, *, evidence: Iterable[bytes] | None) -> Verdict:
    """Verify one local file.

    Args:
        session: What the run works with. The copy that was judged stays in its workspace where it is
            accepted.
        path: A wheel or sdist.
        evidence: What speaks for it, each piece as its bytes; None to look next to the file.

    Raises:
        UsageError: As for :func:`~pip_warden.artifact.receive.copy_local`; ``unreadable-evidence``.
        UndecidedError: It could not be told whether there is an item of evidence, or a trusted root cannot
            be used.
        TypeError: A piece of evidence is no bytes.
    """
    artifact = private_copy(path, session.workspace)
    verdict: Verdict | None = None
    settled: set[Path] = set()
    try:
        if evidence is None:
            find_entry = unless_settled(artifact, settled, session.find_entry)
            found = _evidence(path, artifact, NamedEvidence(), find_entry)
        else:
            found = read_offered(evidence)
        with session.gate(Ledger(), settled=settled if evidence is None else None) as gate:
            judged = gate.admit_local(artifact, found).line.verdict
            verdict = judged if isinstance(judged, Accepted | Refused) else None
    finally:
        if not isinstance(verdict, Accepted):
            shutil.rmtree(artifact.path.parent, ignore_errors=True)
    if verdict is None:
        raise InternalError("bug", f"no verdict on {artifact.name}")
    return verdict


def private_copy(path: Path, workspace: Path) -> Artifact:
    """Copy a file into a private directory of its own: the bytes that are judged stay what they are.

    Args:
        path: A wheel or sdist.
        workspace: A private directory of this run.

    Raises:
        UsageError: As for :func:`~pip_warden.artifact.receive.copy_local`.
        UndecidedError: ``cannot-store``.
    """
    with storing(workspace):
        directory = Path(tempfile.mkdtemp(dir=workspace))
    return copy_local(path, directory)


def verify_release(session: SessionParts, project: ProjectName, version: Version) -> Report:
    """Verify every wheel and sdist of a release, from its registry."""
    ledger = Ledger()
    with session.gate(ledger, fresh=True, settled=set()) as gate:
        return judge_release(gate, ledger, session.trust, project, version)


def judge_release(
    gate: Gate, ledger: Ledger, trust: TrustFile, project: ProjectName, version: Version
) -> Report:
    """Judge every wheel and sdist of a release and report.

    Args:
        gate: The gate, which fetches everything again.
        ledger: The gate's ledger.
        trust: The gate's trust file.
        project: The project.
        version: The release.
    """
    try:
        gate.admit_release(project, version)
    except (RefusedError, UndecidedError) as err:
        ledger.error = err
    return _report("verify-release", trust, ledger)


def _check_given(given: NamedEvidence, files: tuple[Path, ...]) -> None:
    named = [path for path in (given.bundle, given.signature, given.certificate) if path is not None]
    if named and len(files) != 1:
        raise UsageError("one-file", f"expected one file together with evidence, found {len(files)}")
    if (given.signature is None) != (given.certificate is None) or (given.bundle and given.signature):
        raise UsageError(
            "evidence-options",
            "expected --bundle, or --signature and --certificate, found another combination",
        )
    for path in named:
        require_file(path)


def _evidence(
    path: Path, artifact: Artifact, given: NamedEvidence, find_entry: LogEntryFinder
) -> Iterator[Item | BadItem]:
    if given.bundle is not None:
        return iter(read_any(given.bundle.name, _read(given.bundle)))
    if given.signature is not None and given.certificate is not None:
        return _detached(given.signature, given.certificate, artifact, find_entry)
    return locate(path.name, artifact.digest, [Siblings(path.absolute().parent)], find_entry)


def _detached(
    signature: Path, certificate: Path, artifact: Artifact, find_entry: LogEntryFinder
) -> Iterator[Item | BadItem]:
    label = f"{signature.name} + {certificate.name}"
    pair = read_pair(label, _read(signature), _read(certificate))
    if isinstance(pair, Pair):
        yield complete(pair, artifact.digest, find_entry(pair.wanted(artifact.digest)))
    else:
        yield BadItem(label=label, form=EvidenceForm.DETACHED, fault=pair)


def _read(path: Path) -> bytes:
    try:
        with open_regular(path, follow=True) as stream:
            return stream.read(_LARGEST_EVIDENCE + 1)
    except OSError as err:
        raise UsageError("no-such-file", f"expected a readable file {path}, found {err.strerror}") from err


def _report(command: str, trust: TrustFile, ledger: Ledger) -> Report:
    """Return the report of what was judged; without an accepted file it is not a success."""
    lines = ledger.lines()
    nothing_accepted = not any(line.outcome is Outcome.ACCEPTED for line in lines)
    return Report(
        command=command,
        exit_code=ledger.exit_code() or int(nothing_accepted),
        lines=lines,
        unpinned=ledger.unpinned() if any(line.code == "not-pinned" for line in lines) else (),
        trust_file=str(trust.path),
        error=ledger.unsaid(),
        sources=trust.sources,
        roots=trust.roots,
        with_statements=True,
    )
