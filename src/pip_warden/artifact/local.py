"""A local project directory: the user's own code, which installers build without asking anybody.

Its static dependencies must not lead past the gate all the same.
"""

from __future__ import annotations

from pathlib import Path

from pip_warden.artifact.metadata import direct_references
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.sdist import read_pyproject
from pip_warden.errors import RefusedError, UsageError


def check_local_project(path: Path) -> None:
    """Refuse a project whose static dependencies or build requirements name a URL or path.

    Raises:
        RefusedError: ``direct-reference``.
        UsageError: ``bad-requirement``: it is no project, or its ``pyproject.toml`` cannot be read.
    """
    file = path / "pyproject.toml"
    if not file.exists() and not (path / "setup.py").exists():
        raise UsageError("bad-requirement", f"expected a project with a pyproject.toml in {path}, found none")
    try:
        build_requires, static = read_pyproject(file.read_bytes() if file.exists() else None)
        found = direct_references((*build_requires, *static), str(file))
    except (OSError, MalformedError) as err:
        raise UsageError("bad-requirement", f"expected a readable {file}, found {err}") from err
    if found:
        raise RefusedError(
            "direct-reference",
            f"expected dependencies by name in {file}, found {'; '.join(found)}",
            hint="A URL or path is fetched past the gate; depend on a released version.",
        )
