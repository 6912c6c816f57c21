"""How foreign text is shown: escaped, and of bounded length.

File names, refs, annotations and error bodies are written by strangers. Control characters can drive a terminal,
bidirectional and format characters can make one name look like another (Unicode TR 36).
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(text: str, limit: int = 200) -> str:
    """Escape control, bidi, format and unassigned characters, and cap the length.

    Args:
        text: Anything from outside.
        limit: The longest result in characters; a longer text ends in ``…``.
    """
    escaped = "".join(
        _escape(char) if unicodedata.category(char) in _HIDDEN else char for char in text[: limit + 1]
    )
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
