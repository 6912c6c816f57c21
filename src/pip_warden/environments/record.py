"""The RECORD of an installed distribution (PyPA specification "Recording installed projects").

An installer writes its own: the wheel's lines, with the paths that its files have now, and lines for what it
made. Whoever can change a file can change RECORD; so it is compared, and nothing is trusted because of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from pip_warden.artifact.record import LARGEST_RECORD, Row, read_row
from pip_warden.environments.layout import SiteLayout
from pip_warden.faults import Fault, FaultError

LARGEST_INSTALLED = LARGEST_RECORD
"""Bytes."""
_MOST_ROWS = 400_000
"""Lines: those of the largest archive, each with its byte code."""


def read_installed_record(raw: bytes, layout: SiteLayout) -> Mapping[str, Row | None] | Fault:
    """Read the RECORD of an installed distribution.

    Args:
        raw: The file.
        layout: Where it is installed.

    Returns:
        By key (:meth:`SiteLayout.key`) what it says of each file, None where it states no hash; or a fault:
        it is malformed, names a file twice, or names one outside of the environment.
    """
    try:
        return {key: read_row(*row) if row[1] else None for key, row in _rows(raw, layout)}
    except FaultError as err:
        return _malformed(err.fault.found).fault


def recorded_keys(raw: bytes, layout: SiteLayout) -> frozenset[str]:
    """Return what a RECORD names, quickly; nothing where it is malformed: then nothing is its own."""
    try:
        return frozenset(key for key, _ in _rows(raw, layout))
    except FaultError:
        return frozenset()


def _rows(raw: bytes, layout: SiteLayout) -> Iterator[tuple[str, list[str]]]:
    seen = set[str]()
    try:
        for row in csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True):
            if len(row) != 3 or len(seen) >= _MOST_ROWS:
                raise _malformed(f"the line {','.join(row)[:200]!r}")
            key = layout.key(row[0])
            if key is None or key in seen:
                raise _malformed(f"{row[0][:200]!r}, {'twice' if key else 'outside of the environment'}")
            seen.add(key)
            yield key, row
    except (UnicodeDecodeError, csv.Error) as err:
        raise _malformed(str(err)) from err


def _malformed(found: str) -> FaultError:
    fault = Fault(
        code="not-through-gate",
        expected="a RECORD that names each installed file once, in the environment",
        found=found,
    )
    return FaultError(fault)
