"""A session of a program: releases and installations, and nothing that steps around the gate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

import pip_warden
from library.signed import Signed, names, refused
from pip_warden import Accepted, InstallRequest, Settings, UsageError
from pip_warden.digests import Digest
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.trust.model import HashEntry


def test_a_session_leaves_no_refused_copy_and_ends(signed: Signed) -> None:
    with pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session:
        accepted = session.judge_file(signed.path)
        assert isinstance(accepted, Accepted)
        workspace = accepted.artifact.path.parent.parent
        assert refused(session.judge_file(signed.path, evidence=[])) == "no-evidence"
        with pytest.raises(TypeError):
            session.judge_file(signed.path, evidence=[3])  # type: ignore[list-item]
        assert len(list(workspace.iterdir())) == 1
    assert not workspace.exists()
    calls: tuple[Callable[[], object], ...] = (
        lambda: session.judge_file(signed.path),
        lambda: session.judge_release("acme-widgets", "1.0"),
        lambda: session.install(InstallRequest(packages=("acme-widgets",))),
    )
    for call in calls:
        with pytest.raises(RuntimeError, match="session is closed"):
            call()


def test_an_exemption_ends_by_the_clock_of_the_settings(signed: Signed) -> None:
    """Its last day ends in UTC, wherever the clock is; a session has one day, however long it is open."""
    last = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
    entry = signed.trust.entries[0]
    exempt = HashEntry(
        project=entry.project,
        version=Version("1.0"),
        source=entry.source,
        registry=entry.registry,
        files=((signed.wheel.name, Digest(signed.wheel.sha256)),),
        reason="reviewed",
        expires=last.date(),
    )
    trust = replace(signed.trust, entries=(exempt,))
    clock = SandboxClock(last)
    with pip_warden.open_session(trust, settings=Settings(offline=True, now=clock.now)) as session:
        clock.advance(timedelta(days=1))
        assert isinstance(session.judge_file(signed.path), Accepted)
    with pip_warden.open_session(trust, settings=Settings(offline=True, now=clock.now)) as session:
        assert refused(session.judge_file(signed.path)) == "exemption-expired"
    east, west = (timezone(timedelta(hours=hours)) for hours in (1, -1))
    for there, is_good in (
        (datetime(2027, 7, 1, 0, 59, tzinfo=east), True),
        (datetime(2027, 6, 30, 23, tzinfo=west), False),
    ):
        elsewhere = Settings(offline=True, now=partial(there.replace))
        with pip_warden.open_session(trust, settings=elsewhere) as session:
            assert isinstance(session.judge_file(signed.path), Accepted) is is_good
    naive = Settings(offline=True, now=lambda: last.replace(tzinfo=None))
    with pytest.raises(TypeError), pip_warden.open_session(trust, settings=naive):
        pass


def test_settings_that_say_nothing_send_no_token(signed: Signed) -> None:
    """GITLAB_TOKEN is set; whoever does not ask for the environment does not use it."""
    assert (Settings().environ, Settings.from_environment({"A": "b"}).environ) == ({}, {"A": "b"})
    assert signed.token not in repr(Settings.from_environment())
    signed.sandbox.clear_requests()
    with pip_warden.open_session(signed.trust, settings=Settings(cache_dir=signed.home / "c")) as session:
        report = session.judge_release("acme-widgets", "1.0")
    sent = [header for request in signed.sandbox.requests for header in request.headers]

    assert report.exit_code == 3
    assert sent
    assert not {"private-token", "authorization", "job-token"} & {str(name).lower() for name in sent}


def test_settings_that_say_nothing_ask_no_keyring(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("pip_warden.transport.collect._keyring", lambda: asked.append)
    cache = signed.home / "c"
    for settings, is_asked in (
        (Settings(cache_dir=cache), False),
        (Settings(cache_dir=cache, environ={"LANG": "C"}), True),
    ):
        with pip_warden.open_session(signed.trust, settings=settings) as session:
            session.judge_release("acme-widgets", "1.0")
        assert bool(asked) is is_asked


@pytest.mark.parametrize(
    "wrong",
    [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": float("inf")}, {"retries": -1}],
)
def test_settings_that_are_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**wrong)

    assert (caught.value.code, caught.value.exit_code) == ("option-value", 2)


@pytest.mark.parametrize("wrong", [{"token_files": "x"}, {"token_files": None}, {"environ": None}])
def test_settings_of_another_type(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="is a mapping"):
        Settings(**wrong)


def test_a_token_file_is_for_its_host(signed: Signed) -> None:
    """Paths may be strings; a token for a host that is no source goes nowhere."""
    (signed.home / "token").write_text(signed.token)
    host = signed.sandbox.gitlab_url.partition("://")[2]
    settings = Settings(cache_dir=str(signed.home / "c"), token_files={host: str(signed.home / "token")})
    with pip_warden.open_session(signed.trust, settings=settings) as session:
        assert session.judge_release("acme-widgets", "1.0").exit_code == 0

    elsewhere = replace(settings, token_files={"evil.example": signed.home / "token"})
    with pytest.raises(UsageError) as caught, pip_warden.open_session(signed.trust, settings=elsewhere):
        pass
    assert caught.value.code == "unknown-source"


def test_a_release_that_is_not_there_and_one_that_nobody_pinned(signed: Signed) -> None:
    with pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session:
        missing = session.judge_release("Acme.Widgets", "9.9")
        unpinned = session.judge_release("other", "1.0")
        for name, version in (("", "1"), ("a b", "1"), ("acme-widgets", "one")):
            with pytest.raises(UsageError):
                session.judge_release(name, version)

    assert missing.error is not None
    assert (missing.exit_code, missing.error.code) == (1, "no-release")
    assert (unpinned.exit_code, unpinned.lines[0].code) == (1, "not-pinned")


def test_several_installations_in_one_session(signed: Signed, target: Path) -> None:
    (signed.home / "requirements.txt").write_text("acme-widgets==1.0\n")
    lines: list[str] = []
    request = InstallRequest(requirements=("requirements.txt",), python=target, dry_run=True)
    with pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session:
        tried = session.install(request, on_line=lines.append)
        assert "acme_widgets" not in names(target)
        done = session.install(replace(request, dry_run=False))
        kept = session.install(InstallRequest(packages=("acme-widgets",), download="files", python=target))

    assert (tried.exit_code, done.exit_code, kept.exit_code) == (0, 0, 0)
    assert any("Would install acme-widgets" in line for line in lines)
    assert "acme_widgets" in names(target)
    assert (signed.home / "files" / signed.wheel.name).read_bytes() == signed.wheel.data


def test_threads_share_a_session(signed: Signed, target: Path) -> None:
    request = InstallRequest(packages=("acme-widgets",), python=target)
    with (
        pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session,
        ThreadPoolExecutor(4) as pool,
    ):
        installed = pool.submit(session.install, request)
        verdicts = list(pool.map(session.judge_file, [signed.path] * 3))

    assert installed.result().exit_code == 0
    assert [type(verdict) for verdict in verdicts] == [Accepted] * 3


def test_what_is_told_and_raises_installs_nothing(signed: Signed, target: Path) -> None:
    def raising(*_told: object) -> None:
        raise ValueError("the program's own")

    class Raising(pip_warden.Reporter):
        def step(self, message: str) -> None:
            raising(message)

    request = InstallRequest(packages=("acme-widgets",), python=target)
    for reporter, on_line in ((Raising(), None), (pip_warden.SILENT, raising)):
        with (
            pip_warden.open_session(
                signed.trust, settings=Settings.from_environment(), reporter=reporter
            ) as session,
            pytest.raises(ValueError, match="own"),
        ):
            session.install(request, on_line=on_line)

    assert "acme_widgets" not in names(target)


def test_an_empty_python_is_not_that_of_the_working_directory(
    signed: Signed, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is not set: `--python "$VENV"` in a directory that has a bin/python."""
    monkeypatch.chdir(target)
    request = InstallRequest(packages=("acme-widgets",), python="")
    with (
        pip_warden.open_session(signed.trust, settings=Settings(offline=True)) as session,
        pytest.raises(UsageError, match="found an empty name") as caught,
    ):
        session.install(request)

    assert (caught.value.code, caught.value.exit_code) == ("no-such-python", 2)


