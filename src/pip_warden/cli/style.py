"""How a stream is written to: its colours and its width."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

import click

from pip_warden.cli.color import wants_color
from pip_warden.cli.stream import OutputStream
from pip_warden.report.layout import Layout, Style, plain

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = {"good": "green", "bad": "red", "unknown": "yellow", "quiet": "bright_black"}
_USUAL_WIDTH = 80
_NARROWEST = 20


def console_style(stream: IO[str]) -> Style:
    """Return the style for a stream: with colour, or without."""
    return _coloured if _is_coloured(stream) else plain


def layout_of(stream: IO[str]) -> Layout:
    """Return how text for a stream is laid out."""
    return Layout(width=columns(stream), style=console_style(stream))


def columns(stream: IO[str]) -> int | None:
    """Return the columns of a stream: ``COLUMNS``, else those of its terminal; None for a file or a pipe."""
    named = os.environ.get("COLUMNS", "")
    if named.isascii() and named.isdecimal() and 0 < len(named) < 6 and int(named) > 0:
        return max(_NARROWEST, int(named))
    if not stream.isatty():
        return None
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        found = 0
    return max(_NARROWEST, found or _USUAL_WIDTH)


def text_columns(stream: IO[str]) -> int:
    """Return the columns for prose and framed tables: as :func:`columns`, 80 for a file or a pipe."""
    return columns(stream) or _USUAL_WIDTH


def rich_console(stream: IO[str]) -> Console:
    """Return a rich console for a stream, with our width and colours whatever the environment says."""
    from rich.console import Console

    coloured = _is_coloured(stream)
    return Console(
        file=stream,
        width=text_columns(stream),
        height=25,
        color_system="standard" if coloured else None,
        force_terminal=coloured,
        no_color=not coloured,
        legacy_windows=False,
    )


def print_block(text: str, stream: IO[str] | None = None) -> None:
    """Print lines of ours, on standard output where no stream is named, folded to its width."""
    stream = sys.stdout if stream is None else stream
    for line in layout_of(stream).block(text):
        print(line, file=stream)


def _is_coloured(stream: IO[str]) -> bool:
    if isinstance(stream, OutputStream):
        return stream.is_coloured
    return wants_color("auto", is_terminal=stream.isatty())


def _coloured(text: str, role: str, /) -> str:
    if role == "signer":
        return click.style(text, fg="cyan", bold=True)
    return click.style(text, bold=True) if role == "strong" else click.style(text, fg=_COLOURS[role])
