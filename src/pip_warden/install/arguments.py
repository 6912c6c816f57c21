"""pip's arguments for an install request: every requirement in files rendered by us."""

from __future__ import annotations

from pathlib import Path

from pip_warden.install.request import PreparedRequest
from pip_warden.installer.wanted import render


def pip_arguments(
    prepared: PreparedRequest, local: list[str], *, workspace: Path, staging: Path
) -> list[str]:
    """Return pip's arguments.

    Args:
        prepared: What is to be done.
        local: The arguments for local files and projects.
        workspace: Where files of requirements are written.
        staging: Where pip downloads to.
    """
    arguments = [*prepared.verbosity, *prepared.wanted.options, *prepared.options]
    if prepared.dry_run and prepared.download is None:
        arguments.append("--dry-run")
    if prepared.download is not None:
        arguments += ["--dest", str(staging)]
    return arguments + _requirements(prepared, workspace) + local


def line_origins(prepared: PreparedRequest) -> dict[str, tuple[str, ...]]:
    """Return where each line comes from of the files that are written for pip, by their names."""
    return {
        _file_name(option): tuple(item.origin for item in items)
        for option, items in (
            ("--requirement", prepared.wanted.named),
            ("--constraint", prepared.wanted.constraints),
            ("--build-constraint", prepared.build_constraints),
        )
    }


def _file_name(option: str) -> str:
    return f"{option.strip('-')}.txt"


def _requirements(prepared: PreparedRequest, workspace: Path) -> list[str]:
    named = prepared.wanted.named
    # pip takes no file together with --only-deps; options of single requirements can only stand in one.
    as_words = "--only-deps" in prepared.options and not any(item.hashes or item.settings for item in named)
    arguments = [item.requirement for item in named] if as_words else []
    for option, items in (
        ("--requirement", () if as_words else named),
        ("--constraint", prepared.wanted.constraints),
        ("--build-constraint", prepared.build_constraints),
    ):
        if items:
            path = workspace / _file_name(option)
            path.write_text(render(items), encoding="utf-8")
            arguments += [option, str(path)]
    return arguments
