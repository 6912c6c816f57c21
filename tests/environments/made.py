"""Wheels of every shape, and environments that real installers make of them."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

import archives
from pip_warden.digests import digest_of_file
from pip_warden.environments.model import AcceptedArchive
from pip_warden.names import parse_artifact_name

INFO = archives.INFO
DATA = INFO.replace(".dist-info", ".data")
POINTS = (
    "[console_scripts]\nacme = acme.cli:main\nacme-x = acme:Cli.run [x]\n\n[gui_scripts]\nacme-g = acme:gui\n"
)
FILES: dict[str, str | bytes | None] = {
    f"{INFO}/entry_points.txt": POINTS,
    "acme/cli.py": "def main():\n    pass\n",
    "acme/data.txt": "a\r\nb\n",
    "acme_one.py": "ONE = 1\n",
    f"{DATA}/scripts/acme-sh": "#!/bin/sh\necho hi\n",
    f"{DATA}/scripts/acme-py": "#!python\nprint(1)\n",
    f"{DATA}/scripts/acme-pyw": "#!pythonw -u\r\nprint(1)\r\n",
    f"{DATA}/data/share/acme/x.txt": "x",
    f"{DATA}/headers/acme.h": "h",
    f"{DATA}/purelib/acme_pure.py": "PURE = 1\n",
    f"{DATA}/platlib/acme_plat.py": "PLAT = 2\n",
}


def archive(
    directory: Path, content: bytes | None = None, name: str = archives.WHEEL_NAME
) -> AcceptedArchive:
    """Write an accepted archive."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_bytes(archives.wheel(FILES) if content is None else content)
    return AcceptedArchive(name=parse_artifact_name(name), digest=digest_of_file(path), path=path)


def venv(place: Path) -> Path:
    """Make a virtual environment without anything installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


def by_pip(place: Path | None, wheel: Path, *options: str | Path) -> None:
    """Install by pip."""
    python: list[str | Path] = ["--python", place / "bin" / "python"] if place else []
    command: list[str | Path] = [sys.executable, "-m", "pip", "--isolated", *python, "install", *options]
    subprocess.run([*command, "--quiet", "--no-index", "--no-deps", wheel], check=True)


def by_uv(place: Path | None, wheel: Path, *options: str | Path) -> None:
    """Install by uv."""
    python = place / "bin" / "python" if place else sys.executable
    uv = Path(sysconfig.get_path("scripts"), "uv")
    command = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--no-config",
        "--no-index",
        "--offline",
        "--no-cache",
        *options,
    ]
    subprocess.run([*command, "--compile-bytecode", "--python", python, wheel], check=True)


def by_installer(place: Path, wheel: Path) -> None:
    """Install as poetry does: by the library ``installer``."""
    base = str(place)
    paths = sysconfig.get_paths(scheme="venv", vars={"base": base, "platbase": base})
    paths["headers"] = f"{base}/include/site/python{sysconfig.get_python_version()}/acme-widgets"
    destination = SchemeDictionaryDestination(paths, f"{base}/bin/python", "posix")
    with WheelFile.open(wheel) as source:
        install(source, destination, {"INSTALLER": b"Poetry 2.5.1"})


INSTALLERS: dict[str, Callable[[Path, Path], None]] = {"pip": by_pip, "uv": by_uv, "installer": by_installer}


def site_of(place: Path) -> Path:
    """Return the directory of packages of an environment."""
    return place / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
