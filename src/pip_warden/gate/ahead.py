"""Looks ahead: does what an installer will probably ask for before it does.

An installer asks for one page and one file after the other, and waits for a round trip each time; here they
are under way side by side. Nothing but time depends on it: a guess is judged by the same code as a request,
and is reported only when it was asked for. One that came to nothing is forgotten
(:meth:`~pip_warden.gate.once.Once.ahead`); its requests are bounded, and give way where a server limits them
(:mod:`~pip_warden.transport.speculation`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from pip_warden.artifact.model import Contents
from pip_warden.digests import Digest
from pip_warden.errors import RefusedError, UndecidedError
from pip_warden.gate.guess import Guess, TargetFacts, guesses_of, pick
from pip_warden.gate.model import Admission
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.supply.ahead import Background
from pip_warden.transport.speculation import SpeculationEndedError
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted

T = TypeVar("T")

_MOST_GUESSES = 2000
"""Guesses of one run: a tree of some hundred packages has one for each edge."""

_NOTHING = frozenset[str]()


class LookAhead:
    """Follows guesses, each once.

    Args:
        background: Does the work.
        lists: Lists a project's files ahead; None where that came to nothing.
        admits: Decides about a file ahead; None where that came to nothing.
        facts: Finds out what is known of the target; called at most once, in the background.
    """

    def __init__(
        self,
        background: Background,
        *,
        lists: Callable[[ProjectName], Listing | None],
        admits: Callable[[Listing, Candidate], Admission | None],
        facts: Callable[[], TargetFacts],
    ) -> None:
        self._background = background
        self._lists = lists
        self._admits = admits
        self._find_facts = facts
        self._facts: TargetFacts | None = None
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._seen: set[Guess] = set()
        self._projects: set[ProjectName] = set()
        self._failed: set[Hashable] = set()
        self._followed: set[tuple[Digest, frozenset[str]]] = set()

    def start(self, guesses: Iterable[Guess]) -> None:
        """Follow guesses in the background, and then what they lead to."""
        self._background.submit(partial(self._start, tuple(guesses)))

    def asked(self, project: ProjectName) -> None:
        """Guess that of a project whose page was asked for the newest file will be."""
        with self._lock:
            if project in self._projects:  # a guess that knows more
                return
        self._guess(Guess(project=project))

    def follow(self, admission: Admission, extras: frozenset[str] = _NOTHING) -> None:
        """Guess what an accepted file will lead to; once, though its metadata is asked for before it."""
        verdict = admission.line.verdict
        if not isinstance(verdict, Accepted) or not isinstance(verdict.artifact.contents, Contents):
            return
        contents, what = verdict.artifact.contents, (verdict.artifact.digest, extras)
        with self._lock:
            if what in self._followed:
                return
            self._followed.add(what)
        if contents.requires_dist or contents.build_requires:
            for guess in guesses_of(contents, extras, self._target_facts()):
                self._guess(guess)

    def _start(self, guesses: tuple[Guess, ...]) -> None:
        facts = self._target_facts()
        for guess in guesses:
            if not facts.has(guess):
                self._guess(guess)

    def _guess(self, guess: Guess) -> None:
        with self._lock:
            if guess in self._seen or len(self._seen) >= _MOST_GUESSES:
                return
            self._seen.add(guess)
            self._projects.add(guess.project)
        self._background.submit(partial(self._follow, guess))

    def _follow(self, guess: Guess) -> None:
        listing = self._tried(guess.project, partial(self._lists, guess.project))
        if listing is None:
            return
        candidate = pick(listing.allowed, guess, self._target_facts())
        if candidate is None:
            return
        admission = self._tried(candidate.name.filename, partial(self._admits, listing, candidate))
        if admission is not None:
            self.follow(admission, guess.extras)

    def _tried(self, what: Hashable, work: Callable[[], T | None]) -> T | None:
        """Do something ahead, and never again where it came to nothing: many files may require it."""
        with self._lock:
            if what in self._failed:
                return None
        found: T | None = None
        try:
            # What is refused or fails is decided when it is asked for.
            with suppress(RefusedError, UndecidedError):
                found = work()
        except SpeculationEndedError:  # for now
            return None
        if found is None:
            with self._lock:
                self._failed.add(what)
        return found

    def _target_facts(self) -> TargetFacts:
        with self._finding:
            if self._facts is None:
                self._facts = self._find_facts()
            return self._facts
