"""pip's options, each with its treatment.

pip accepts abbreviations (``--no-proxy`` would bypass the loopback server), so this table is complete: a name
that is not in it is a usage error. A test compares it with the pip we depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from pip_warden.display import nearest
from pip_warden.errors import UsageError
from pip_warden.values import dataclass


class Treatment(Enum):
    """How an option of pip's is treated."""

    PASSED = "passed to pip unchanged"
    OURS = "handled by us"
    ALWAYS = "always so"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        names: Every spelling, first the long one that we use for it.
        takes_value: Whether a value follows.
        treatment: How it is treated.
        reason: Why it is refused.
    """

    names: tuple[str, ...]
    takes_value: bool
    treatment: Treatment
    reason: str = ""


_SOURCES = "sources are named in the trust file"
_WAY_OUT = "the run's only network is the loopback server"
_GROUPS = (
    "it can name local files and URLs; put the requirements on the command line or in a requirements file"
)


def _table(treatment: Treatment, *rows: tuple[str, bool] | tuple[str, bool, str]) -> tuple[Option, ...]:
    return tuple(Option(tuple(row[0].split()), row[1], treatment, *row[2:]) for row in rows)


OPTIONS: tuple[Option, ...] = (
    *_table(
        Treatment.PASSED,
        ("--no-deps --no-dependencies", False),
        ("--only-deps --only-dependencies", False),
        ("--target -t", True),
        ("--platform", True),
        ("--python-version", True),
        ("--implementation", True),
        ("--abi", True),
        ("--no-user", False),
        ("--root", True),
        ("--prefix", True),
        ("--upgrade -U", False),
        ("--upgrade-strategy", True),
        ("--force-reinstall", False),
        ("--ignore-installed -I", False),
        ("--ignore-requires-python", False),
        ("--no-build-isolation", False),
        ("--use-pep517", False),
        ("--check-build-dependencies", False),
        ("--break-system-packages", False),
        ("--config-settings -C", True),
        ("--compile", False),
        ("--no-compile", False),
        ("--no-warn-script-location", False),
        ("--no-warn-conflicts", False),
        ("--require-hashes", False),
        ("--no-require-hashes", False),
        ("--progress-bar", True),
        ("--root-user-action", True),
        ("--pre", False),
        ("--all-releases", True),
        ("--only-final", True),
        ("--no-binary", True),
        ("--only-binary", True),
        ("--prefer-binary", False),
        ("--uploaded-prior-to", True),
        ("--require-virtualenv --require-venv", False),
        ("--no-color", False),
        ("--no-python-version-warning", False),
    ),
    *_table(
        Treatment.OURS,
        ("--requirement -r", True),
        ("--constraint -c", True),
        ("--build-constraint", True),
        ("--editable -e", True),
        ("--dry-run", False),
        ("--report", True),
        ("--python", True),
        ("--verbose -v", False),
        ("--quiet -q", False),
        ("--help -h", False),
        ("--debug", False),
        ("--cache-dir", True),
        ("--cert", True),
        ("--timeout --default-timeout", True),
        ("--retries", True),
    ),
    *_table(
        Treatment.ALWAYS,
        ("--isolated", False),
        ("--no-input", False),
        ("--no-cache-dir", False),
        ("--disable-pip-version-check", False),
    ),
    *_table(
        Treatment.REFUSED,
        ("--index-url -i --pypi-url", True, _SOURCES),
        ("--extra-index-url", True, _SOURCES),
        ("--find-links -f", True, _SOURCES),
        ("--no-index", False, _SOURCES),
        ("--refresh-package", True, "pip's cache is empty in every run"),
        ("--proxy", True, _WAY_OUT),
        ("--no-proxy-env", False, _WAY_OUT),
        ("--trusted-host", True, _WAY_OUT),
        ("--client-cert", True, _WAY_OUT),
        ("--keyring-provider", True, "credentials belong to pip-warden, not to pip"),
        ("--group", True, _GROUPS),
        ("--requirements-from-script", True, _GROUPS),
        (
            "--src --source --source-dir --source-directory",
            True,
            "nothing is checked out from version control",
        ),
        (
            "--dest --destination-dir --destination-directory -d",
            True,
            "downloads are asked for with --download DIR",
        ),
        ("--resume-retries", True, "pip's only network is this machine"),
        (
            "--exists-action",
            True,
            "it is for version control and downloads; the target of --download is never overwritten",
        ),
        ("--log --log-file --local-log", True, "pip's log could hold the password of the run; use -v"),
        ("--user", False, "pip is isolated from your own packages; try `pip-warden run -- pip`"),
        ("--no-clean", False, "build directories lie in the run's private directory, which is removed"),
        ("--use-feature", True, "experimental features may read sources of their own"),
        ("--use-deprecated", True, "deprecated features may read sources of their own"),
    ),
)
"""Every option of ``pip install`` and ``pip download``."""

OWN_OPTIONS: tuple[Option, ...] = _table(
    Treatment.OURS,
    ("--installer", True),
    ("--trust", True),
    ("--format", True),
    ("--output", True),
    ("--html", True),
    ("--download", True),
    ("--with-sdist", False),
    ("--offline", False),
    ("--strict", False),
    ("--token-file", True),
    ("--mirror", True),
    ("--pass-env", True),
    ("--color", True),
    ("--timings", True),
    ("--version -V", False),
)
"""Options that safe-install has and pip does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """Arguments, sorted.

    Attributes:
        requirements: Positional arguments, unchanged.
        passed: Options that pip gets unchanged.
        ours: ``(long name, value)`` of each option that we handle, in order; ``""`` for a flag.
    """

    requirements: tuple[str, ...]
    passed: tuple[str, ...]
    ours: tuple[tuple[str, str], ...]

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of one of our options."""
        return tuple(value for known, value in self.ours if known == name)

    def last(self, name: str) -> str | None:
        """Return the last value, None where the option was not given."""
        return self.values(name)[-1] if self.has(name) else None

    def has(self, name: str) -> bool:
        """Return whether one of our options was given."""
        return any(known == name for known, _ in self.ours)


_BY_NAME = {name: option for option in (*OPTIONS, *OWN_OPTIONS) for name in option.names}


def parse_arguments(words: Sequence[str]) -> Parsed:
    """Sort the arguments of safe-install.

    Raises:
        UsageError: ``unknown-option``, ``refused-option`` or ``option-value``.
    """
    requirements: list[str] = []
    passed: list[str] = []
    ours: list[tuple[str, str]] = []
    for option, value in _walk(list(words)):
        if option is None:
            requirements.append(value)
            continue
        match option.treatment:
            case Treatment.REFUSED:
                raise UsageError(
                    "refused-option",
                    "expected options that keep every file behind the gate, found "
                    f"{option.names[0]}: {option.reason}",
                )
            case Treatment.PASSED:
                passed += [option.names[0], value] if option.takes_value else [option.names[0]]
            case Treatment.OURS:
                ours.append((option.names[0], value))
            case Treatment.ALWAYS:
                pass
    return Parsed(requirements=tuple(requirements), passed=tuple(passed), ours=tuple(ours))


def _walk(words: list[str]) -> Iterator[tuple[Option | None, str]]:
    """Yield each option with its value, and each positional argument with None."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from ((None, positional) for positional in rest)
        elif word.startswith("--"):
            yield _long(word, rest)
        elif word.startswith("-") and word != "-":
            yield from _short(word, rest)
        else:
            yield None, word


