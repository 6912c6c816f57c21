"""What this repository locks, pinned, installed and moved: ``python -m interop.real_project``.

The targets of the Makefile are run as they are, in a copy of ``locked/``. The index is the one that pip is
configured for. Run as a program it says how long that took and how many lines changed, for
``docs/whole-project.md``.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from interop.pip_index import pip_index

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "locked" / "requirements.txt"
KEPT = ROOT / "locked" / "pytrust.toml"
OLDER = Path(__file__).with_name("older.txt")
_LINE = re.compile(r"^([a-z0-9-]+==[^\\#]+)")
_VERSIONS = """
import json
from importlib.metadata import distributions
print(json.dumps({found.metadata["Name"]: found.version for found in distributions()}))
"""


class RealProjectError(Exception):
    """A command ended otherwise than it should."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RealProject:
    """A copy of ``locked/``, at first without the trust file.

    Attributes:
        directory: Where it is, and all that is made.
    """

    directory: Path

    @property
    def lock(self) -> Path:
        """Return the lock's path."""
        return self.directory / "requirements.txt"

    @property
    def trust(self) -> Path:
        """Return the trust file's path."""
        return self.directory / "pytrust.toml"

    def make(self, target: str) -> str:
        """Run a target of the Makefile; return what it says.

        The environment is known to be made: it runs this very program.

        Raises:
            RealProjectError: It fails.
        """
        environment = Path(sys.prefix)
        assumed = ["-o", str(environment / ".ready"), f"VENV={environment}"]
        return self._run("make", "-C", str(ROOT), *assumed, target, f"LOCKED={self.directory}")

    def install(self) -> list[dict[str, Any]]:
        """Install all of the lock into an environment of its own, with a cache of its own; return the files.

        Raises:
            RealProjectError: It fails.
        """
        where = ["--python", str(self._fresh("venv")), "--cache-dir", str(self.directory / "cache")]
        what = ["-r", str(self.lock), "--trust", str(self.trust), "--format", "json"]
        said = self._run(str(Path(sys.executable).with_name("safe-install")), *where, *what, mirrored=True)
        files: list[dict[str, Any]] = json.loads(said)["files"]
        return files

    def install_with_pip(self) -> None:
        """Do the same with pip alone, for comparison.

        Raises:
            RealProjectError: It fails.
        """
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self._fresh("plain")),
            "install",
            "--no-cache-dir",
        ]
        self._run(*pip, "-r", str(self.lock))

    def installed(self) -> dict[str, str]:
        """Return the version of every distribution that is installed, by normalised name."""
        said = self._run(str(self.directory / "venv" / "bin" / "python"), "-c", _VERSIONS)
        return {canonicalize_name(name): version for name, version in json.loads(said).items()}

    def check_installed(self) -> None:
        """Have pip say that nothing is missing and nothing contradicts.

        Raises:
            RealProjectError: Something is.
        """
        self._run(str(self.directory / "venv" / "bin" / "python"), "-m", "pip", "check")

    def _fresh(self, name: str) -> Path:
        self._run(sys.executable, "-m", "venv", "--without-pip", str(self.directory / name))
        return self.directory / name

    def _run(self, *command: str, mirrored: bool = False) -> str:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PIP_WARDEN_"))}
        if mirrored:
            environ["PIP_WARDEN_MIRROR_PYPI"] = pip_index() or ""
        done = subprocess.run(
            command, cwd=self.directory, env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RealProjectError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


def entries(text: str) -> dict[str, str]:
    """Return the entries of a lock, by the name that each begins with; what comes before is ``""``."""
    return {
        part.partition("==")[0] if _LINE.match(part) else "": part
        for part in re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)
    }


def older_lock() -> str:
    """Return the lock, with older releases of three packages."""
    older = {name: text for name, text in entries(OLDER.read_text(encoding="utf-8")).items() if name}
    lock = re.split(r"^(?=[a-z0-9-]+==)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "".join(older.get(part.partition("==")[0], part) for part in lock)


def hashes(text: str) -> int:
    """Return how many files an entry of a lock names."""
    return text.count("--hash=")


def here() -> dict[str, str]:
    """Return the locked versions that this Python and platform need, by name."""
    lines = filter(None, map(_LINE.match, LOCK.read_text(encoding="utf-8").splitlines()))
    wanted = [Requirement(line[1].strip()) for line in lines]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in wanted
        if each.marker is None or each.marker.evaluate()
    }


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that are taken out and those that are put in, as a diff shows them."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    out, into = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
    return out, into


def main() -> int:
    """Do it all once, and print a table."""
    with tempfile.TemporaryDirectory() as directory:
        project = RealProject(directory=Path(directory))
        project.lock.write_bytes(LOCK.read_bytes())
        print("| | seconds | lines of the trust file |\n| --- | --- | --- |")
        began = time.monotonic()

        def row(what: str, lines: str) -> None:
            nonlocal began
            print(f"| {what} | {time.monotonic() - began:.1f} | {lines} |", flush=True)
            began = time.monotonic()

        project.make("trust-sync")
        synced = project.trust.read_text(encoding="utf-8")
        row("`make trust-sync`, from nothing", f"{len(synced.splitlines())} new")
        project.make("trust-sync")
        row("the same again", "none")
        row(f"`safe-install` of all, {len(project.install())} packages, nothing cached", "none")
        project.install_with_pip()
        row("pip alone, nothing cached", "–")
        project.lock.write_text(older_lock(), encoding="utf-8")
        project.make("trust-update")
        older = project.trust.read_text(encoding="utf-8")
        project.lock.write_bytes(LOCK.read_bytes())
        began = time.monotonic()
        project.make("trust-update")
        out, into = changed(older, project.trust.read_text(encoding="utf-8"))
        row("`make trust-update`, three bumped", f"{len(out)} out, {len(into)} in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
