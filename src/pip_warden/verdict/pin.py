"""Step 1, pin: the trust file has an entry for the project; other names are never looked up anywhere."""

from __future__ import annotations

from packaging.version import Version

from pip_warden.faults import Fault
from pip_warden.names import ProjectName
from pip_warden.trust.model import Entry, TrustFile
from pip_warden.trust.suggest import either, pin_by_identity, pin_known_by_hash


def find_pin(project: ProjectName, version: Version, trust: TrustFile) -> Entry | Fault:
    """Return the entry that decides a version: a hash entry of that version, before an identity entry."""
    entry = trust.entry_for(project, version)
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


def not_pinned(project: ProjectName, trust: TrustFile) -> Fault:
    """Return the fault of a project that is not in the trust file."""
    command = either(pin_by_identity([project], trust.sources, trust.path))
    return Fault(
        code="not-pinned",
        expected=f"an entry for {project} in {trust.path.name}",
        found="none",
        hint=f"If you want it: {command}. It shows who publishes it, and asks.",
    )
