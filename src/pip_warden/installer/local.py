"""Names local files and projects to an installer: by ``file:`` URL, so that it has nothing to parse again.

In a directory named ``foo[bar]``, pip reads a path as the directory ``foo`` with an extra; in one named
``foo;os_name=="x"``, as one with a marker.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from pip_warden.display import escape_text, without_secrets
from pip_warden.errors import RefusedError, UsageError
from pip_warden.installer.model import LinkRequest
from pip_warden.installer.wanted import LocalProject
from pip_warden.names import ProjectName
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalInputs:
    """Files and directories that may be opened although they do not come from the index.

    Attributes:
        files: Of each accepted file, the copy that was handed over and where the user has it.
        directories: The user's own project directories, links resolved.
    """

    files: Mapping[Path, Path]
    directories: frozenset[Path]

    def record(self, asked: LinkRequest) -> str:
        """Return the URL to record for a copy (PEP 610): the user's file. ``""`` for a directory: its own.

        Raises:
            RefusedError: ``not-through-gate``: the user did not name it.
        """
        path = path_from_url(asked.url)
        if path is not None and path in self.files:
            return self.files[path].as_uri()
        if path is not None and path in self.directories:
            return ""
        named = f"{asked.name} at " if asked.name else ""
        wanted_by = f", wanted by {asked.wanted_by}" if asked.wanted_by else ""
        raise RefusedError(
            "not-through-gate",
            "expected what comes from the index or was named on the command "
            f"line, found {named}{without_secrets(asked.url)}{wanted_by}",
            hint="It was neither opened nor installed. Find out which package asks for it, and why.",
        )


def path_from_url(url: str) -> Path | None:
    """Return the real path of a ``file:`` URL, None for any other URL, or one with a query or fragment.

    None too for bytes that are not UTF-8: pip reads each as U+FFFD, which may be in another path.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
            return None
        return Path(unquote_to_bytes(parts.path).decode("utf-8")).resolve()
    except (OSError, ValueError, RuntimeError):
        return None


def file_argument(copy: Path, project: ProjectName, extras: str) -> str:
    """Return pip's argument for an accepted file."""
    return f"{project}{extras} @ {copy.as_uri()}" if extras else copy.as_uri()


def project_arguments(project: LocalProject) -> list[str]:
    """Return pip's arguments for a project directory.

    pip accepts extras with a URL only where the URL has a name, which is unknown before the project is built,
    or is editable. So it gets a path then.

    Raises:
        UsageError: ``bad-requirement``: pip would read the path and its extras differently.
    """
    check_text(project.path)
    if project.editable:
        return ["--editable", project.path.as_uri() + project.extras]
    if not project.extras:
        return [project.path.as_uri()]
    path = str(project.path)
    if ";" in path or path != path.rstrip():
        raise UsageError(
            "bad-requirement",
            "expected a directory without ';' in its path or a blank at its end where "
            f"extras are asked for, found {escape_text(repr(path))}",
            hint="pip takes what follows for a marker, and drops the blank. "
            "Use --editable, or move the project.",
        )
    return [f"{path}{project.extras}"]


def check_text(path: Path) -> None:
    """Check that a path is text.

    Raises:
        UsageError: ``bad-requirement``: an installer would take it for another.
    """
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(
            "bad-requirement",
            f"expected a directory whose path is UTF-8, found {escape_text(str(path))}",
            hint="The installer would take it for another. Rename it.",
        ) from None
