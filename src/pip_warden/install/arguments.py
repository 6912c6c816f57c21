"""pip's arguments for an install request: every requirement in files rendered by us."""

from __future__ import annotations

from pathlib import Path

from pip_warden.install.request import PreparedRequest
from pip_warden.installer.wanted import render


def pip_arguments(job: PreparedRequest, local: list[str], *, workspace: Path, staging: Path) -> list[str]:
    """Return pip's arguments.

    Args:
        job: What is to be done.
        local: The arguments for local files and projects.
        workspace: Where files of requirements are written.
        staging: Where pip downloads to.
    """
    arguments = [*job.verbosity, *job.wanted.options, *job.options]
    if job.dry_run and job.download is None:
        arguments.append("--dry-run")
    if job.download is not None:
        arguments += ["--dest", str(staging)]
    return arguments + _requirements(job, workspace) + local


def line_origins(job: PreparedRequest) -> dict[str, tuple[str, ...]]:
    """Return where each line comes from of the files that are written for pip, by their names."""
    return {
        _file_name(option): tuple(item.origin for item in items)
        for option, items in (
            ("--requirement", job.wanted.named),
            ("--constraint", job.wanted.constraints),
            ("--build-constraint", job.build_constraints),
        )
    }


def _file_name(option: str) -> str:
    return f"{option.strip('-')}.txt"


def _requirements(job: PreparedRequest, workspace: Path) -> list[str]:
    named = job.wanted.named
    # pip takes no file together with --only-deps; options of single requirements can only stand in one.
    as_words = "--only-deps" in job.options and not any(item.hashes or item.settings for item in named)
    arguments = [item.requirement for item in named] if as_words else []
    for option, items in (
        ("--requirement", () if as_words else named),
        ("--constraint", job.wanted.constraints),
        ("--build-constraint", job.build_constraints),
    ):
        if items:
            path = workspace / _file_name(option)
            path.write_text(render(items), encoding="utf-8")
            arguments += [option, str(path)]
    return arguments
