"""Gathers requirements from the command line and from files.

Each of them is read by :mod:`pip_warden.installer.requirement`.

pip never reads a user's file: two readers of one file may disagree (encodings, odd line breaks,
continuations), so pip gets what *we* understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.version import Version

from pip_warden.display import near
from pip_warden.errors import UsageError
from pip_warden.installer.requirement import read_named_requirement, read_project, read_requirement
from pip_warden.installer.requirements_file import bad_file, read_file, redact_credentials, resolve_name
from pip_warden.installer.wanted import LocalFile, LocalProject, NamedRequirement, Wanted
from pip_warden.names import ProjectName, parse_version
from pip_warden.values import dataclass

_FLAGS = {"pre": "--pre", "prefer_binary": "--prefer-binary", "require_hashes": "--require-hashes"}
_LISTS = {"only_binary": "--only-binary", "no_binary": "--no-binary"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One ``name==version`` of a requirements file, with the SHA-256 digests it demands."""

    project: ProjectName
    version: Version
    sha256: frozenset[str]


def gather(
    *,
    positional: Iterable[str] = (),
    files: Iterable[str] = (),
    constraints: Iterable[str] = (),
    editables: Iterable[str] = (),
    source_urls: Iterable[str] = (),
    where: str = "the command line",
) -> Wanted:
    """Read everything that was asked for.

    Args:
        positional: Positional arguments.
        files: Requirements files (``-r``).
        constraints: Constraints files (``-c``).
        editables: ``-e``.
        source_urls: URLs of the trust file's sources: an index line naming one of them is dropped with a
            note.
        where: What the positional arguments and editables stand in, for people.

    Raises:
        UsageError: ``refused-requirement``, ``bad-requirement`` or ``bad-requirements-file``.
    """
    pile = _Collected(frozenset(_place(url) for url in source_urls))
    for text in positional:
        pile.add(read_requirement(text, Path.cwd(), where))
    for text in editables:
        pile.projects.append(read_project(text, Path.cwd(), where, editable=True))
    for path in files:
        _file(path, Path.cwd(), pile, is_constraint=False)
    for path in constraints:
        _file(path, Path.cwd(), pile, is_constraint=True)
    return pile.frozen()


def pinned_releases(path: Path) -> tuple[Release, ...]:
    """Read every ``name==version`` of a requirements file, for pinning by hash.

    Raises:
        UsageError: As for :func:`gather`; ``version-needed``: a requirement has no exact version.
    """
    wanted = gather(files=[str(path)])
    return tuple(release_of(named) for named in wanted.named)


class _Collected:
    """What is gathered while files are read; frozen into Wanted at the end."""

    def __init__(self, sources: frozenset[str]) -> None:
        self.sources = sources
        self.named: list[NamedRequirement] = []
        self.files: list[LocalFile] = []
        self.projects: list[LocalProject] = []
        self.constraints: list[NamedRequirement] = []
        self.options: list[str] = []
        self.notes: list[str] = []
        self.read: set[tuple[Path, bool]] = set()

    def add(self, requirement: NamedRequirement | LocalFile | LocalProject) -> None:
        match requirement:
            case NamedRequirement():
                self.named.append(requirement)
            case LocalFile():
                self.files.append(requirement)
            case LocalProject():
                self.projects.append(requirement)

    def frozen(self) -> Wanted:
        return Wanted(
            named=tuple(self.named),
            files=tuple(self.files),
            projects=tuple(self.projects),
            constraints=tuple(self.constraints),
            options=tuple(dict.fromkeys(self.options)),
            notes=tuple(dict.fromkeys(self.notes)),
        )


def release_of(named: NamedRequirement) -> Release:
    """Return the one release that a requirement allows.

    Raises:
        UsageError: ``version-needed``: it has no exact version.
    """
    requirement = Requirement(named.requirement)
    exact = [spec.version for spec in requirement.specifier if spec.operator == "=="]
    if (
        len(exact) != 1
        or exact[0].endswith(".*")
        or not requirement.specifier.contains(exact[0], prereleases=True)
    ):
        raise UsageError(
            "version-needed",
            f"expected name==version, found {named.requirement}",
            hint="A hash is of one release.",
        )
    digests = frozenset(
        value.removeprefix("sha256:") for value in named.hashes if value.startswith("sha256:")
    )
    return Release(project=named.project, version=parse_version(exact[0]), sha256=digests)


def _file(
    text: str, base: Path, pile: _Collected, *, is_constraint: bool, within: tuple[Path, ...] = ()
) -> None:
    path = resolve_name(text, base)
    real = path.resolve()
    if real in within:
        raise bad_file(path, "that it includes itself")
    if (real, is_constraint) in pile.read:
        return
    pile.read.add((real, is_constraint))
    content = read_file(path)
    for options in content.options:
        _options(options, path, pile, is_constraint=is_constraint, within=(*within, real))
    for line in content.lines:
        origin = f"-{'c' if is_constraint else 'r'} {near(path).removeprefix('./')} (line {line.number})"
        if line.is_editable:
            target = re.sub(r"^(-e|--editable)[ =]*", "", line.text)
            project = read_project(target, path.parent, str(path), editable=True)
            pile.projects.append(replace(project, origin=origin))
            continue
        if is_constraint:
            pile.constraints.append(replace(read_named_requirement(line.text, str(path)), origin=origin))
            continue
        wish = read_requirement(line.text, path.parent, str(path))
        pile.add(replace(wish, origin=origin))


def _options(
    options: Mapping[str, object],
    path: Path,
    pile: _Collected,
    *,
    is_constraint: bool,
    within: tuple[Path, ...],
) -> None:
    for name, value in options.items():
        if name in {"requirements", "constraints"}:
            for nested in _texts(value):
                constrains = is_constraint or name == "constraints"
                _file(nested, path.parent, pile, is_constraint=constrains, within=within)
        elif name in {"index_url", "extra_index_urls"}:
            for url in _texts(value):
                _index(url, path, pile)
        elif name in _FLAGS:
            pile.options.append(_FLAGS[name])
        elif name in _LISTS:
            pile.options += [f"{_LISTS[name]}={entry}" for entry in _texts(value)]
        else:
            raise UsageError(
                "refused-requirement",
                f"expected requirements and harmless options in {path}, found --{name.replace('_', '-')}",
                hint="Sources are named in the trust file.",
            )


def _texts(value: object) -> list[str]:
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _index(url: str, path: Path, pile: _Collected) -> None:
    """Drop an index line naming a source of the trust file; its credentials are neither used nor shown."""
    place = _place(url)
    if ".." in place or not any(place == source or place.startswith(f"{source}/") for source in pile.sources):
        raise UsageError(
            "refused-requirement",
            f"expected no index but the trust file's sources in {path}, found {redact_credentials(place)}",
            hint="Each package's source is pinned in the trust file; remove "
            "the line, or add the source there.",
        )
    pile.notes.append(
        f"the index line of {path} is not used: each package comes from its source in the trust file"
    )


def _place(url: str) -> str:
    """Return scheme, host and path of a URL, without credentials; ``""`` for text that is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{parts.path}".rstrip("/")
