"""Installing a tree of packages: one axis at a time around the base case."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from bench import tools
from bench.measure import Tool, in_turn, run_once
from bench.results import Row
from bench.world import Form, Release, World

Vault = Literal["cold", "warm", "offline"]

WITH_UV = "safe-install --installer uv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is installed, and how far away it is.

    Attributes:
        milliseconds: The round trip.
    """

    packages: int = 20
    milliseconds: int = 40
    vault: Vault = "cold"
    form: Form = "bundle"

    @property
    def name(self) -> str:
        """Return it in words."""
        many = f"{self.packages} package{'s' * (self.packages != 1)}"
        return f"{many}, {self.milliseconds} ms, {self.vault}, {self.form}"


BASE = Case()


def axes(*, quick: bool = False) -> tuple[Case, ...]:
    """Return the cases, the base case first and each once."""
    packages = (20,) if quick else (1, 20, 60, 200)
    found = [BASE]
    found += [replace(BASE, packages=each, vault=vault) for each in packages for vault in ("cold", "warm")]
    found += [replace(BASE, packages=1, milliseconds=0, vault=vault) for vault in ("cold", "warm")]
    found += [replace(BASE, milliseconds=each) for each in ((0,) if quick else (0, 150))]
    found += [replace(BASE, vault="offline"), replace(BASE, form="detached")]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What is measured beside safe-install.

    Attributes:
        tools: Of ``pip`` and ``uv``.
        before: Another work tree, whose safe-install is measured too.
    """

    tools: tuple[str, ...] = ("pip", "uv")
    before: Path | None = None


def measure(
    world: World, cases: tuple[Case, ...], *, repeat: int, beside: Beside
) -> Iterator[tuple[str, Row]]:
    """Yield a row for each case; each tool is measured ``repeat`` times."""
    releases: dict[tuple[int, Form], Release] = {}
    for case in cases:
        key = (case.packages, case.form)
        if key not in releases:
            releases[key] = world.release(case.packages, form=case.form)
        with tempfile.TemporaryDirectory(prefix="bench-kept-") as kept:
            # Caches are filled from nearby.
            world.ask("delay", seconds=0)
            found = _tools(world, releases[key], case, beside, Path(kept))
            world.ask("delay", seconds=case.milliseconds / 1000)
            yield case.name, Row(facts=asdict(case), tools=in_turn(found, repeat=repeat, asked=world.asked))


def _tools(world: World, release: Release, case: Case, beside: Beside, kept: Path) -> dict[str, Tool]:
    options = ("--offline",) if case.vault == "offline" else ()
    found: dict[str, Tool] = {}
    for name, tree in (("safe-install", None), ("safe-install before", beside.before)):
        if name == "safe-install" or tree is not None:
            vault = None if case.vault == "cold" else kept / name
            if vault is not None:
                run_once(tools.safe_install(world, release, vault=vault, tree=tree))
            found[name] = tools.safe_install(world, release, *options, vault=vault, tree=tree)
    if "pip" in beside.tools:
        found["pip"] = tools.pip(release)
        if case == replace(BASE, vault="warm"):
            run_once(tools.pip(release, cache=kept / "pip"))
            found["pip, its cache warm"] = tools.pip(release, cache=kept / "pip")
    if "uv" in beside.tools and case.vault == "cold":
        found["uv"] = tools.uv(release)
        found[WITH_UV] = tools.safe_install(world, release, *options, "--installer", "uv")
    return found
