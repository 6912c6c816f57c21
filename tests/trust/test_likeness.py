"""Names that are close to a pinned one: what is, what is not, and that each pair is so both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.names import ProjectName, parse_project_name
from pip_warden.oci.names import parse_repository
from pip_warden.trust.likeness import close_names, close_repositories

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?", fullmatch=True).map(parse_project_name)


def _is_close(one: str, other: str) -> bool:
    there, back = (
        bool(close_names(ProjectName(a), [ProjectName(b)])) for a, b in ((one, other), (other, one))
    )
    assert there == back
    return there


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        ("acme-widgtes", "acme-widgets"),
        ("acme-widget", "acme-widgets"),
        ("acme-widgetss", "acme-widgets"),
        ("acne-widgets", "acme-widgets"),
        ("bcme-widgets", "acme-widgets"),
        ("acmewidgets", "acme-widgets"),
        ("ac-me-widgets", "acme-widgets"),
        ("acmewidget", "acme-widgets"),
        ("widgets-acme", "acme-widgets"),
        ("requets", "requests"),
        ("python-requests", "requests"),
        ("requests-python3", "requests"),
        ("py-requests", "requests"),
        ("pyrequests", "requests"),
        ("py-dateutil", "python-dateutil"),
        ("python3-dateutil", "python-dateutil"),
        ("python-nmap", "nmap-python"),
        ("jeiiyfish", "jellyfish"),
        ("nurnpy", "numpy"),
        ("dj4ngo", "django"),
        ("vitamin-cc", "vitamin-cd"),
        ("vitamin-cd", "vitamin-dc"),
        ("vvheel", "wheel"),
        ("panclas", "pandas"),
        ("python-requests-py", "requests"),
        ("pyrequests-python", "requests"),
        ("pythonrequests", "requests"),
        ("pythonrequests", "py-requests"),
        ("b0t0c0re", "botocore"),
        ("urllib2", "urllib3"),
        ("urllib", "urllib3"),
        ("sxi", "six"),
    ],
)
def test_names_that_are_close(name: str, pinned: str) -> None:
    assert _is_close(name, pinned)


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        ("acme-widgets-core", "acme-widgets"),
        ("core-acme-widgets", "acme-widgets"),
        ("acme-widgets-x", "acme-widgets"),
        ("tomli-w", "tomli"),
        ("types-requests", "requests"),
        ("pytest-cov", "pytest"),
        ("pydantic-core", "pydantic"),
        ("acme-gadgets", "acme-widgets"),
        ("vitamin-c", "vitamin-d"),
        ("attr", "attrs"),
        ("toml", "tomli"),
        ("httpx", "http"),
        ("py", "python"),
        ("pythonnet", "thonnet"),
        ("pythonnet", "net"),
        ("pyjwt", "jwt"),
        ("a", "b"),
    ],
)
def test_names_that_are_not(name: str, pinned: str) -> None:
    assert not _is_close(name, pinned)


@given(one=NAMES, other=NAMES)
def test_closeness_goes_both_ways(one: ProjectName, other: ProjectName) -> None:
    _is_close(one, other)


@given(name=NAMES, others=st.lists(NAMES, max_size=4))
def test_a_pinned_name_is_close_to_none(name: ProjectName, others: list[ProjectName]) -> None:
    assert close_names(name, [*others, name]) == ()


def test_three_are_named_in_order() -> None:
    pinned = [ProjectName(f"acme-widget{end}") for end in "zyxw"]

    assert close_names(ProjectName("acme-widget"), pinned) == ("acme-widgetw", "acme-widgetx", "acme-widgety")


PINNED = "registry.example.com/acme/widgets"


@pytest.mark.parametrize(
    ("text", "close"),
    [
        (PINNED, False),
        ("registry.example.com/acme/wigdets", True),
        ("registry.example.com/amce/widgets", True),
        ("registry.example.com/acme/wid-gets", True),
        ("registry.example.com/acme/wid.gets", True),
        ("registry.examp1e.com/acme/widgets", True),
        ("registry-example.com/acme/widgets", True),
        ("registry.examp1e.com/amce/wigdets", True),
        ("registry.example.com:8443/acme/widgets", False),
        ("registry.example.com/acme/gadgets", False),
        ("registry.example.com/acme/widgets/core", False),
        ("registry.example.com/widgets", False),
        ("registry.example.org/other/widgets", False),
    ],
)
def test_repositories_of_images(text: str, close: bool) -> None:
    one, other = parse_repository(text), parse_repository(PINNED)
    assert close_repositories(one, [other]) == ((other,) if close else ())
    assert close_repositories(other, [one]) == ((one,) if close else ())
    assert close_repositories(one, [other, one]) == ()
