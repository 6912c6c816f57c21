"""Reads the links of an HTML page (PEP 503) in one pass, in time linear in the page's length.

It reads the HTML that indexes write; nothing on the page is trusted, so it matters little how other parsers
read an odd one. A tag, comment or script without an end is an error. Lenient parsers search for the end of
each again and again, and take minutes for a hostile page of a few kilobytes (CVE-2025-6069 and CVE-2026-15308
of CPython's ``html.parser``, on which most others are built).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from pip_warden.values import dataclass

_TOKEN = re.compile(
    r"""
      (?P<text> (?: [^<] | <(?!/?[a-z]|[!?]) )++ )                  # a < that begins nothing is text
    | <!-- (?: [^-] | -(?!->) )*+ -->
    | <[!?] [^<>]*+ >
    | <(?P<slash>/?) (?P<name>[a-z][^\s/<>"'=]*+) (?P<attributes> (?: [^<>"']++ | "[^"]*+" | '[^']*+' )*+ ) >
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
"""Possessive throughout: no backtracking."""

_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]++) (?: \s*+ =\s*+ """
    r"""(?: "(?P<double>[^"]*+)" | '(?P<single>[^']*+)' | (?P<bare>[^\s"'<>=`]++) ) )?""",
    re.VERBOSE | re.ASCII,
)
_OPAQUE = frozenset(
    {"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"}
)
"""Elements whose content is not markup."""


class MarkupError(ValueError):
    """The page is not HTML that is read here; the message says why."""


@dataclass(frozen=True, slots=True)
class Link:
    """An ``<a>``: its text without nested tags, and its attributes by lower-case name (the first of each)."""

    text: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """The content of an index page.

    Attributes:
        base: ``href`` of its first ``<base>``, None where there is none.
        meta: ``(name, content)`` of each ``<meta>``.
        links: Every ``<a>`` with an ``href``, in the page's order.
    """

    base: str | None
    meta: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    is_end: bool
    written: str

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.written):
            value = match["double"] or match["single"] or match["bare"] or ""
            found.setdefault(match["name"].lower(), _plain(value))
        return found


def read_document(text: str, *, most_links: int) -> Document:
    """Read a page.

    Args:
        text: The page.
        most_links: How many links it may have.

    Raises:
        MarkupError: A tag, comment or script has no end, a character reference is invalid, or there are too
            many links.
    """
    bases: list[str] = []
    meta: list[tuple[str, str]] = []
    links: list[tuple[list[str], dict[str, str]]] = []
    parts: list[str] = []
    for token in _tokens(text):
        if isinstance(token, str):
            parts.append(token)
        elif token.name == "a":
            # Links do not nest (HTML Standard, 13.2.6.4.7): a link ends the one before, and text after an end
            # belongs to none.
            parts = []
            if not token.is_end:
                links.append((parts, token.attributes()))
        elif token.name == "base":
            bases += [value for name, value in token.attributes().items() if name == "href"]
        elif token.name == "meta":
            found = token.attributes()
            meta.append((found.get("name", ""), found.get("content", "")))
        if len(links) > most_links:
            raise MarkupError(f"more than {most_links} links")
    return Document(
        base=bases[0] if bases else None,
        meta=tuple(meta),
        links=tuple(Link(_plain("".join(text)).strip(), found) for text, found in links if "href" in found),
    )


def _tokens(text: str) -> Iterator[str | _Tag]:
    """Yield pieces of text and tags; comments and declarations are left out."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MarkupError(f"a tag or comment without an end: {text[at : at + 40]!r}")
        at = match.end()
        if match["text"]:
            yield match["text"]
        elif match["name"]:
            tag = _Tag(match["name"].lower(), bool(match["slash"]), match["attributes"])
            yield tag
            if tag.name in _OPAQUE and not tag.is_end:
                at = _end_of(tag.name, text, at)


def _end_of(name: str, text: str, at: int) -> int:
    """Return where the end tag of an element begins whose content is not markup."""
    match = re.compile(rf"</{name}(?=[\s/>])", re.ASCII | re.IGNORECASE).search(text, at)
    if match is None:
        raise MarkupError(f"a {name} without an end")
    return match.start()


def _plain(text: str) -> str:
    try:
        return unescape(text)
    except ValueError as err:
        raise MarkupError("a character reference of too many digits") from err
