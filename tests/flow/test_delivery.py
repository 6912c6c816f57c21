"""Accepted files are delivered completely or not at all; a failed delivery never loses a verdict."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli import terminal
from flow.user import User
from ordinary import parametrized
from pip_warden.errors import DeliveryError, InstallerError, UsageError
from pip_warden.install import arguments, with_pip
from pip_warden.installer import report_file
from pip_warden.installer.installed import Present
from pip_warden.installer.report_file import check_report_file, write_report_file
from pip_warden.sandbox import Project
from pip_warden.vault import sealed, store

SAFE_INSTALL = str(Path(sys.executable).with_name("safe-install"))
PIP_WARDEN = str(Path(sys.executable).with_name("pip-warden"))
VERIFY = (PIP_WARDEN, "verify-release", "--show-successes")
"""What ends as safe-install does, and costs less: it starts no pip."""


@pytest.fixture(autouse=True)
def _buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: unwritten output stays in the interpreter's buffer.

    If it cannot be written at the end either, the interpreter would exit with 120.
    """
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


def typed(
    user: User, *words: str, after: str = 'exec "$@"', **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run safe-install as a process of its own, from a shell that first changes its streams."""
    return shelled(SAFE_INSTALL, "--python", str(user.target), *words, after=after, **environment)


def shelled(*command: str, after: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = ("bash", "-c", after, "bash", *command)
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )


def needing(user: User) -> tuple[Project, Project]:
    """Publish two packages, of which the first needs the second."""
    needed = user.published()
    return user.published(requires=(needed.record.name,)), needed


def names(user: User, *projects: Project) -> set[str]:
    return {user.wheel(project).name for project in projects}


def listed(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_b19_other_bytes_in_the_way_stop_every_file(user: User) -> None:
    project, needed = needing(user)
    files = user.home / "files"
    files.mkdir()
    theirs = files / user.wheel(needed).name
    theirs.write_bytes(b"mine")
    for words in ((), ("--dry-run",)):
        result = user.install("--download", "files", *words, project.record.name)
        assert (result.code, result.codes) == (4, {"download-in-the-way"}), result.output
        assert result.accepted == names(user, project, needed), "the verdicts are told all the same"
        assert (listed(files), theirs.read_bytes()) == ({theirs.name}, b"mine")


def test_b19_planted_links_are_not_written_through(user: User) -> None:
    project = user.published()
    name, victim = user.wheel(project).name, user.home / "victim"
    (user.home / "files").mkdir()
    victim.write_text("precious")
    (user.home / "files" / f".{name}.part").symlink_to(victim)
    assert user.install("--download", "files", project.record.name).code == 0
    (user.home / "files" / name).unlink()
    (user.home / "files" / name).symlink_to(victim)
    result = user.install("--download", "files", project.record.name)
    assert (result.code, result.codes) == (4, {"download-in-the-way"}), result.output
    assert victim.read_text() == "precious"


def test_b19_the_same_bytes_are_kept_and_said(user: User) -> None:
    project, needed = needing(user)
    assert user.install("--download", "files", needed.record.name).code == 0
    kept = user.home / "files" / user.wheel(needed).name
    before = kept.stat()
    result = user.install("--download", "files", project.record.name)
    assert result.code == 0, result.output
    assert f"{kept.name} is in files already" in result.output
    assert listed(user.home / "files") == names(user, project, needed)
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_b19_a_dry_run_writes_nothing(user: User) -> None:
    project = user.published()
    result = user.install("--dry-run", "--download", "files", project.record.name)
    assert (result.code, result.accepted) == (0, names(user, project)), result.output
    assert not (user.home / "files").exists()


def test_b19_a_report_of_a_download_is_an_error_not_nothing(user: User) -> None:
    user.refused("--download", "files", "--report", "r.json", "x", code="option-value", exit_code=2)
    assert not (user.home / "files").exists()


def test_b19_no_directory_to_download_into(user: User) -> None:
    (user.home / "files").touch()
    user.sandbox.clear_requests()
    user.refused("--download", "files", user.published().record.name, code="download-directory", exit_code=2)
    assert user.sandbox.requests == ()


@pytest.mark.interop
def test_b19_two_runs_into_one_directory(user: User) -> None:
    project, needed = needing(user)
    with ThreadPoolExecutor(2) as pool:
        ran = [pool.submit(typed, user, "--download", "files", project.record.name) for _ in range(2)]
    assert [each.result().returncode for each in ran] == [0, 0], [each.result().stderr for each in ran]
    assert listed(user.home / "files") == names(user, project, needed)


STREAMS = {
    "closed": (">&-", 0),
    "full": (">/dev/full", 4),
    "read-only": ("1</dev/null", 4),
    "all closed": ("<&- >&- 2>&-", 0),
    "both full": (">/dev/full 2>/dev/full", 4),
    "closed error": ("2>&-", 0),
    "full error": ("2>/dev/full", 0),
}
"""What the shell does to the streams, and the exit code of a good run then."""


INSTALLS = {("closed", "text"), ("full", "json"), ("both full", "text")}
"""Where a whole installation shows that it is complete; elsewhere a verdict alone is told."""


@parametrized(
    ("streams", "output_format"),
    [*((name, "text") for name in STREAMS), ("closed", "json"), ("full", "json")],
    ordinary={0, 8},
)
def test_b21_a_verdict_outlives_its_streams(user: User, streams: str, output_format: str) -> None:
    project = user.published()
    name, shell = user.wheel(project).name, f'exec "$@" {STREAMS[streams][0]}'
    words = ("--format", output_format)
    if (streams, output_format) in INSTALLS:
        ended = typed(user, *words, project.record.name, after=shell)
        assert user.installed() == {project.record.name: "1.0"}
    else:
        ended = shelled(*VERIFY, *words, f"{project.record.name}==1.0", after=shell)
    assert ended.returncode == STREAMS[streams][1], ended
    if "2>" not in shell:
        assert ended.stdout == b""
        assert name in ended.stderr.decode()
        assert b"accepted" in ended.stderr
        assert (b"error[not-told]" in ended.stderr) == (ended.returncode == 4)
    elif ">&- 2" not in shell and "full 2" not in shell:
        assert name in ended.stdout.decode()
    assert b"Traceback" not in ended.stderr

    refused = shelled(*VERIFY, *words, "nobody-pinned-this==1.0", after=shell)
    assert refused.returncode == 1, refused
    if "2>" not in shell:
        assert b"not-pinned" in refused.stderr


@parametrized("output_format", ["text", "json"], ordinary={0})
def test_b21_a_reader_that_leaves_changes_nothing(user: User, output_format: str) -> None:
    """``safe-install … | true``: the installation completes, and the verdict goes to standard error."""
    project = user.published()
    whole = (SAFE_INSTALL, "--python", str(user.target), project.record.name)
    good = whole if output_format == "text" else (*VERIFY, f"{project.record.name}==1.0")
    for command, code, told in (
        (good, 0, "accepted"),
        ((*VERIFY, "nobody-pinned-this==1.0"), 1, "not-pinned"),
    ):
        read, write = os.pipe()
        os.close(read)
        try:
            words = [*command, "--format", output_format]
            ended = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        finally:
            os.close(write)
        assert ended.returncode == code, ended.stderr
        assert told in ended.stderr
        assert output_format == "json" or "Collecting" not in ended.stderr
        assert ("not-told" in ended.stderr, "Traceback" in ended.stderr) == (False, False)
    assert user.installed() == ({project.record.name: "1.0"} if good == whole else {})


@pytest.mark.interop
def test_b21_piped_to_true(user: User) -> None:
    into_true = '"$@" | true; exit ${PIPESTATUS[0]}'
    assert typed(user, user.published().record.name, after=into_true).returncode == 0
    assert shelled(*VERIFY, "nobody-pinned-this==1.0", after=into_true).returncode == 1


ASCII = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict"},
]


@parametrized("environment", ASCII, ids=["locale", "ascii", "latin-1"], ordinary={0})
def test_b21_characters_that_the_stream_cannot_show(user: User, environment: dict[str, str]) -> None:
    project = user.published()
    ended = shelled(*VERIFY, f"{project.record.name}==1.0", after='exec "$@"', **environment)
    assert ended.returncode == 0, ended
    assert f"\\u2713 {user.wheel(project).name} accepted".encode() in ended.stdout
    refused = shelled(*VERIFY, "nobody-pinned-this==1.0", after='exec "$@"', **environment)
    assert (refused.returncode, b"\\u2717 nobody-pinned-this" in refused.stderr) == (1, True), refused


def test_b21_a_report_that_cannot_be_written_in_the_end(user: User) -> None:
    project = user.published()
    result = user.install("--report", "/dev/full", project.record.name)
    assert (result.code, result.codes) == (4, {"report-not-written"}), result.output
    assert result.accepted == names(user, project), "the verdicts are told all the same"
    assert user.installed() == {project.record.name: "1.0"}


@pytest.mark.parametrize(
    "place", ["absent/report.json", "directory", "pipe", "-", "file/report.json", "loop"]
)
def test_b21_a_report_that_cannot_be_written_is_said_before_pip_runs(user: User, place: str) -> None:
    (user.home / "directory").mkdir()
    os.mkfifo(user.home / "pipe")
    (user.home / "file").touch()
    (user.home / "loop").symlink_to("loop")
    user.sandbox.clear_requests()
    before = listed(user.home)
    user.refused("--report", place, user.published().record.name, code="report-file", exit_code=2)
    assert user.sandbox.requests == ()
    assert listed(user.home) == before


def test_b21_a_report_outlives_what_fails_after_the_installation(user: User) -> None:
    project, needed = needing(user)
    assert user.install(needed.record.name).code == 0

    def fail(*_rest: object) -> dict[str, Present]:
        raise InstallerError("inspect-failed", "expected a list, found none")

    user.patch.setattr(with_pip, "installed", fail)
    result = user.install("--report", "report.json", project.record.name)
    assert (result.code, result.codes) == (4, {"inspect-failed"}), result.output
    assert json.loads((user.home / "report.json").read_text())["install"]


def test_b21_a_report_is_replaced_as_a_whole(user: User) -> None:
    project = user.published()
    (user.home / "there").write_text("old")
    (user.home / "link.json").symlink_to("there")
    result = user.install("--report", "link.json", project.record.name)
    assert result.code == 0, result.output
    assert json.loads((user.home / "there").read_text())["install"][0]["metadata"]["version"] == "1.0"
    assert (user.home / "link.json").is_symlink()
    assert not list(user.home.glob(".pip-warden-*"))
    (user.home / "there").write_text("old")
    assert user.install("--report", "link.json", "nobody-pinned-this").code == 1
    assert (user.home / "there").read_text() == "old"
    assert user.install("--report", "/dev/null", "--dry-run", project.record.name).code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("place", ["result.json", "link.json", "FD"])
def test_b21_a_report_does_not_replace_what_our_own_result_goes_to(
    user: User, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """``--format json --report /dev/stdout > result.json`` left pip's report alone in the file."""
    project = user.published()
    (user.home / "link.json").symlink_to("result.json")
    with (user.home / "result.json").open("w") as output:
        monkeypatch.setattr(report_file, "_OUTPUTS", (output.fileno(),))
        place = place.replace("FD", f"/proc/self/fd/{output.fileno()}")
        user.refused("--report", place, project.record.name, code="report-file", exit_code=2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
@pytest.mark.parametrize("place", ["planted", "planted-directory/mine", "own", "own-directory/mine"])
def test_b21_a_link_that_somebody_else_planted_is_not_written_through(user: User, place: str) -> None:
    """Linux would prevent opening it in a directory such as /tmp, but not replacing the file it leads to."""
    home = user.home / "victim"
    home.mkdir()
    (home / "mine").write_text("precious")
    (user.home / "planted").symlink_to("victim/mine")
    (user.home / "planted-directory").symlink_to(home)
    for name in ("planted", "planted-directory"):
        os.chown(user.home / name, 4242, -1, follow_symlinks=False)
    (user.home / "own").symlink_to("victim/../planted")
    (user.home / "own-directory").symlink_to(user.home / "planted-directory")
    user.refused("--report", place, user.published().record.name, code="report-file", exit_code=2)
    with pytest.raises(DeliveryError):
        write_report_file(user.home / "pytrust.toml", user.home / place)
    assert listed(home) == {"mine"}
    assert (home / "mine").read_text() == "precious"


def test_b21_a_report_s_draft_follows_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "victim").write_text("precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _count: "0")
    for plant in (lambda at: at.symlink_to("victim"), lambda at: at.symlink_to("none"), Path.touch):
        draft = tmp_path / ".pip-warden-0.part"
        plant(draft)
        with pytest.raises(UsageError):
            check_report_file(tmp_path / "report.json")
        with pytest.raises(DeliveryError):
            write_report_file(tmp_path / "victim", tmp_path / "report.json")
        assert os.path.lexists(draft)
        draft.unlink()
    assert (listed(tmp_path), (tmp_path / "victim").read_text()) == ({"victim"}, "precious")


def test_b21_a_report_on_a_full_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / "report").write_text("old")
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(DeliveryError) as caught:
        write_report_file(tmp_path / "source", tmp_path / "report")
    assert (caught.value.code, caught.value.exit_code) == ("report-not-written", 4)
    assert (listed(tmp_path), (tmp_path / "report").read_text()) == ({"source", "report"}, "old")


def full(*_args: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_b21_a_full_disk_under_the_cache(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "write", full)
    result = user.refused(user.published().record.name, code="cannot-store", exit_code=3)
    assert "No space left on device" in result.output
    assert [path for path in user.cache.rglob("*") if path.is_file() or path.name.startswith(".draft")] == []


def test_b21_a_full_disk_under_the_files_for_pip(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = user.published()
    monkeypatch.setattr(store, "copy_checked", full)
    monkeypatch.setattr(sealed, "copy_checked", full)
    assert user.refused(project.record.name, code="cannot-store", exit_code=3).accepted == set()
    monkeypatch.undo()


def test_b21_a_full_disk_under_the_workspace(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = user.published()
    make = tempfile.mkdtemp

    def made(
        suffix: str | None = None,
        prefix: str | None = None,
        dir: Path | None = None,  # noqa: A002
    ) -> str:
        if dir is not None:
            full()
        return make(suffix, prefix, dir)

    monkeypatch.setattr(tempfile, "mkdtemp", made)
    assert user.refused(project.record.name, code="cannot-store", exit_code=3).accepted == set()


def test_b21_a_full_disk_where_pip_is_served_from(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = user.published()
    monkeypatch.setattr(sealed, "_linked", lambda _source, _target: False)
    monkeypatch.setattr(sealed, "copy_checked", full)
    result = user.refused(project.record.name, code="cannot-store", exit_code=3)
    assert result.accepted == names(user, project)


def test_b21_a_full_disk_before_pip_starts(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "render", full)
    user.refused(user.published().record.name, code="cannot-store", exit_code=3)


@pytest.mark.interop
def test_b21_a_file_that_is_too_large_for_the_disk(user: User) -> None:
    """The kernel's own error, through a limit on the size of files."""
    project = user.project()
    user.pin(project)
    user.sandbox.publish(project, [user.wheel(project, files={"big.bin": os.urandom(400_000)})])
    ended = typed(user, project.record.name, after='ulimit -f 100; exec "$@"')
    assert ended.returncode == 3, ended
    assert b"[cannot-store]" in ended.stderr
    assert user.installed() == {}


def test_b21_no_temporary_directory(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(user.home / "absent"))
    user.refused(user.published().record.name, code="cannot-store", exit_code=3)


NOBODY = """
import pwd, sys
def unknown(_uid): raise KeyError("no such user")
pwd.getpwuid = unknown
from pip_warden.cli import safe_install_main
sys.argv[:1] = ["safe-install"]
safe_install_main()
"""


@pytest.mark.interop
def test_b21_no_home_and_no_entry_in_the_passwd_file(user: User) -> None:
    project = user.published()
    environment = {
        name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_CACHE_HOME"}
    }
    words = [sys.executable, "-c", NOBODY, "--python", str(user.target), project.record.name]
    good = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (good.returncode, user.installed()) == (0, {project.record.name: "1.0"}), good
    del environment["PIP_WARDEN_CACHE_DIR"]
    before = listed(user.home)
    bad = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (bad.returncode, "error[cache-directory]" in bad.stderr) == (2, True), bad
    assert listed(user.home) == before


@parametrized("words", [(), ("--trust", "{home}/pytrust.toml"), ("--download", "files")], ordinary={0})
def test_b21_a_working_directory_that_was_removed(user: User, words: tuple[str, ...]) -> None:
    project = user.published()
    spelled = [word.format(home=user.home) for word in words]
    result = typed(
        user, *spelled, project.record.name, after='mkdir gone && cd gone && rmdir "$PWD" && exec "$@"'
    )
    assert (result.returncode, b"error[working-directory]" in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize(
    "words",
    [("--retries", "0.5"), ("--retries=-1",), ("--retries", "1e3"), ("--retries", "²"), ("--timeout", "0")],
)
def test_b21_numbers_that_are_none(user: User, words: tuple[str, ...]) -> None:
    user.refused(*words, "x", code="option-value", exit_code=2)


@parametrized(
    ("words", "shells"),
    [
        (("explain", "not-pinned"), {">&-": 0, ">/dev/full": 4, ">&- 2>&-": 0}),
        (("trust", "check"), {">/dev/full": 4}),
        (("trust", "show", "--format", "json"), {">&-": 0}),
    ],
    ids=["explain", "trust check", "trust show"],
    ordinary={0},
)
def test_b21_every_command_ends_so(user: User, words: tuple[str, ...], shells: dict[str, int]) -> None:
    user.published()
    told = terminal.typed(*words).out.encode()
    assert told
    for shell, code in shells.items():
        ended = shelled(PIP_WARDEN, *words, after=f'exec "$@" {shell}')
        assert ended.returncode == code, ended
        assert ended.stderr.startswith(told if "2>" not in shell else b"")
