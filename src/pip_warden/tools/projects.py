"""Where a project's root is, for tools that look for the nearest ``pyproject.toml``."""

from __future__ import annotations

from pathlib import Path

from pip_warden.tools.around import Around


def project_root(around: Around, given: str | None, *names: str) -> Path:
    """Return the directory that is given, else the nearest upwards with a project's file, else where it runs.

    Args:
        around: What the tool is called with.
        given: The directory that the command line names.
        names: Names of the file; none: ``pyproject.toml``.
    """
    if given:
        return around.within(given)
    for path in (around.directory, *around.directory.parents):
        if any((path / name).is_file() for name in names or ("pyproject.toml",)):
            return path
    return around.directory
