"""How a run is told, and the files that it is told in: looked at before it, and written whatever it comes to.

An earlier report is removed before the run: what a killed run leaves is never taken for its result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.cli.delivery import not_told
from pip_warden.errors import DeliveryError, UsageError
from pip_warden.report.formats import is_report, render
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.measures import Measured
    from pip_warden.report.model import Report
    from pip_warden.strict_json import JSONValue

_LOOKED_AT = 1024
"""Bytes of a file that show whether it is a report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reports:
    """How a user wants a run told.

    Attributes:
        output_format: What is printed, one of :data:`~pip_warden.report.formats.PRINTED`.
        files: The format of each file that is written besides.
    """

    output_format: str = "text"
    files: tuple[tuple[str, Path], ...] = ()

    @property
    def is_text(self) -> bool:
        """Return whether standard output is for people; else it is for data alone."""
        return self.output_format == "text"

    def write(
        self, report: Report, measured: Measured | None = None, more: Mapping[str, JSONValue] | None = None
    ) -> tuple[DeliveryError, ...]:
        """Write every file, and return why one was not: ``output-not-written``.

        Args:
            report: The report.
            measured: What JSON tells of what the run has cost.
            more: What JSON tells besides.
        """
        failed = []
        for name, path in self.files:
            try:
                _write(f"{render(report, name, measured, more)}\n", path)
            except OSError as err:
                failed.append(_not_written(name, path, err))
                _discard(path)
        return tuple(failed)

    def discard(self) -> None:
        """Remove what was written: the run was told to end before it was over."""
        for _, path in self.files:
            _discard(path)


def deliver(
    report: Report,
    reports: Reports,
    console: Console,
    measured: Measured | None,
    more: Mapping[str, JSONValue] | None,
) -> Report:
    """Write a report's files, and return what is to be told then.

    A file that cannot be written changes no other outcome: a good run exits with 4, which the other files
    say, and any other run is what it was, with a warning.
    """
    failed = reports.write(report, measured, more)
    if failed and report.exit_code == 0:
        report = replace(report, exit_code=failed[0].exit_code, error=failed[0])
        reports.write(report, measured, more)
        failed = failed[1:]
    for error in failed:
        console.warning(error.message)
    return report


def deliver_untold(
    report: Report,
    reports: Reports,
    console: Console,
    measured: Measured | None,
    more: Mapping[str, JSONValue] | None,
) -> None:
    """Write a good run's files again where standard output took nothing: it ends with 4, as they must say."""
    error = not_told(sys.stdout)
    if error is not None and reports.files and report.exit_code == 0:
        deliver(replace(report, exit_code=error.exit_code, error=error), reports, console, measured, more)


def make_ready(reports: Reports, taken: Iterable[str | Path]) -> None:
    """Check that each file is one of its own that can be written, and remove the earlier reports.

    Args:
        reports: How the run is told.
        taken: Files that the command reads, or writes something else to.

    Raises:
        UsageError: ``output-file``.
    """
    from pip_warden.installer.report_file import fault_of

    seen = {os.path.realpath(path): "a file that another option names" for path in taken}
    good: list[Path] = []
    faults: list[UsageError] = []
    for name, path in reports.files:
        found = fault_of(path) or seen.get(os.path.realpath(path)) or _what_would_be_lost(path)
        if found is not None:
            faults.append(_no_place(name, path, found))
            continue
        good.append(path)
        if path != Path(os.devnull):
            seen[os.path.realpath(path)] = "the file of another --output"
    for path in good:
        _take_away(path)
    if faults:  # only now: an earlier success must not outlive this run either
        raise faults[0]


def _no_place(name: str, path: Path, found: str) -> UsageError:
    return UsageError(
        "output-file",
        f"expected a file that can be written after --output {name}=, {path}, found: {found}",
        hint="It is looked at before anything is fetched, and holds nothing but this report.",
    )


def _what_would_be_lost(path: Path) -> str | None:
    """Return what is in a file; None where it is an earlier report, empty, a device or not there.

    A slip must not cost a trust file, a key or a wheel.
    """
    from pip_warden.disk import open_regular

    try:
        with open_regular(path, follow=True) as stream:
            begins = stream.read(_LOOKED_AT)
    except FileNotFoundError:
        return None
    except OSError as err:
        return err.strerror or type(err).__name__
    return None if not begins or is_report(begins) else "a file that holds something else than a report"


def _take_away(path: Path) -> None:
    """Remove an earlier report; a link, and what is no file, stays.

    Raises:
        UsageError: ``output-file``.
    """
    try:
        if path.is_file():
            Path(os.path.realpath(path)).unlink(missing_ok=True)
    except OSError as err:
        raise UsageError(
            "output-file", f"expected to replace {path}, found: {err.strerror or type(err).__name__}"
        ) from err


def _discard(path: Path) -> None:
    """Remove the report that can no longer be right: it may say that all went well."""
    with suppress(UsageError):
        if _what_would_be_lost(path) is None:
            _take_away(path)


def _write(text: str, path: Path) -> None:
    """Write a report; what has come to its place since it was looked at is left alone.

    Raises:
        OSError: It cannot be written.
    """
    from pip_warden.installer.report_file import put_whole

    if (found := _what_would_be_lost(path)) is not None:
        raise FileExistsError(0, found)
    put_whole(BytesIO(text.encode("utf-8", "backslashreplace")), path)


def _not_written(name: str, path: Path, err: OSError) -> DeliveryError:
    return DeliveryError(
        "output-not-written",
        f"expected to write the {name} report to {path}, found: {err.strerror or type(err).__name__}",
        hint="What was decided and done is unchanged by this.",
    )
