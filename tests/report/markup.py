"""What a reader of Markdown sees, and texts that want to be seen."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from report.test_report import EVIL

MARKUP = [
    *EVIL,
    "`code` and ``code`` `",
    "a | b | c",
    "a\\",
    "\\`@all\\`",
    "<img src=x onerror=alert(1)>",
    "</summary></details><script>",
    "@all #1 !1 ~bug %1 &1 $1 :tada:",
    "https://evil.example www.evil.example [a](https://evil.example) ![b](c)",
    "/close",
    "**bold** _it_ ~~no~~ $`x`$ {+ a +} [[_TOC_]]",
    "\n\n# Heading\n\n- item\n\n/merge\n",
    "&lt;b&gt; &#96;",
    " ",
]
PARSER = MarkdownIt("commonmark").enable("table")


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def meaning(text: str) -> list[tuple[str, str]]:
    """Return everything that a reader of Markdown sees in a text, but not what stands in code spans."""
    return [
        (token.type, "" if token.type in {"code_inline", "inline"} else token.content)
        for token in _flat(PARSER.parse(text))
    ]
