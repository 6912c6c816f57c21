"""The person at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any, Self

import click

from pip_warden.cli.output import Console
from pip_warden.cli.outputs import Reports
from pip_warden.cli.style import print_block
from pip_warden.errors import RefusedError, UsageError
from pip_warden.first_use.task import Prompt


class TerminalPrompt(Console, Prompt):
    """Shows what was seen on stdout, and asks on stderr; quiet shows only what it asks about.

    Attributes:
        is_data: Whether stdout is for data alone, so that everything else goes to stderr.
        warnings: What was warned of.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.is_data = False
        self.warnings: list[str] = []
        self._unshown: list[str] = []

    @classmethod
    def of(cls, options: Mapping[str, Any], *, live: bool = True) -> Self:
        """Read the values of the options of a connection, and of the format if there is one."""
        person = super().of(options, live=live)
        reports: Reports | None = options.get("reports")
        person.is_data = options.get("output_format") == "json" or not (reports is None or reports.is_text)
        return person

    @property
    def shown_on(self) -> IO[str]:
        """Return where findings are shown."""
        return sys.stderr if self.is_data else sys.stdout

    def warning(self, message: str) -> None:
        """Print a warning, and keep it."""
        self.warnings.append(message)
        super().warning(message)

    def show(self, text: str) -> None:
        """Print it; quiet keeps it until there is a question."""
        if self.quiet:
            self._unshown.append(text)
        else:
            print_block(text, self.shown_on)

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
            print_block(self._unshown.pop(0), self.shown_on)
        if not click.confirm(question, err=True):
            raise RefusedError("declined", "expected a yes, found a no; the trust file is unchanged")
