"""The person at the terminal."""

from __future__ import annotations

import sys
from typing import Any

import click

from pip_warden.cli.output import Console
from pip_warden.cli.style import print_block
from pip_warden.errors import RefusedError, UsageError
from pip_warden.first_use.task import Prompt


class TerminalPrompt(Console, Prompt):
    """Shows what was seen on stdout, and asks on stderr; quiet shows only what it asks about."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._unshown: list[str] = []

    def show(self, text: str) -> None:
        """Print it; quiet keeps it until there is a question."""
        if self.quiet:
            self._unshown.append(text)
        else:
            print_block(text)

    def confirm(self, question: str) -> None:
        """Go on only after a yes.

        Raises:
            UsageError: ``yes-needed``.
            RefusedError: ``declined``.
        """
        if not sys.stdin.isatty():
            raise UsageError(
                "yes-needed",
                "expected a yes, found no terminal to ask at",
                hint="--yes pins without asking, if nothing speaks against it.",
            )
        while self._unshown:
            print_block(self._unshown.pop(0))
        if not click.confirm(question, err=True):
            raise RefusedError("declined", "expected a yes, found a no; the trust file is unchanged")
