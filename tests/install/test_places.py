"""Where pip installs to, by the form of paths alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.install.places import places_of_pip
from pip_warden.install.request import PreparedRequest
from pip_warden.installer.python import Target
from pip_warden.installer.wanted import Wanted


def places(prefix: Path, *options: str, executable: Path | None = None) -> tuple[Path, ...]:
    target = Target(
        executable=executable or Path("/opt/bin/python"), version="3.11", prefix=str(prefix), build="", why=""
    )
    return places_of_pip(PreparedRequest(wanted=Wanted(), target=target, options=options))


def made(*sites: Path) -> tuple[Path, ...]:
    for site in sites:
        site.mkdir(parents=True)
    return sites


def test_a_prefix_that_several_pythons_share(tmp_path: Path) -> None:
    ours, debian, _other = made(
        tmp_path / "lib" / "python3.11" / "site-packages",
        tmp_path / "local" / "lib" / "python3.11" / "dist-packages",
        tmp_path / "lib" / "python3.12" / "site-packages",
    )

    assert set(places(tmp_path)) == {ours, debian}


def test_a_virtual_environment_is_where_it_lies(tmp_path: Path) -> None:
    (site,) = made(tmp_path / "env" / "lib" / "python3.11" / "site-packages")
    (tmp_path / "env" / "pyvenv.cfg").touch()

    assert places(Path("/moved/from"), executable=tmp_path / "env" / "bin" / "python") == (site,)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("--target", "there"), "there"),
        (("--prefix", "there"), "there/lib/python3.11/site-packages"),
        (("--root", "there"), "there/usr/lib/python3.11/site-packages"),
        (("--root", "there", "--prefix", "/opt"), "there/opt/lib/python3.11/site-packages"),
    ],
)
def test_options_name_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / place)

    assert places(Path("/usr"), *words) == (tmp_path / place,)
