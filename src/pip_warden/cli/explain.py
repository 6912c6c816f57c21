"""``pip-warden explain``: what a code means and what to do."""

from __future__ import annotations

import sys
import textwrap

import click

from pip_warden.cli.style import console_style
from pip_warden.explain import Explanation, catalogue, explain

_EXITS = {
    1: "refused",
    2: "usage or a faulty trust file",
    3: "could not decide",
    4: "the installer or the delivery failed",
    70: "a bug of ours",
}


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain CODE, or list every code."""
    if code is None:
        for entry in catalogue().values():
            print(f"{entry.code:32} {entry.title}")
        return
    print(_text(explain(code)))


def _text(entry: Explanation) -> str:
    style = console_style(sys.stdout)
    where = f"step {entry.step} of the verdict" if entry.step is not None else entry.room
    parts = [
        f"{style(entry.code, 'strong')}  ({where}; exit code {entry.exit_code}: {_EXITS[entry.exit_code]})",
        style(entry.title, "strong"),
        "",
        textwrap.fill(entry.meaning, 100),
        "",
        textwrap.fill(f"What to do: {entry.remedy}", 100, break_on_hyphens=False),
    ]
    return "\n".join(parts)
