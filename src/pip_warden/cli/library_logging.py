"""What libraries log or warn of: escaped, or not shown. What matters we print ourselves, with a code."""

from __future__ import annotations

import logging
import sys
import threading
import warnings

from pip_warden.display import escape_line


def configure_logging(words: list[str]) -> None:
    """Let nothing of a library's reach the terminal unescaped. Called once, at the start of the process.

    With ``--debug`` what libraries log is shown; ``python -W`` shows what they warn of.

    Args:
        words: The arguments.
    """
    if sys.warnoptions:
        logging.captureWarnings(True)
    else:
        warnings.simplefilter("ignore")
    # A handler at the root, so that the last resort of logging, which prints as it comes, is never taken.
    logging.getLogger().addHandler(_Escaping(show_all="--debug" in words))
    threading.excepthook = _thread_failed
    sys.unraisablehook = _never_raised


class _Escaping(logging.Handler):
    """Shows warnings and worse, each line escaped."""

    def __init__(self, *, show_all: bool) -> None:
        super().__init__(logging.WARNING)
        self._show_all = show_all

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or keep it quiet."""
        if not (self._show_all or record.name == "py.warnings"):
            return
        try:
            lines = self.format(record).splitlines()
        except Exception:  # noqa: BLE001 -- the record does not fit its arguments: a fault of the library
            return
        for line in lines:
            print(f"{escape_line(record.name, 100)}: {escape_line(line)}", file=sys.stderr)


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """Print in one line what ended a thread; Python would print an unescaped traceback."""
    if failure.exc_type is not SystemExit:
        what = f"{failure.exc_type.__name__}: {failure.exc_value}"
        print(f"warning: a thread of this process failed: {escape_line(what, 500)}", file=sys.stderr)


def _never_raised(failure: sys.UnraisableHookArgs) -> None:
    """Log what failed where nothing could catch it, a destructor for instance."""
    logging.getLogger("python").warning("ignored: %s: %s", failure.exc_type.__name__, failure.exc_value)
