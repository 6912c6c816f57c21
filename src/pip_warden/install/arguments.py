"""An installer's arguments for an install request: every requirement in files rendered by us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pip_warden.install.request import PreparedRequest
from pip_warden.installer.wanted import NamedRequirement, render


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


def uv_arguments(prepared: PreparedRequest, local: list[str], *, workspace: Path) -> list[str]:
    """Return uv's arguments.

    pip demands a digest of everything as soon as one requirement has one, and uv where it is told to. uv
    takes settings of one package's build only as an option.

    Args:
        prepared: What is to be done.
        local: The arguments for local files and projects.
        workspace: Where files of requirements are written.
    """
    from pip_warden.installer.uv_options import uv_options

    wanted = prepared.wanted
    options = prepared.every_option
    arguments = [*prepared.verbosity, *uv_options(options, (item.project for item in wanted.named))]
    if prepared.dry_run:
        arguments.append("--dry-run")
    if any(item.hashes for item in (*wanted.named, *wanted.constraints)):
        arguments.append("--require-hashes")
    for item in wanted.named:
        for setting in item.settings:
            arguments += ["--config-settings-package", f"{item.project}:{setting}"]
    for option, items in _files(prepared):
        arguments += _written(f"{option}s", [replace(item, settings=()) for item in items], workspace)
    return arguments + local


def line_origins(prepared: PreparedRequest) -> dict[str, tuple[str, ...]]:
    """Return where each line comes from of the files that are written for pip, by their names."""
    return {_file_name(option): tuple(item.origin for item in items) for option, items in _files(prepared)}


def _files(prepared: PreparedRequest) -> tuple[tuple[str, tuple[NamedRequirement, ...]], ...]:
    """Return what is written for an installer, with pip's option for it; uv's is its plural."""
    return (
        ("--requirement", prepared.wanted.named),
        ("--constraint", prepared.wanted.constraints),
        ("--build-constraint", prepared.build_constraints),
    )


def _file_name(option: str) -> str:
    return f"{option.strip('-').removesuffix('s')}.txt"


def _requirements(prepared: PreparedRequest, workspace: Path) -> list[str]:
    named = prepared.wanted.named
    # pip takes no file together with --only-deps; options of single requirements can only stand in one.
    as_words = "--only-deps" in prepared.options and not any(item.hashes or item.settings for item in named)
    arguments = [item.requirement for item in named] if as_words else []
    for option, items in _files(prepared):
        if not (as_words and items is named):
            arguments += _written(option, items, workspace)
    return arguments


def _written(option: str, items: Sequence[NamedRequirement], workspace: Path) -> list[str]:
    if not items:
        return []
    path = workspace / _file_name(option)
    path.write_text(render(items), encoding="utf-8")
    return [option, str(path)]
