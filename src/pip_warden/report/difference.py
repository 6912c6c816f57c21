"""What was expected and what was found, side by side, with what differs marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from pip_warden.display import escape_text
from pip_warden.report.markup import Content, Markup, element

_LONGEST = 500
"""Characters that are compared and shown: the time it takes grows with their square."""

_WORD = re.compile(r"\w+|\W")


def compared(expected: str, found: str) -> Markup:
    """Show two texts side by side; words that only one of them has are marked.

    Args:
        expected: What was expected; foreign text, as the other.
        found: What was found.
    """
    left, right = (_WORD.findall(escape_text(text, _LONGEST)) for text in (expected, found))
    same = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return element(
        "div",
        _side("Expected", left, [(block.a, block.size) for block in same]),
        _side("Found", right, [(block.b, block.size) for block in same]),
        class_="compared",
    )


def _side(title: str, words: list[str], same: list[tuple[int, int]]) -> Markup:
    """Make one side; the last block of what is the same is empty and at the end."""
    pieces: list[Content] = []
    shown = 0
    for start, size in same:
        if shown < start:
            pieces.append(element("mark", "".join(words[shown:start])))
        shown = start + size
        pieces.append("".join(words[start:shown]))
    text = element("p", *pieces, class_="value", dir="ltr")
    return element("div", element("h4", title), text)
