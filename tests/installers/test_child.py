"""The child: its environment, its interpreter, its end; and what is compared afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.specifiers import SpecifierSet

from installers.witness import LONGEST_WAIT
from pip_warden.errors import InstallerError, RefusedError, UsageError
from pip_warden.installer.environment import child_environment, command_environment
from pip_warden.installer.installed import Installed, read_report
from pip_warden.installer.pip import Child
from pip_warden.installer.python import choose_target, installed, marker_environment
from pip_warden.installer.reconcile import reconcile_directory, reconcile_report

PROXY = "http://u:p@127.0.0.1:1"


def test_t29_nothing_of_ours_leaks(tmp_path: Path) -> None:
    ours = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "CC": "gcc",
        "CI_JOB_TOKEN": "hunter2",
        "GITLAB_TOKEN": "hunter2",
        "PIP_EXTRA_INDEX_URL": "hunter2",
        "PIP_FIND_LINKS": "hunter2",
        "UV_INDEX": "hunter2",
        "UV_FIND_LINKS": "hunter2",
        "HTTP_PROXY": "hunter2",
        "no_proxy": "*hunter2",
        "NO_PROXY": "*hunter2",
        "PYTHONPATH": "hunter2",
        "PYTHONSTARTUP": "hunter2",
        "LD_PRELOAD": "hunter2",
        "HOME": "hunter2",
        "NETRC": "hunter2",
        "XDG_CONFIG_HOME": "hunter2",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "CMAKE_MIRROR_TOKEN": "hunter2",
        "GIT_CONFIG_GLOBAL": "hunter2",
        "SSH_AUTH_SOCK": "hunter2",
        "HARMLESS": "yes",
    }
    made = child_environment(ours, proxy_url=PROXY, private=tmp_path, pass_env=("HARMLESS",))

    assert not any("hunter2" in value for value in made.values())
    assert (made["PATH"], made["LC_ALL"], made["CC"], made["HARMLESS"]) == ("/bin", "C", "gcc", "yes")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        assert made[name] == PROXY
    assert made["NO_PROXY"] == made["no_proxy"] == ""
    assert made["PIP_CONFIG_FILE"] == made["NETRC"] == os.devnull
    assert all(made[name].startswith(str(tmp_path)) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"))


def test_b20_the_child_is_asked_for_no_colours(tmp_path: Path) -> None:
    made = child_environment(
        {"FORCE_COLOR": "1", "NO_COLOR": "", "TERM": "xterm"}, proxy_url=PROXY, private=tmp_path
    )
    assert (made["NO_COLOR"], made["TERM"], "FORCE_COLOR" in made) == ("1", "xterm", False)


@pytest.mark.parametrize(
    "name",
    [
        "CI_JOB_TOKEN",
        "my_password",
        "PIP_INDEX_URL",
        "pip_index_url",
        "UV_INDEX",
        "UV_NO_CONFIG",
        "HTTPS_PROXY",
        "no_proxy",
        "NETRC",
        "GITLAB_PRIVATE_KEY",
        "PGPASSWORD",
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "PYTHONPATH",
        "PYTHONHOME",
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "GIT_ALLOW_PROTOCOL",
        "GIT_CONFIG_COUNT",
        "PYTHONUTF8",
        "SSL_CERT_FILE",
        "DOCKER_AUTH_CONFIG",
        "GITHUB_PAT",
        "PDM_PYPI_URL",
        "POETRY_REPOSITORIES_ACME_URL",
    ],
)
def test_secrets_and_settings_are_not_passed_on(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        child_environment({name: "x"}, proxy_url=PROXY, private=tmp_path, pass_env=(name,))
    assert caught.value.code == "secret-variable"


def test_a_password_in_a_url_is_not_passed_on_whatever_its_name(tmp_path: Path) -> None:
    for value in ("https://gitlab-ci-token:hunter2@gitlab.example.com/a.git", "x https://:hunter2@h"):
        with pytest.raises(UsageError) as caught:
            child_environment(
                {"CI_REPOSITORY_URL": value},
                proxy_url=PROXY,
                private=tmp_path,
                pass_env=("CI_REPOSITORY_URL",),
            )
        assert caught.value.code == "secret-variable"
        assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", ["", "=", "HARMLESS=hunter2"])
def test_what_is_no_name_is_not_passed_over(name: str, tmp_path: Path) -> None:
    """``docker run --env`` takes a value, too."""
    with pytest.raises(UsageError) as caught:
        child_environment({"HARMLESS": "yes"}, proxy_url=PROXY, private=tmp_path, pass_env=(name,))
    assert (caught.value.code, caught.value.exit_code) == ("option-value", 2)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("flags", "passed"),
    [
        ("-j4", "-j4"),
        ("kw -j4 --jobserver-auth=3,4 -- TOKEN=hunter2", "kw -j4 --jobserver-auth=3,4"),
        (" -- TOKEN=hunter2", ""),
        ("TOKEN=hunter2 -k", ""),
        (r"k A=one\ hunter2 B=hunter2", "k"),
        ("-j --output-sync=line --", "-j --output-sync=line"),
        ("", ""),
    ],
)
def test_what_make_was_given_on_its_command_line_is_not_passed_on(
    flags: str, passed: str, tmp_path: Path
) -> None:
    """``make install TOKEN=…`` hands its variables to whatever its recipes start."""
    ours = {"MAKEFLAGS": flags}
    assert child_environment(ours, proxy_url=PROXY, private=tmp_path)["MAKEFLAGS"] == passed
    told = child_environment(ours, proxy_url=PROXY, private=tmp_path, pass_env=("MAKEFLAGS",))
    assert told["MAKEFLAGS"] == flags


@pytest.mark.parametrize("value", ["https://h:8080/a@b", "git@h:a/b", "mailto:a@b", "https://u@h/", ""])
def test_harmless_values_are_passed_on(value: str, tmp_path: Path) -> None:
    made = child_environment(
        {"CI_COMMIT_AUTHOR": value}, proxy_url=PROXY, private=tmp_path, pass_env=("CI_COMMIT_AUTHOR",)
    )
    assert made["CI_COMMIT_AUTHOR"] == value


def test_the_oldest_python_is_pips_own(tmp_path: Path) -> None:
    supported = SpecifierSet(distribution("pip").metadata["Requires-Python"])
    for minor in range(6, 20):
        interpreter = _interpreter(tmp_path / f"python3.{minor}", f"3.{minor}\\n/v\\n")
        if supported.contains(f"3.{minor}.99"):
            assert choose_target(str(interpreter), {}, "").version == f"3.{minor}"
        else:
            with pytest.raises(UsageError) as caught:
                choose_target(str(interpreter), {}, "")
            assert caught.value.code == "python-too-old"


def _interpreter(path: Path, output: str) -> Path:
    path.write_text(f"#!/bin/sh\nprintf '{output}'\n")
    path.chmod(0o755)
    return path


def test_the_target_is_chosen_in_order(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    _interpreter(environment / "bin" / "python", "3.12\\n/v\\n")
    given_one = _interpreter(tmp_path / "given", "3.13\\n/g\\n")
    environ = {"VIRTUAL_ENV": str(environment)}

    assert choose_target(str(given_one), environ, sys.executable).version == "3.13"
    assert choose_target(None, environ, sys.executable).why == "VIRTUAL_ENV"
    own = choose_target(None, {}, sys.executable)
    assert own.executable == Path(sys.executable)
    assert str(own.executable) in str(own)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("3.9\\n/x\\n", "python-too-old"),
        ("2.7\\n/x\\n", "python-too-old"),
        ("", "no-such-python"),
        ("3\\n", "no-such-python"),
        ("x.y\\n/\\n", "no-such-python"),
        ("3.12\\n", "no-such-python"),
    ],
)
def test_pythons_that_cannot_be_used(output: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose_target(str(_interpreter(tmp_path / "python", output)), {}, sys.executable)
    assert caught.value.code == code


def test_what_is_not_there_or_not_a_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose_target(str(tmp_path / "none"), {}, sys.executable)
    assert caught.value.code == "no-such-python"
    assert f"found none at {tmp_path / 'none'} (--python)" in caught.value.message
    with pytest.raises(UsageError, match="found one that does not answer"):
        choose_target(str(_interpreter(tmp_path / "mute", "")), {}, sys.executable)

    own = choose_target(None, {}, sys.executable)
    assert "pip" in installed(own, {"PATH": os.defpath})
    with pytest.raises(InstallerError) as failed:
        installed(choose_target(str(_interpreter(tmp_path / "p", "3.12\\n/v\\n")), {}, ""), {})
    assert failed.value.code == "inspect-failed"


def test_b08_who_lists_packages_is_not_told_the_password(tmp_path: Path) -> None:
    """The port is free by then."""
    made = child_environment({"PATH": os.defpath}, proxy_url="http://u:hunter2@127.0.0.1:1", private=tmp_path)
    listing = tmp_path / "python"
    listing.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\necho '{{\"installed\": []}}'\n")
    listing.chmod(0o755)
    target = choose_target(str(_interpreter(tmp_path / "p", "3.12\\n/v\\n")), {}, "")
    assert installed(replace(target, executable=listing), made) == {}
    seen = (tmp_path / "env").read_text()
    assert ("hunter2" in seen, "PIP_CONFIG_FILE=" in seen) == (False, True)


def test_a_denial_ends_the_child_and_what_it_started(tmp_path: Path) -> None:
    """The grandchild holds a pipe open: its end is seen as the pipe's."""
    script = (
        "import subprocess, sys; subprocess.Popen(['sleep', '300']); print('started', flush=True); "
        "sys.stdin.read(); import time; time.sleep(300)"
    )
    child, lines = Child(), []

    def on_line(line: str) -> None:
        lines.append(line)
        threading.Thread(target=child.end).start()

    assert child.run([sys.executable, "-c", script], {"PATH": os.defpath}, on_line, tmp_path) == -9
    assert lines == ["started"]
    assert child.run([sys.executable, "-c", "print(1)"], {}, lines.append, None) < 0
    assert lines == ["started"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, BrokenPipeError])
