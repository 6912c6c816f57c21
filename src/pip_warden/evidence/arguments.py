"""Which wheels and sdists a command was given: one rule for all that take ``dist/*``, signing and judging."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pip_warden.disk import require_file
from pip_warden.display import escape_text, some_of
from pip_warden.errors import UsageError
from pip_warden.evidence.names import evidence_of, is_evidence
from pip_warden.names import parse_artifact_name

_LISTED = 8


def artifacts_among(paths: Iterable[Path], *, nothing: UsageError) -> tuple[Path, ...]:
    """Return the wheels and sdists among the paths, each once, in their order.

    Evidence is left out where its file is among them: what lies next to a file goes with it. Whatever else
    is named would be left out silently, so it is an error.

    Args:
        paths: The arguments.
        nothing: The error where no file is left: zero files are never a success.

    Raises:
        UsageError: ``no-such-file``, also for a directory; ``invalid-filename``: something is no wheel, sdist
            or evidence; ``evidence-alone``: the file of some evidence is not among them; or ``nothing``.
    """
    given = _once(paths)
    for path in given:
        require_file(path)
    files = tuple(path for path in given if not is_evidence(path.name))
    _refuse_others(files)
    _refuse_alone([path for path in given if is_evidence(path.name)], files)
    if not files:
        raise nothing
    return files


def _once(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Drop what names a file again, in another spelling of its directory too."""
    found: dict[tuple[str, str], Path] = {}
    for path in paths:
        found.setdefault((_directory(path), path.name), path)
    return tuple(found.values())


def _directory(path: Path) -> str:
    return os.path.realpath(path.parent)


def _refuse_others(files: Sequence[Path]) -> None:
    others = [path.name for path in files if not _is_artifact(path.name)]
    if others:
        raise UsageError(
            "invalid-filename",
            "expected wheels and sdists (.tar.gz) with their evidence alone, found "
            f"{some_of([escape_text(name) for name in others], _LISTED)}",
            hint="Name the files that are meant: `dist/*.whl dist/*.tar.gz`. Nothing was done.",
        )


def _is_artifact(name: str) -> bool:
    try:
        parse_artifact_name(name)
    except UsageError:
        return False
    return True


def _refuse_alone(evidence: Sequence[Path], files: Sequence[Path]) -> None:
    alone = [path for path in evidence if not any(_speaks_for(path, file) for file in files)]
    if alone:
        names = [escape_text(path.name) for path in alone]
        raise UsageError(
            "evidence-alone",
            f"expected the file of each evidence beside it, and named too, found {some_of(names, _LISTED)} "
            "without one",
            hint="Name wheels and sdists; evidence next to a file is read by itself. Is it left over from "
            "another build? Then remove it.",
        )


def _speaks_for(evidence: Path, file: Path) -> bool:
    return bool(evidence_of(file.name, [evidence.name])) and _directory(evidence) == _directory(file)
