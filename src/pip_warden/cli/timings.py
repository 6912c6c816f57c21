"""``--timings FILE``: a trace of the run, checked before it, and written whatever it came to."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.errors import DeliveryError, UsageError

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.measures import Recorder
    from pip_warden.report.model import Report


def check_timings_file(given: str, report: str | None) -> None:
    """Check, before anything is fetched, that the trace can be written.

    Args:
        given: The file.
        report: Where pip's installation report goes; None where nowhere.

    Raises:
        UsageError: ``timings-file``.
    """
    from pip_warden.installer.report_file import fault_of

    found = fault_of(Path(given))
    if found is None and report is not None and os.path.realpath(report) == os.path.realpath(given):
        found = "the file of --report"
    if (found := found or _what_would_be_lost(given)) is not None:
        raise UsageError(
            "timings-file",
            f"expected a file that can be written after --timings, {given}, found: {found}",
            hint="It is looked at before anything is fetched, and holds nothing but the trace.",
        )


def _what_would_be_lost(given: str) -> str | None:
    """Return what is in the file; None where it is an earlier trace, empty, a device or not there.

    A slip must not cost a trust file, a key or a wheel, whatever the run knows them by.
    """
    from pip_warden.disk import open_regular
    from pip_warden.report.figures import TRACE_BEGINS

    try:
        with open_regular(given, follow=True) as stream:
            begins = stream.read(len(TRACE_BEGINS))
    except FileNotFoundError:
        return None
    except OSError as err:
        return err.strerror or type(err).__name__
    return None if begins in {b"", TRACE_BEGINS} else "a file that holds something else"


def with_timings(run: Callable[[], Report], recorder: Recorder, given: str, console: Console) -> Report:
    """Carry out a run, and write its trace, also where it was refused, failed or interrupted.

    A trace that cannot be written changes no other outcome: a good run exits with 4, and any other is what it
    was, with a warning.

    Args:
        run: The run.
        recorder: It has recorded what happened.
        given: The file, which was checked.
        console: Told what nobody else tells.
    """
    try:
        report = run()
    except BaseException:
        # What ended the run is told by whoever catches it.
        with suppress(DeliveryError):
            _write(recorder, given)
        raise
    try:
        _write(recorder, given)
    except DeliveryError as err:
        if report.exit_code == 0:
            return replace(report, exit_code=err.exit_code, error=err)
        console.warning(err.message)
    return report


def _write(recorder: Recorder, given: str) -> None:
    """Write the trace; an earlier one is replaced as a whole, and nothing that has come there since.

    Raises:
        DeliveryError: ``timings-not-written``.
    """
    from pip_warden.installer.report_file import put_whole
    from pip_warden.report.figures import trace

    try:
        if (found := _what_would_be_lost(given)) is not None:
            raise FileExistsError(errno.EEXIST, found)
        put_whole(BytesIO(trace(recorder.measured()).encode("ascii")), Path(given))
    except OSError as err:
        raise DeliveryError(
            "timings-not-written",
            f"expected to write the trace to {given}, found: {err.strerror or type(err).__name__}",
            hint="What was decided and done is unchanged by this.",
        ) from err
