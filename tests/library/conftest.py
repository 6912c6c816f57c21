"""A signed wheel on a registry and on disk, and an environment to install into."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from library.signed import Signed
from pins import trust_text
from pip_warden.sandbox import Sandbox

DIRECTORIES = ("dist", "evidence", "mirror")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    with Sandbox() as sandbox:
        home = tmp_path_factory.mktemp("published")
        project = sandbox.project("acme/widgets", visibility="private")
        wheel = sandbox.wheel("acme-widgets", "1.0")
        sandbox.publish(project, [wheel])
        ((name, bundle),) = sandbox.sign(wheel, sandbox.job(project, tag="v1.0")).items()
        for directory in DIRECTORIES:
            (home / directory).mkdir()
        for directory, names in {"dist": (wheel.name, name), "mirror": (wheel.name, name)}.items():
            for each, content in zip(names, (wheel.data, bundle), strict=True):
                (home / directory / each).write_bytes(content)
        (home / "evidence" / "widgets.json").write_bytes(bundle)
        root = sandbox.write_trust(home)
        (home / "pytrust.toml").write_text(
            trust_text(
                root_sha256=hashlib.sha256(root.read_bytes()).hexdigest(),
                issuer=sandbox.issuer,
                url=sandbox.gitlab_url,
                registry=project.path,
                subject=f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}",
            )
        )
        yield Signed(
            home=home, wheel=wheel, bundle=bundle, sandbox=sandbox, token=sandbox.token(scopes=("api",))
        )


@pytest.fixture
def signed(published: Signed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signed:
    """A copy of one's own, in an environment that is empty but for what a registry's user has."""
    home = tmp_path / "home"
    shutil.copytree(published.home, home)
    own = replace(published, home=home)
    environment = own.environment
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return own


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("environments") / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    return target


@pytest.fixture
def target(empty_environment: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "env"
    shutil.copytree(empty_environment, copy, symlinks=True)
    return copy
