"""What happens during a run, told to whoever wants to know.

The library prints nothing: it tells a :class:`Reporter`, whose methods do nothing by default. A library user passes
none; the command line passes one that draws progress.
"""

from __future__ import annotations


class Reporter:
    """Override what you care about; every method does nothing by default and may be called from any thread."""

    def note(self, message: str) -> None:
        """Tell something worth knowing that is no fault (a dropped index line, a chosen interpreter)."""

    def warning(self, message: str) -> None:
        """Tell something the user should look at (a hidden newer version, a bad item of evidence beside a good one)."""

    def step(self, message: str) -> None:
        """Tell what is being done now; the next call replaces it."""

    def transfer(self, what: str, done: int, total: int | None) -> None:
        """Tell how many bytes of ``what`` have arrived; ``total`` is None where the server did not say."""

    def transfer_done(self, what: str) -> None:
        """Tell that ``what`` has arrived, or never will."""


SILENT = Reporter()
"""The reporter that keeps quiet."""
