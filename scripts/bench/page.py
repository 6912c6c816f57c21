"""Writes what was measured into ``docs/performance.md``, between its markers, and the drawings beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench.installs import BASE, Case
from bench.large import SIZES
from bench.measure import Taken
from bench.plot import Line, chart
from bench.results import Results, Row, median, spread
from bench.targets import targets

_BLOCK = re.compile(r"(<!-- measured: ([a-z -]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_NOTHING = "Not measured here.\n"
_TOOLS = ("safe-install", "pip", "uv")


def write(page: Path, results: Results) -> None:
    """Write the page anew, and the drawings of what was measured into ``performance/`` beside it."""
    page.write_text(rendered(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, drawing in drawings(results).items():
        (page.parent / "performance" / f"{name}.svg").write_text(drawing, encoding="utf-8")


def rendered(text: str, results: Results) -> str:
    """Return the page's text with every measured block anew.

    Raises:
        SystemExit: A block has a name that nobody fills.
    """

    def block(match: re.Match[str]) -> str:
        if match[2] == "targets":
            return match[1] + targets(results, match[3]) + match[4]
        if match[2] not in _BLOCKS:
            raise SystemExit(f"nothing is measured under the name {match[2]!r}")
        return match[1] + (_BLOCKS[match[2]](results) or _NOTHING) + match[4]

    return _BLOCK.sub(block, text)


def drawings(results: Results) -> dict[str, str]:
    """Return the drawings by name, of what was measured."""
    found = {}
    for name, (title, cases) in _AXES.items():
        rows = {label: row for label, row in _cases(results, cases).items() if _positive(row)}
        if len(rows) > 1:
            found[name] = chart(title, list(rows), _lines(rows))
    large = {size: row for size, row in _large(results).items() if _positive(row)}
    if len(large) > 1:
        found["large"] = chart("One file, 0 ms: wall time", list(large), _lines(large))
    return found


def _lines(rows: Mapping[str, Row]) -> list[Line]:
    names = dict.fromkeys(name for row in rows.values() for name in row.tools if name in _TOOLS)
    return [
        Line(
            name=name,
            points={
                place: (min(taken.wall), median(taken.wall), max(taken.wall))
                for place, row in enumerate(rows.values())
                if (taken := row.tools.get(name)) is not None
            },
        )
        for name in names
    ]


def _positive(row: Row) -> bool:
    return all(taken.wall for name, taken in row.tools.items() if name in _TOOLS)


_AXES: dict[str, tuple[str, dict[str, Case]]] = {
    "packages": (
        "Packages, 40 ms, cold: wall time",
        {str(each): replace(BASE, packages=each) for each in (1, 20, 60, 200)},
    ),
    "round-trip": (
        "Round trip, 20 packages, cold: wall time",
        {f"{each} ms": replace(BASE, milliseconds=each) for each in (0, 40, 150)},
    ),
}


def _cases(results: Results, cases: Mapping[str, Case]) -> dict[str, Row]:
    rows = results.get("install", {})
    return {label: rows[case.name] for label, case in cases.items() if case.name in rows}


def _large(results: Results) -> dict[str, Row]:
    rows = results.get("large", {})
    return {size: rows[size] for size in SIZES if size in rows}


def _machine(results: Results) -> str:
    rows = results.get("machine", {})
    return "".join(
        "; ".join(f"{name} {value}" for name, value in row.facts.items()) + ".\n" for row in rows.values()
    )


def _axis(name: str) -> Callable[[Results], str]:
    def block(results: Results) -> str:
        title, cases = _AXES[name]
        rows = _cases(results, cases)
        shown = f"\n![{title}](performance/{name}.svg)\n" if name in drawings(results) else ""
        return _table(rows) + shown

    return block


def _vault(results: Results) -> str:
    found = [
        *(replace(BASE, vault=vault) for vault in ("cold", "warm", "offline")),
        replace(BASE, packages=1, vault="warm"),
        *(replace(BASE, packages=1, milliseconds=0, vault=vault) for vault in ("cold", "warm")),
        *(replace(BASE, packages=each, vault="warm") for each in (60, 200)),
        replace(BASE, form="detached"),
    ]
    return _table(_cases(results, {case.name: case for case in found}))


def _sized(results: Results) -> str:
    rows = _large(results)
    shown = "\n![One file: wall time](performance/large.svg)\n" if "large" in drawings(results) else ""
    return _table(rows) + shown


def _section(name: str) -> Callable[[Results], str]:
    return lambda results: _table(results.get(name, {}))


def _memory(results: Results) -> str:
    rows = results.get("memory", {})
    lines = [
        f"| {tool}, {name} | {_number(taken.own_mb)} |"
        for name, row in rows.items()
        for tool, taken in row.tools.items()
    ]
    return _lined(["| what | peak memory, MB |", "| --- | --- |"], lines)


def _verdicts(results: Results) -> str:
    rows = results.get("verdicts", {})
    lines = [
        f"| {tool} | {spread([row.facts['files'] / each for each in taken.cpu], places=0)} |"
        for row in rows.values()
        for tool, taken in row.tools.items()
    ]
    return _lined(["| | files per second of CPU time |", "| --- | --- |"], lines)


_HEAD = [
    "| case | | wall, s | CPU, s | MB, all processes | MB, the first | requests | wall, to the first |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]


def _table(rows: Mapping[str, Row]) -> str:
    lines = []
    for name, row in rows.items():
        first = next(iter(row.tools.values()))
        for number, (tool, taken) in enumerate(row.tools.items()):
            lines.append(_line("" if number else name, tool, taken, first))
    return _lined(_HEAD, lines)


def _line(name: str, tool: str, taken: Taken, first: Taken) -> str:
    ratio = f"{median(taken.wall) / median(first.wall):.2f}" if taken.wall and first.wall else "–"
    cells = [
        name,
        tool,
        spread(taken.wall),
        spread(taken.cpu),
        _number(taken.tree_mb),
        _number(taken.own_mb),
        "–" if taken.requests is None else str(taken.requests),
        ratio,
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _lined(head: list[str], lines: Iterable[str]) -> str:
    body = list(lines)
    return "\n".join([*head, *body]) + "\n" if body else ""


_BLOCKS: dict[str, Callable[[Results], str]] = {
    "machine": _machine,
    "packages": _axis("packages"),
    "round trip": _axis("round-trip"),
    "vault and form": _vault,
    "tutorial": _section("tutorial"),
    "large": _sized,
    "sign": _section("sign"),
    "verdicts": _verdicts,
    "start": _section("start"),
    "memory": _memory,
}
