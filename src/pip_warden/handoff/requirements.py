"""Requirements, from the command line and from files: parsed, judged for what could step round the gate, and rendered anew.

pip never sees a user's file: two readers of one file may disagree (encodings, odd line breaks, continuations), so pip gets what *we* understood.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.display import shown
from pip_warden.errors import UsageError
from pip_warden.names import ProjectName, parse_version

_LARGEST_FILE = 16 << 20
_ODD = re.compile("[\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\ufeff]")
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=]", re.ASCII)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}", re.ASCII)
_HASH = re.compile(r"[a-z0-9]+:[0-9a-f]+", re.ASCII)
_EXTRAS = re.compile(r"(.*?)(\[[^\[\]]*\])?", re.DOTALL)
_FLAGS = {"pre": "--pre", "prefer_binary": "--prefer-binary", "require_hashes": "--require-hashes"}
_LISTS = {"only_binary": "--only-binary", "no_binary": "--no-binary"}
_DEEPEST = 16


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
        _file(Path(path), pile, is_constraint=False, depth=0)
    for path in constraints:
        _file(Path(path), pile, is_constraint=True, depth=0)
    return pile.frozen()


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
            f"expected name==version, found {shown(named.requirement)}",
            hint="A hash speaks of one release.",
        )
    digests = frozenset(
        value.removeprefix("sha256:") for value in named.hashes if value.startswith("sha256:")
    )
    return Release(project=named.project, version=parse_version(exact[0]), sha256=digests)


def _file(path: Path, pile: _Pile, *, is_constraint: bool, depth: int) -> None:
    if depth > _DEEPEST:
        raise _bad_file(path, "files that include each other")
    _check_file(path)
    from pip_requirements_parser import RequirementsFile

    parsed = RequirementsFile.from_file(str(path), include_nested=False)
    for option in parsed.options:
        _options(option.options, path, pile, is_constraint=is_constraint, depth=depth)
    # Lines that the parser does not know (per-requirement options newer than it) are read by the same code as the others, or refused there.
    for line in (*parsed.requirements, *parsed.invalid_lines):
        _line(line, path, pile, is_constraint=is_constraint)


def _line(line: object, path: Path, pile: _Pile, *, is_constraint: bool) -> None:
    text = str(getattr(line, "line", "")).strip()
    if getattr(line, "is_editable", False):
        target = re.sub(r"^(-e|--editable)[ =]*", "", text)
        pile.projects.append(_project(target, path.parent, str(path), editable=True))
    elif is_constraint:
        pile.constraints.append(_named(text, str(path)))
    else:
        _one(text, path.parent, str(path), pile)


def _check_file(path: Path) -> None:
    """Refuse what two readers could read differently: encodings, byte order marks, NUL, coding lines, odd line breaks."""
    if "://" in str(path) or (path.name.startswith("pylock") and path.suffix == ".toml"):
        raise UsageError(
            "refused-requirement", f"expected a local requirements file, found {shown(str(path))}"
        )
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise UsageError(
            "bad-requirements-file", f"expected a readable file {path}, found {err.strerror}"
        ) from err
    if len(raw) > _LARGEST_FILE:
        raise _bad_file(path, "a file that is too large")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise _bad_file(path, "bytes that are not UTF-8") from err
    if odd := _ODD.search(text):
        raise _bad_file(path, f"the character {odd[0]!r}")
    if any(_CODING.match(line) for line in text.splitlines()[:2]):
        raise _bad_file(path, "a coding line")


def _options(options: dict[str, object], path: Path, pile: _Pile, *, is_constraint: bool, depth: int) -> None:
    for name, value in options.items():
        if name in {"requirements", "constraints"}:
            for nested in _texts(value):
                constrains = is_constraint or name == "constraints"
                _file(path.parent / nested, pile, is_constraint=constrains, depth=depth + 1)
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
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def _index(url: str, path: Path, pile: _Pile) -> None:
    """Drop an index line that names a source of the trust file; its credentials are neither used nor shown."""
    place = _place(url)
    if not any(place == source or place.startswith(f"{source}/") for source in pile.sources):
        raise UsageError(
            "refused-requirement",
            f"expected no index but the trust file's sources in {path}, found {shown(place)}",
            hint="Each package's source is pinned in the trust file; remove the line, or add the source there.",
        )
    pile.notes.append(
        f"the index line of {path} is not used: each package comes from its source in the trust file"
    )


def _place(url: str) -> str:
    """Return host and path of a URL, without credentials."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}{parts.path}".rstrip("/")


