"""A verdict is a value. Only :mod:`pip_warden.verdict.inquiry` makes an :class:`Accepted`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NoReturn

from pip_warden._sigstore.proved import Claims
from pip_warden.artifact.model import Artifact
from pip_warden.errors import RefusedError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.faults import Fault


class Step(IntEnum):
    """The steps of a verdict, in order (design decision D3)."""

    PIN = 1
    ORIGIN = 2
    NAME = 3
    ARCHIVE = 4
    DIGEST = 5
    EVIDENCE = 6
    SIGNATURE = 7
    SUBJECT = 8
    IDENTITY = 9
    POLICY = 10


@dataclass(frozen=True, slots=True)
class No:
    """A step said no.

    Attributes:
        step: Which one.
        fault: Why.
    """

    step: Step
    fault: Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemRefusal:
    """Why one item of evidence was no good; reported even when another item was.

    Attributes:
        label: Where the item came from, for people.
        form: The form it came in.
        no: The step that said no, and why.
    """

    label: str
    form: EvidenceForm
    no: No

    @property
    def code(self) -> str:
        """Return the stable kebab-case code of what is wrong with it."""
        return self.no.fault.code


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedBy:
    """The item of evidence that was good, and what it proved."""

    label: str
    form: EvidenceForm
    claims: Claims
    log_index: int
    log_time: datetime
    root: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedByHash:
    """No signature: a reviewed digest. This proves *what*, not *who*."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The file may be handed to an installer.

    Attributes:
        artifact: The file that was judged.
        basis: What the acceptance rests on.
        bad_items: Evidence beside the good item that was no good.
    """

    artifact: Artifact
    basis: SignedBy | PinnedByHash
    bad_items: tuple[ItemRefusal, ...] = ()

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: match on its type."""
        raise TypeError("a verdict has no truth value; match on Accepted or Refused")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The file may not be handed to anybody.

    Attributes:
        subject: The file's name, or the project's where its page was refused.
        no: The step that said no, and why.
        bad_items: For steps 6 to 10, what was wrong with each item of evidence.
    """

    subject: str
    no: No
    bad_items: tuple[ItemRefusal, ...] = ()

    @property
    def step(self) -> Step:
        """Return the step that said no."""
        return self.no.step

    @property
    def fault(self) -> Fault:
        """Return why: code, expected, found, and what to do next."""
        return self.no.fault

    @property
    def code(self) -> str:
        """Return the stable kebab-case code, explained by ``pip-warden explain CODE``."""
        return self.no.fault.code

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: match on its type."""
        raise TypeError("a verdict has no truth value; match on Accepted or Refused")


Verdict = Accepted | Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """Who signed a file for which nobody is pinned: proved, and judged by nobody. It opens no vault.

    Attributes:
        signed: What the good item of evidence proved.
    """

    signed: SignedBy


class VerdictError(RefusedError):
    """A verdict that ends what somebody has asked for.

    Attributes:
        refused: The verdict.
    """

    def __init__(self, refused: Refused, message: str = "") -> None:
        fault = refused.fault
        said = message or f"{refused.subject}: expected {fault.expected}, found {fault.found}"
        super().__init__(fault.code, said, hint=fault.hint)
        self.refused = refused
