"""What was accepted is handed over whole or not at all, and a verdict is never lost to a failure of delivery."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flow.user import User
from pip_warden.sandbox import Project

SAFE_INSTALL = str(Path(sys.executable).with_name("safe-install"))


def typed(
    user: User, *words: str, shell: str = 'exec "$@"', **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run safe-install as a process of its own, from a shell that does something to its streams."""
    command = ["bash", "-c", shell, "bash", SAFE_INSTALL, "--python", str(user.target), *words]
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


def test_b19_two_runs_into_one_directory(user: User) -> None:
    project, needed = needing(user)
    with ThreadPoolExecutor(2) as pool:
        ran = [pool.submit(typed, user, "--download", "files", project.record.name) for _ in range(2)]
    assert [each.result().returncode for each in ran] == [0, 0], [each.result().stderr for each in ran]
    assert listed(user.home / "files") == names(user, project, needed)
