"""Colour, for a terminal that wants it."""

from __future__ import annotations

import os
from typing import IO

import click

from pip_warden.report.text import Style, plain

_COLOURS = {"good": "green", "bad": "red", "unknown": "yellow", "quiet": "bright_black"}


def console_style(stream: IO[str]) -> Style:
    """Return the style for a stream: colour for a terminal, none for a file, a pipe or NO_COLOR (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return plain
    if os.environ.get("FORCE_COLOR") or stream.isatty():
        return _coloured
    return plain


def _coloured(text: str, role: str, /) -> str:
    return click.style(text, bold=True) if role == "strong" else click.style(text, fg=_COLOURS[role])
