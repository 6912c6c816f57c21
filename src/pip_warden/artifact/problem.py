"""What is wrong with an archive, as the strict readers of this room say it."""

from __future__ import annotations

from pip_warden.faults import Fault, FaultError


def problem(code: str, expected: str, found: str, *, hint: str = "") -> FaultError:
    """Make what a reader raises where an archive is not what it should be."""
    return FaultError(Fault(code=code, expected=expected, found=found, hint=hint))


def bad_metadata(where: str, found: str) -> FaultError:
    """Make what is raised for a metadata file."""
    return problem(
        "bad-metadata",
        f"well-formed metadata in {where}",
        found,
        hint="The publisher's build tool is at fault.",
    )
