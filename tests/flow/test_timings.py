"""``--timings`` writes what happened, whatever it came to; ``-v`` and the report say what it has cost."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flow.user import User
from pip_warden.cli.output import Console
from pip_warden.cli.timings import with_timings
from pip_warden.errors import RefusedError
from pip_warden.measures import Recorder
from pip_warden.report.model import Report
from pip_warden.sandbox.faults import InjectedFault, server_error


def events(user: User, name: str = "trace.json") -> list[dict[str, Any]]:
    document: dict[str, Any] = json.loads((user.home / name).read_text())
    return [event for event in document["traceEvents"] if event["ph"] != "M"]


def nested(spans: list[dict[str, Any]]) -> bool:
    """Return whether spans of one thread lie within each other or apart: viewers show no others."""
    return not any(
        one["pid"] == other["pid"]
        and one["tid"] == other["tid"]
        and one["ts"] < other["ts"] < one["ts"] + one["dur"] < other["ts"] + other["dur"]
        for one in spans
        for other in spans
    )


def test_a_trace_shows_who_did_what_and_no_secret(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    user.sandbox.clear_requests()
    result = user.install("--timings", "trace.json", project.record.name)
    assert result.code == 0, result.output
    found = events(user)
    kinds = Counter(event["cat"] for event in found)
    spans = [event for event in found if event["ph"] == "X"]

    requests = [event for event in found if event["cat"] == "request"]
    assert len(requests) == len(user.sandbox.requests) == result.document["measures"]["requests"]
    assert {event["args"]["status"] for event in requests} == {200}
    assert (kinds["page"], kinds["fetch"], kinds["inspect"], kinds["prove"]) == (2,) * 4
    assert kinds["seal"] == 3, "the vault takes the second later"
    assert (kinds["pip"], kinds["reconcile"], kinds["report"]) == (1, 1, 1)
    assert kinds["asked"] == kinds["answer"] + 1, "whether it may install is no page and no file"
    wheel = user.wheel(project).name
    assert {f"fetch {wheel}", f"prove {wheel}", f"asked {wheel}"} <= {event["name"] for event in found}
    assert nested(spans)
    text = (user.home / "trace.json").read_text()
    assert user.token not in text
    assert "pip-warden:" not in text, "the proxy's password is after it"
    assert not list(user.home.glob(".pip-warden-*"))


def test_a_trace_is_written_of_a_run_that_was_refused(user: User) -> None:
    project = user.published(forms=())
    result = user.install("--timings", "trace.json", project.record.name)
    assert (result.code, result.codes) == (1, {"no-evidence"}), result.output
    assert Counter(event["cat"] for event in events(user))["prove"] == 1

    assert user.install("--timings", "second.json", "nobody-pinned-this").code == 1
    assert {event["cat"] for event in events(user, "second.json")} == {"start"}


def test_a_trace_is_written_of_a_run_that_failed(user: User) -> None:
    project = user.published()
    user.sandbox.faults.add(InjectedFault(action=server_error(), path="/simple/", times=None))
    result = user.install("--timings", "trace.json", project.record.name)
    assert result.code == 3, result.output
    assert {event["args"]["status"] for event in events(user) if event["cat"] == "request"} == {500}


@pytest.mark.parametrize("place", ["absent/trace.json", "directory", "pipe", "-", "file/trace.json"])
def test_a_trace_that_cannot_be_written_is_said_before_anything_is_fetched(user: User, place: str) -> None:
    (user.home / "directory").mkdir()
    os.mkfifo(user.home / "pipe")
    (user.home / "file").touch()
    project = user.published()
    user.sandbox.clear_requests()
    before = set(user.home.iterdir())
    user.refused("--timings", place, project.record.name, code="timings-file", exit_code=2)
    assert user.sandbox.requests == ()
    assert set(user.home.iterdir()) == before


@pytest.mark.parametrize("place", ["both.json", "./both.json", "link.json"])
def test_a_trace_does_not_replace_pips_report(user: User, place: str) -> None:
    (user.home / "link.json").symlink_to("both.json")
    words = ("--report", "both.json", "--timings", place, user.published().record.name)
    user.refused(*words, code="timings-file", exit_code=2)
    assert not (user.home / "both.json").exists()


def test_a_trace_that_cannot_be_written_in_the_end_changes_no_verdict(user: User) -> None:
    project = user.published()
    result = user.install("--timings", "/dev/full", project.record.name)
    assert (result.code, result.codes) == (4, {"timings-not-written"}), result.output
    assert result.document["exit_code"] == 4
    assert result.accepted == {user.wheel(project).name}
    assert user.installed() == {project.record.name: "1.0"}

    refused = user.install("--timings", "/dev/full", "nobody-pinned-this")
    assert (refused.code, refused.codes) == (1, {"not-pinned"})
    assert "warning: expected to write the trace to /dev/full" in refused.output


@pytest.mark.interop
def test_a_trace_replaces_a_file_as_a_whole(user: User) -> None:
    (user.home / "there").touch()
    (user.home / "link.json").symlink_to("there")
    project = user.published()
    assert user.install("--timings", "link.json", project.record.name).code == 0
    first = events(user, "there")
    assert first
    assert user.install("--timings", "link.json", project.record.name).code == 0
    assert events(user, "there") != first
    assert (user.home / "link.json").is_symlink()


@pytest.mark.parametrize("place", ["pytrust.toml", "trusted_root.json", "link", "wheel.whl", "report.json"])
def test_a_trace_replaces_nothing_but_a_trace(user: User, place: str) -> None:
    project = user.published()
    (user.home / "link").symlink_to("pytrust.toml")
    (user.home / "wheel.whl").write_bytes(user.wheel(project).data)
    (user.home / "report.json").write_text('{"version": "1"}')
    before = (user.home / place).read_bytes()
    user.sandbox.clear_requests()
    user.refused("--timings", place, project.record.name, code="timings-file", exit_code=2)
    assert (user.home / place).read_bytes() == before
    assert user.sandbox.requests == ()


def test_a_trace_does_not_replace_what_the_run_has_delivered(user: User) -> None:
    project = user.published()
    wheel = user.wheel(project)
    (user.home / "out").mkdir()
    result = user.install("--download", "out", "--timings", f"out/{wheel.name}", project.record.name)
    assert (result.code, result.codes) == (4, {"timings-not-written"}), result.output
    assert (user.home / "out" / wheel.name).read_bytes() == wheel.data


@pytest.mark.parametrize(
    "ended_by", [KeyboardInterrupt(), RefusedError("declined", "no"), ZeroDivisionError()]
)
@pytest.mark.parametrize("place", ["trace.json", "/dev/full", "absent/trace.json"])
def test_what_ends_a_run_is_told_whatever_becomes_of_its_trace(
    tmp_path: Path, ended_by: BaseException, place: str
) -> None:
    recorder = Recorder(traced=True)

    def run() -> Report:
        with recorder.phase("pip"):
            raise ended_by

    with pytest.raises(type(ended_by)) as caught:
        with_timings(run, recorder, str(tmp_path / place), Console())
    assert caught.value is ended_by
    if place == "trace.json":
        assert '"pip"' in (tmp_path / place).read_text()


def test_who_asks_for_more_is_told_what_it_has_cost(user: User) -> None:
    project = user.published()
    words = ("--target", "elsewhere", project.record.name)
    assert "from the cache" not in user.install(*words).output
    said = user.install("-v", "--target", "once-more", project.record.name).output
    assert "\n1 request, " in said
    assert "; 1 of 1 file from the cache; 1 proof; " in said