def _long(word: str, rest: Iterator[str]) -> tuple[Option, str]:
    name, equals, value = word.partition("=")
    option = _known(name)
    if option.takes_value:
        return option, value if equals else _next(name, rest)
    if equals:
        raise UsageError("option-value", f"expected {name} without a value, found {word!r}")
    return option, ""


def _short(word: str, rest: Iterator[str]) -> Iterator[tuple[Option, str]]:
    """Read ``-r FILE``, ``-rFILE`` and clusters such as ``-vvU``."""
    for position, letter in enumerate(word[1:], start=2):
        option = _known(f"-{letter}")
        if option.takes_value:
            attached = word[position:].removeprefix("=")
            yield option, attached or _next(f"-{letter}", rest)
            return
        yield option, ""


def _next(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise UsageError("option-value", f"expected a value after {name}, found none")
    return value


def _known(name: str) -> Option:
    option = _BY_NAME.get(name)
    if option is None:
        raise UsageError(
            "unknown-option", f"expected an option of pip's, spelled out, found {name!r}", hint=_meant(name)
        )
    return option


def _meant(name: str) -> str:
    """Return a hint which option an unknown name may mean: pip takes abbreviations, and people mistype."""
    if not name.startswith("--"):
        return "`safe-install --help` lists what it takes."
    if longer := sorted(known for known in _BY_NAME if known.startswith(name)):
        return f"Spell it out: {', '.join(longer)}."
    taken = (known for known, option in _BY_NAME.items() if option.treatment is not Treatment.REFUSED)
    close = nearest(name, taken)
    return f"Did you mean {', '.join(close)}?" if close else "`safe-install --help` lists what it takes."
