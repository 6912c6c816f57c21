"""How the strict readers of this room stop: with one exception that never leaves it."""

from __future__ import annotations

from pip_warden.faults import Fault


class MalformedError(Exception):
    """The archive is not what it should be; carries the fault. Never leaves this room."""

    def __init__(self, code: str, expected: str, found: str, *, hint: str = "") -> None:
        super().__init__(found)
        self.fault = Fault(code=code, expected=expected, found=found, hint=hint)


def bad_metadata(where: str, found: str) -> MalformedError:
    """Make the fault of a metadata file."""
    return MalformedError(
        "bad-metadata",
        f"well-formed metadata in {where}",
        found,
        hint="The publisher's build tool is at fault.",
    )
