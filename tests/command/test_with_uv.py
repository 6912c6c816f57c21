"""The real uv and pip behind the gate, on one project each; every other tool is tried by ``make interop``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.installers import Installer, Pip, Place, Registries, Uv
from pip_warden.sandbox import Sandbox


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Sandbox(tls=True, host="localhost") as sandbox:
        yield Registries(sandbox)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("environments") / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    return made


@pytest.mark.parametrize("tool", [Pip(), Uv()], ids=["pip", "uv"])
def test_a_lock_is_the_same_as_without_the_gate_and_is_installed(
    tool: Installer, registries: Registries, empty: Path, tmp_path: Path
) -> None:
    place = Place(registries=registries, directory=tmp_path / "app", home=tmp_path)
    place.lay(empty)
    tool.lay(place, "acme-widgets")
    place.ok(*tool.lock())
    plain = place.read(tool.lock_file)
    (place.directory / tool.lock_file).unlink()

    place.gated = True
    place.ok(*tool.lock(), tool.install()[-1])

    assert place.read(tool.lock_file) == plain
    assert place.installed() == {"acme_widgets-1.0", "acme_core-1.0", "open_pad-1.0"}