def test_a_fault_of_the_request_names_the_request(signed: Signed, target: Path) -> None:
    request = InstallRequest(packages=("a b",), python=target)
    with (
        pip_warden.open_session(signed.trust) as session,
        pytest.raises(UsageError, match="found a b in the request"),
    ):
        session.install(request)


def test_an_unpinned_requirement_is_in_the_report(signed: Signed, target: Path) -> None:
    with pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session:
        report = session.install(InstallRequest(packages=("other",), python=target))

    assert (report.exit_code, [name.project for name in report.unpinned]) == (1, ["other"])


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (InstallRequest(), "nothing-to-install"),
        (InstallRequest(packages=("acme-widgets @ https://evil.example/x.whl",)), "refused-requirement"),
        (InstallRequest(packages=("--index-url=https://evil.example",)), "refused-requirement"),
        (InstallRequest(packages=("x",), options=("--index-url", "https://evil.example")), "refused-option"),
        (InstallRequest(packages=("x",), options=("--proxy=http://evil.example",)), "refused-option"),
        (InstallRequest(packages=("x",), options=("-r", "file")), "refused-option"),
        (InstallRequest(packages=("x",), options=("--offline",)), "refused-option"),
        (InstallRequest(packages=("x",), options=("--", "https://evil.example/x.whl")), "refused-option"),
        (InstallRequest(packages=("x",), options=("--no-dep",)), "unknown-option"),
        (InstallRequest(packages=("x",), options=("--target", "a\0b")), "option-value"),
        (InstallRequest(packages=("x",), with_sdist=True), "option-value"),
        (InstallRequest(packages=("x",), download="d", report="r"), "option-value"),
        (InstallRequest(packages=("x",), python="absent"), "no-such-python"),
        (InstallRequest(requirements=("absent.txt",)), "bad-requirements-file"),
    ],
)
def test_a_request_that_is_wrong(signed: Signed, target: Path, request_: InstallRequest, code: str) -> None:
    """Nothing that a program says steps around the gate, as nothing does that a user types."""
    wanted = request_ if request_.python is not None else replace(request_, python=target)
    with (
        pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session,
        pytest.raises(UsageError) as caught,
    ):
        session.install(wanted)

    assert (caught.value.code, caught.value.exit_code) == (code, 2)


@pytest.mark.parametrize("word", [3, None, b"--no-deps"])
def test_an_option_that_is_no_word(signed: Signed, target: Path, word: Any) -> None:
    request = InstallRequest(packages=("acme-widgets",), python=target, options=(word,))
    with (
        pip_warden.open_session(signed.trust, settings=Settings(offline=True)) as session,
        pytest.raises(TypeError, match="options are words"),
    ):
        session.install(request)


@pytest.mark.parametrize("name", ["packages", "requirements", "constraints", "options", "pass_env"])
def test_one_string_is_not_several(name: str) -> None:
    wrong: dict[str, Any] = {name: "acme-widgets"}
    with pytest.raises(TypeError, match=rf"{name} is a tuple"):
        InstallRequest(**wrong)
