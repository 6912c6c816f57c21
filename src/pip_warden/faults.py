"""A fault: what a reader returns in place of a value that it cannot read, and the exception to carry it."""

from __future__ import annotations

from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why something is not what it should be, before a step number is known.

    Attributes:
        code: Stable kebab-case refusal code.
        expected: What was expected.
        found: What was found; foreign text is escaped where it is shown, not here.
        hint: What to do next; may be empty.
        meant: Names that may have been meant instead: the first thing to be told.
    """

    code: str
    expected: str
    found: str
    hint: str = ""
    meant: tuple[str, ...] = ()


class FaultError(Exception):
    """Carries a fault out of a reader or a check. It never leaves its room, whose API returns the fault.

    Attributes:
        fault: The fault.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.found)
        self.fault = fault
