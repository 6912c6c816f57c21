"""Strict reader of ``pyproject.toml``: build requirements, static dependencies (PEP 517, 518, 621)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact import metadata
from pip_warden.artifact.problem import bad_metadata, problem
from pip_warden.artifact.requirements import check_few, is_plain_python, is_specifier
from pip_warden.artifact.tree import is_plain_path
from pip_warden.faults import Fault, FaultError
from pip_warden.names import ProjectName
from pip_warden.values import dataclass

DEFAULT_BUILD_REQUIRES = ("setuptools>=40.8.0",)
"""The default of PEP 518 without a ``[build-system]`` table."""
LARGEST_PYPROJECT = 1 << 20
"""Bytes."""

_WHERE = "pyproject.toml"
_DEEPEST = 64
_MANY_PARTS = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""",
    re.ASCII,
)
"""What ``tomllib`` parses in time that grows with the square of its length."""
_STATIC = ("requires-python", "dependencies", "optional-dependencies")
_BACKEND = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pyproject:
    """What a ``pyproject.toml`` says about what an installer would fetch.

    Attributes:
        project: Normalised ``[project] name``, None where absent.
        version: ``[project] version``, None where absent or dynamic.
        dynamic: ``[project] dynamic``: what only the build backend knows.
        requires_python: ``[project] requires-python``, ``""`` where absent; None where it is dynamic or there
            is no such table.
        dependencies: ``[project] dependencies``; None where they are dynamic or there is no such table.
        optional: ``[project] optional-dependencies``, by extra; None as for ``dependencies``.
        build_requires: ``[build-system] requires``, or the default.
        requires: ``[project]`` dependencies and optional dependencies.
        has_project: Whether there is a ``[project]`` table.
        direct_references: Those of ``build_requires`` and ``requires`` that name a URL or path instead of a
            version.
    """

    project: ProjectName | None = None
    version: Version | None = None
    dynamic: tuple[str, ...] = ()
    requires_python: str | None = None
    dependencies: tuple[str, ...] | None = None
    optional: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    build_requires: tuple[str, ...] = DEFAULT_BUILD_REQUIRES
    requires: tuple[str, ...] = ()
    has_project: bool = False
    direct_references: tuple[str, ...] = ()


NO_PYPROJECT = Pyproject()
"""The defaults where there is no file."""


def local_project(path: Path) -> Pyproject | Fault:
    """Read a project directory's static metadata, running nothing.

    Its code is the user's own and is not judged; what it would fetch is.

    Args:
        path: The directory.

    Returns:
        What its ``pyproject.toml`` says, or the defaults where there is only a ``setup.py``; or the fault
        ``not-a-project`` or ``bad-metadata``.
    """
    try:
        return read_pyproject(_bytes_of(path))
    except FileNotFoundError:
        return NO_PYPROJECT if (path / "setup.py").is_file() else _no_project(path, "neither")
    except OSError as err:
        return _no_project(path, err.strerror or type(err).__name__)
    except FaultError as err:
        return err.fault


def read_groups(path: Path) -> dict[str, object] | Fault:
    """Read ``[dependency-groups]`` (PEP 735) of a project directory, whose content is not checked.

    Args:
        path: The directory.

    Returns:
        Each group by its name as it is spelled; or a fault as of :func:`local_project`.
    """
    try:
        return _table(_read_toml(_bytes_of(path)), "dependency-groups")
    except OSError as err:
        return _no_project(path, err.strerror or type(err).__name__)
    except FaultError as err:
        return err.fault


def _bytes_of(path: Path) -> bytes:
    with (path / _WHERE).open("rb") as stream:
        return stream.read(LARGEST_PYPROJECT + 1)


def _no_project(path: Path, found: str) -> Fault:
    return Fault(
        code="not-a-project",
        expected=f"a readable pyproject.toml or setup.py in {path}",
        found=found,
        hint="Name a directory that holds a Python project.",
    )


