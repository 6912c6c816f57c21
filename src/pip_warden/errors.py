"""The one error tree. This module imports nothing of ours.

::

    WardenError                    code, hint, exit_code
    ├── UsageError             2   the command line, a file or a setting is wrong
    │   └── TrustFileError     2   the trust file is faulty: every fault, with its path
    ├── RefusedError           1   a file or release was judged and is not to be trusted
    ├── UndecidedError         3   no verdict was possible: neither accepted nor refused
    │   ├── NetworkError       3   no response, or a broken one
    │   ├── RegistryError      3   a response that the protocol does not specify
    │   │   └── CredentialsError 3 the registry requires credentials
    │   └── TrustRootError     3   the Sigstore root cannot be used
    ├── InstallerError         4   the installer itself failed
    ├── DeliveryError          4   everything was accepted, but a result could not be written
    ├── EndedError           130   a signal ended the run before it was over (129 and 143, too)
    └── InternalError         70   a bug in pip-warden

Who is at fault decides the branch, and the branch decides the exit code (design decision D11).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

_OUTRANKING = (1, 70, 3, 2, 4)
"""Exit codes in order of rank: a refusal outranks every other."""


def worst(exit_codes: Iterable[int]) -> int:
    """Return the exit code that outranks the others; 0 where all are 0, and 70 for one that is not ours."""
    found = set(exit_codes) - {0}
    return next((code for code in _OUTRANKING if code in found), 70 if found else 0)


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
    """Return whether a run that ends with both errors ends with the exit code of the first."""
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
    """A file or release was judged and is not to be trusted."""

    exit_code = 1


class UndecidedError(WardenError):
    """No verdict was possible."""

    exit_code = 3


class NetworkError(UndecidedError):
    """No response, or a broken one."""


class RegistryError(UndecidedError):
    """A response that the protocol does not specify.

    Attributes:
        status: The HTTP status code, where there was one.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status


class CredentialsError(RegistryError):
    """The registry requires credentials, or does not authorise them."""


class TrustRootError(UndecidedError):
    """The Sigstore root cannot be used."""


class InstallerError(WardenError):
    """The installer itself failed."""

    exit_code = 4


class DeliveryError(WardenError):
    """Everything was decided, but the result could not be written where it was wanted.

    Not 3: nothing is undecided. As after a failure of the installer, all was accepted and the work is not
    done. A verdict outranks it.
    """

    exit_code = 4


class EndedError(WardenError):
    """A signal ended the run before it was over; a shell's exit code of the run says which one."""

    exit_code = 130


class InternalError(WardenError):
    """A bug in pip-warden."""

    exit_code = 70
