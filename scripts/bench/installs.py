"""Installing a tree of packages: one axis at a time around the base case."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bench import tools
from bench.measure import Tool, in_turn, run_once
from bench.results import Row
from bench.world import Form, Release, World

Vault = Literal["cold", "warm", "offline"]


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
    packages = (1, 20) if quick else (1, 20, 60, 200)
    found = [BASE]
    found += [replace(BASE, packages=each, vault=vault) for each in packages for vault in ("cold", "warm")]
    found += [replace(BASE, packages=1, milliseconds=0, vault=vault) for vault in ("cold", "warm")]
    found += [replace(BASE, milliseconds=each) for each in ((0,) if quick else (0, 150))]
    found += [replace(BASE, vault="offline"), replace(BASE, form="detached")]
    return tuple(dict.fromkeys(found))


def measure(
    world: World, cases: tuple[Case, ...], *, repeat: int, beside: tuple[str, ...], before: Path | None
) -> Iterator[tuple[str, Row]]:
    """Yield the rows.

    Args:
        world: Where from.
        cases: The cases.
        repeat: How often each tool is measured.
        beside: What else is measured: ``pip``, ``uv``.
        before: Another work tree, whose safe-install is measured too.
    """
    releases: dict[tuple[int, Form], Release] = {}
    for case in cases:
        key = (case.packages, case.form)
        if key not in releases:
            releases[key] = world.release(case.packages, form=case.form)
        with tempfile.TemporaryDirectory(prefix="bench-kept-") as kept:
            # Caches are filled from nearby.
            world.ask("delay", seconds=0)
            found = _tools(world, releases[key], case, beside, Path(kept), before)
            world.ask("delay", seconds=case.milliseconds / 1000)
            yield case.name, Row(facts=_facts(world, case, found), tools=in_turn(found, repeat=repeat))


def _tools(
    world: World, release: Release, case: Case, beside: tuple[str, ...], kept: Path, before: Path | None
) -> dict[str, Tool]:
    options = ("--offline",) if case.vault == "offline" else ()
    found: dict[str, Tool] = {}
    for name, tree in (("safe-install", None), ("safe-install before", before)):
        if name == "safe-install" or tree is not None:
            vault = None if case.vault == "cold" else kept / name
            if vault is not None:
                run_once(tools.safe_install(world, release, vault=vault, tree=tree))
            found[name] = tools.safe_install(world, release, *options, vault=vault, tree=tree)
    if "pip" in beside:
        found["pip"] = tools.pip(release)
        if case.vault == "warm":
            run_once(tools.pip(release, cache=kept / "pip"))
            found["pip, its cache warm"] = tools.pip(release, cache=kept / "pip")
    if "uv" in beside and case.vault == "cold":
        found["uv"] = tools.uv(release)
    return found


def _facts(world: World, case: Case, found: dict[str, Tool]) -> dict[str, Any]:
    """Return the case, and how many requests each tool makes for it."""
    asked = {}
    for name, tool in found.items():
        world.ask("asked")
        run_once(tool)
        asked[name] = sum(world.ask("asked").values())
    return asdict(case) | {"requests": asked}
