"""HTML that is safe by how it is made: any text that is put into an element is escaped there.

Foreign text is first made visible (:func:`~pip_warden.display.escape_text`), then stripped of its meaning as
HTML. No link is ever made of it: a report names who published something, and leads nobody there.

Source: html.spec.whatwg.org, section 13.1 (writing HTML documents).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TypeVar

from pip_warden.display import escape_text
from pip_warden.values import dataclass

_LONGEST = 2000
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML in which every element is closed and every text is escaped; only this module makes it.

    Attributes:
        html: It.
    """

    html: str


Content = str | Markup
"""Text, which is escaped wherever it is put, or what is HTML already."""

NOTHING = Markup("")


def element(tag: str, *content: Content, **attributes: str) -> Markup:
    """Make an element.

    Args:
        tag: Its name, of ours.
        content: What is in it, in order.
        attributes: By name; ``_`` stands for ``-``, and an ending one is dropped (``class_``).
    """
    names = (name.rstrip("_").replace("_", "-") for name in attributes)
    given = "".join(
        f' {name}="{escape(value)}"' for name, value in zip(names, attributes.values(), strict=True)
    )
    return Markup(f"<{tag}{given}>{joined(content).html}</{tag}>")


def joined(content: Iterable[Content]) -> Markup:
    """Put one after the other."""
    return Markup("".join(each.html if isinstance(each, Markup) else _escaped(each) for each in content))


def prose(text: str) -> Markup:
    """Set what stands between backticks as code; the rest is put as any text is."""
    pieces = escape_text(text, _LONGEST).split("`")
    # Without its partner a backtick is only a backtick.
    whole = pieces if len(pieces) % 2 else [*pieces[:-2], "`".join(pieces[-2:])]
    return joined(element("code", each) if number % 2 else each for number, each in enumerate(whole))


def facts(pairs: Iterable[tuple[str, Content | None]]) -> Markup:
    """List names and values; what is None or ``""`` is left out, and so is a list of nothing.

    Args:
        pairs: Name and value of each fact; a value that is text may be foreign.
    """
    rows = [element("div", element("dt", name), _value(value)) for name, value in pairs if value]
    return element("dl", *rows) if rows else NOTHING


def value(text: str) -> Markup:
    """Set foreign text apart: in letters that can be told from each other, and from left to right."""
    return element("span", text, class_="value", dir="ltr")


def first_of(items: Sequence[_Item], most: int) -> tuple[Sequence[_Item], Markup]:
    """Return the first of many, and a line that says how many more there are; nothing where none are.

    Args:
        items: All of them.
        most: How many are shown.
    """
    left = len(items) - most
    return items[:most], element("p", f"and {left} more", class_="quiet") if left > 0 else NOTHING


def _value(given: Content) -> Markup:
    return element("dd", value(given) if isinstance(given, str) else given)


def _escaped(text: str) -> str:
    return escape(escape_text(text, _LONGEST))
