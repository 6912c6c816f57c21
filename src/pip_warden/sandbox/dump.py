"""Writes the sandbox's state as JSON, for inspection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pip_warden.sandbox.gitlab.model import FileRow, PackageRow, ProjectRecord
    from pip_warden.sandbox.gitlab.state import GitLabState
    from pip_warden.sandbox.recorder import RecordedRequest


def write(directory: Path, documents: Mapping[str, object]) -> None:
    """Write each document to ``NAME.json`` in a directory, which is created if needed."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        text = json.dumps(document, indent=2, sort_keys=True, default=str)
        (directory / f"{name}.json").write_text(text + "\n")


def projects(state: GitLabState) -> list[dict[str, object]]:
    """Return projects, packages and files, each with its real and its claimed hash."""
    with state.lock:
        return [_project(project) for project in state.projects]


def requests(log: Sequence[RecordedRequest]) -> list[dict[str, object]]:
    """Return the log of requests."""
    return [
        {
            "origin": entry.origin,
            "method": entry.method,
            "path": entry.path,
            "query": entry.query,
            "headers": [list(pair) for pair in entry.headers],
            "status": entry.status,
            "at": entry.at.isoformat(),
        }
        for entry in log
    ]


def _project(project: ProjectRecord) -> dict[str, object]:
    return {
        "id": project.id,
        "path": project.path,
        "visibility": project.visibility,
        "default_branch": project.default_branch,
        "packages": [_package(package) for package in project.packages],
    }


def _package(package: PackageRow) -> dict[str, object]:
    return {
        "id": package.id,
        "type": package.type.value,
        "name": package.name,
        "version": package.version,
        "status": package.status,
        "requires_python": package.requires_python,
        "files": [_file(file) for file in package.files],
    }


def _file(file: FileRow) -> dict[str, object]:
    return {
        "id": file.id,
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "claimed_sha256": file.claimed_sha256,
        "uploaded_by_job": file.job.id if file.job else None,
    }
