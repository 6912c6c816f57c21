"""What is measured: our commands, and what people run instead."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.measure import Command, Tool
from bench.world import Release, World

BIN = Path(sys.executable).parent
_OF_A_TREE = (
    "import sys; sys.path.insert(0, {source!r}); "
    "from pip_warden.cli import safe_install_main; safe_install_main()"
)


def environment(place: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user who has nothing set and whose home is ``place``.

    PATH is a new user's too: pip runs the ``rustc`` that it finds, to say so in its user agent.
    """
    return {
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place),
        "PIP_CONFIG_FILE": os.devnull,
        "TMPDIR": str(place),
        "NO_COLOR": "1",
    } | more


def safe_install(
    world: World, release: Release, *options: str, vault: Path | None = None, tree: Path | None = None
) -> Tool:
    """Install a release through the gate.

    Args:
        world: Where from.
        release: What.
        options: Further options.
        vault: The cache; an empty one by default.
        tree: Another work tree whose program to run, in this environment.
    """
    program = (
        (str(BIN / "safe-install"),)
        if tree is None
        else (sys.executable, "-c", _OF_A_TREE.format(source=str(tree.resolve() / "src")))
    )

    def make(place: Path) -> Command:
        cache = str(vault or place / "vault")
        where = () if "--download" in options else ("--target", str(place / "target"))
        words = (*program, "--trust", release.trust_file, "--cache-dir", cache, *where, *options)
        names = release.names if "--no-deps" in options else (release.root,)
        return Command(
            words=(*words, *names), environment=environment(place, **world.environment()), directory=place
        )

    return make


def pip(release: Release, *, cache: Path | None = None) -> Tool:
    """Install a release with plain pip, without a cache unless one is given."""
    kept = ("--no-cache-dir",) if cache is None else ("--cache-dir", str(cache))

    def make(place: Path) -> Command:
        words = (
            sys.executable,
            "-m",
            "pip",
            "install",
            "--isolated",
            *kept,
            "--target",
            str(place / "target"),
        )
        index = ("--index-url", release.index, "--disable-pip-version-check")
        return Command(words=(*words, *index, release.root), environment=environment(place), directory=place)

    return make


def uv(release: Release) -> Tool:
    """Install a release with uv, without a cache."""

    def make(place: Path) -> Command:
        words = (str(BIN / "uv"), "pip", "install", "--no-cache", "--no-config", "--python", sys.executable)
        where = ("--target", str(place / "target"), "--index-url", release.index, release.root)
        return Command(words=(*words, *where), environment=environment(place), directory=place)

    return make


def command(*words: str, variables: Mapping[str, str] | None = None) -> Tool:
    """Run a command that needs nothing but an empty directory."""
    return lambda place: Command(
        words=words, environment=environment(place, **(variables or {})), directory=place
    )
