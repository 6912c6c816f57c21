"""Says what lies elsewhere says: at a URL, or in the registry that is pinned for a package."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.version import Version

from pip_warden.artifact.receive import receive
from pip_warden.disk import storing
from pip_warden.index.candidate import Candidate
from pip_warden.inspection.contents import LARGEST, pieces_in
from pip_warden.inspection.local import artifact_name, file_of, readable
from pip_warden.inspection.model import InspectedFile, Inspection
from pip_warden.inspection.once import SupplyReadOnce
from pip_warden.inspection.pieces import piece_of
from pip_warden.inspection.proving import marked
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.session.parts import SessionParts
from pip_warden.supply.model import LARGEST_FILE
from pip_warden.transport import Transport, error_for, origin_of, redacted_url
from pip_warden.trust.model import IdentityEntry
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Refused
from pip_warden.verify import judge_release


def inspect_url(url: str, transport: Transport, workspace: Path) -> Inspection:
    """Fetch something and read what it says; what lies beside it is not looked for.

    Args:
        url: An https URL, or an http URL of this machine.
        transport: The HTTP client: what it holds for the URL's origin is sent there, and nowhere else.
        workspace: A private directory of this run.

    Raises:
        RefusedError: Nothing of it can be read; with the code of what is wrong with it.
        UsageError: ``not-inspectable``.
        UndecidedError: It could not be fetched: ``insecure-url``, ``too-large`` and so on.
    """
    origin_of(url)
    about = redacted_url(url)
    filename = unquote(urlsplit(url).path).rpartition("/")[2]
    name = artifact_name(filename)
    if name is not None:
        return readable(Inspection(about=about, files=(_fetched(url, name, transport, workspace),)))
    reply = transport.get(url, max_bytes=LARGEST)
    if reply.status != 200:
        raise error_for(reply, "a file")
    return readable(Inspection(about=about, pieces=pieces_in(filename or "content", reply.body)))


def inspect_release(
    session: SessionParts, project: ProjectName, version: Version, *, verifying: bool
) -> Inspection:
    """Read what the pinned source has of a release: each file, and its evidence.

    What would be refused whatever its content is not fetched.

    Args:
        session: What the run works with.
        project: The project.
        version: The release.
        verifying: Whether it is verified too, from the same bytes.

    Raises:
        RefusedError: The project is not pinned, its page is not the pinned source's, or ``no-release``.
        UndecidedError: Something could not be fetched.
    """
    supply = SupplyReadOnce(session.gate_supply(session.trust), session.workspace)
    ledger, about = Ledger(), f"{project}=={version}"
    with session.gate_over(supply, ledger) as gate:
        listing, candidates = gate.release(project, version)
        files = tuple(_listed(candidate, listing, session, supply) for candidate in candidates)
        if not verifying:
            return Inspection(about=about, files=files)
        report = judge_release(gate, ledger, session.trust, project, version)
    report = replace(report, command="inspect")
    return Inspection(about=about, files=tuple(marked(file, report) for file in files), report=report)


def _fetched(url: str, name: ArtifactName, transport: Transport, workspace: Path) -> InspectedFile:
    with storing(workspace):
        directory = Path(tempfile.mkdtemp(dir=workspace))
    asked = Candidate(project=name.project, name=name, source="", page_url=url, url=url)
    return file_of(receive(asked, transport.download, directory, max_bytes=LARGEST_FILE), ())


def _listed(
    candidate: Candidate, listing: Listing, session: SessionParts, supply: SupplyReadOnce
) -> InspectedFile:
    inquiry = Inquiry(
        candidate, trust=session.trust, roots=session.roots, today=session.today, listing=listing
    )
    if inquiry.wants is Wants.NOTHING and isinstance(inquiry.verdict, Refused):
        return InspectedFile(filename=candidate.name.filename, artifact=None, fault=inquiry.verdict.fault)
    artifact, entry = supply.receive(candidate, session.workspace), inquiry.entry
    items = supply.evidence(candidate, artifact, entry) if isinstance(entry, IdentityEntry) else ()
    return file_of(artifact, tuple(map(piece_of, items)))
