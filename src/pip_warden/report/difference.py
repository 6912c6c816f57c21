"""What was expected and what was found, side by side, with what differs marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import takewhile

from pip_warden.display import escape_text
from pip_warden.report.markup import Content, Markup, element

_LONGEST, _MOST_WORDS = 2000, 150
"""Characters that are shown, and words that are compared each with each: the time for it is their square."""

_WORD = re.compile(r"\w+|\W")


def compared(expected: str, found: str) -> Markup:
    """Show two texts side by side; words that only one of them has are marked.

    Args:
        expected: What was expected; foreign text, as the other.
        found: What was found.
    """
    left, right = (_WORD.findall(escape_text(text, _LONGEST)) for text in (expected, found))
    same = _same(left, right)
    return element(
        "div",
        _side("Expected", left, [(start, size) for start, _, size in same]),
        _side("Found", right, [(start, size) for _, start, size in same]),
        class_="compared",
    )


def _same(left: list[str], right: list[str]) -> list[tuple[int, int, int]]:
    """Return where each run of equal words begins in both, and its length; the last one reaches the end."""
    ends = len(left), len(right)
    if max(ends) <= _MOST_WORDS:
        return [*SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()]
    head = _equal(left, right)
    tail = min(_equal(left[::-1], right[::-1]), min(ends) - head)
    return [(0, 0, head), (ends[0] - tail, ends[1] - tail, tail)]


def _equal(left: list[str], right: list[str]) -> int:
    """Count the equal words with which both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _side(title: str, words: list[str], same: list[tuple[int, int]]) -> Markup:
    """Make one side, of its words and where those that both have begin."""
    pieces: list[Content] = []
    shown = 0
    for start, size in same:
        if shown < start:
            pieces.append(element("mark", "".join(words[shown:start])))
        shown = start + size
        pieces.append("".join(words[start:shown]))
    text = element("p", *pieces, class_="value", dir="ltr")
    return element("div", element("h4", title), text)
