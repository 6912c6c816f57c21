"""The one error tree. This module imports nothing of ours.

::

    WardenError                    code, hint, exit_code
    ├── UsageError             2   the command line, a file or a setting is wrong
    │   └── TrustFileError     2   the trust file is faulty: every fault, with its path
    ├── RefusedError           1   something was judged and is not to be trusted
    ├── UndecidedError         3   nothing could be judged: never a yes, never a no
    │   ├── NetworkError       3   no answer, or a broken one
    │   ├── RegistryError      3   an answer that is not the one the protocol promises
    │   │   └── CredentialsError 3 the registry wants to know who asks
    │   └── TrustRootError     3   the Sigstore root cannot be used
    ├── InstallerError         4   the installer itself failed
    ├── DeliveryError          4   everything was accepted, and something could not be handed over
    └── BugError              70   we broke a rule of our own

Who is at fault decides the branch, and the branch decides the exit code (design decision D11).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

_OUTRANKING = (1, 70, 3, 2, 4)
"""Exit codes, each of which outranks those after it: a refusal outranks every other."""


def worst(exit_codes: Iterable[int]) -> int:
    """Return the exit code that outranks the others; 0 where there is none but 0."""
    found = set(exit_codes)
    return next((code for code in _OUTRANKING if code in found), 0)


class WardenError(Exception):
    """Root of everything this package raises on purpose.

    Attributes:
        code: Stable kebab-case name, explained by ``pip-warden explain CODE``.
        message: What was expected and what was found.
        hint: What to do next; may be empty.
        exit_code: The process exit code of a run that ends with this error.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


def outranks(one: WardenError, other: WardenError) -> bool:
    """Tell whether a run that ends with both errors ends with the exit code of the first."""
    return one.exit_code != other.exit_code and worst({one.exit_code, other.exit_code}) == one.exit_code


class UsageError(WardenError):
    """The command line, a file it names or a setting is wrong."""

    exit_code = 2


class TrustFileError(UsageError):
    """The trust file is faulty.

    Attributes:
        faults: Every fault found, each as ``(path, what is wrong)``, for example
            ``("package[3].identity[0].issuer", "must be an https URL")``.
    """

    def __init__(
        self, code: str, message: str, *, faults: tuple[tuple[str, str], ...] = (), hint: str = ""
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.faults = faults


class RefusedError(WardenError):
    """Something was judged and is not to be trusted."""

    exit_code = 1


class UndecidedError(WardenError):
    """Nothing could be judged."""

    exit_code = 3


class NetworkError(UndecidedError):
    """No answer, or a broken one."""


class RegistryError(UndecidedError):
    """An answer that is not the one the protocol promises.

    Attributes:
        status: The HTTP status code, where there was one.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status


class CredentialsError(RegistryError):
    """The registry wants to know who asks, or does not let them."""


class TrustRootError(UndecidedError):
    """The Sigstore root cannot be used."""


class InstallerError(WardenError):
    """The installer itself failed."""

    exit_code = 4


class DeliveryError(WardenError):
    """Everything was decided, and what came of it could not be written, or told where it was wanted.

    Not 3: nothing is undecided. As where the installer fails, all was accepted and the work is not done. A verdict outranks it.
    """

    exit_code = 4


class BugError(WardenError):
    """We broke a rule of our own."""

    exit_code = 70
