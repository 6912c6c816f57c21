"""The newest release that has been there long enough for others to notice what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from packaging.version import Version

from pip_warden.errors import RefusedError
from pip_warden.index.candidate import Candidate
from pip_warden.trust.model import Revocation
from pip_warden.verdict.archive import find_revocation


def newest_settled(
    candidates: Iterable[Candidate],
    *,
    newer_than: Version,
    now: datetime,
    cool_down: timedelta,
    revoked: Iterable[Revocation] = (),
) -> Version | None:
    """Return the newest final release whose files have all been on the index for a while.

    Releases that are yanked or revoked are passed over. Only the index says when a file was uploaded.

    Args:
        candidates: The files of the project's page.
        newer_than: Older releases are not looked at.
        now: The time, aware.
        cool_down: How long; zero asks for no time.
        revoked: The trust file's revocations.

    Returns:
        The release; None where none is new and old enough.

    Raises:
        RefusedError: ``no-upload-time``: the page does not say when a file of it was uploaded.
    """
    releases: dict[Version, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.name.version > newer_than and not candidate.name.version.is_prerelease:
            releases.setdefault(candidate.name.version, []).append(candidate)
    barred = tuple(revoked)
    for version in sorted(releases, reverse=True):
        files = releases[version]
        if any(each.claimed_yanked is not None for each in files):
            continue
        if any(find_revocation(each.project, version, each.claimed_sha256, barred) for each in files):
            continue
        if not cool_down or all(_age(each, now) >= cool_down for each in files):
            return version
    return None


def _age(candidate: Candidate, now: datetime) -> timedelta:
    if candidate.claimed_upload_time is None:
        raise RefusedError(
            "no-upload-time",
            f"expected {candidate.page_url} to say when {candidate.name} was uploaded, found no time",
            hint="Its age cannot be told. `--cool-down 0` takes the newest release whatever its age; "
            "a lock says which release is meant.",
        )
    return now - candidate.claimed_upload_time
