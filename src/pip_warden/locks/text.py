"""Reads a lock's bytes as TOML, and says where in it something is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pip_warden.disk import open_regular
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.installer.requirements_file import redact_credentials
from pip_warden.values import dataclass

LARGEST_LOCK = 16 << 20
"""Bytes; the largest known uv.lock has four million."""

_PACKAGE = re.compile(r"^[ \t]*\[\[[ \t]*(?:packages?|distribution)[ \t]*\]\]", re.MULTILINE)
PACKAGE_KEYS = ("packages", "package", "distribution")
"""Of the packages: pylock's, that of all others, and what uv called it."""


@dataclass(frozen=True, slots=True)
class LockText:
    """A lock as TOML.

    Attributes:
        path: Its path.
        document: What it holds.
        lines: The line of each package's table, from one; empty where they cannot be told.
    """

    path: Path
    document: dict[str, Any]
    lines: tuple[int, ...] = ()

    def where(self, position: int | None = None) -> str:
        """Return file and line of a package's table, for people.

        Args:
            position: Its number among the packages, from zero; None for the whole file.
        """
        name = escape_text(str(self.path))
        if position is None:
            return name
        if position < len(self.lines):
            return f"{name} (line {self.lines[position]})"
        return f"{name} (package {position + 1})"

    def bad(self, found: str, position: int | None = None) -> UsageError:
        """Make the error for a lock that is not what its format says."""
        return bad_lock(self.where(position), found)


def bad_lock(where: str, found: str) -> UsageError:
    """Make the error for what stands in a lock and cannot be right."""
    return UsageError(
        "bad-lock-file",
        f"expected a lock as its tool writes it in {where}, found {redact_credentials(found)}",
        hint="Nothing is taken from a lock that is not understood as a whole. Let its tool write it anew.",
    )


def read_bytes(path: Path) -> bytes:
    """Read a lock.

    Raises:
        UsageError: ``bad-lock-file``: it is missing, no regular file, cannot be read or is too large.
    """
    name = escape_text(str(path))
    try:
        with open_regular(path, follow=True) as stream:
            raw = stream.read(LARGEST_LOCK + 1)
    except OSError as err:
        raise bad_lock(name, err.strerror or type(err).__name__) from err
    except ValueError as err:
        raise bad_lock(name, "a name that no file can have") from err
    if len(raw) > LARGEST_LOCK:
        raise bad_lock(name, f"more than {LARGEST_LOCK} bytes")
    return raw


def parse(raw: bytes, path: Path) -> LockText:
    """Read a lock's bytes as TOML.

    Raises:
        UsageError: ``bad-lock-file``: they are not TOML in UTF-8.
    """
    try:
        text = raw.decode("utf-8")
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise bad_lock(escape_text(str(path)), f"no TOML: {err}") from err
    except UnicodeDecodeError as err:
        raise bad_lock(escape_text(str(path)), "bytes that are not UTF-8") from err
    except (ValueError, RecursionError, OverflowError) as err:
        raise bad_lock(escape_text(str(path)), f"no TOML: {type(err).__name__}") from err
    lines = _lines_of_packages(text)
    packages = next((document[key] for key in PACKAGE_KEYS if key in document), None)
    is_told = isinstance(packages, list) and len(packages) == len(lines)
    return LockText(path, document, lines if is_told else ())


def _lines_of_packages(text: str) -> tuple[int, ...]:
    """Return the lines of the headers, which TOML's reader does not tell; a string may hold such a line."""
    lines, line, at = [], 1, 0
    for match in _PACKAGE.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        lines.append(line)
    return tuple(lines)
