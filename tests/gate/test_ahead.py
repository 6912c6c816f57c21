"""Look-ahead by itself, with one thing done after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from packaging.specifiers import SpecifierSet

import samples
from pip_warden.artifact.model import Contents
from pip_warden.errors import NetworkError
from pip_warden.gate import Admission, Guess, TargetFacts
from pip_warden.gate.ahead import LookAhead
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.report.model import line_of
from pip_warden.supply.ahead import Background
from pip_warden.transport.speculation import SpeculationEndedError
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, PinnedByHash

GONE = NetworkError("unreachable", "expected an answer, found none")


class Now:
    """Does at once what is to be done in the background."""

    def submit(self, work: Callable[[], object]) -> None:
        work()


def follow(error: Exception | None, *, of_a_page: bool) -> list[str]:
    """Follow guesses of three versions of a project; return what was done."""
    done: list[str] = []

    def lists(project: ProjectName) -> Listing | None:
        done.append(project)
        if of_a_page and error is not None:
            raise error
        return None if of_a_page else samples.listing(samples.candidate())

    def admits(_listing: Listing, candidate: Candidate) -> Admission | None:
        done.append(candidate.name.filename)
        if error is not None:
            raise error
        return None

    ahead = LookAhead(cast("Background", Now()), lists=lists, admits=admits, facts=TargetFacts)
    versions = (SpecifierSet(f">=0.{number}") for number in range(3))
    ahead.start([Guess(project=samples.PROJECT, specifier=version) for version in versions])
    return done


@pytest.mark.parametrize("error", [GONE, None])
def test_what_came_to_nothing_ahead_is_not_guessed_again(error: Exception | None) -> None:
    """Many files may require it, each another version; a registry in trouble is asked once, not once each."""
    assert follow(error, of_a_page=True) == [samples.PROJECT]
    assert follow(error, of_a_page=False).count(samples.WHEEL) == 1


def test_what_must_not_be_sent_now_may_be_guessed_later() -> None:
    assert follow(SpeculationEndedError(), of_a_page=True) == [samples.PROJECT] * 3


def test_what_a_file_requires_is_looked_at_once_for_each_of_its_extras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[frozenset[str]] = []

    def looking(_contents: Contents, extras: frozenset[str], _facts: TargetFacts) -> list[Guess]:
        looked_at.append(extras)
        return []

    monkeypatch.setattr("pip_warden.gate.ahead.guesses_of", looking)
    artifact = samples.artifact(contents=samples.contents(requires_dist=("gears",)))
    accepted = Accepted(artifact=artifact, basis=PinnedByHash(reason="reviewed"))
    admission = Admission(line=line_of(accepted), sealed=None)
    ahead = LookAhead(
        cast("Background", Now()), lists=lambda _: None, admits=lambda *_: None, facts=TargetFacts
    )
    for extras in (frozenset[str](), frozenset[str](), frozenset({"dev"})):
        ahead.follow(admission, extras)
    assert looked_at == [frozenset(), frozenset({"dev"})]
