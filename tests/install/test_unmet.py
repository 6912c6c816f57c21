"""Which requirement pip found nothing for: read from what it prints, which a build may print too."""

from __future__ import annotations

from typing import cast

import pytest
from packaging.requirements import Requirement

from pip_warden.install.request import Run
from pip_warden.install.unmet import PipWords, why_unmet


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ERROR: No matching distribution found for acme==2", "acme==2"),
        ("ERROR: No matching distribution found for acme[x]<3,>=1", "acme[x]<3,>=1"),
        ("ERROR: No matching distribution found for acme>1 (from other)", "acme>1"),
        ("  ERROR: No matching distribution found for acme==2", None),
        ("ERROR: No matching distribution found for acme==", None),
        ("ERROR: No matching distribution found for ", None),
        (f"ERROR: No matching distribution found for {'a' * 1000}", None),
        (
            "ERROR: Could not find a version that satisfies the requirement acme==2 (from versions: none)",
            None,
        ),
        ("", None),
    ],
)
def test_what_pip_says(line: str, found: str | None) -> None:
    words = PipWords()
    words.hear(line)
    assert words.unmet == (None if found is None else Requirement(found))


def test_a_project_that_pip_did_not_ask_for_is_not_looked_up() -> None:
    assert why_unmet(cast("Run", None), Requirement("acme==2"), set()) is None
