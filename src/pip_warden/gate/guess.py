"""What an installer will probably ask for next: guesses, which decide nothing.

An installer reads the requirements of one file before it asks for the next. Whoever has that file too knows
them at the same time, and needs no answer of the installer's to fetch what they name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact.model import Contents
from pip_warden.gate.dependencies import parsed
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.values import dataclass, field

_ANY = SpecifierSet()
_MOST_REQUIREMENTS = 2000
"""Requirements of a file that are looked at: no more guesses are made in a run."""

_MOST_EXTRAS = 32
"""Extras that are looked at: each requirement is evaluated for each of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """A requirement that an installer will probably look for.

    Attributes:
        project: The project.
        specifier: Which versions will do.
        extras: Its extras.
        hashes: SHA-256 of the files that will do, in hexadecimal; empty for every file.
        filename: The file that was taken the last time; ``""`` where unknown.
    """

    project: ProjectName
    specifier: SpecifierSet = _ANY
    extras: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    filename: str = ""

    def also(self, other: Guess) -> Guess:
        """Return the guess that something will be looked for that does for both."""
        hashes = self.hashes & other.hashes if self.hashes and other.hashes else self.hashes | other.hashes
        return replace(self, specifier=self.specifier & other.specifier, hashes=hashes)


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFacts:
    """What is known of the Python that is installed into.

    Attributes:
        markers: Its values of marker variables (PEP 508); None for those of this process.
        tags: Finds out which wheel tags it takes; empty where unknown.
        present: What it has already, which an installer will not look for.
        limits: What will do of some projects, whoever requires them.
        with_dependencies: Whether the requirements of a file are looked for, too.
        prereleases: Whether pre-releases are as good as any other.
        wheels: Whether a wheel is taken.
        sdists: Whether an sdist is taken, where there is no wheel.
    """

    markers: Mapping[str, str] | None = field(default=None, hash=False)
    tags: Callable[[], frozenset[str]] = frozenset
    present: Mapping[ProjectName, Version] = field(default_factory=dict, hash=False)
    limits: Mapping[ProjectName, Guess] = field(default_factory=dict, hash=False)
    with_dependencies: bool = True
    prereleases: bool = False
    wheels: bool = True
    sdists: bool = True

    def has(self, guess: Guess) -> bool:
        """Return whether what is there already will do."""
        version = self.present.get(guess.project)
        return version is not None and guess.specifier.contains(version, prereleases=True)


def pick(allowed: Iterable[Candidate], guess: Guess, facts: TargetFacts) -> Candidate | None:
    """Return the file that an installer will probably ask for, None where that is anyone's guess."""
    if (limit := facts.limits.get(guess.project)) is not None:
        guess = guess.also(limit)
    files = [
        candidate
        for candidate in allowed
        if candidate.claimed_yanked is None and (not guess.hashes or _digest(candidate) in guess.hashes)
    ]
    if guess.filename:
        return next((c for c in files if c.name.filename == guess.filename), None)
    versions = {candidate.name.version for candidate in files}
    newest = max(guess.specifier.filter(versions, prereleases=facts.prereleases or None), default=None)
    return _fitting([c for c in files if c.name.version == newest], facts)


def _digest(candidate: Candidate) -> str:
    return "" if candidate.claimed_sha256 is None else candidate.claimed_sha256.hex


def _fitting(files: list[Candidate], facts: TargetFacts) -> Candidate | None:
    """Return the file of a release that an installer takes: the wheel that fits, else the sdist."""
    wheels = [c for c in files if c.name.kind == "wheel"] if facts.wheels else []
    if len(wheels) > 1:
        tags = facts.tags()
        wheels = [c for c in wheels if not tags.isdisjoint(c.name.tags)]
        return wheels[0] if len(wheels) == 1 else None
    sdists = [c for c in files if c.name.kind == "sdist"] if facts.sdists else []
    return next(iter([*wheels, *sdists]), None)


def guesses_of(contents: Contents, extras: frozenset[str], facts: TargetFacts) -> Iterator[Guess]:
    """Yield what a file requires in the target, and what building it requires."""
    texts = contents.requires_dist if facts.with_dependencies else ()
    for requirement in _parsed(texts):
        if requirement.url is None and _is_wanted(requirement, extras, facts):
            guess = guess_of(requirement)
            if not facts.has(guess):
                yield guess
    for requirement in _parsed(contents.build_requires):
        # A build has an environment of its own: what the target has does not count.
        if requirement.url is None and _is_wanted(requirement, frozenset(), facts):
            yield guess_of(requirement)


def guess_of(requirement: Requirement) -> Guess:
    """Return the guess that what a requirement names will be looked for."""
    return Guess(
        project=ProjectName(str(canonicalize_name(requirement.name))),
        specifier=requirement.specifier,
        extras=frozenset(requirement.extras),
    )


def _parsed(texts: Iterable[str]) -> Iterator[Requirement]:
    found = (parsed(text) for text in islice(texts, _MOST_REQUIREMENTS))
    return (requirement for requirement in found if requirement is not None)


def _is_wanted(requirement: Requirement, extras: frozenset[str], facts: TargetFacts) -> bool:
    if requirement.marker is None:
        return True
    values = {} if facts.markers is None else dict(facts.markers)
    looked_at = ("", *islice(extras, _MOST_EXTRAS))
    try:
        return any(requirement.marker.evaluate({**values, "extra": extra}) for extra in looked_at)
    except (ValueError, KeyError, RecursionError):
        return False
