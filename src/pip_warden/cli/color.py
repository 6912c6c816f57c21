"""Whether there is colour: one answer for every command and every stream.

``--color`` (or pip's ``--no-color``) decides; else the variables that programs agree on, in this order:
``NO_COLOR`` (no-color.org), ``FORCE_COLOR`` (force-color.org), ``CLICOLOR_FORCE`` and ``CLICOLOR``
(bixense.com/clicolors); else whether the stream is a terminal that can show it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import click

CHOICES = ("auto", "always", "never")

color_option = click.option(
    "--color",
    type=click.Choice(CHOICES),
    expose_value=False,
    help="Colour the output; by default (auto) on a terminal.",
)
"""Declares ``--color``; :func:`asked_color` reads it, since errors in other options are coloured too."""


def asked_color(words: Sequence[str]) -> str:
    """Return what the last such argument asks for, ``auto`` by default, also when they cannot be parsed."""
    asked = "auto"
    for word, after in itertools.pairwise((*words, "")):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name == "--color" and (found := value if equals else after) in CHOICES:
            asked = found
        elif word == "--no-color":
            asked = "never"
    return asked


def wants_color(asked: str, *, is_terminal: bool) -> bool:
    """Return whether a stream is coloured.

    Args:
        asked: ``auto``, ``always`` or ``never``.
        is_terminal: Whether the stream is a terminal.
    """
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if os.environ.get("CLICOLOR") == "0" or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal
