"""The targets, and what was reached; what bounds it is written by hand and stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bench.installs import BASE, WITH_UV, Case, Vault
from bench.results import Results, Row, median

Reached = Callable[[Results], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A target: what must not be exceeded, or (``least``) what must be reached.

    Attributes:
        reached: What was measured; None where it was not.
        unit: What follows the figures.
    """

    work: str
    limit: float
    reached: Reached
    least: bool = False
    unit: str = ""


def targets(results: Results, before: str) -> str:
    """Return the table.

    Args:
        results: What was measured.
        before: The table as it stands, whose last column is kept.
    """
    kept = _last_column(before)
    lines = ["| work | target | reached | | what bounds it |", "| --- | --- | --- | --- | --- |"]
    for target in _TARGETS:
        value = target.reached(results)
        said = "–" if value is None else f"{value:.{0 if target.unit else 2}f}{target.unit}"
        sign = "≥" if target.least else "≤"
        met = "" if value is None else "met" if _met(target, value) else "**missed**"
        limit = f"{sign} {target.limit:g}{target.unit}"
        lines.append(f"| {target.work} | {limit} | {said} | {met} | {kept.get(target.work, '')} |")
    return "\n".join(lines) + "\n"


def _met(target: Target, value: float) -> bool:
    return value >= target.limit if target.least else value <= target.limit


def _last_column(table: str) -> dict[str, str]:
    rows = [line.strip().removeprefix("|").removesuffix("|").split("|", 4) for line in table.splitlines()]
    return {cells[0].strip(): cells[-1].strip() for cells in rows[2:] if len(cells) == 5}


def _ratio(row: Row | None, ours: str, other: str, cost: Literal["wall", "cpu"] = "wall") -> float | None:
    if row is None or not {ours, other} <= row.tools.keys():
        return None
    mine, theirs = (median(getattr(row.tools[name], cost)) for name in (ours, other))
    return mine / theirs if theirs else None


def _installed(case: Case, cost: Literal["wall", "cpu"] = "wall") -> Reached:
    return lambda results: _ratio(results.get("install", {}).get(case.name), "safe-install", "pip", cost)


def _of(section: str, name: str, ours: str, other: str) -> Reached:
    return lambda results: _ratio(results.get(section, {}).get(name), ours, other)


def _own(section: str, name: str) -> Reached:
    def reached(results: Results) -> float | None:
        row = results.get(section, {}).get(name)
        taken = row.tools.get("safe-install") if row is not None else None
        return taken.own_mb if taken is not None else None

    return reached


def _rate(results: Results) -> float | None:
    """Return the ratio of verdicts per second, which is that of the times turned round."""
    rows: Mapping[str, Row] = results.get("verdicts", {})
    return next((_ratio(row, "sigstore-python", "pip-warden", "cpu") for row in rows.values()), None)


def _both(work: str, case: Case, limits: tuple[float, float]) -> Iterable[Target]:
    vaults: tuple[Vault, Vault] = ("cold", "warm")
    for vault, limit in zip(vaults, limits, strict=True):
        yield Target(work=f"{work}, {vault}", limit=limit, reached=_installed(replace(case, vault=vault)))


_ONE, _SIXTY, _MOST = (
    replace(BASE, packages=1, milliseconds=0),
    replace(BASE, packages=60),
    replace(BASE, packages=200),
)
_SHELL, _LIBRARY = "the tutorial's shell", "sigstore sign"
_ROW = f"{BASE.packages} packages, wheel and sdist"

_TARGETS = (
    *_both("60 packages, 40 ms: wall, to pip's", _SIXTY, (0.5, 0.4)),
    Target(
        work="60 packages, 40 ms, with uv: wall, to pip's, cold",
        limit=0.5,
        reached=_of("install", _SIXTY.name, WITH_UV, "pip"),
    ),
    Target(
        work="60 packages, 40 ms, with uv: wall, to uv's, cold",
        limit=2,
        reached=_of("install", _SIXTY.name, WITH_UV, "uv"),
    ),
    *_both("20 packages, 40 ms: wall, to pip's", BASE, (0.75, 0.6)),
    *_both("1 package, 0 ms: wall, to pip's", _ONE, (1.6, 1.6)),
    Target(work="20 packages: CPU, to pip's, cold", limit=1.8, reached=_installed(BASE, "cpu")),
    Target(
        work="20 packages: CPU, to pip's, warm",
        limit=1.8,
        reached=_installed(replace(BASE, vault="warm"), "cpu"),
    ),
    Target(
        work="20 packages, 40 ms: wall, to the tutorial's shell",
        limit=0.1,
        reached=_of("tutorial", _ROW, "safe-install", _SHELL),
    ),
    Target(
        work="the same, sdists too and without installing",
        limit=0.1,
        reached=_of("tutorial", _ROW, "safe-install --download", _SHELL),
    ),
    Target(
        work="verdicts per second, to the sigstore library's `verify_artifact`",
        limit=0.85,
        least=True,
        reached=_rate,
    ),
    Target(
        work="peak memory of our process: 200 packages",
        limit=110,
        unit=" MB",
        reached=_own("install", _MOST.name),
    ),
    Target(work="peak memory of our process: 4 GB", limit=110, unit=" MB", reached=_own("large", "4 GB")),
    Target(
        work="one wheel of 1 GB, 0 ms: wall, to pip's",
        limit=1.15,
        reached=_of("large", "1 GB", "safe-install", "pip"),
    ),
    *(
        Target(
            work=f"`sign` of 50 files, Rekor {log}: wall, to `sigstore sign`",
            limit=1.2,
            reached=_of("sign", f"50 files, Rekor {log}", "pip-warden sign", _LIBRARY),
        )
        for log in ("v1", "v2")
    ),
)
