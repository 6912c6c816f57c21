"""Takes the command line of a known tool apart: its subcommand, its options, and what belongs to no option.

It need not know every option. What it does not know it takes for a flag: then a value is read as a
word, and one that leads somewhere is found in either place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from itertools import chain
from pathlib import PurePath

from pip_warden.values import dataclass, field


class Means(Enum):
    """What an option of a tool is about.

    ``PAST_THE_GATE``: another proxy, configuration or cache, from which packages could come; ``TRUST``: how
    it is known who answers, which adds no packages.
    """

    NOTHING = auto()
    INDEX = auto()
    LINKS = auto()
    FILE_OF_REQUIREMENTS = auto()
    REFERENCE = auto()
    PAST_THE_GATE = auto()
    TRUST = auto()
    DIRECTORY = auto()
    PROJECT = auto()
    PYTHON = auto()
    TARGET = auto()
    OUTPUT = auto()
    FORMAT = auto()
    USER = auto()
    SCRIPT = auto()
    MODULE = auto()
    GROUP = auto()
    CONFIGURATION = auto()
    PIP_WORDS = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    """How the command line of a tool is read.

    Attributes:
        valued: What each option that takes a value means.
        flags: What each option without a value means, where it means anything.
        groups: Subcommands that have subcommands.
        runs: Subcommands after whose first word another program's words begin.
        aliases: Other names of subcommands.
        abbreviates: Whether a long option may be cut short (Python's optparse and argparse).
    """

    valued: Mapping[str, Means]
    flags: Mapping[str, Means]
    groups: frozenset[str] = frozenset()
    runs: frozenset[tuple[str, ...]] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    abbreviates: bool = False

    def meaning(self, name: str, *, is_run: bool = False) -> tuple[Means, bool]:
        """Return what an option means, and whether it takes a value.

        Args:
            name: As it is spelled, without a value.
            is_run: Whether the subcommand runs a program, whose name an option such as ``--script`` explains.
        """
        if (found := self.valued.get(name)) is not None:
            return found, not (is_run and found in {Means.SCRIPT, Means.MODULE})
        if name in self.flags or not self.abbreviates or not name.startswith("--"):
            return self.flags.get(name, Means.NOTHING), False
        longer = [value for option, value in sorted(self.valued.items()) if option.startswith(name)]
        return next(((value, True) for value in longer), (Means.NOTHING, False))


@dataclass(frozen=True, slots=True)
class GivenOption:
    """An option of a command line: as it is spelled, what it means, and its value (``""`` for a flag).

    So is ``--``, after which there are no more.
    """

    name: str
    means: Means
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A command line of a known tool.

    Attributes:
        family: The tool: ``"uv"``.
        executable: The first word: a program, or the Python that runs the tool's module.
        is_module: Whether it is run as ``python -m``.
        command: Its subcommand: ``("pip", "install")``.
        options: Its options.
        words: What belongs to no option.
        rest: The words of another program that it runs.
    """

    family: str
    executable: str
    is_module: bool = False
    command: tuple[str, ...] = ()
    options: tuple[GivenOption, ...] = ()
    words: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what it is called: ``"uv pip install"``."""
        return " ".join((self.family, *self.command))

    def values(self, *means: Means) -> tuple[str, ...]:
        """Return the values of all options of a meaning."""
        return tuple(option.value for option in self.options if option.means in means)

    def last(self, means: Means) -> str | None:
        """Return the last value of a meaning, None where there is none, or an empty one."""
        return next(reversed(self.values(means)), None) or None


def table(**rows: str) -> dict[str, Means]:
    """Return a table of options from the names of each meaning: ``table(index="--index -i")``."""
    return {name: Means[meaning.upper()] for meaning, names in rows.items() for name in names.split()}


_PROGRAM = re.compile(r"(?:pip|python|pypy)[0-9.]*|uv|uvx|poetry|pdm|pipx|hatch|tox|nox", re.ASCII)
_MODULES = frozenset({"pip", "uv", "poetry", "pdm", "pipx", "hatch", "tox", "nox"})
_PYTHON_TAKES = frozenset("XW")


def tool_of(words: Sequence[str]) -> tuple[str, bool, tuple[str, ...]] | None:
    """Return the tool that a command line calls, whether as a module, and its own words; None: none known.

    ``python -m pip`` is pip, and ``uvx`` is ``uv tool run``.
    """
    program = PurePath(words[0]).name if words else ""
    if not _PROGRAM.fullmatch(program):
        return None
    if program.startswith(("python", "pypy")):
        return _module(words)
    if program == "uvx":
        return "uv", False, ("tool", "run", *words[1:])
    return re.sub(r"[0-9.]+$", "", program), False, tuple(words[1:])


def _module(words: Sequence[str]) -> tuple[str, bool, tuple[str, ...]] | None:
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith("-") or word.startswith("--"):
            return None
        for at, letter in enumerate(word[1:], start=2):
            if letter == "m":
                module = word[at:] or next(rest, "")
                return (module, True, tuple(rest)) if module in _MODULES else None
            if letter == "c":
                return None
            if letter in _PYTHON_TAKES:
                _ = word[at:] or next(rest, "")
                break
    return None


def parse(words: Sequence[str], grammars: Mapping[str, Grammar]) -> Call | None:
    """Take a command line apart.

    Args:
        words: The whole of it, with the program.
        grammars: The grammar of each tool.

    Returns:
        None where no known tool is called.
    """
    found = tool_of(words)
    if found is None:
        return None
    family, is_module, own = found
    grammar = grammars[family]
    options: list[GivenOption] = []
    command: list[str] = []
    plain: list[str] = []
    rest, is_ended = iter(own), False
    for item in _items(rest, grammar, command):
        if isinstance(item, GivenOption):
            is_ended = is_ended or item.name == "--"
            options.append(item)
        elif is_ended:
            plain.append(item)
        elif not command or (len(command) == 1 and command[0] in grammar.groups):
            command.append(grammar.aliases.get(item, item))
        else:
            plain.append(item)
        if plain and tuple(command) in grammar.runs:
            break
    return Call(
        family=family,
        executable=words[0],
        is_module=is_module,
        command=tuple(command),
        options=tuple(options),
        words=tuple(plain),
        rest=tuple(rest),
    )


_SOMETIMES_VALUED = frozenset({Means.NOTHING, Means.REFERENCE})
"""Of such an option some subcommands take a value, and others none: another option after it counts, too."""


def _items(rest: Iterator[str], grammar: Grammar, command: list[str]) -> Iterator[GivenOption | str]:
    """Yield options and words; ``command`` is the subcommand as far as it is known by then."""
    for word in rest:
        means_of = partial(grammar.meaning, is_run=tuple(command) in grammar.runs)
        if word == "--":
            yield GivenOption(word, Means.NOTHING, "")
            yield from rest
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            means, is_valued = means_of(name)
            value = value if equals or not is_valued else next(rest, "")
            yield GivenOption(name, means, value)
            if not equals and means in _SOMETIMES_VALUED and value.startswith("--"):
                yield from _items(chain((value,), rest), grammar, command)
        elif word.startswith("-") and word != "-":
            yield from _short(word, rest, means_of)
        else:
            yield word


def _short(
    word: str, rest: Iterator[str], means_of: Callable[[str], tuple[Means, bool]]
) -> Iterator[GivenOption]:
    for at, letter in enumerate(word[1:], start=2):
        means, is_valued = means_of(f"-{letter}")
        if is_valued:
            yield GivenOption(f"-{letter}", means, word[at:].removeprefix("=") or next(rest, ""))
            return
        yield GivenOption(f"-{letter}", means, "")