def read_pyproject(raw: bytes) -> Pyproject:
    """Read the bytes of a ``pyproject.toml``.

    Raises:
        FaultError: ``bad-metadata`` or ``archive-too-large``.
    """
    document = _read_toml(raw)
    system, project = _table(document, "build-system"), _table(document, "project")
    _check_backend(system.get("build-backend", "setuptools.build_meta"))
    _check_backend_path(_strings(system.get("backend-path", []), "build-system.backend-path"))
    if "build-system" in document and "requires" not in system:
        raise bad_metadata(_WHERE, "a [build-system] without requires (PEP 518)")
    build = _strings(system.get("requires", list(DEFAULT_BUILD_REQUIRES)), "build-system.requires")
    dependencies = _strings(project.get("dependencies", []), "project.dependencies")
    optional = tuple(
        (extra, _strings(texts, f"project.optional-dependencies.{extra}"))
        for extra, texts in _table(project, "optional-dependencies").items()
    )
    static = (*dependencies, *(text for _, texts in optional for text in texts))
    check_few((*build, *static), _WHERE)
    dynamic = _strings(project.get("dynamic", []), "project.dynamic")
    stated = document.keys() & {"project"} and set(_STATIC) - set(dynamic)
    return Pyproject(
        project=_name(project.get("name")),
        version=_version(project.get("version")),
        requires_python=_specifier(project.get("requires-python", ""))
        if "requires-python" in stated
        else None,
        dynamic=dynamic,
        dependencies=dependencies if "dependencies" in stated else None,
        optional=optional if "optional-dependencies" in stated else None,
        build_requires=build,
        requires=static,
        has_project="project" in document,
        direct_references=metadata.direct_references((*build, *static), _WHERE),
    )


def _read_toml(raw: bytes) -> dict[str, object]:
    if len(raw) > LARGEST_PYPROJECT:
        raise bad_metadata(_WHERE, f"more than {LARGEST_PYPROJECT} bytes")
    try:
        text = raw.decode("utf-8")
        if _MANY_PARTS.search(text):
            raise problem("archive-too-large", f"keys of at most {_DEEPEST} parts in {_WHERE}", "more")
        document: dict[str, object] = tomllib.loads(text)
    except (ValueError, RecursionError) as err:  # also a number of too many digits
        raise bad_metadata(_WHERE, str(err)[:200]) from err
    _check_size(document)
    return document


def _check_size(value: object, left: int = _DEEPEST) -> None:
    """Refuse values that only some TOML readers can represent."""
    if left == 0 or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise bad_metadata(_WHERE, "values that nest too deep, or numbers that do not fit 64 bits")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_size(item, left - 1)


def _table(document: dict[str, object], name: str) -> dict[str, object]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise bad_metadata(_WHERE, f"{name} that is no table")
    return found


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_metadata(_WHERE, f"{where} that is no list of strings")
    return tuple(value)


def _check_backend(reference: object) -> None:
    """Check that a backend is an object reference (PEP 517): installers write it into code that they run."""
    if not isinstance(reference, str) or not _BACKEND.fullmatch(reference):
        raise bad_metadata(_WHERE, f"the build-backend {str(reference)[:200]!r}")


def _check_backend_path(entries: tuple[str, ...]) -> None:
    """Check that an in-tree backend lies in the tree (PEP 517); ``.`` is the tree itself."""
    for entry in entries:
        path = entry.removeprefix("./").removesuffix("/")
        if path not in {"", "."} and not is_plain_path(path):
            raise bad_metadata(_WHERE, f"a backend-path outside the tree, {entry!r}")


def _name(value: object) -> ProjectName | None:
    if value is None:
        return None
    try:
        return ProjectName(str(canonicalize_name(value if isinstance(value, str) else "", validate=True)))
    except ValueError as err:
        raise bad_metadata(_WHERE, f"the name {value!r}") from err


def _version(value: object) -> Version | None:
    if value is None:
        return None
    try:
        return Version(value if isinstance(value, str) else "")
    except ValueError as err:
        raise bad_metadata(_WHERE, f"the version {value!r}") from err


def _specifier(value: object) -> str:
    if not isinstance(value, str) or (value and not (is_specifier(value) and is_plain_python(value))):
        raise bad_metadata(_WHERE, f"requires-python {str(value)[:200]!r}")
    return value
