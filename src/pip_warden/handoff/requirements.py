"""Requirements, from the command line and from files: parsed, judged for what could step round the gate, and rendered anew.

pip never sees a user's file: two readers of one file may disagree (encodings, odd line breaks, continuations), so pip gets what *we* understood.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.handoff.requirements_file import bad_file, displayed, local_path, read_file
from pip_warden.names import ProjectName, parse_version

_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ufeff\ud800-\udfff]")
_ARCHIVES = (
    ".whl",
    ".tar.gz",
    ".zip",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".tlz",
    ".txz",
    ".tar.lzma",
)
_OPTION = re.compile(r"\s--?[a-zA-Z]", re.ASCII)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}", re.ASCII)
_HASH = re.compile(r"[a-z0-9]+:[0-9a-f]+", re.ASCII)
_EXTRAS = re.compile(r"(.*?)(\[[^\[\]]*\])?", re.DOTALL)
_FLAGS = {"pre": "--pre", "prefer_binary": "--prefer-binary", "require_hashes": "--require-hashes"}
_LISTS = {"only_binary": "--only-binary", "no_binary": "--no-binary"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A requirement by name.

    Attributes:
        requirement: It, as PEP 508 text.
        project: Its normalised name.
        hashes: Each ``sha256:…`` demanded.
        settings: Each ``--config-settings`` value.
    """

    requirement: str
    project: ProjectName
    hashes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def marker(self) -> Marker | None:
        """Return where it is wanted, None where everywhere."""
        return Requirement(self.requirement).marker

    def rendered(self) -> str:
        """Spell it for pip."""
        options = [f"--hash={value}" for value in self.hashes]
        options += [f"--config-settings={shlex.quote(value)}" for value in self.settings]
        return " ".join([self.requirement, *options])


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A wheel or sdist that the user has; it goes through the gate with the evidence beside it."""

    path: Path
    extras: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProject:
    """A project directory: the user's own code."""

    path: Path
    extras: str = ""
    editable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Everything that was asked for.

    Attributes:
        named: Requirements by name.
        files: Local wheels and sdists.
        projects: Local project directories.
        constraints: Constraints.
        options: Options that requirements files set for the whole run.
        notes: What was dropped, for people.
    """

    named: tuple[Named, ...] = ()
    files: tuple[LocalFile, ...] = ()
    projects: tuple[LocalProject, ...] = ()
    constraints: tuple[Named, ...] = ()
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Pile:
    """What is gathered while files are read; frozen into Wanted at the end."""

    def __init__(self, sources: frozenset[str]) -> None:
        self.sources = sources
        self.named: list[Named] = []
        self.files: list[LocalFile] = []
        self.projects: list[LocalProject] = []
        self.constraints: list[Named] = []
        self.options: list[str] = []
        self.notes: list[str] = []
        self.read: set[tuple[Path, bool]] = set()

    def frozen(self) -> Wanted:
        return Wanted(
            named=tuple(self.named),
            files=tuple(self.files),
            projects=tuple(self.projects),
            constraints=tuple(self.constraints),
            options=tuple(dict.fromkeys(self.options)),
            notes=tuple(dict.fromkeys(self.notes)),
        )


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
) -> Wanted:
    """Read everything that was asked for.

    Args:
        positional: Positional arguments.
        files: Requirements files (``-r``).
        constraints: Constraints files (``-c``).
        editables: ``-e``.
        source_urls: URLs of the trust file's sources: an index line that names one of them is dropped with a note.

    Raises:
        UsageError: ``refused-requirement``, ``bad-requirement`` or ``bad-requirements-file``.
    """
    pile = _Pile(frozenset(_place(url) for url in source_urls))
    for text in positional:
        _one(text, Path.cwd(), "the command line", pile)
    for text in editables:
        pile.projects.append(_project(text, Path.cwd(), "the command line", editable=True))
    for path in files:
        _file(path, Path.cwd(), pile, is_constraint=False)
    for path in constraints:
        _file(path, Path.cwd(), pile, is_constraint=True)
    return pile.frozen()


def check_wanted(
    wanted: Wanted, environment: Callable[[], Mapping[str, str]], *, build: Iterable[Named] = ()
) -> None:
    """Check that something is wanted where it is to be installed, and that every marker can be evaluated there.

    Args:
        wanted: Everything that was asked for.
        environment: Asks the target for the values of markers (PEP 508); only where there is a marker.
        build: Constraints on build dependencies.

    Raises:
        UsageError: ``nothing-to-install``: nothing was asked for, or every marker is false; ``bad-requirement``: nobody can say whether a marker is true.
    """
    if not (wanted.named or wanted.files or wanted.projects):
        raise nothing_wanted("no requirement at all")
    every = (*wanted.named, *wanted.constraints, *build)
    marked = {named: marker for named in every if (marker := named.marker) is not None}
    if not marked:
        return
    values = environment()
    not_wanted = {named for named, marker in marked.items() if not _holds(named, marker, values)}
    if not wanted.files and not wanted.projects and not_wanted.issuperset(wanted.named):
        listed = ", ".join(displayed(named.requirement) for named in wanted.named[:5])
        raise nothing_wanted(f"only requirements whose marker is false here: {listed}")


def nothing_wanted(found: str) -> UsageError:
    """Make the error for a run in which nothing would be judged: that is never a success."""
    return UsageError(
        "nothing-to-install",
        f"expected something to install, found {found}",
        hint="Name a package, or -r FILE. Markers are evaluated for the Python that is installed into (--python).",
    )


def _holds(named: Named, marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate({**environment, "extra": ""})
    except (ValueError, KeyError, RecursionError) as err:
        raise UsageError(
            "bad-requirement",
            f"expected a marker that can be evaluated (PEP 508), found {displayed(named.requirement)}",
            hint='Versions are compared with versions, and everything else with == and !=, or "in" and "not in".',
        ) from err


def pinned_releases(path: Path) -> tuple[Release, ...]:
    """Read every ``name==version`` of a requirements file, for pinning by hash.

    Raises:
        UsageError: As for :func:`gather`; ``version-needed``: a requirement has no exact version.
    """
    wanted = gather(files=[str(path)])
    return tuple(_release(named) for named in wanted.named)


def render(named: Iterable[Named]) -> str:
    """Spell requirements as the file that pip is given."""
    return "".join(f"{item.rendered()}\n" for item in named)


def _release(named: Named) -> Release:
    requirement = Requirement(named.requirement)
    exact = [spec.version for spec in requirement.specifier if spec.operator == "=="]
    if len(exact) != 1 or exact[0].endswith(".*"):
        raise UsageError(
            "version-needed",
            f"expected name==version, found {named.requirement}",
            hint="A hash speaks of one release.",
        )
    digests = frozenset(
        value.removeprefix("sha256:") for value in named.hashes if value.startswith("sha256:")
    )
    return Release(project=named.project, version=parse_version(exact[0]), sha256=digests)


def _file(text: str, base: Path, pile: _Pile, *, is_constraint: bool, within: tuple[Path, ...] = ()) -> None:
    path = local_path(text, base)
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
        if line.is_editable:
            target = re.sub(r"^(-e|--editable)[ =]*", "", line.text)
            pile.projects.append(_project(target, path.parent, str(path), editable=True))
        elif is_constraint:
            pile.constraints.append(_named(line.text, str(path)))
        else:
            _one(line.text, path.parent, str(path), pile)


def _options(
    options: Mapping[str, object], path: Path, pile: _Pile, *, is_constraint: bool, within: tuple[Path, ...]
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


def _index(url: str, path: Path, pile: _Pile) -> None:
    """Drop an index line that names a source of the trust file; its credentials are neither used nor shown."""
    place = _place(url)
    if ".." in place or not any(place == source or place.startswith(f"{source}/") for source in pile.sources):
        raise UsageError(
            "refused-requirement",
            f"expected no index but the trust file's sources in {path}, found {displayed(place)}",
            hint="Each package's source is pinned in the trust file; remove the line, or add the source there.",
        )
    pile.notes.append(
        f"the index line of {path} is not used: each package comes from its source in the trust file"
    )


def _place(url: str) -> str:
    """Return scheme, host and path of a URL, without credentials; ``""`` for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{parts.path}".rstrip("/")


