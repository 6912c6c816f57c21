"""Step 1, pin: the trust file has an entry for the project; other names are never looked up anywhere."""

from __future__ import annotations

from datetime import date
from pathlib import PurePath

from packaging.version import Version

from pip_warden.faults import Fault
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.trust.likeness import close_names
from pip_warden.trust.model import Entry, HashEntry, Probe, TrustFile
from pip_warden.trust.suggest import CLOSE, either, pin_by_identity, pin_known_by_hash, renew
from pip_warden.verdict.model import PinnedByHash


def find_pin(project: ProjectName, version: Version, trust: TrustFile, today: date) -> Entry | Fault:
    """Return the entry that decides a version: a hash entry of that version, before an identity entry.

    An exemption that has ended decides too, since the identity entry was not meant for that version.
    """
    entry = trust.entry_for(project, version)
    if isinstance(entry, HashEntry) and (fault := check_expiry(entry, today, trust.path)):
        return fault
    if entry is not None:
        return entry
    if not trust.entries_of(project):
        return not_pinned(project, trust)
    command = pin_known_by_hash(trust.entries_of(project)[0], version, trust)
    return Fault(
        code="version-not-pinned",
        expected=f"{project} {version} in {trust.path.name}",
        found="only other versions of it, by hash",
        hint=f"Review the release, then: `{command}`.",
    )


def words_of(entry: Entry | Probe, trust: TrustFile) -> str:
    """Return in a few words by what a project is pinned."""
    kind = "hash" if isinstance(entry, HashEntry) else "identity"
    return f"{entry.project}, pinned by {kind} in {trust.path.name}"


def by_hash(entry: HashEntry, today: date) -> PinnedByHash:
    """Return what is said of a file that is accepted by its hash."""
    left = None if entry.expires is None else (entry.expires - today).days
    return PinnedByHash(reason=entry.reason, expires=entry.expires, days_left=left)


def check_expiry(entry: HashEntry, today: date, path: str | PurePath = "") -> Fault | None:
    """Return the fault of a hash pin after its last day; a hint names the trust file where it has to."""
    if not entry.is_over(today):
        return None
    return Fault(
        code="exemption-expired",
        expected=f"a pin of {entry.project} {entry.version} by hash that has not ended",
        found=f"one whose last day was {entry.expires}, pinned because: {entry.reason}",
        hint="Is the release signed by now? Then pin who signs it. Else review it again, then: "
        f"`{renew(f'{entry.project}=={entry.version}', path)}`.",
    )


def not_pinned(project: ProjectName, trust: TrustFile) -> Fault:
    """Return the fault of a project that is not in the trust file; names that are close to it come first."""
    command = either(pin_by_identity([project], trust.sources, trust.path))
    meant = close_names(project, trust.projects)
    wish = f"{CLOSE} If {project} itself is meant" if meant else "If you want it"
    return Fault(
        code="not-pinned",
        expected=f"an entry for {project} in {trust.path.name}",
        found="none",
        hint=f"{wish}: {command}. It shows who publishes it, and asks.",
        meant=meant,
    )


def unsigned_hint(
    entry: Entry | Probe | None, name: ArtifactName, trust: TrustFile, *, is_local: bool
) -> str:
    """Return what to do about a file without evidence.

    Args:
        entry: The entry that decides.
        name: The file's name.
        trust: The trust file.
        is_local: No index lists it: it is the user's own file.
    """
    known = (
        ""
        if isinstance(entry, Probe)
        else "The package is pinned to an identity, so an unsigned file is refused. "
    )
    local = f"A local file's evidence lies next to it ({name}.sigstore.json). " * is_local
    hint = f"{local}{known}Ask its publisher to sign it"
    if entry is None or isinstance(entry, HashEntry):
        return f"{hint}."
    command = pin_known_by_hash(entry, name.version, trust)
    return f"{hint}, or review this version and pin it by hash: `{command}`." if command else f"{hint}."
