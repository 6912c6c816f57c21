"""`locked/`: what pip-warden with every extra needs, and the trust file that pins just that."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from interop.pip_index import pip_index
from interop.real_project import RealProject
from pip_warden.digests import digest_of
from pip_warden.locks.model import LockedRelease
from pip_warden.locks.read import read_lock
from pip_warden.names import parse_project_name
from pip_warden.sandbox import File, Sandbox
from pip_warden.trust.file import find_trust_file, load
from pip_warden.trust.model import HashEntry, TrustFile

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "locked" / "requirements.txt"
TRUST = ROOT / "locked" / "pytrust.toml"


@cache
def releases() -> tuple[LockedRelease, ...]:
    """Return what is locked; not when tests are collected, as each process that runs tests does that."""
    return read_lock(LOCK).releases


@cache
def trusted() -> TrustFile:
    return load(TRUST, check_owner=False)


def test_the_trust_file_pins_exactly_what_the_lock_names() -> None:
    locked = {
        (each.project, each.version): each.digests | {file.sha256 for file in each.files}
        for each in releases()
    }
    pinned = {
        (each.project, each.version): {digest for _, digest in each.files}
        for each in trusted().entries
        if isinstance(each, HashEntry)
    }

    differing = {
        f"{name} {version}"
        for name, version in {*locked, *pinned}
        if locked.get((name, version)) != pinned.get((name, version))
    }
    assert not differing, f"`make trust-sync trust-update` moves the pins to what is locked: {differing}"
    assert len(pinned) == len(trusted().entries) > 40


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = map(Requirement, chain(project["dependencies"], *project["optional-dependencies"].values()))
    locked = {each.project: each.version for each in releases()}
    unmet = [
        str(each)
        for each in asked
        if each.name != project["name"]
        and not each.specifier.contains(locked.get(parse_project_name(each.name), "0"), prereleases=True)
    ]

    assert not unmet, f"`make lock` locks it: {unmet}"


def test_it_comes_from_pypi_and_no_mirror_is_named() -> None:
    urls = re.findall(r"\w+://[^\"\s]*", LOCK.read_text(encoding="utf-8") + TRUST.read_text(encoding="utf-8"))

    assert urls == [source.url for source in trusted().sources] == ["https://pypi.org/simple"]


def test_no_other_command_of_this_repository_finds_the_trust_file() -> None:
    directories = {path.parent for path in ROOT.glob("*/**/*.py")} | {ROOT, ROOT / "docs", ROOT / "locked"}

    assert {directory for directory in directories if find_trust_file(directory, None) == TRUST} == {
        ROOT / "locked"
    }


@pytest.mark.parametrize(
    ("variable", "for_all", "for_install", "found"),
    [
        ("", "", "", None),
        ("", "https://one.example/simple/", "", "https://one.example/simple"),
        ("", "https://one.example/simple", "https://two.example/it's", "https://two.example/it's"),
        ("https://three.example/simple", "", "https://two.example/simple", "https://three.example/simple"),
        ("https://pypi.org/simple/", "https://one.example/simple", "", None),
    ],
)
def test_the_index_is_that_of_pip(
    variable: str,
    for_all: str,
    for_install: str,
    found: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both sections are there, empty or not, so that none of this machine counts."""
    text = f"[global]\nindex-url = {for_all}\n[install]\nindex-url = {for_install}\n"
    text += "[download]\nindex-url = https://four.example/simple\n"
    (tmp_path / "pip.conf").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", variable)

    assert pip_index() == found


def test_pages_and_files_come_from_there_and_it_is_named_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = RealProject(directory=tmp_path)
    with Sandbox() as sandbox:
        monkeypatch.setenv("PIP_INDEX_URL", f"{sandbox.pypi_url}/")
        lines = []
        for name, version in (("acme-widgets", "1.0"), ("zoo", "2.1")):
            file = sandbox.wheel(name, version)
            sandbox.upstream.add(name, [File(name=file.name, data=file.data)])
            lines.append(f"{name}=={version} --hash=sha256:{digest_of(file.data).hex}\n")
        project.lock.write_text("".join(lines), encoding="utf-8")
        project.make("trust-sync")
        both = project.trust.read_text(encoding="utf-8")
        project.lock.write_text(lines[1], encoding="utf-8")
        project.make("trust-update")

        assert {entry.project for entry in load(project.trust, check_owner=False).entries} == {"zoo"}
        assert re.findall(r"\w+://[^\"\s]*", both) == ["https://pypi.org/simple"]
        assert sandbox.pypi_url not in both
