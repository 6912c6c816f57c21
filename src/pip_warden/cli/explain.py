"""``pip-warden explain``: what a code means and what to do."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import layout_of, text_columns
from pip_warden.explain import Explanation, catalogue, explain

_EXITS = {
    0: "a warning",
    1: "refused",
    2: "usage or a faulty trust file",
    3: "could not decide",
    4: "the installer or the delivery failed",
    70: "a bug of ours",
    130: "ended by a signal",
}
_WIDEST_PROSE = 100
"""Columns: longer lines are hard to read."""


@click.command("explain", epilog=examples("pip-warden explain not-pinned"))
@click.argument("code", required=False)
@format_option
@color_option
def command(*, code: str | None, output_format: str) -> None:
    """Explain CODE, or list every code."""
    if output_format == "json":
        from pip_warden.report.document import document

        told = catalogue().values() if code is None else (explain(code),)
        print(document("explain", {"codes": [asdict(entry) for entry in told]}))
        return
    if code is None:
        layout = layout_of(sys.stdout)
        for entry in catalogue().values():
            print("\n".join(layout.line(f"{entry.code:32} {entry.title}", hang=33)))
        return
    print(_text(explain(code)))


def _text(entry: Explanation) -> str:
    layout = layout_of(sys.stdout)
    prose = replace(layout, width=min(_WIDEST_PROSE, text_columns(sys.stdout)))
    where = f"step {entry.step} of the verdict" if entry.step is not None else entry.room
    rest = f"  ({where}; exit code {entry.exit_code}: {_EXITS[entry.exit_code]})"
    lines = [
        *layout.line((entry.code, "strong"), rest),
        *layout.line((entry.title, "strong"), hang=0),
        "",
        *prose.line(entry.meaning, hang=0),
        "",
        *prose.line(f"What to do: {entry.remedy}", hang=0),
    ]
    return "\n".join(lines)
