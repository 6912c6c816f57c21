"""Real installers against real registries, plain and behind the gate: what works, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interop.installers import INSTALLERS, Installer, Place, Registries
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop

WANTED = {"acme_widgets-1.0", "acme_core-1.0", "open_pad-1.0"}
ADDED = {"acme_extra-1.0", "open_more-1.0"}


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Sandbox(tls=True, host="localhost") as sandbox:
        yield Registries(sandbox)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without pip, to be copied."""
    made = tmp_path_factory.mktemp("environments") / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    return made


@pytest.fixture
def place(registries: Registries, empty: Path, tmp_path: Path) -> Place:
    made = Place(registries=registries, directory=tmp_path / "project", home=tmp_path / "home")
    made.lay(empty)
    return made


def each(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrize with the installers of these names, or all."""
    chosen = [tool for tool in INSTALLERS if not names or tool.name in names]
    return pytest.mark.parametrize("tool", chosen, ids=[tool.name for tool in chosen])


@each()
def test_locks_are_the_same_and_everything_is_installed(tool: Installer, place: Place) -> None:
    tool.lay(place, "acme-widgets")
    place.ok(*tool.lock())
    plain = place.read(tool.lock_file)
    place.ok(*tool.install())
    assert place.installed() >= WANTED
    assert place.read(tool.lock_file) == plain
    place.ok(*tool.add(place, "acme-extra"))
    assert place.installed() >= WANTED | ADDED
