"""What a command line demands: read strictly, and only ever added to what the trust file requires."""

from __future__ import annotations

from dataclasses import replace

import pytest

import samples
from pip_warden.errors import UsageError
from pip_warden.trust.demands import Demands, demand, read_demands
from pip_warden.trust.model import HashEntry, IdentityEntry, Requirements
from pip_warden.verdict.statement import PROVENANCE

COMMIT = "0" * 40
HERE, ELSEWHERE = "https://gitlab.example.com/acme/widgets", "https://gitlab.example.com/acme/other"


def _required(demands: Demands, require: Requirements = samples.REQUIRE) -> Requirements:
    (entry,) = demand(samples.trust(samples.entry(require=require)), demands).entries
    assert isinstance(entry, IdentityEntry)
    return entry.require


def test_a_command_line_only_adds_to_what_the_trust_file_requires() -> None:
    pinned = Requirements(
        annotations=(("a", "1"),), source_revision=COMMIT, source_repository=HERE, provenance="a type"
    )

    assert _required(Demands(), pinned) == pinned
    demands = Demands(
        annotations=(("b", "2"),), source_revision=COMMIT, source_repository=ELSEWHERE, provenance=True
    )
    assert _required(demands, pinned) == replace(
        pinned, annotations=(("a", "1"), ("b", "2")), demanded_repository=ELSEWHERE
    )


def test_what_no_pin_requires_is_required_then() -> None:
    demands = read_demands(
        source_repository=[HERE], source_revision=["A" * 64], provenance=True, annotations=["a=b=c", "d="]
    )

    assert _required(demands) == Requirements(
        demanded_repository=HERE,
        source_revision="a" * 64,
        provenance=PROVENANCE,
        annotations=(("a", "b=c"), ("d", "")),
    )


def test_every_demand_is_spelled_where_only_bytes_are_pinned() -> None:
    demands = Demands(
        annotations=(("b", "2"),), source_revision=COMMIT, source_repository=HERE, provenance=True
    )
    (entry,) = demand(samples.trust(samples.hash_entry()), demands).entries

    assert isinstance(entry, HashEntry)
    assert entry.demanded == (
        f"--source-repository {HERE}",
        f"--source-revision {COMMIT}",
        "--require-provenance",
        "--require-annotation b=2",
    )
    assert demand(samples.trust(samples.hash_entry()), Demands()) == samples.trust(samples.hash_entry())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/widgets",
        "git+https://gitlab.example.com/acme/widgets",
        "http://gitlab.example.com/acme/widgets",
        "https://gitlab.example.com",
        "https://gitlab.example.com/",
        "https://gitlab.example.com/acme/widgets/",
        "https://gitlab.example.com/acme/widgets.git",
        "https://gitlab.example.com/acme//widgets",
        "https://user:secret@gitlab.example.com/acme/widgets",
        "https://gitlab.example.com/acme/widgets?ref=main",
        "https://gitlab.example.com/acme/widgets#main",
        "https://gitlab.example.com/acme/wid gets",
        "https://gitlab.example.com/acme/\u202ewidgets",
    ],
)
def test_a_repository_that_no_certificate_names(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_demands(source_repository=[url])

    assert (caught.value.code, caught.value.exit_code) == ("bad-source-repository", 2)
    assert "secret" not in caught.value.message
    assert "\u202e" not in caught.value.message


@pytest.mark.parametrize("text", ["", "a", "=b", "a\n=b", "a=\u202e"])
def test_what_is_no_annotation(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_demands(annotations=[text])

    assert (caught.value.code, caught.value.exit_code) == ("bad-annotation", 2)


def test_an_option_that_is_repeated_replaces_nothing() -> None:
    assert read_demands(source_revision=[COMMIT, COMMIT]).source_revision == COMMIT
    with pytest.raises(UsageError) as caught:
        read_demands(source_revision=[COMMIT, "1" * 40])
    assert (caught.value.code, caught.value.exit_code) == ("bad-source-revision", 2)
    with pytest.raises(UsageError) as caught:
        read_demands(source_repository=[HERE, ELSEWHERE])
    assert (caught.value.code, caught.value.exit_code) == ("bad-source-repository", 2)


def test_what_is_demanded_twice_must_hold_twice() -> None:
    once = demand(samples.trust(), Demands(source_revision=COMMIT, source_repository=HERE))

    assert demand(once, Demands(source_revision=COMMIT, source_repository=HERE)) == once
    for other in (Demands(source_revision="1" * 40), Demands(source_repository=ELSEWHERE)):
        with pytest.raises(UsageError):
            demand(once, other)