def test_a_run_that_is_left_early_ends_the_child_first(tmp_path: Path, failure: type[BaseException]) -> None:
    """What it would still install is not compared any more.

    Its end is seen as the pipe's; a child that lives on would write to it.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = (
        f"import time; pipe = open({str(pipe)!r}, 'w'); print('started', flush=True); "
        "time.sleep(600); pipe.write('went on')"
    )

    def leave(_line: str) -> None:
        raise failure

    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open(reader, "rb") as end:
        with pytest.raises(failure):
            Child().run([sys.executable, "-c", script], {"PATH": os.defpath}, leave, None)
        os.set_blocking(reader, True)
        assert end.read() == b""


def test_what_fails_while_the_child_starts_ends_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = f"pipe = open({str(pipe)!r}, 'w'); print('started', flush=True); import time; time.sleep(600)"
    ends: list[int] = []

    def fail() -> None:
        ends.append(os.open(pipe, os.O_RDONLY))  # returns when the child has opened it
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Child().run([sys.executable, "-c", script], {"PATH": os.defpath}, print, None, meanwhile=fail)
    with open(ends[0], "rb") as end:
        assert end.read() == b""


WAITS = """
import os, sys
print(*sys.argv[1:])
print(sys.stdin.read())
"""


def test_what_was_begun_is_told_the_rest() -> None:
    child, lines = Child(), list[str]()
    command, environment = [sys.executable, "-c", WAITS, "first"], {"PATH": os.defpath}
    child.begin(command, environment)

    assert child.run([*command, "x y", "\u00e9\udc80"], environment, lines.append, None) == 0
    told = [os.fsdecode(word.encode("latin-1")) for word in json.loads(lines[1])]
    assert (lines[0], told) == ("first -", ["x y", "\u00e9\udc80"])
    assert child.run([sys.executable, "-c", "print(2)"], environment, lines.append, None) == 0
    assert lines[2:] == ["2"]
    child.close()


@pytest.mark.parametrize(
    ("words", "more", "cwd"),
    [(["other"], {}, None), (["first"], {"X": "y"}, None), (["first"], {}, Path("/"))],
    ids=["another command", "another environment", "another directory"],
)
def test_what_was_begun_for_something_else_is_ended(
    words: list[str], more: dict[str, str], cwd: Path | None
) -> None:
    child, lines = Child(), list[str]()
    environment = {"PATH": os.defpath}
    child.begin([sys.executable, "-c", WAITS, "first"], environment)
    begun = child._running

    assert child.run([sys.executable, "-c", WAITS, *words], environment | more, lines.append, cwd) == 0
    assert lines == [*words, ""]
    assert begun is not None
    assert begun._process.returncode is not None


def test_what_was_begun_and_is_not_needed_is_ended() -> None:
    child = Child()
    child.begin([sys.executable, "-c", WAITS], {"PATH": os.defpath})
    begun = child._running
    child.close()

    assert begun is not None
    assert begun._process.returncode is not None
    child.close()


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import os; os.close(0); raise SystemExit(3)"])
def test_what_was_begun_and_has_ended_says_how(code: str) -> None:
    child, lines = Child(), list[str]()
    child.begin([sys.executable, "-c", code], {})
    assert child._running is not None
    child._running._gone.wait(LONGEST_WAIT)

    assert child.run([sys.executable, "-c", code, "x" * 100_000], {}, lines.append, None) == 3


def test_nothing_that_was_begun_is_told_after_a_denial() -> None:
    child, lines = Child(), list[str]()
    command = [sys.executable, "-c", WAITS]
    child.begin(command, {})
    child.end()

    assert child.run([*command, "x"], {}, lines.append, None) < 0
    assert lines == []


DEAF = """
import select, sys, time
select.select([0], [], [])
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def test_a_denial_ends_what_does_not_listen_to_what_it_is_told(tmp_path: Path) -> None:
    """An unknown pip asks the server, and waits for its answer, before it reads its arguments."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child, codes = Child(), list[int]()
    command = [sys.executable, "-c", DEAF, str(pipe)]
    child.begin(command, {})
    long = [*command, "x" * (1 << 21)]  # more than a pipe holds
    running = threading.Thread(target=lambda: codes.append(child.run(long, {}, print, None)))
    ending = threading.Thread(target=child.end, daemon=True)
    running.start()
    pipe.read_text()  # returns when the first of it was sent
    ending.start()
    ending.join(LONGEST_WAIT)
    has_ended = not ending.is_alive()
    running.join(LONGEST_WAIT)  # before what it still writes to is closed
    child.close()

    assert has_ended
    assert codes[0] < 0


def test_what_outlives_the_child_is_ended_with_it() -> None:
    """The pipe that the grandchild inherited would stay open for five minutes."""
    script = "import subprocess; subprocess.Popen(['sleep', '300']); print('done')"
    lines: list[str] = []

    assert Child().run([sys.executable, "-c", script], {"PATH": os.defpath}, lines.append, None) == 0
    assert lines == ["done"]


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(InstallerError) as caught:
        Child().run([str(tmp_path / "none")], {}, lambda _line: None, None)
    assert caught.value.code == "pip-failed"


SHA = hashlib.sha256(b"x").hexdigest()


def _item(sha256: str = SHA, directory: str = "") -> Installed:
    return Installed(name="acme", version="1.0", sha256=sha256, directory=directory)


def test_t57_what_was_accepted_is_reconciled(tmp_path: Path) -> None:
    local = frozenset({tmp_path})
    reconcile_report([_item(), _item("", tmp_path.as_uri())], frozenset({SHA}), local)

    for item in (
        _item("0" * 64),
        _item(""),
        _item("", "file:///elsewhere"),
        _item("", "https://e.example" + str(tmp_path)),
        _item("", "git+file://" + str(tmp_path)),
    ):
        with pytest.raises(RefusedError) as caught:
            reconcile_report([item], frozenset({SHA, ""}), local)
        assert caught.value.code == "not-through-gate"


def test_t32_every_downloaded_file_is_read_again(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"x")
    assert reconcile_directory(tmp_path, frozenset({SHA})) == (good,)
    bad = tmp_path / "bad"
    for kind in ("other bytes", "link", "directory"):
        if kind == "other bytes":
            bad.write_bytes(b"y")
        elif kind == "link":
            bad.unlink()
            bad.symlink_to(good)
        else:
            bad.unlink()
            bad.mkdir()
        with pytest.raises(RefusedError) as caught:
            reconcile_directory(tmp_path, frozenset({SHA}))
        assert caught.value.code == "not-through-gate"


@given(
    st.one_of(
        st.binary(max_size=30),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=3),
            lambda v: (
                st.lists(v, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "install",
                            "download_info",
                            "metadata",
                            "name",
                            "version",
                            "archive_info",
                            "hashes",
                            "sha256",
                            "dir_info",
                            "requires_dist",
                        ]
                    ),
                    v,
                    max_size=4,
                )
            ),
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_a_report_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("report") / "report.json"
    path.write_bytes(content)
    with contextlib.suppress(InstallerError):
        assert isinstance(read_report(path), tuple)


def test_b18_a_target_tells_what_markers_are_evaluated_with() -> None:
    told = marker_environment(choose_target(None, {}, sys.executable))
    assert told == {name: value for name, value in default_environment().items() if name != "extra"}


@pytest.mark.parametrize("output", ["", "[]", "nonsense"])
def test_b18_a_target_that_does_not_tell_is_none(tmp_path: Path, output: str) -> None:
    target = replace(
        choose_target(None, {}, sys.executable), executable=_interpreter(tmp_path / "python", output)
    )
    with pytest.raises(UsageError) as caught:
        marker_environment(target)
    assert caught.value.code == "no-such-python"


def test_a_command_of_the_users_own_has_their_streams(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its standard output may be sent to standard error, where standard output is for data of ours."""
    words = [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"]

    assert Child().run_attached(words, dict(os.environ), tmp_path) == 7
    assert capfd.readouterr() == ("out\n", "err\n")
    assert Child().run_attached(words, dict(os.environ), tmp_path, output=2) == 7
    assert capfd.readouterr().out == ""


def test_a_command_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallerError) as caught:
        Child().run_attached([str(tmp_path)], {}, None)
    assert (caught.value.code, caught.value.exit_code) == ("command-failed", 4)


