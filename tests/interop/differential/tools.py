"""The tools that read archives: pip and installer in a forking process, uv and tar; and a target Python."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import archives

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
DEPENDENCIES = tuple(f"dep-{letter}" for letter in "abcdefgh")
"""Projects that a mutant may depend on: the whole index."""
_UV = Path(sys.executable).parent / "uv"
_LONGEST_WAIT = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool.

    Attributes:
        code: Its exit code; negative for a signal.
        said: The end of its output.
    """

    code: int
    said: str


class Tools:
    """The tools; all of them see only the index, and nothing of an earlier run."""

    def __init__(self, place: Path, process: subprocess.Popen[str]) -> None:
        self.python = place / "python" / "bin" / "python"
        self.index = place / "index"
        self._place = place
        self._process = process

    def ask(self, *question: str | Path) -> Answer:
        """Send a question to `asked`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(part) for part in question]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Answer(answer["code"], answer["said"])

    def pip(self, *arguments: str | Path, dump: Path | None = None) -> Answer:
        """Run ``pip install``; a backend of ours writes the tree it sees to ``dump``."""
        where = ("--no-index", "--find-links", self.index, "--ignore-installed", "--no-compile")
        return self.ask("pip", dump or "", "install", *where, "--no-warn-script-location", *arguments)

    def uv(self, *arguments: str | Path, dump: Path | None = None) -> Answer:
        """Run ``uv pip install``; a backend of ours writes the tree it sees to ``dump``."""
        where = ("--no-index", "--find-links", self.index, "--python", self.python, "--link-mode", "copy")
        alone = ("--offline", "--no-config", "--cache-dir", self._place / "uv")
        return self._run(_UV, "pip", "install", *where, *alone, *arguments, DIFFERENTIAL_DUMP=str(dump or ""))

    def tar(self, archive: Path, into: Path) -> Answer:
        """Unpack with GNU tar."""
        return self._run("tar", "-x", "-z", "-f", archive, "-C", into, "--no-same-owner")

    def _run(self, *command: str | Path, **variables: str) -> Answer:
        ran = subprocess.run(
            command,
            env=_environment(self._place) | variables,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_WAIT,
            check=False,
        )
        return Answer(ran.returncode, ran.stdout + ran.stderr)


@contextmanager
def tools(place: Path) -> Iterator[Tools]:
    """Start the tools, in a directory of their own."""
    for name in ("index", "tmp", "site"):
        (place / name).mkdir(parents=True)
    for name in DEPENDENCIES:
        _put_dependency(place / "index", name)
    _make_python(place / "python")
    with subprocess.Popen(
        [place / "python" / "bin" / "python", "-c", _program(place / "site")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(place) | {"PATH": ""},  # pip runs a few programs only to name them in a header
    ) as process:
        try:
            yield Tools(place, process)
        finally:
            process.kill()


def _environment(place: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(place),
        "TMPDIR": str(place / "tmp"),
        "LANG": "C.UTF-8",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_NO_COLOR": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_SOURCES": "1",
    }


def _program(site: Path) -> str:
    """Return the program to run: with our own pip and installer, and nothing else of our environment.

    Pip inspects every installed distribution.
    """
    for name in ("pip", "installer"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        (site / name).symlink_to(Path(found.origin).parent)
    script = Path(__file__).with_name("asked.py")
    return (
        f"import sys, runpy; sys.path.append({str(site)!r}); "
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )


def _make_python(place: Path) -> None:
    """Make a virtual environment with separate purelib and platlib, as on Fedora, to tell them apart."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(place)
    two = place / "lib" / PYTHON / "site-packages" / "two.pth"
    two.write_text("import sys; sys.platlibdir = 'lib64'\n", encoding="utf-8")


def _put_dependency(index: Path, name: str) -> None:
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files = {"acme/__init__.py": None, f"{module}.py": "", f"{info}/METADATA": metadata}
    (index / f"{module}-1.0-py3-none-any.whl").write_bytes(archives.wheel(files, info=info))
