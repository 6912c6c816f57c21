"""Where it is installed to, when nobody says so."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from flow.user import User
from pip_warden.errors import UsageError
from pip_warden.installer.python import choose_target

RECEIPTS = ["pipx_metadata.json", "uv-receipt.toml"]


@pytest.fixture
def own(user: User, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which pip-warden runs."""
    monkeypatch.setattr(sys, "executable", str(user.target / "bin" / "python"))
    return user.target


@pytest.mark.parametrize("receipt", RECEIPTS)
@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_nothing_goes_into_an_applications_environment(
    user: User, own: Path, receipt: str, words: tuple[str, ...]
) -> None:
    name = user.published().record.name
    (own / receipt).write_text("{}")
    before = user.snapshot()

    result = user.type(*words, name)

    assert (result.code, result.codes) == (2, {"target-needed"})
    assert all(way in result.output for way in ("virtual environment", "--python PATH", "--target DIR"))
    assert user.snapshot() == before


def test_what_says_where_to_is_followed_from_there_too(user: User, own: Path, tmp_path: Path) -> None:
    name = user.published().record.name
    (own / RECEIPTS[0]).write_text("{}")
    target, files = tmp_path / "elsewhere", tmp_path / "files"

    assert user.type("--target", str(target), name).code == 0
    assert (target / name).is_dir()
    assert user.type("--download", str(files), name).code == 0
    assert [path.suffix for path in files.iterdir()] == [".whl"]
    assert user.installed() == {}
    assert user.install(name).code == 0
    assert user.installed() == {name: "1.0"}


def test_an_activated_environment_is_the_target(
    user: User, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = user.published().record.name
    (own / RECEIPTS[0]).write_text("{}")
    active = tmp_path / "active"
    shutil.copytree(own, active, symlinks=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(active))

    assert user.type(name).code == 0
    assert user.installed() == {}
    assert list(active.glob(f"lib/python*/site-packages/{name}"))


def test_it_goes_into_an_environment_that_it_was_installed_into(user: User, own: Path) -> None:
    name = user.published().record.name

    assert user.type(name).code == 0
    assert user.installed() == {name: "1.0"}


def test_an_environment_of_uvx_is_an_applications(own: Path, tmp_path: Path) -> None:
    ephemeral = tmp_path / "archive-v0" / "24Wpv2hMn"
    ephemeral.parent.mkdir()
    shutil.copytree(own, ephemeral, symlinks=True)

    with pytest.raises(UsageError, match="by uvx") as caught:
        choose_target(None, {}, str(ephemeral / "bin" / "python"))
    assert caught.value.code == "target-needed"


def test_a_file_of_that_name_next_to_no_environment_means_nothing(own: Path, tmp_path: Path) -> None:
    system = tmp_path / "system"
    shutil.copytree(own, system, symlinks=True)
    (system / "pyvenv.cfg").unlink()
    (system / RECEIPTS[0]).write_text("{}")

    python = system / "bin" / "python"
    assert choose_target(None, {}, str(python)).executable == python


def test_an_externally_managed_python_is_left_alone_as_by_pip(user: User, tmp_path: Path) -> None:
    """PEP 668: our pip reads the mark, which lies in the target's standard library."""
    name = user.published().record.name
    python = _managed(tmp_path / "system")

    result = user.type("--python", str(python), name)

    assert (result.code, result.codes) == (4, {"pip-failed"})
    assert "externally-managed-environment" in result.output
    assert not list((tmp_path / "system").rglob(f"{name}*"))


def _managed(root: Path) -> Path:
    """Make a Python that is no virtual environment: a copied interpreter and links to its library."""
    library = Path(sysconfig.get_path("stdlib"))
    ours = root / library.relative_to(sys.base_prefix)
    ours.mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name != "site-packages":
            (ours / entry.name).symlink_to(entry)
    (ours / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=Use the system's packages.\n")
    (root / "bin").mkdir()
    return Path(shutil.copy2(os.path.realpath(sys.executable), root / "bin" / "python"))