def _one(text: str, base: Path, where: str, pile: _Pile) -> None:
    """Sort one requirement: by name, or a local path."""
    _check_text(text, where)
    body, options = _split_options(text)
    place, extras = _split_extras(body.strip())
    if re.match(r"[a-z+]+://|[a-z]+\+|file:", body.strip(), re.IGNORECASE | re.ASCII):
        raise _refused(where, displayed(body), "A URL is fetched past the gate; name the package.")
    is_archive = place.lower().endswith(_ARCHIVES) and "@" not in place
    if not (is_archive or _is_path(place)):
        pile.named.append(_named(text, where))
    elif options:
        raise UsageError(
            "bad-requirement",
            f"expected nothing after a local path, found {displayed(text)} in {where}",
            hint="A local file is judged by the evidence beside it, or pinned by its hash in the trust file.",
        )
    elif is_archive:
        pile.files.append(LocalFile(path=_archive(place, base, where), extras=extras))
    else:
        pile.projects.append(_project(body, base, where, editable=False))


def _is_path(place: str) -> bool:
    return place.startswith((".", "/", "~")) or (("/" in place or place == "") and "@" not in place)


def _check_text(text: str, where: str) -> None:
    """Refuse what pip would read differently in the file that is written for it: line breaks, and variables, which it replaces."""
    if _UNWRITABLE.search(text):
        raise UsageError(
            "bad-requirement",
            f"expected one line without control characters, found {displayed(text)} in {where}",
        )
    if _VARIABLE.search(text):
        raise _refused(
            where,
            f"the variable in {displayed(text)}",
            "Write it out: what it stands for differs from machine to machine.",
        )


