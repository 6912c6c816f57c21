"""Pins a release by the digests of its files: what they are, not who published them."""

from __future__ import annotations

from datetime import date

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError
from pip_warden.first_use.task import Task
from pip_warden.trust.model import HashEntry, Probe
from pip_warden.trust.suggest import give_reason


def add_hashes(task: Task, probe: Probe, version: Version, demanded: frozenset[str]) -> None:
    """Fetch every file of a release, show its digest, ask, and add the pin to the draft.

    Args:
        task: What the run works with.
        probe: Where to look.
        version: The release.
        demanded: The digests that a requirements file requires; empty where it has none.

    Raises:
        RefusedError: A file is refused; ``hash-not-found``: none has a required digest; ``declined``.
        UndecidedError: A page or file could not be fetched.
        UsageError: ``yes-needed``, ``pin-conflict``, or ``expires-past``.
    """
    last_day = last_day_of(task, probe, version)
    files = task.first_use().hashes(probe, version)
    task.person.clear()
    if demanded:
        files = _demanded(files, demanded, f"{probe.project}=={version}")
    listed = [f"  {escape_text(name)}  sha256 {digest}" for name, digest in files]
    until = "" if last_day is None else f" until {last_day}"
    head = (
        f"{probe.project} {version}, by hash{until}. This proves what the files are, not who published them:"
    )
    task.person.show("\n".join([head, *listed]))
    _tell_reason(task, probe, version)
    task.confirm(f"Pin these {len(files)} files?")
    task.draft.add_entry(
        HashEntry(
            project=probe.project,
            version=version,
            source=probe.source,
            registry=probe.registry,
            registry_id=probe.registry_id,
            files=files,
            reason=task.wanted.reason.strip() or task.source.hash_reason,
            expires=last_day,
        )
    )


def _tell_reason(task: Task, probe: Probe, version: Version) -> None:
    """Say that a release that is pinned already keeps its reason: it is that of the files that are there."""
    trust, given = task.draft.trust(), task.wanted.reason.strip()
    pinned = trust.entry_for(probe.project, version)
    if isinstance(pinned, HashEntry) and given not in {"", pinned.reason}:
        task.person.warning(
            f"{probe.project} {version} is pinned already, because: {escape_text(pinned.reason, 500)}. "
            f"That stays; `{give_reason(f'{probe.project}=={version}', trust.path)}` changes it"
        )


def last_day_of(task: Task, probe: Probe, version: Version) -> date | None:
    """Return the last day of a pin: the one asked for, else that of the release, or of the newest pinned.

    Raises:
        UsageError: ``expires-past``: it is over.
    """
    trust = task.draft.trust()
    pinned = [entry for entry in trust.entries_of(probe.project) if isinstance(entry, HashEntry)]
    like = max(pinned, key=lambda entry: (entry.version == version, entry.version), default=None)
    last = task.wanted.expires or (like.expires if like is not None else None)
    if last is not None and last < task.today:
        said = "--expires" if task.wanted.expires else f"expires of {probe.project} in the trust file"
        raise expires_past(said, last, task.today)
    return last


def expires_past(said: str, last: date, today: date, hint: str = "") -> UsageError:
    """Return the error for a last day that is over."""
    return UsageError(
        "expires-past",
        f"expected {said} to be {today} or later, found {last}",
        hint=hint or "Name the last day on which the hash is to be enough: --expires YYYY-MM-DD.",
    )


def _demanded(
    files: tuple[tuple[str, Digest], ...], hashes: frozenset[str], release: str
) -> tuple[tuple[str, Digest], ...]:
    """Keep the files whose hashes a requirements file lists; every listed hash must be that of a file."""
    found = tuple((name, digest) for name, digest in files if digest.hex in hashes)
    missing = hashes - {digest.hex for _, digest in found}
    if missing:
        raise RefusedError(
            "hash-not-found",
            f"expected a file of {release} with SHA-256 {min(missing)}, "
            "as the requirements file demands, found none",
            hint="The registry's bytes are not those that the author of that file had.",
        )
    return found
