"""Leaves a receipt with what was installed, so that the next run knows which archive to compare it with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pip_warden.digests import Digest
from pip_warden.environments.model import AcceptedArchive, Comparison, InstalledDistribution
from pip_warden.environments.receipt import Receipt
from pip_warden.environments.receipt_files import remove_drafts, write_receipt
from pip_warden.errors import DeliveryError, InternalError
from pip_warden.events import Reporter
from pip_warden.install.request import JudgingRun
from pip_warden.report.model import Outcome
from pip_warden.trust.digest import pin_digest
from pip_warden.trust.model import TrustFile
from pip_warden.verdict.model import Accepted, SignedBy

_NOWHERE = "no receipt was written: it is not known where it was installed"


def receipt_of(accepted: Accepted, evidence: Digest | None, trust: TrustFile) -> Receipt:
    """Return the receipt of what was installed from an accepted archive.

    Args:
        accepted: The verdict.
        evidence: The digest of what spoke for it.
        trust: The trust file that it was judged by.
    """
    artifact = accepted.artifact
    entry = trust.entry_for(artifact.name.project, artifact.name.version)
    if entry is None:
        raise InternalError("bug", f"{artifact.name} was accepted without a pin")
    return Receipt(
        archive=artifact.name.filename,
        sha256=artifact.digest,
        basis="identity" if isinstance(accepted.basis, SignedBy) else "exemption",
        evidence=evidence,
        pin=pin_digest(entry),
    )


def archive_of(accepted: Accepted) -> AcceptedArchive:
    """Return an accepted archive as installations are compared with it."""
    artifact = accepted.artifact
    return AcceptedArchive(name=artifact.name, digest=artifact.digest, path=artifact.path)


def accepted_by_digest(run: JudgingRun) -> dict[str, Accepted]:
    """Return what was accepted in a run, by its SHA-256."""
    return {
        line.sha256: line.verdict
        for line in run.ledger.lines()
        if line.outcome is Outcome.ACCEPTED and isinstance(line.verdict, Accepted)
    }


def of_archives(
    run: JudgingRun, compared: Iterable[Comparison]
) -> Iterator[tuple[Accepted, InstalledDistribution]]:
    """Yield what an installer has brought and is of one archive that was accepted in a run, each with it.

    What came along with a Python was not judged, and is left out; so is what differs, or is the user's own.

    Args:
        run: The run.
        compared: What the installer has changed, as it was compared.
    """
    by_digest = accepted_by_digest(run)
    for each in compared:
        accepted = None if each.archive is None else by_digest.get(each.archive.digest.hex)
        if accepted is not None and each.distribution is not None:
            yield accepted, each.distribution


def clear_drafts(sites: Iterable[Path], reporter: Reporter) -> None:
    """Remove what an earlier run that was killed left of the receipts that it wrote, and say so.

    Args:
        sites: Directories of packages. They need not exist.
        reporter: Told of each.
    """
    for draft in (each for site in sites for each in remove_drafts(site)):
        reporter.note(f"removed {draft}, the draft of a receipt that a killed run left")


def write_receipts(
    run: JudgingRun, installed: Iterable[tuple[Accepted, InstalledDistribution | None]]
) -> None:
    """Write a receipt for each archive that was installed. One that cannot be written is no refusal.

    Args:
        run: The run.
        installed: Each archive, and where it was installed; None where that is not known.
    """
    for accepted, distribution in installed:
        name, sha256 = accepted.artifact.name.filename, accepted.artifact.digest.hex
        if distribution is None:
            run.ledger.note(name, _NOWHERE)
            continue
        try:
            receipt = receipt_of(accepted, run.gate.evidence_for(sha256), run.trust)
            write_receipt(distribution, receipt)
        except DeliveryError as err:
            run.ledger.warn(f"{distribution.subject} has no receipt [{err.code}]: {err.message}")
