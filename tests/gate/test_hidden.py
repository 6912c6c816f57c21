"""Newer releases that the index hides are reported, whatever hides them."""

from __future__ import annotations

from datetime import UTC, datetime

import samples
from pip_warden.install.notes import newer_hidden
from pip_warden.names import parse_artifact_name

CHOSEN = parse_artifact_name(samples.WHEEL)
LATE = datetime(2026, 11, 20, tzinfo=UTC)


def _hidden(*, by_time: bool) -> list[tuple[str, str]]:
    allowed = (
        samples.candidate(),
        samples.candidate("acme_widgets-0.9-py3-none-any.whl", claimed_yanked="old"),
        samples.candidate("acme_widgets-2.0-py3-none-any.whl", claimed_yanked=""),
        samples.candidate("acme_widgets-2.1-py3-none-any.whl", claimed_upload_time=LATE),
        samples.candidate("acme_widgets-3.0rc1-py3-none-any.whl", claimed_yanked="broken"),
    )
    listing = samples.listing(*allowed)
    return [
        (str(candidate.name.version), why)
        for candidate, why in newer_hidden(listing, CHOSEN, by_time=by_time)
    ]


def test_t59_a_yanked_newer_release_is_named_and_an_older_or_preliminary_one_is_not() -> None:
    assert _hidden(by_time=False) == [("2.0", "yanked (no reason given)")]


def test_t59_a_late_upload_is_named_where_late_uploads_are_passed_over() -> None:
    assert _hidden(by_time=True)[1:] == [("2.1", "uploaded at 2026-11-20 00:00 UTC")]
