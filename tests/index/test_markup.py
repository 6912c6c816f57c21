"""HTML of index pages: what is read, and that the time for a hostile page is linear in its length."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import RegistryError, UsageError
from pip_warden.index.candidate import IndexPage
from pip_warden.index.markup import Document, MarkupError, read_document
from pip_warden.index.simple import parse_page
from pip_warden.names import ProjectName, parse_artifact_name

MANY = 1 << 20
"""Characters: a reader with quadratic time needs hours for as many."""


def _links(text: str) -> list[tuple[str, str]]:
    return [(link.text, link.attributes["href"]) for link in _read(text).links]


def _read(text: str) -> Document:
    return read_document(text, most_links=MANY)


def _page(text: str) -> IndexPage:
    return parse_page(
        project=ProjectName("a"),
        source="s",
        url="https://index.example/a/",
        content_type="text/html",
        body=text.encode(),
    )


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ('<a href="x">y</a>', [("y", "x")]),
        ("<A HREF='x'> y\n</A>", [("y", "x")]),
        ("<a href=x>y</a>", [("y", "x")]),
        ('<a\n  class="c"\n  href = "x"\n>y</a>', [("y", "x")]),
        ('<a href="a&amp;b" data-requires-python=">=3">1 &lt; 2</a>', [("1 < 2", "a&b")]),
        ("<a href=x>a<b>b</b><!-- c -->d</a>e", [("abd", "x")]),
        ("<a href=x>y", [("y", "x")]),
        ("<a href=1>y<a href=2>z</a>", [("y", "1"), ("z", "2")]),
        ("<a href=1 href=2>y</a>", [("y", "1")]),
        ("<a href>y</a>", [("y", "")]),
        ("<a name=x>y</a>", []),
        ("<abbr href=x>y</abbr>", []),
        ("<!-- <a href=x>y</a> -->", []),
        ("<script>if (a<b) '<a href=x>y</a>'</script>", []),
        ("<title><a href=x>y</a></TITLE >", []),
        ("1 < 2 <> </ > <3 <a href=x>y</a>", [("y", "x")]),
        ("<!doctype html><?xml version='1.0'?><p/><a href=x>y</a>", [("y", "x")]),
    ],
)
def test_the_links_of_a_page(text: str, links: list[tuple[str, str]]) -> None:
    assert _links(text) == links


def test_the_first_base_and_every_meta() -> None:
    found = _read('<meta name=a content="1"><base target=x><base href=b><base href=c><meta name=d>')

    assert (found.base, found.meta) == ("b", (("a", "1"), ("d", "")))


@pytest.mark.parametrize(
    "text",
    [
        "<a ",
        '<a href="x>y</a>',
        "<a href=x <b>",
        "<!-- x",
        "<!--",
        "<!",
        "<?",
        "</a",
        "<script>",
        "<script></scripty>",
        "<plaintext>",
        f"<a href=x>&#{'1' * 5000};",
        f"<a href='&#{'1' * 5000}'>",
        "<![CDATA[<a>]]>",
    ],
)
def test_what_has_no_end_or_means_nothing_is_no_page(text: str) -> None:
    with pytest.raises(MarkupError):
        _read(text)


def test_links_are_counted() -> None:
    with pytest.raises(MarkupError):
        read_document("<a href=x>" * 11, most_links=10)
    assert len(read_document("<a href=x>" * 10, most_links=10).links) == 10


_PIECES = st.sampled_from(
    ["<a ", "href=", '"', "'", ">", "</a>", "<!--", "-->", "<!", "<?", "&#", "<", "/", "="]
)


@given(st.lists(_PIECES | st.text(max_size=4)).map("".join))
def test_t14_every_text_is_read_or_is_no_page(text: str) -> None:
    with suppress(MarkupError):
        _read(text)


HOSTILE: dict[str, Callable[[int], str]] = {
    "unclosed tag": lambda size: "<a " * (size // 3),
    "unclosed value": lambda size: '<a href="x' * (size // 10),
    "unclosed comment": lambda size: "<!--" * (size // 4),
    "unclosed declaration": lambda size: "<!" * (size // 2),
    "unclosed instruction": lambda size: "<?" * (size // 2),
    "unclosed script": lambda size: "<script>" * (size // 8),
    "unclosed end": lambda size: "<script></script" * (size // 16),
    "nested quotes": lambda size: "<a " + '"<b \'" ' * (size // 8),
    "nested links": lambda size: "<a href=x>b" * (size // 11),
    "ends of nothing": lambda size: "<p>" * (size // 6) + "</q>" * (size // 8),
    "attributes": lambda size: f"<a {'b=' * (size // 2)}>",
    "blanks": lambda size: f"<a {('b' + ' ' * 99) * (size // 100)}>",
    "references": lambda size: "<a href=x>" + "&#" * (size // 2),
    "long base": lambda size: f'<base href="{"a/" * (size // 4)}">' + "<a href=y>" * (size // 20),
    "angles": lambda size: "<" * size,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_b05_a_hostile_page_costs_what_it_is_long(name: str) -> None:
    with suppress(RegistryError):
        assert _page(HOSTILE[name](MANY)).candidates == ()


def test_b05_a_page_has_a_most_of_files() -> None:
    with pytest.raises(RegistryError) as caught:
        _page("<a href=x>" * 100_001)
    assert caught.value.code == "bad-index-page"


def test_b05_the_tags_of_a_wheel_are_counted_before_they_are_multiplied() -> None:
    each = ".".join("abcdefghijklmnopqrstuvwxyz0123456789")
    name = f"a-1-{each}-{each}-{each}.whl"
    page = _page("".join(f'<a href="/{at}/{name}">{name}</a>' for at in range(1000)))

    assert (page.candidates, len(page.ignored)) == ((), 1000)
    with pytest.raises(UsageError) as caught:
        parse_artifact_name(name)
    assert caught.value.code == "invalid-filename"


def test_a_wheel_for_many_platforms_is_one() -> None:
    name = (
        "a-1-cp26.cp27.cp32.cp33.cp34.cp35.cp36.cp37.cp38.cp39-none-"
        "macosx_10_6_intel.macosx_10_9_intel.macosx_10_9_x86_64.macosx_10_10_intel.macosx_10_10_x86_64.whl"
    )

    assert len(parse_artifact_name(name).tags) == 50
