"""Progress and warnings of a run, for anyone who wants them.

The library prints nothing: it calls a :class:`Reporter`, whose methods do nothing by default. A library user
need not pass one; the command line passes one that draws progress.
"""

from __future__ import annotations


class Reporter:
    """Override what you need; every method does nothing by default and may be called from any thread."""

    def note(self, message: str) -> None:
        """Report a fact that is no fault (a dropped index line, a chosen interpreter)."""

    def warning(self, message: str) -> None:
        """Report what the user should look at (a hidden newer version, bad evidence next to good)."""

    def step(self, message: str) -> None:
        """Report what is being done now; the next call replaces it."""

    def transfer(self, what: str, done: int, total: int | None) -> None:
        """Report how many bytes of ``what`` have arrived; ``total`` is None where unknown."""

    def transfer_done(self, what: str) -> None:
        """Report that ``what`` has arrived, or has failed."""


SILENT = Reporter()
"""The reporter that reports nothing."""