def test_a_denial_ends_a_command_of_the_users_own(tmp_path: Path) -> None:
    child, started = Child(), tmp_path / "started"
    os.mkfifo(started)
    words = ["sh", "-c", f"echo > {started}; exec sleep 600"]

    def deny() -> None:
        started.read_text()
        child.end()

    thread = threading.Thread(target=deny)
    thread.start()
    assert child.run_attached(words, dict(os.environ), None) < 0
    thread.join()
    # Nor is another one started after it.
    assert child.run_attached(["true"], dict(os.environ), None) < 0


def test_a_command_of_the_users_own_sees_no_more_than_how_to_show_itself(tmp_path: Path) -> None:
    ours = {
        "COLORTERM": "truecolor",
        "CI": "true",
        "CI_JOB_TOKEN": "x",
        "SSL_CERT_DIR": "x",
        "UV_SYSTEM_CERTS": "1",
    }
    made = command_environment(ours, proxy_url=PROXY, private=tmp_path)

    assert (made["COLORTERM"], made["CI"], made["GIT_ALLOW_PROTOCOL"]) == ("truecolor", "true", "")
    gone = {"CI_JOB_TOKEN", "SSL_CERT_DIR", "UV_SYSTEM_CERTS", "NO_COLOR", "UV_NO_CONFIG", "UV_NO_SOURCES"}
    assert not gone & made.keys()
    assert {made[name] for name in ("HTTPS_PROXY", "http_proxy", "all_proxy")} == {PROXY}
