"""Modules on ``PYTHONPATH`` or in the working directory: neither we nor our children import any (B13)."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from archives import SDIST_NAME, sdist
from flow.user import User
from ordinary import parametrized
from pip_warden.artifact.sdist import check_elsewhere
from pip_warden.installer.python import choose_target, installed
from planted import Planted, imported_first, plant

BIN = Path(sys.executable).parent
SITE = Path(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def beside_scripts(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    directory = tmp_path_factory.mktemp("planted")
    return plant(directory, besides=imported_first(directory / "first", as_module=False))


@pytest.fixture(scope="module")
def beside_modules(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    directory = tmp_path_factory.mktemp("planted")
    return plant(directory, besides=imported_first(directory / "first", as_module=True))


@pytest.fixture
def planted_for_scripts(beside_scripts: Planted) -> Planted:
    beside_scripts.forget()
    return beside_scripts


@pytest.fixture
def planted_for_modules(beside_modules: Planted) -> Planted:
    beside_modules.forget()
    return beside_modules


def _run(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [("safe-install", "--version"), ("pip-warden", "--help")], ids=str)
@parametrized("spelled", ["{}", ".", "", "{}/../checkout", "/nowhere:{}"], ordinary={0, 3})
def test_b13_nothing_on_pythonpath_is_imported(
    planted_for_scripts: Planted, words: tuple[str, ...], spelled: str
) -> None:
    path = planted_for_scripts.path
    pythonpath = spelled.format(path) or os.pathsep  # an empty entry means the working directory
    ended = _run(BIN / words[0], *words[1:], cwd=path, PYTHONPATH=pythonpath)

    assert planted_for_scripts.imported == []
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.interop
def test_b13_nothing_on_pythonpath_is_imported_by_a_whole_install(
    user: User, planted_for_scripts: Planted
) -> None:
    project = user.project()
    user.sandbox.publish(project, [user.sdist(project)])
    user.pin(project)
    ended = _run(
        BIN / "safe-install",
        *("--trust", user.home / "pytrust.toml", "--python", user.target, project.record.name),
        cwd=planted_for_scripts.path,
        PYTHONPATH=str(planted_for_scripts.path),
    )

    assert planted_for_scripts.imported == []
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert user.installed() == {project.record.name: "1.0"}


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "pip_warden", "--help"),
        ("-c", "from pip_warden.cli import main; main()", "--help"),
        ("-c", "from pip_warden.cli import safe_install_main; safe_install_main()", "--version"),
    ],
    ids=["-m", "-c pip-warden", "-c safe-install"],
)
def test_b13_nothing_in_the_working_directory_is_imported(
    planted_for_modules: Planted, words: tuple[str, ...]
) -> None:
    ended = _run(sys.executable, *words, cwd=planted_for_modules.path)

    assert planted_for_modules.imported == []
    assert (ended.returncode, ended.stderr) == (0, "")


def test_b13_what_holds_pip_warden_itself_stays(tmp_path: Path) -> None:
    """As after ``pip install --target``: our dependencies are there, and nowhere else."""
    import pip_warden

    target = tmp_path / "target"
    target.mkdir()
    for entry in [*SITE.iterdir(), Path(pip_warden.__file__).parent]:
        (target / entry.name).symlink_to(entry)
    for cwd, environment in ((tmp_path, {"PYTHONPATH": str(target)}), (target, {})):
        ended = _run(
            Path(sys._base_executable),  # type: ignore[attr-defined]
            *("-s", "-m", "pip_warden", "--help"),
            cwd=cwd,
            **environment,
        )
        assert (ended.returncode, ended.stderr) == (0, "")


def test_b13_pythons_own_directories_stay_whoever_names_them(tmp_path: Path) -> None:
    named = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), str(SITE)]
    dynamic = str(Path(named[0]) / "lib-dynload")
    ended = _run(
        BIN / "safe-install", "--version", cwd=tmp_path, PYTHONPATH=os.pathsep.join([*named, dynamic])
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_b13_a_path_that_python_ignored_takes_nothing_away(tmp_path: Path) -> None:
    """With ``-E``, an entry that PYTHONPATH also names has another origin: here, a line of the program."""
    (tmp_path / "kept.py").write_text("")
    script = (
        f"import sys; sys.path.insert(1, {str(tmp_path)!r})\n"
        "from pip_warden.cli import search_path; search_path.drop_untrusted_paths(); import kept"
    )
    ended = _run(sys.executable, "-E", "-c", script, cwd=Path("/"), PYTHONPATH=str(tmp_path))

    assert (ended.returncode, ended.stderr) == (0, "")


def test_b13_what_we_start_imports_none_of_it(
    planted_for_scripts: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / SDIST_NAME
    archive.write_bytes(sdist())
    monkeypatch.chdir(planted_for_scripts.path)
    monkeypatch.setenv("PYTHONPATH", str(planted_for_scripts.path))

    target = choose_target(None, os.environ, sys.executable)
    assert "pip" in installed(target, os.environ)
    check_elsewhere(archive, Path(sys.executable))

    assert planted_for_scripts.imported == []


def test_b13_no_variable_chooses_the_pip_that_is_named(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\ntouch ran\necho 'pip 1.0 from /nowhere (python 3)'\n")
    other.chmod(0o700)
    ended = _run(BIN / "safe-install", "--version", cwd=tmp_path, PIPAPI_PYTHON_LOCATION=str(other))

    assert ended.returncode == 0
    assert not (tmp_path / "ran").exists()
    assert "(with pip 26." in ended.stdout


@pytest.mark.parametrize(
    "words", [(BIN / "pip-warden",), (sys.executable, "-m", "pip_warden")], ids=["script", "-m"]
)
def test_b13_a_working_directory_that_was_removed_is_no_bug(
    tmp_path: Path, words: tuple[object, ...]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = _run(
        "sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *words, "--help", cwd=gone, PYTHONPATH="/nowhere"
    )

    assert (ended.returncode, ended.stderr) == (0, "")
