"""Real pipx behind the gate: every kind of change to its environments is found, and none in clean ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import archives
from environments.made import FILES, site_of
from environments.test_earlier import MATRIX
from environments.test_receipt_removed import by_pip, by_uv
from interop.installers import OURS, Ended, Pipx, Place, Registries, program
from pip_warden.artifact.layout import RECEIPT
from pip_warden.sandbox import File, Sandbox

pytestmark = pytest.mark.interop

APP = "acme-widgets"
OF_THE_ISSUE = (
    "a byte",
    "a line ending",
    "a file added",
    "a file removed",
    "a .pth that no RECORD names",
    "what a script runs",
    "a hash in RECORD",
    "a receipt edited",
    "a receipt of another package",
    "another version of .dist-info",
)
OF_WHAT_NOBODY_HAS = ("a receipt of another archive", "a receipt with another digest")
"""Receipts of archives that the cache does not have: they say as little as none."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What pipx has made behind the gate, and a copy of it."""

    place: Place
    pipx: Pipx

    @property
    def venv(self) -> Path:
        """The application's environment."""
        return self.pipx.venv(APP)

    @property
    def site(self) -> Path:
        """Its site-packages."""
        return site_of(self.venv)

    def run(self, *words: str) -> Ended:
        """Run pipx behind the gate, strictly: no warning goes either."""
        return self.place.run([program("pipx"), *words], "--strict")

    def install(self) -> Ended:
        """Have safe-install look at the application's environment."""
        ca = str(self.place.registries.sandbox.ca_file)
        safe_install = [str(OURS / "safe-install"), "--strict", "--cert", ca]
        return self.place.start([*safe_install, "--python", str(self.venv / "bin" / "python"), APP])

    def left(self) -> list[Path]:
        """Return what is ours in the user's directories."""
        return [path for path in self.place.home.rglob("*pip-warden*") if path.is_file()]


@pytest.fixture(scope="module", params=["pip", "uv"])
def installed(
    request: pytest.FixtureRequest, empty_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("pipx")
    with Sandbox(tls=True, host="localhost") as sandbox:
        registries = Registries(sandbox)
        registries.put(APP, File(name=archives.WHEEL_NAME, data=archives.wheel(FILES)))
        place = Place(registries=registries, directory=home / "app", home=home, gated=True)
        place.lay(empty_environment)
        (home / "tools").mkdir()
        (home / "tools" / "uv").symlink_to(OURS / "uv")
        place.extra |= {
            "PIPX_DEFAULT_BACKEND": request.param,
            "PATH": f"{home / 'tools'}{os.pathsep}{os.environ['PATH']}",
        }
        made = Made(place=place, pipx=Pipx(place))
        done = made.run(*made.pipx.install(APP)[1:])
        assert done.code == 0, done.output
        shutil.copytree(home / "pipx", home / "spare", symlinks=True)
        yield made


@pytest.fixture
def made(installed: Made) -> Iterator[Made]:
    yield installed
    home = installed.place.home
    shutil.rmtree(home / "pipx")
    shutil.copytree(home / "spare", home / "pipx", symlinks=True)


def test_nothing_is_found_in_a_clean_one(made: Made) -> None:
    assert (made.site / archives.INFO / RECEIPT).is_file()

    for done in (made.install(), made.run("list"), made.run("upgrade", APP), made.run("reinstall", APP)):
        assert done.code == 0, done.output
    for done in (made.install(), made.run("list")):
        assert "acme-widgets 1.0 verified earlier, unchanged" in done.output


@pytest.mark.parametrize("kind", [kind for kind in MATRIX if kind not in OF_WHAT_NOBODY_HAS])
def test_a_change_is_found(made: Made, kind: str) -> None:
    change, code = MATRIX[kind]
    change(made.site)

    done = made.run("list")

    assert (done.code, f"[{code}]" in done.output) == (1, True), done.output


@pytest.mark.parametrize("kind", OF_THE_ISSUE)
def test_safe_install_finds_it_too(made: Made, kind: str) -> None:
    change, code = MATRIX[kind]
    change(made.site)

    done = made.install()

    assert (done.code, f"[{code}]" in done.output) == (1, True), done.output


@pytest.mark.parametrize("kind", OF_WHAT_NOBODY_HAS)
def test_a_receipt_of_what_nobody_has_verifies_nothing(made: Made, kind: str) -> None:
    MATRIX[kind][0](made.site)

    listed, done = made.run("list"), made.install()

    assert (listed.code, "not verified again: 1 distribution" in listed.output) == (0, True), listed.output
    assert (done.code, "acme-widgets 1.0 present, not verified" in done.output) == (1, True), done.output


def _by_pipx(made: Made) -> None:
    done = made.run("uninstall", APP)
    assert done.code == 0, done.output


def _by(remove: Callable[[Path], None]) -> Callable[[Made], None]:
    return lambda made: remove(made.venv / "bin" / "python")


@pytest.mark.parametrize("remove", [_by_pipx, _by(by_pip), _by(by_uv)], ids=["pipx", "pip", "uv"])
def test_whatever_uninstalls_leaves_nothing_of_ours(made: Made, remove: Callable[[Made], None]) -> None:
    ours = made.left()
    remove(made)

    assert [path for path in ours if path.name == RECEIPT]
    assert [path for path in made.left() if "spare" not in path.parts] == []
    assert not list(made.site.glob("acme*"))
