"""The ledger: what is recorded of a run, and the exit code that results."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import samples
from pip_warden.errors import (
    DeliveryError,
    InstallerError,
    InternalError,
    NetworkError,
    RefusedError,
    UsageError,
    worst,
)
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Line, Outcome, line_of, undecided_line
from pip_warden.verdict.model import Accepted, PinnedByHash, Step
from pip_warden.verify import _report

ACCEPTED = line_of(
    Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed")), source="acme"
)
REFUSED = line_of(samples.refused("a.whl", Step.IDENTITY, "identity-mismatch"))
UNDECIDED = undecided_line("b.whl", NetworkError("unreachable", "expected an answer, found none"))


def ledger_of(*lines: Line, error: Any = None) -> Ledger:
    ledger = Ledger()
    for line in lines:
        ledger.record(line)
    ledger.error = error
    return ledger


@pytest.mark.parametrize(
    "error",
    [None, UsageError("x", "x"), NetworkError("x", "x"), InstallerError("x", "x"), InternalError("x", "x")],
)
def test_a_refusal_outranks_every_other_end(error: Exception | None) -> None:
    assert ledger_of(ACCEPTED, UNDECIDED, REFUSED, error=error).exit_code() == 1
    assert ledger_of(ACCEPTED, UNDECIDED, error=RefusedError("x", "x")).exit_code() == 1


def test_what_could_not_be_decided_is_no_success() -> None:
    assert ledger_of(ACCEPTED).exit_code() == 0
    assert ledger_of(ACCEPTED, UNDECIDED).exit_code() == 3
    assert ledger_of(ACCEPTED, UNDECIDED, error=DeliveryError("x", "x")).exit_code() == 3


def test_exit_codes_are_ranked_in_one_place() -> None:
    ranked = [1, 70, 3, 2, 4]
    for at, code in enumerate(ranked):
        assert worst(ranked[at:]) == code
    assert worst([]) == worst([0]) == 0


@pytest.mark.parametrize("exit_code", [0, 5, 255, -1])
def test_an_error_with_an_exit_code_of_its_own_is_no_success(exit_code: int) -> None:
    error = type("Own", (RefusedError,), {"exit_code": exit_code})("own", "expected a bucket, found none")

    assert ledger_of(ACCEPTED, error=error).exit_code() == 70
    assert worst([exit_code, 3, 0]) == 3


def test_strict_makes_a_warning_and_what_is_only_present_a_refusal() -> None:
    warned, present = ledger_of(ACCEPTED), ledger_of(ACCEPTED)
    warned.warn("look")
    present.add(Line(subject="gears 1.0", outcome=Outcome.PRESENT))

    assert [ledger.exit_code() for ledger in (warned, present)] == [0, 0]
    assert [ledger.exit_code(strict=True) for ledger in (warned, present)] == [1, 1]
    assert ledger_of(ACCEPTED).exit_code(strict=True) == 0


def test_strict_takes_what_was_verified_earlier_and_not_what_was_only_built() -> None:
    earlier, built = (
        ledger_of(replace(ACCEPTED, outcome=outcome)) for outcome in (Outcome.EARLIER, Outcome.BUILT)
    )

    assert [ledger.exit_code() for ledger in (earlier, built)] == [0, 0]
    assert [ledger.exit_code(strict=True) for ledger in (earlier, built)] == [0, 1]
    assert (earlier.accepted(), earlier.accepted_from_sources()) == ({}, ()), "this run has taken none of it"


def test_what_was_judged_is_told_once_and_first() -> None:
    ledger = Ledger()
    beside = Line(subject="/here", outcome=Outcome.LOCAL)
    ledger.add(beside)
    for line in (ACCEPTED, REFUSED, ACCEPTED):
        ledger.record(line)

    assert ledger.lines() == (ACCEPTED, REFUSED, beside)


def test_an_error_that_a_line_says_is_not_said_again() -> None:
    said, unsaid = RefusedError("identity-mismatch", "x"), RefusedError("not-through-gate", "x")

    assert ledger_of(REFUSED, error=said).unsaid() is None
    assert ledger_of(REFUSED, error=unsaid).unsaid() is unsaid


def test_without_one_acceptance_there_is_no_success() -> None:
    trust: Any = SimpleNamespace(path="pytrust.toml", sources=(), roots=())

    assert _report("verify", trust, Ledger()).exit_code == 1
    assert _report("verify", trust, ledger_of(ACCEPTED)).exit_code == 0
    assert _report("verify", trust, ledger_of(UNDECIDED)).exit_code == 3


def test_accepted_files_are_known_by_name_and_by_source() -> None:
    local = line_of(Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed")))

    assert ledger_of(ACCEPTED, REFUSED).accepted() == {samples.WHEEL: samples.DIGEST.hex}
    assert [str(name) for name in ledger_of(ACCEPTED).accepted_from_sources()] == [samples.WHEEL]
    assert ledger_of(local).accepted_from_sources() == ()
