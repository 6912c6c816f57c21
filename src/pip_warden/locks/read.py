"""Finds a project's locks, and reads one: which format it has is decided by its name and by its content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.pylock import is_valid_pylock_path
from packaging.version import Version

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.locks.model import Lock, LockFormat
from pip_warden.locks.pdm import LARGEST_MINOR, read_pdm
from pip_warden.locks.poetry import read_poetry
from pip_warden.locks.pylock import read_pylock
from pip_warden.locks.requirements import read_requirements
from pip_warden.locks.text import LockText, bad_lock, parse, read_bytes
from pip_warden.locks.uv import read_uv

_READERS: dict[LockFormat, Callable[[LockText], Lock]] = {
    LockFormat.PYLOCK: read_pylock,
    LockFormat.UV: read_uv,
    LockFormat.POETRY: read_poetry,
    LockFormat.PDM: read_pdm,
}
_ORDER = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock")


def find_locks(directory: Path) -> tuple[Path, ...]:
    """Return the locks in a directory, by name and in this order.

    They are ``pylock.toml``, ``uv.lock``, ``poetry.lock``, ``pdm.lock`` and each ``pylock.NAME.toml``. Which
    of several is meant, only a person knows. Requirements files are not looked for: many are neither pinned
    nor the project's. A broken link counts as found, so that reading it fails.

    Raises:
        UsageError: ``bad-lock-file``: the directory cannot be listed.
    """
    try:
        names = os.listdir(directory)
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else None
        raise bad_lock(escape_text(str(directory)), reason or type(err).__name__) from err
    found = [directory / name for name in names if _format_by_name(Path(name)) is not None]
    first = {name: at for at, name in enumerate(_ORDER)}
    return tuple(sorted(found, key=lambda path: (first.get(path.name, len(_ORDER)), path.name)))


def read_lock(path: Path, *, source_urls: Iterable[str] = ()) -> Lock:
    """Read a lock, or a requirements file in which every line is pinned.

    Args:
        path: The file.
        source_urls: URLs of the trust file's sources, which a requirements file may name.

    Raises:
        UsageError: ``bad-lock-file``, ``unknown-lock-format``, ``lock-version`` or ``lock-contradiction``;
            for a requirements file as :func:`pip_warden.locks.requirements.read_requirements` does.
    """
    named = _format_by_name(path)
    if named is None and path.suffix not in {".toml", ".lock"}:
        return read_requirements(path, source_urls=source_urls)
    raw = read_bytes(path)
    try:
        text = parse(raw, path)
    except UsageError:
        if raw.lstrip().startswith(b"{"):
            raise _unknown(path, "JSON") from None
        if named is None and path.suffix == ".lock":
            return read_requirements(path, source_urls=source_urls)
        raise
    found = _format_by_content(text)
    if found is None:
        raise _unknown(path, "another kind of TOML")
    if named not in {None, found}:
        raise _unknown(path, f"the content of a {found.value}")
    _check_version(text, found)
    return _READERS[found](text)


def _format_by_name(path: Path) -> LockFormat | None:
    if is_valid_pylock_path(path):
        return LockFormat.PYLOCK
    return next((fmt for fmt in _READERS if path.name == fmt.value), None)


def _format_by_content(text: LockText) -> LockFormat | None:
    """Return the one format whose version stands where this format has it."""
    metadata = text.document.get("metadata")
    inside = metadata if isinstance(metadata, dict) else {}
    found = {
        LockFormat.PYLOCK: "lock-version" in text.document,
        LockFormat.UV: "version" in text.document,
        LockFormat.POETRY: "lock-version" in inside,
        LockFormat.PDM: "lock_version" in inside,
    }
    formats = [fmt for fmt, is_it in found.items() if is_it]
    return formats[0] if len(formats) == 1 else None


def _check_version(text: LockText, fmt: LockFormat) -> None:
    """Refuse a version that its tool counts as incompatible: what its keys mean is not known."""
    version: object
    match fmt:
        case LockFormat.UV:
            version = text.document["version"]
            is_known = version == 1 and not isinstance(version, bool | float)
        case LockFormat.POETRY:
            version = text.document["metadata"]["lock-version"]
            is_known = _numbers(version)[:1] in {(1,), (2,)}
        case LockFormat.PDM:
            version = text.document["metadata"]["lock_version"]
            is_known = (4,) <= _numbers(version) < (4, LARGEST_MINOR + 1)
        case _:
            version = text.document["lock-version"]
            is_known = _numbers(version)[:1] == (1,)
    if not is_known:
        raise UsageError(
            "lock-version",
            f"expected a version of {fmt.value} that is known in {text.where()}, found {_shown(version)}",
            hint="A newer pip-warden may read it; or have its tool write a `pylock.toml` (PEP 751).",
        )


def _numbers(version: object) -> tuple[int, ...]:
    try:
        return Version(version).release if isinstance(version, str) else ()
    except ValueError:  # InvalidVersion, or more digits than Python reads
        return ()


def _shown(version: object) -> str:
    is_short = isinstance(version, str) or (isinstance(version, int) and abs(version) < 10**9)
    return escape_text(str(version), 40) if is_short else "what is no version"


def _unknown(path: Path, found: str) -> UsageError:
    return UsageError(
        "unknown-lock-format",
        f"expected a pylock.toml, uv.lock, poetry.lock or pdm.lock in {escape_text(str(path))}, "
        f"found {found}",
        hint="The name says which format a lock has, and its content must agree. Other tools export one of "
        "these, or a requirements file with hashes.",
    )
