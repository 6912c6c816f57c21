"""Results: kept as JSON, merged so that a long benchmark can be done in parts, and told in words."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.measure import Taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One case and what each tool took.

    Attributes:
        facts: What the case is, and what was counted.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Taken] = field(default_factory=dict)


Results = dict[str, dict[str, Row]]
"""Rows by section and name."""


def load(path: Path) -> Results:
    """Read results; none where there is no such file."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        section: {
            name: Row(facts=row["facts"], tools={tool: Taken(**each) for tool, each in row["tools"].items()})
            for name, row in rows.items()
        }
        for section, rows in found.items()
    }


def save(path: Path, results: Results) -> None:
    """Write results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {section: {name: asdict(row) for name, row in rows.items()} for section, rows in results.items()}
    # A list of figures on one line each would be nicer; one row on one line is what diffs well.
    lines = [
        f"{json.dumps(section)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        + "\n}"
        for section, rows in plain.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def machine() -> Row:
    """Describe what was measured on, and with."""
    programs = {name: version(name) for name in ("pip-warden", "pip", "uv", "sigstore")}
    return Row(facts={"cores": os.cpu_count(), "python": platform.python_version()} | programs)


def median(figures: list[float]) -> float:
    """Return the median; not a number where there is none."""
    return statistics.median(figures) if figures else float("nan")


def spread(figures: list[float], unit: float = 1, places: int = 2) -> str:
    """Return median and range in words."""
    if not figures:
        return "–"
    low, middle, high = (each(figures) * unit for each in (min, statistics.median, max))
    return f"{middle:,.{places}f} ({low:,.{places}f}–{high:,.{places}f})"


def table(section: Mapping[str, Row]) -> str:
    """Return a section as text for a terminal."""
    width = max(len(name) for row in section.values() for name in row.tools)
    lines = []
    for name, row in section.items():
        lines.append(f"{name}  {row.facts.get('requests', '')}")
        first = next(iter(row.tools.values()))
        for tool, taken in row.tools.items():
            lines.append(
                f"  {tool:{width}}  wall {spread(taken.wall):24} cpu {spread(taken.cpu):24}"
                f" MB {taken.tree_mb or 0:7.1f} own {taken.own_mb or 0:6.1f}"
                f"  first/this: wall {_ratio(first.wall, taken.wall)} cpu {_ratio(first.cpu, taken.cpu)}"
            )
    return "\n".join(lines)


def _ratio(ours: list[float], other: list[float]) -> str:
    return f"{median(ours) / median(other):.2f}" if ours and other and median(other) else "–"
