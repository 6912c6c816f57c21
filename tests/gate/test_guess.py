"""What an installer will probably ask for: the file that it would take, and what that requires."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import samples
from pip_warden.digests import digest_of
from pip_warden.gate import Guess, TargetFacts
from pip_warden.gate.guess import guesses_of, pick
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName

LINUX = "manylinux_2_17_x86_64"
NONE = frozenset[str]()


def wheel(version: str, tag: str = "py3-none-any", **changes: Any) -> Candidate:
    name = f"acme_widgets-{version}-{tag}.whl"
    return samples.candidate(name, digest_of(name.encode()), **changes)


def sdist(version: str) -> Candidate:
    return samples.candidate(f"acme_widgets-{version}.tar.gz", digest_of(version.encode()))


def picked(*files: Candidate, facts: TargetFacts | None = None, **guess: Any) -> str | None:
    found = pick(files, Guess(project=samples.PROJECT, **guess), facts or TargetFacts())
    return None if found is None else found.name.filename.removeprefix("acme_widgets-")


def test_the_newest_wheel() -> None:
    assert picked(wheel("1.9"), wheel("1.10"), sdist("1.10")) == "1.10-py3-none-any.whl"
    assert picked() is None


@pytest.mark.parametrize(
    ("specifier", "found"),
    [("<2", "1.10"), ("==1.9", "1.9"), (">3", None), (">=2.1rc1", "2.1rc1"), ("!=2", "1.10")],
)
def test_of_the_versions_that_will_do(specifier: str, found: str | None) -> None:
    files = [wheel(version) for version in ("1.9", "1.10", "2.0", "2.1rc1")]
    got = picked(*files, specifier=SpecifierSet(specifier))
    assert got == (None if found is None else f"{found}-py3-none-any.whl")


def test_a_pre_release_only_where_there_is_nothing_else_or_it_is_asked_for() -> None:
    files = wheel("1.0"), wheel("1.1rc1")
    assert picked(*files) == "1.0-py3-none-any.whl"
    assert picked(*files, facts=TargetFacts(prereleases=True)) == "1.1rc1-py3-none-any.whl"
    assert picked(wheel("1.1rc1")) == "1.1rc1-py3-none-any.whl"


def test_no_yanked_release() -> None:
    assert picked(wheel("1.0"), wheel("1.1", claimed_yanked="")) == "1.0-py3-none-any.whl"


def test_only_what_has_a_required_hash() -> None:
    files = wheel("1.0"), wheel("1.1")
    digest = files[0].claimed_sha256
    assert digest is not None
    assert picked(*files, hashes=frozenset({digest.hex})) == "1.0-py3-none-any.whl"
    assert picked(wheel("1.0", claimed_sha256=None), hashes=frozenset({digest.hex})) is None


def test_the_wheel_that_fits_where_there_are_several() -> None:
    files = wheel("1.0", f"cp311-cp311-{LINUX}"), wheel("1.0", "cp311-cp311-win_amd64"), sdist("1.0")
    linux = TargetFacts(tags=lambda: frozenset({f"cp311-cp311-{LINUX}"}))
    assert picked(*files, facts=linux) == f"1.0-cp311-cp311-{LINUX}.whl"
    assert picked(*files) is None, "that is anyone's guess"
    both = TargetFacts(tags=lambda: frozenset({f"cp311-cp311-{LINUX}", "cp311-cp311-win_amd64"}))
    assert picked(*files, facts=both) is None


def test_an_sdist_where_no_wheel_will_be_taken() -> None:
    assert picked(sdist("1.0")) == "1.0.tar.gz"
    assert picked(wheel("1.0"), sdist("1.0"), facts=TargetFacts(wheels=False)) == "1.0.tar.gz"
    assert picked(sdist("1.0"), facts=TargetFacts(sdists=False)) is None


def test_the_file_that_was_taken_the_last_time() -> None:
    files = wheel("1.0"), wheel("1.1")
    assert picked(*files, filename=files[0].name.filename) == "1.0-py3-none-any.whl"
    assert picked(*files, filename="acme_widgets-0.9-py3-none-any.whl") is None


def test_what_the_user_asks_of_a_project_holds_whoever_requires_it() -> None:
    limit = Guess(project=samples.PROJECT, specifier=SpecifierSet("<2"))
    facts = TargetFacts(limits={samples.PROJECT: limit})
    files = wheel("1.0"), wheel("1.1"), wheel("2.0")
    assert picked(*files, facts=facts, specifier=SpecifierSet("!=1.1")) == "1.0-py3-none-any.whl"


def guessed(*texts: str, extras: frozenset[str] = NONE, facts: TargetFacts | None = None) -> list[str]:
    contents = samples.contents(requires_dist=texts)
    return [
        f"{g.project}{sorted(g.extras) or ''}{g.specifier}"
        for g in guesses_of(contents, extras, facts or TargetFacts())
    ]


def test_what_a_file_requires_here() -> None:
    texts = ("Acme.Gears>=1", "nuts[big]", "bolts; python_version < '3'", "tests; extra == 'dev'")
    assert guessed(*texts) == ["acme-gears>=1", "nuts['big']"]
    assert guessed(*texts, extras=frozenset({"dev"})) == ["acme-gears>=1", "nuts['big']", "tests"]


def test_markers_are_those_of_the_target() -> None:
    old = TargetFacts(markers={"python_version": "2.7"})
    assert guessed("bolts; python_version < '3'", facts=old) == ["bolts"]


def test_what_is_there_already_is_not_looked_for() -> None:
    facts = TargetFacts(present={ProjectName("gears"): Version("1.5")})
    assert guessed("gears>=1", "nuts", facts=facts) == ["nuts"]
    assert guessed("gears>=2", facts=facts) == ["gears>=2"]


@pytest.mark.parametrize(
    "text", ["", "gears @ https://x/y.whl", "x; nonsense == 'a'", "x; python_version < 'y z'", "\ud800"]
)
def test_what_cannot_be_guessed_is_not(text: str) -> None:
    assert guessed(text, "nuts") == ["nuts"]


def test_without_dependencies_only_what_a_build_needs() -> None:
    contents = samples.contents(requires_dist=("gears",), build_requires=("hatchling>=1",))
    there = {ProjectName("hatchling"): Version("2.0")}
    facts = TargetFacts(with_dependencies=False, present=there)
    found = [str(guess.project) for guess in guesses_of(contents, NONE, facts)]
    assert found == ["hatchling"], "a build has an environment of its own"


@given(st.lists(st.text(max_size=60), max_size=5), st.frozensets(st.text(max_size=5), max_size=2))
def test_no_requirement_makes_a_guess_fail(texts: list[str], extras: frozenset[str]) -> None:
    contents = samples.contents(requires_dist=tuple(texts), build_requires=tuple(texts))
    for guess in guesses_of(contents, extras, TargetFacts()):
        pick([wheel("1.0"), sdist("1.0")], guess, TargetFacts())


def test_of_very_many_requirements_and_extras_only_the_first_are_looked_at() -> None:
    """One file could name millions, and none of it would have been asked for."""
    many = samples.contents(requires_dist=tuple(f"x{number}" for number in range(3000)))
    assert len(list(guesses_of(many, NONE, TargetFacts()))) == 2000
    extras = frozenset(f"e{number}" for number in range(1000))
    each = samples.contents(requires_dist=tuple(f"x; extra == '{extra}'" for extra in sorted(extras)))
    assert len(list(guesses_of(each, extras, TargetFacts()))) == 32
