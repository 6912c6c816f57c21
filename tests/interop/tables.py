"""The generated tables of ``docs/interop.md``: written where `make interop` prints them, and compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from interop.stack.places import STATE

PAGE = Path(__file__).parent.parent.parent / "docs" / "interop.md"


def check_table(name: str, heads: Sequence[str], measured: Sequence[Sequence[str]], *, said: str) -> None:
    """Write a table as measured, and hold the page's between ``NAME:begin`` and ``NAME:end`` against it.

    Args:
        name: Its name.
        heads: The columns; the first two name a row.
        measured: The rows. What is not ``ok`` has the number of its explanation on the page, which is no part
            of what is measured.
        said: What was put out where a cell is not ok, for whoever reads the failure.
    """
    table = [heads, ["---"] * len(heads), *measured]
    text = "".join(f"| {' | '.join(row)} |\n" for row in table)
    (STATE / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    written = page.partition(f"<!-- {name}:begin -->")[2].partition(f"<!-- {name}:end -->")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in written.splitlines()
        if line.startswith("|")
    ]
    notes = set(re.findall(r"^(\d+)\. ", written, re.MULTILINE))
    exceptions = [cell for row in rows[2:] for cell in row[2:] if cell != "ok"]

    assert rows[:1] == [[*heads]]
    assert [[re.sub(r" \(\d+\)$", "", cell) for cell in row] for row in rows[2:]] == measured, said
    assert {re.sub(r"^(no|–) \((\d+)\)$", r"\2", cell) for cell in exceptions} == notes, (
        "each needs its explanation"
    )
