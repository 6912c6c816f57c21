"""Local files are judged, with the evidence next to them; local projects are the user's own code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.artifact.receive import copy_local
from pip_warden.display import near
from pip_warden.evidence.locate import locate
from pip_warden.gate.dependencies import unpinned_names
from pip_warden.install.files import denied
from pip_warden.install.request import Run
from pip_warden.installer.local import LocalInputs, file_argument
from pip_warden.installer.wanted import LocalFile, LocalProject
from pip_warden.names import ProjectName
from pip_warden.report.model import Line, Outcome
from pip_warden.vault import hand_over

if TYPE_CHECKING:
    from pip_warden.artifact.pyproject import Pyproject


def admit_local_things(
    run: Run, project_arguments: Callable[[LocalProject], list[str]]
) -> tuple[LocalInputs, list[str]]:
    """Judge local files and look at local projects.

    Args:
        run: The run.
        project_arguments: Returns the installer's arguments for a project directory.

    Returns:
        What pip may open, and what it is given for it.

    Raises:
        RefusedError: A file is refused, or not pinned; a project asks for something past the gate.
        UndecidedError: It could not be determined whether there is evidence for a file.
        UsageError: A path is not the kind of file or project that was named.
    """
    files: dict[Path, Path] = {}
    arguments = []
    for project in run.prepared.wanted.projects:
        from pip_warden.artifact.local import check_local_project

        _want(run, project.path, check_local_project(project.path))
        run.ledger.add(
            Line(subject=str(project.path), outcome=Outcome.LOCAL, note="your own project directory")
        )
        arguments += project_arguments(project)
    for file in run.prepared.wanted.files:
        name, copy = _admit_file(run, file)
        files[copy.resolve()] = file.path
        arguments.append(file_argument(copy, name, file.extras))
    directories = frozenset(project.path.resolve() for project in run.prepared.wanted.projects)
    return LocalInputs(files=files, directories=directories), arguments


def _want(run: Run, path: Path, project: Pyproject) -> None:
    """Remember the unpinned names that a project wants, so that a refusal tells who wants them."""
    place = f"{near(path).removesuffix('/')}/"
    for texts, wanted_by in (
        (project.dependencies or (), place),
        (project.build_requires, f"to build {place}"),
    ):
        for name in unpinned_names(texts, wanted_by, run.trust):
            run.ledger.want(name)


def _admit_file(run: Run, file: LocalFile) -> tuple[ProjectName, Path]:
    from pip_warden.evidence.siblings import Siblings

    artifact = copy_local(file.path, Path(tempfile.mkdtemp(dir=run.workspace)))
    run.measures.count("bytes_written", artifact.size)
    run.measures.count("bytes_hashed", artifact.size)
    project = artifact.name.project
    run.gate.require_pinned({project: file.path.name})
    evidence = locate(file.path.name, artifact.digest, [Siblings(file.path.parent)], run.find_entry)
    admission = run.gate.admit_local(artifact, evidence)
    if admission.sealed is None:
        raise denied(admission.line)
    run.gate.look_ahead_from(admission)
    return project, hand_over(admission.sealed, Path(tempfile.mkdtemp(dir=run.workspace)), run.measures)
