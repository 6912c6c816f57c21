"""A local project directory: the user's own code, which installers build directly.

Its static dependencies must not bypass the gate.
"""

from __future__ import annotations

from pathlib import Path

from pip_warden.artifact.pyproject import Pyproject, local_project
from pip_warden.errors import RefusedError, UsageError
from pip_warden.faults import Fault


def check_local_project(path: Path) -> Pyproject:
    """Return a project's own statements; refuse static dependencies or build requirements by URL or path.

    Raises:
        RefusedError: ``direct-reference``.
        UsageError: ``bad-requirement``: it is not a project, or its ``pyproject.toml`` cannot be read.
    """
    project = local_project(path)
    if isinstance(project, Fault):
        raise UsageError(
            "bad-requirement",
            f"expected {project.expected}, found {project.found}; looked in {path}",
            hint=project.hint,
        )
    found = project.direct_references
    if found:
        raise RefusedError(
            "direct-reference",
            f"expected dependencies by name in {path / 'pyproject.toml'}, found {'; '.join(found)}",
            hint="A URL or path is fetched past the gate; depend on a released version.",
        )
    return project