def _one(text: str, base: Path, where: str, pile: _Pile) -> None:
    """Sort one requirement: by name, or a local path."""
    if _VARIABLE.search(text):
        raise _refused(
            where,
            f"the variable in {shown(text)}",
            "Write it out: what it stands for differs from machine to machine.",
        )
    body, _, _ = text.partition(" --")
    place, extras = _split_extras(body.strip())
    if re.match(r"[a-z+]+://|[a-z]+\+|file:", body, re.IGNORECASE | re.ASCII):
        raise _refused(where, shown(body), "A URL is fetched past the gate; name the package.")
    path = base / Path(place).expanduser()
    if place.endswith((".whl", ".tar.gz", ".zip")) and "@" not in place:
        if not path.is_file():
            raise UsageError(
                "bad-requirement", f"expected a local file, found no {shown(place)}; {where} names it"
            )
        pile.files.append(LocalFile(path=path.absolute(), extras=extras))
    elif place.startswith((".", "/", "~")) or (("/" in place or place == "") and "@" not in place):
        pile.projects.append(_project(body.strip(), base, where, editable=False))
    else:
        pile.named.append(_named(text, where))


def _split_extras(text: str) -> tuple[str, str]:
    match = _EXTRAS.fullmatch(text)
    return (match[1], match[2] or "") if match else (text, "")


def _project(text: str, base: Path, where: str, *, editable: bool) -> LocalProject:
    place, extras = _split_extras(text.strip())
    if "://" in place or re.match(r"[a-z]+\+", place, re.ASCII):
        raise _refused(where, shown(text), "A URL is fetched past the gate; name the package.")
    path = (base / Path(place).expanduser()).resolve()
    if not path.is_dir():
        raise UsageError(
            "bad-requirement",
            f"expected a local wheel, sdist or project directory, found {shown(text)} in {where}",
        )
    return LocalProject(path=path, extras=extras, editable=editable)


def _named(text: str, where: str) -> Named:
    body, options = _split_options(text)
    try:
        requirement = Requirement(body)
        words = shlex.split(options)
    except (InvalidRequirement, ValueError) as err:
        raise UsageError(
            "bad-requirement", f"expected a requirement such as name>=1.0, found {shown(text)} in {where}"
        ) from err
    if requirement.url is not None:
        raise _refused(where, shown(text), "A direct reference is fetched past the gate; name the package.")
    hashes, settings = [], []
    for name, value in _pairs(words, text, where):
        if name == "--hash" and _HASH.fullmatch(value):
            hashes.append(value)
        elif name in {"--config-settings", "--config-setting"} and "\n" not in value:
            settings.append(value)
        else:
            raise UsageError(
                "bad-requirement", f"expected --hash or --config-settings, found {shown(name)} in {where}"
            )
    return Named(
        requirement=str(requirement),
        project=ProjectName(str(canonicalize_name(requirement.name))),
        hashes=tuple(hashes),
        settings=tuple(settings),
    )


def _split_options(text: str) -> tuple[str, str]:
    match = re.search(r"\s--[a-z]", text, re.ASCII)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def _pairs(words: list[str], text: str, where: str) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals:
            value = next(rest, "")
        if not name.startswith("--") or not value:
            raise UsageError(
                "bad-requirement", f"expected options after the requirement, found {shown(text)} in {where}"
            )
        yield name, value


def _refused(where: str, found: str, hint: str) -> UsageError:
    return UsageError(
        "refused-requirement",
        f"expected requirements by name or local files in {where}, found {found}",
        hint=hint,
    )


def _bad_file(path: Path, found: str) -> UsageError:
    return UsageError(
        "bad-requirements-file",
        f"expected a plain UTF-8 requirements file {path}, found {found}",
        hint="Two programs could read it differently. Save it as UTF-8 without a byte order mark.",
    )
