"""Bring every foreign program that `tools.toml` names into the cache, once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from interop.stack.places import BIN, CACHE, FILES

TOOLS = tomllib.loads(Path(__file__).with_name("tools.toml").read_text(encoding="utf-8"))


class MissingError(Exception):
    """Something is needed that this cannot bring."""


def install() -> None:
    """Install what is missing or of another version.

    Raises:
        MissingError: There is no Go, npm, or root to install a Debian package as; or one of them failed.
    """
    BIN.mkdir(parents=True, exist_ok=True)
    FILES.mkdir(parents=True, exist_ok=True)
    for name, package in TOOLS["go"].items():
        if built_from(BIN / name) != package:
            _build(name, package)
    for name, source in TOOLS["files"].items():
        if not (FILES / name).exists():
            _copy(name, source)
    _npm({package: version for package, version in TOOLS["npm"].items() if _npm_version(package) != version})
    _debian({package for program, package in TOOLS["debian"].items() if found(program) is None})


def found(program: str) -> str | None:
    """Return where a program of the system is; Debian keeps servers off an ordinary user's PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def built_from(binary: Path) -> str | None:
    """Return the package and version that a Go binary says it was built from."""
    if not binary.exists():
        return None
    said = _output("go", "version", "-m", str(binary)).split("\n")
    words = [line.split() for line in said[1:]]
    path = next((word[1] for word in words if word[:1] == ["path"]), "")
    version = next((word[2] for word in words if word[:1] == ["mod"]), "")
    return f"{path}@{version}"


def _build(name: str, package: str) -> None:
    began = time.monotonic()
    print(f"building {name} from {package}", file=sys.stderr, flush=True)
    into = CACHE / "building"
    _run("go", "install", package, environment={"GOBIN": str(into)})
    (made,) = into.iterdir()
    made.replace(BIN / name)
    print(f"  took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _copy(name: str, source: str) -> None:
    module, _, rest = source.partition("@")
    version, _, path = rest.partition("/")
    said = json.loads(_output("go", "mod", "download", "-json", f"{module}@{version}"))
    (FILES / name).write_bytes((Path(said["Dir"]) / path).read_bytes())


def _npm_version(package: str) -> str | None:
    try:
        text = (CACHE / "node_modules" / package / "package.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    version = json.loads(text)["version"]
    return str(version)


def _npm(wanted: dict[str, str]) -> None:
    if wanted:
        words = [f"{package}@{version}" for package, version in wanted.items()]
        print(f"installing {', '.join(words)}", file=sys.stderr, flush=True)
        _run("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(CACHE), *words)


def _debian(packages: set[str]) -> None:
    if not packages:
        return
    words = sorted(packages)
    if os.geteuid() != 0:
        raise MissingError(f"as root: apt-get install {' '.join(words)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "update", "-qq", environment=quiet)
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *words, environment=quiet)


def _run(*words: str, environment: dict[str, str] | None = None) -> None:
    _output(*words, environment=environment)


def _output(*words: str, environment: dict[str, str] | None = None) -> str:
    try:
        result = subprocess.run(
            words,
            env=os.environ | (environment or {}),
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as err:
        raise MissingError(f"{words[0]} is needed and is not on PATH") from err
    if result.returncode:
        raise MissingError(f"{' '.join(words)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout
