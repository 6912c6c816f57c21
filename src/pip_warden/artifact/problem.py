"""The faults that the strict readers of this package raise."""

from __future__ import annotations

from pip_warden.faults import Fault, FaultError


def problem(code: str, expected: str, found: str, *, hint: str = "") -> FaultError:
    """Return the fault that a reader raises for an archive."""
    return FaultError(Fault(code=code, expected=expected, found=found, hint=hint))


def bad_metadata(where: str, found: str) -> FaultError:
    """Return the fault of a metadata file."""
    return problem(
        "bad-metadata",
        f"well-formed metadata in {where}",
        found,
        hint="The publisher's build tool is at fault.",
    )