def _split_extras(text: str) -> tuple[str, str]:
    match = _EXTRAS.fullmatch(text)
    return (match[1], match[2] or "") if match else (text, "")


def _existing(place: str, base: Path) -> Path:
    """Return the absolute path, links left alone: the evidence lies beside the name that was given."""
    try:
        return (base / Path(place).expanduser()).absolute()
    except (OSError, ValueError, RuntimeError) as err:
        raise UsageError("bad-requirement", f"expected a local path, found {displayed(place)}") from err


def _archive(place: str, base: Path, where: str) -> Path:
    path = _existing(place, base)
    # Not Path.is_file, which raises for a name that is too long.
    if not os.path.isfile(path):
        raise UsageError(
            "bad-requirement", f"expected a local file, found no {displayed(place)}; {where} names it"
        )
    return path


def _project(text: str, base: Path, where: str, *, editable: bool) -> LocalProject:
    _check_text(text, where)
    place, extras = _split_extras(text.strip())
    if "://" in place or re.match(r"[a-z]+\+|file:", place, re.ASCII | re.IGNORECASE):
        raise _refused(where, displayed(text), "A URL is fetched past the gate; name the package.")
    path = _resolved(_existing(place, base))
    if not place or path is None:
        raise UsageError(
            "bad-requirement",
            f"expected a local wheel, sdist or project directory, found {displayed(text)} in {where}",
        )
    return LocalProject(path=path, extras=extras, editable=editable)


def _resolved(path: Path) -> Path | None:
    """Return an existing directory, links resolved, else None."""
    try:
        return path.resolve() if path.is_dir() else None
    except (OSError, RuntimeError):
        return None


def _named(text: str, where: str) -> Named:
    _check_text(text, where)
    body, options = _split_options(text)
    try:
        requirement = Requirement(body)
        words = shlex.split(options)
    except (InvalidRequirement, ValueError, RecursionError) as err:
        raise UsageError(
            "bad-requirement",
            f"expected a requirement such as name>=1.0, found {displayed(text)} in {where}",
        ) from err
    if requirement.url is not None:
        raise _refused(
            where, displayed(text), "A direct reference is fetched past the gate; name the package."
        )
    hashes, settings = [], []
    for name, value in _pairs(words, text, where):
        if name == "--hash" and _HASH.fullmatch(value):
            hashes.append(value)
        elif name in {"--config-settings", "--config-setting"} and "=" in value:
            settings.append(value)
        else:
            raise UsageError(
                "bad-requirement",
                f"expected --hash or --config-settings, found {displayed(name)} in {where}",
            )
    # pip takes a name such as `a.tar.gz` for a file if there is one; a normalised name has no dots.
    requirement.name = str(canonicalize_name(requirement.name))
    named = Named(
        requirement=str(requirement),
        project=ProjectName(requirement.name),
        hashes=tuple(hashes),
        settings=tuple(settings),
    )
    if named.rendered().endswith("\\"):
        raise UsageError(
            "bad-requirement",
            f"expected no backslash at the end of a requirement, found {displayed(text)} in {where}",
            hint="pip would read the next requirement as a part of it.",
        )
    return named


def _split_options(text: str) -> tuple[str, str]:
    match = _OPTION.search(text)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def _pairs(words: list[str], text: str, where: str) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals:
            value = next(rest, "")
        if not name.startswith("--") or not value:
            raise UsageError(
                "bad-requirement",
                f"expected options after the requirement, found {displayed(text)} in {where}",
            )
        yield name, value


def _refused(where: str, found: str, hint: str) -> UsageError:
    return UsageError(
        "refused-requirement",
        f"expected requirements by name or local files in {where}, found {found}",
        hint=hint,
    )
