"""Gives the drafted trust file the trusted root that a new pin needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pip_warden.events import Reporter
from pip_warden.first_use.draft import Draft
from pip_warden.first_use.new_root import DEFAULT, new_root, root_for


def draft_root(
    draft: Draft,
    issuer: str | None,
    *,
    given: Path | None,
    workspace: Path,
    reporter: Reporter,
    is_offline: bool,
) -> str:
    """Return the root to verify with: one that may vouch for the issuer, the default, or a new one.

    Args:
        draft: The trust file as it will be.
        issuer: The issuer, where it is known.
        given: The user's file; that it is pinned is asked for.
        workspace: A private directory of this run.
        reporter: It is told that a root is read.
        is_offline: Fetch none.

    Raises:
        UsageError: There is no trusted root, or another one in its place.
        TrustRootError: It could not be fetched.
    """
    trust = draft.trust()
    name = DEFAULT if given is not None else root_for(trust, issuer)
    if draft.root is None and (given is not None or trust.root(name) is None):
        reporter.step("reading the trusted root")
        draft.root = new_root(given, draft.path, workspace, offline=is_offline)
    return name


def vouch(draft: Draft, name: str, issuer: str) -> None:
    """Let the root that proves a signer vouch for its issuer, and for no other."""
    old = draft.trust().root(name)
    if draft.root is not None and name == DEFAULT:
        draft.add_root(draft.root.pin(issuer))
    elif old is not None:
        draft.add_root(replace(old, issuers=(issuer,)))
