"""Which files of an index page a lock means: both must agree on every digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError
from pip_warden.first_use.needs import NeededRelease
from pip_warden.index.candidate import Candidate
from pip_warden.values import dataclass
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Refused, Step, StepFailure, VerdictError

Fetch = Callable[[Candidate], Digest]
"""Fetches a file and computes its digest, after the steps before the evidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A file of a release, on its index page.

    Attributes:
        candidate: The page's entry.
        sha256: Its digest.
    """

    candidate: Candidate
    sha256: Digest


def files_of(release: NeededRelease, listing: Listing, fetch: Fetch) -> tuple[FoundFile, ...]:
    """Return the files that a lock means: those that it names or has a digest of, else the whole release.

    Nothing is fetched of which the lock or the page has a digest: it is checked at every install.

    Args:
        release: What the lock says.
        listing: The judged page.
        fetch: For files of which nobody says a digest.

    Raises:
        RefusedError: ``no-release``; ``hash-not-found``: no file has a digest that the lock demands;
            ``lock-disagrees``: a file has another digest there; or the page's entry is refused.
        UndecidedError: A file could not be fetched.
    """
    usable = [c for c in listing.allowed if c.name.version == release.version]
    if not usable:
        raise RefusedError(
            "no-release",
            f"expected a release {release.version} of {release.project} on {listing.page.url}, found none",
            hint=f"The lock names it at {', '.join(release.where)}. Check the source, or lock again.",
        )
    for candidate in usable:
        if fault := listing.check_candidate(candidate):
            failure = StepFailure(Step.ORIGIN, fault)
            raise VerdictError(Refused(subject=candidate.name.filename, failure=failure))
    if not release.all_digests:
        found = {c.name.filename: FoundFile(candidate=c, sha256=_digest(c, fetch)) for c in usable}
    else:
        found = _named(release, usable)
        _add_unnamed(release, usable, found, fetch)
    return tuple(found[name] for name in sorted(found))


def check_agrees(candidate: Candidate, wanted: Digest, found: Digest | None) -> None:
    """Check a digest of a file against the one that the lock demands.

    Args:
        candidate: The file.
        wanted: The digest that it must have.
        found: What the page, or the file itself, says; None where that says nothing.

    Raises:
        RefusedError: ``lock-disagrees``.
    """
    if found not in {None, wanted}:
        raise RefusedError(
            "lock-disagrees",
            f"expected {candidate.name} to have SHA-256 {wanted}, as it is locked, "
            f"found {found} on {candidate.page_url}",
            hint="One of the two was changed, or the lock was made of another index. "
            "Nothing is pinned before you know which.",
        )


def _named(release: NeededRelease, usable: list[Candidate]) -> dict[str, FoundFile]:
    found = {}
    for file in release.files:
        candidate = _listed(file.name.filename, file.sha256, usable)
        if candidate is None:
            raise _missing(release, file.sha256, f"{escape_text(file.name.filename)} with SHA-256")
        check_agrees(candidate, file.sha256, candidate.claimed_sha256)
        found[candidate.name.filename] = FoundFile(candidate=candidate, sha256=file.sha256)
    return found


def _listed(filename: str, sha256: Digest, usable: Iterable[Candidate]) -> Candidate | None:
    """Return the entry of a file; uv writes names otherwise than the index does."""
    by_name = [c for c in usable if c.name.filename == filename]
    by_digest = [c for c in usable if c.claimed_sha256 == sha256]
    by_spelling = [c for c in usable if _folded(c.name.filename) == _folded(filename)]
    return next(iter(by_name or by_digest or by_spelling), None)


def _folded(filename: str) -> str:
    return filename.lower().replace("-", "_").replace(".", "_")


def _add_unnamed(
    release: NeededRelease, usable: list[Candidate], found: dict[str, FoundFile], fetch: Fetch
) -> None:
    """Add the files whose digests are demanded without their names."""
    left = set(release.digests - {file.sha256 for file in found.values()})
    silent = [c for c in usable if c.claimed_sha256 is None and c.name.filename not in found]
    for candidate in (*(c for c in usable if c.claimed_sha256 in left), *silent):
        digest = _digest(candidate, fetch) if left else None
        if digest in left:
            found[candidate.name.filename] = FoundFile(candidate=candidate, sha256=digest)
            left.discard(digest)
    if left:
        raise _missing(release, min(left, key=lambda digest: digest.hex), "a file with SHA-256")


def _digest(candidate: Candidate, fetch: Fetch) -> Digest:
    return candidate.claimed_sha256 or fetch(candidate)


def _missing(release: NeededRelease, sha256: Digest, what: str) -> RefusedError:
    return RefusedError(
        "hash-not-found",
        f"expected {what} {sha256} in {release.project} {release.version}, as {', '.join(release.where)} "
        "demands, found none",
        hint="The registry's files are not those that the lock was made of.",
    )
