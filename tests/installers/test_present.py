"""What pip says that a Python has: read from its report, whatever stands there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.installer.installed import Present

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def item(metadata: Any, **more: Any) -> dict[str, Any]:
    return {"metadata": metadata, **more}


def test_an_item_of_pip_s_report() -> None:
    metadata = {"name": "acme", "version": "1.0", "requires_dist": ["other>1"]}
    place = "/env/lib/python3.11/site-packages/acme-1.0.dist-info"

    assert Present.of(item(metadata, metadata_location=place)) == Present(
        version="1.0", requires_dist=("other>1",), info=Path(place)
    )
    assert Present.of(item({"version": "1.0"})).info is None


@given(JSON, JSON, JSON)
def test_what_has_another_form_is_one_of_few_errors(metadata: Any, requires: Any, place: Any) -> None:
    for each in (metadata, {"version": "1.0", "requires_dist": requires}):
        try:
            found = Present.of(item(each, metadata_location=place))
        except (KeyError, TypeError, AttributeError):
            continue
        assert all(isinstance(text, str) for text in (found.version, *found.requires_dist))


@pytest.mark.parametrize("version", [None, 7])
def test_a_version_is_text(version: Any) -> None:
    assert Present.of(item({"version": version})).version == str(version)
