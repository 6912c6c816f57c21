"""How foreign text is shown: escaped, and of bounded length.

File names, refs, annotations and error bodies are untrusted. Control characters can control a terminal,
bidirectional and format characters can make one name look like another (Unicode TR 36).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

_MARKER = re.compile(r"##(?=[A-Za-z]*\[)")
"""Beginnings of commands to GitHub's, Azure's (``##vso[``) and TeamCity's runners, anywhere in a log line."""

_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
"""What GitHub's runner reads as a command at the beginning of a line."""

_QUERY = re.compile(r"(://[^\s?#]*[?#])[^\s'\"`]+")
"""What follows a URL's path, up to the quotes around it."""

_SENT = re.compile(r"://(?P<authority>(?:(?!://)[^\s/?#])*)(?P<path>(?:(?!://)[^\s?])*)(?P<query>\?\S*)?")
"""What follows a URL's scheme (RFC 3986 section 3), up to the next one."""
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:[0-9]*)?", re.ASCII)

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"([\n\t])")
_COLOURED = re.compile(r"(\x1b\[[0-9;]*m|[\n\t])")


def escape_text(text: str, limit: int = 200) -> str:
    """Escape control, bidi, format and unassigned characters and commands to CI runners; limit the length.

    Args:
        text: Anything from outside.
        limit: The longest result in characters; a longer text ends in ``…``.
    """
    escaped = text[: limit + 1]
    if not escaped.isprintable():  # hidden characters are not, and most texts are
        escaped = "".join(_escape(char) if _is_hidden(char) else char for char in escaped)
    escaped = _MARKER.sub(r"\\u0023#", escaped)
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"


def some_of(names: Collection[str], most: int) -> str:
    """List the first few of many: ``a, b and 7 more``; ``""`` for none. Nothing is escaped.

    Args:
        names: The names.
        most: How many are listed.
    """
    first = ", ".join(islice(names, most))
    return first if len(names) <= most else f"{first} and {len(names) - most} more"


def escape_line(line: str, limit: int = 4000) -> str:
    """Escape a whole line that a child or a library has written.

    GitLab's section markers need control characters; GitHub's runner reads any line that begins with two
    colons as a command.

    Args:
        line: The line, without its end.
        limit: The longest result in characters.
    """
    return _COMMAND.sub(r"\1\\u003a", escape_text(line.expandtabs(), limit))


def escape_output(text: str, *, coloured: bool) -> str:
    """Escape hidden characters and commands to CI runners in our own text, with line ends and colours.

    This is the last check before output. JSON means the same afterwards.

    Args:
        text: Any number of lines.
        coloured: Keep colours (SGR, ECMA-48 section 8.3.117).
    """
    text = _COMMAND.sub(r"\1\\u003a", _MARKER.sub(r"\\u0023#", text))
    if text.isprintable():
        return text
    allowed = _COLOURED if coloured else _PLAIN
    return "".join(
        part
        if part.isprintable() or allowed.fullmatch(part)
        else "".join(_escape(c) if _is_hidden(c) else c for c in part)
        for part in allowed.split(text)
    )


def without_userinfo(text: str) -> str:
    """Return text without the user names and passwords of the URLs in it."""
    return re.sub(r"\S+", _without_userinfo, text)


def without_secrets(text: str) -> str:
    """Return text without user names, passwords, queries and fragments of the URLs in it."""
    return _QUERY.sub(r"\1…", without_userinfo(text))


def without_credentials(text: str) -> str:
    """Return foreign text without what is sent of the URLs in it and may let somebody in, each as ``…``.

    That is user names and passwords, and queries, in which registries sign URLs. A path is left as it is: a
    signer's has an ``@`` of its own; so is a fragment, which is not sent, and may be the hash of a file.
    """
    return _SENT.sub(_without_credentials, text)


def bare_url(url: str) -> str:
    """Return a URL without what may let somebody in: user name and password, query, fragment.

    Registries sign URLs in their query; nothing here fails, whatever the text is.
    """
    scheme, separator, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def nearest(text: str, known: Iterable[str], *, likeness: float = 0.7) -> tuple[str, ...]:
    """Return the known words that may have been meant by a mistyped one: three at most, the nearest first.

    Args:
        text: What was typed, in any case of letters.
        known: The words.
        likeness: From 0 to 1: how alike they must be (:func:`difflib.get_close_matches`).
    """
    from difflib import get_close_matches

    words = {word.lower(): word for word in known}
    return tuple(
        words[found] for found in get_close_matches(text.strip().lower(), words, n=3, cutoff=likeness)
    )


def near(path: Path) -> str:
    """Return an absolute path as text; one below the working directory begins with ``./``."""
    here = Path.cwd()
    if path == here:
        return "./"
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)


def _without_userinfo(word: re.Match[str]) -> str:
    before, scheme, after = word[0].partition("://")
    return f"{before}://…@{after.rpartition('@')[2]}" if scheme and "@" in after else word[0]


def _without_credentials(url: re.Match[str]) -> str:
    authority, path = url["authority"], url["path"]
    if "@" in authority:
        authority = f"…@{authority.rpartition('@')[2]}"
    elif not _HOST.fullmatch(authority):  # a password with one of the characters that end an authority
        authority, path = "…", f"@{path.rpartition('@')[2]}" if "@" in path else ""
    return f"://{authority}{path}{'?…' if url['query'] else ''}"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
