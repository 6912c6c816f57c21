"""Reads requirements files that can be read in one way only, and splits them into lines and options.

What two readers could read differently is refused here; the lines are interpreted in
:mod:`pip_warden.installer.requirement`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.values import dataclass

_LARGEST_FILE = 16 << 20
_ODD = re.compile("[\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\ufeff]")
_BLANKS = re.compile(r"(?:[^\S\n]|\\\r?\n){256}")
"""A run that is refused: the parser looks from each blank for the end of its run; continued lines are one."""
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=]", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequirementsLine:
    """One logical line of a requirements file, continuations joined and comments removed.

    Attributes:
        text: What stands there.
        is_editable: Whether it is an ``-e`` line.
        number: The number of its line, from one.
    """

    text: str
    is_editable: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a requirements file: the options of each option line, and every other line."""

    options: tuple[Mapping[str, object], ...]
    lines: tuple[RequirementsLine, ...]


def read_file(path: Path) -> Content:
    """Read a requirements file.

    Raises:
        UsageError: ``bad-requirements-file``: it cannot be read, or not in one way only.
    """
    return _parse(_checked_text(path))


def _parse(text: str) -> Content:
    """Split a file into lines and options.

    The parser reads files only, and would guess the encoding: so it gets a copy of what was checked, with a
    byte order mark. Lines that it does not know (per-requirement options newer than it) are read by the same
    code as the others, or refused there.
    """
    from pip_requirements_parser import EditableRequirement, RequirementsFile

    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "requirements.txt"
        copy.write_text(text, encoding="utf-8-sig", newline="")
        parsed = RequirementsFile.from_file(str(copy), include_nested=False)
    lines = [_line(item, isinstance(item, EditableRequirement)) for item in parsed.requirements]
    lines += [_line(item) for item in parsed.invalid_lines]
    # An option line that sets nothing (an empty value, a stray --hash) would be lost: it is read as a
    # requirement, and refused.
    lines += [_line(item) for item in parsed.options if not item.options]
    return Content(options=tuple(item.options for item in parsed.options), lines=tuple(lines))


def _line(item: Any, is_editable: bool = False) -> RequirementsLine:
    line = item.requirement_line
    return RequirementsLine(str(line.line).strip(), is_editable, int(line.line_number or 0))


def resolve_name(text: str, base: Path) -> Path:
    """Return a requirements file's path; links are not resolved: paths in it start from the given name.

    Raises:
        UsageError: ``refused-requirement``: it is a URL or a lock file; ``bad-requirements-file``: no file
            has such a name.
    """
    if re.match(r"[a-z][a-z0-9+.-]*:", text, re.IGNORECASE | re.ASCII) or re.fullmatch(
        r"(.*/)?pylock[^/]*\.toml", text
    ):
        raise UsageError(
            "refused-requirement", f"expected a local requirements file, found {redact_credentials(text)}"
        )
    path = (base / text).absolute()
    try:
        path.resolve()
    except (OSError, ValueError, RuntimeError) as err:
        raise UsageError(
            "bad-requirements-file", f"expected a readable file, found {redact_credentials(text)}"
        ) from err
    return path


def _checked_text(path: Path) -> str:
    """Read a file; refuse what two readers could read differently.

    Such are encodings, byte order marks, NUL, coding lines and odd line breaks.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else "a name that no file can have"
        raise UsageError(
            "bad-requirements-file", f"expected a readable file {escape_text(str(path))}, found: {reason}"
        ) from err
    if len(raw) > _LARGEST_FILE:
        raise bad_file(path, "a file that is too large")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise bad_file(path, "bytes that are not UTF-8") from err
    if odd := _ODD.search(text):
        raise bad_file(path, f"the character {odd[0]!r}")
    if _BLANKS.search(text):
        raise bad_file(path, "more than 255 blanks in a row")
    if any(_CODING.match(line) for line in text.splitlines()[:2]):
        raise bad_file(path, "a coding line")
    return text


def redact_credentials(text: str) -> str:
    """Return the user's text without the credentials that a URL in it may carry."""
    if ":" in text or "//" in text:
        text = re.sub(r"\?\S*", "?…", re.sub(r"(?<!\S)\S*@", "…@", text))
    return escape_text(text)


def bad_file(path: Path, found: str) -> UsageError:
    """Make the error for a file that cannot be read in one way only."""
    return UsageError(
        "bad-requirements-file",
        f"expected a plain UTF-8 requirements file {path}, found {found}",
        hint="Two programs could read it differently. Save it as UTF-8 without a byte order mark.",
    )
