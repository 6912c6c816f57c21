"""Verdicts as values. Only :mod:`pip_warden.verdict.inquiry` makes an :class:`Accepted`."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Generic, NoReturn

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.artifact.model import Artifact
from pip_warden.errors import RefusedError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.faults import Fault
from pip_warden.values import dataclass
from pip_warden.verdict.judged import JudgedImage, JudgedT
from pip_warden.verdict.provenance import Provenance


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
class StepFailure:
    """The failure of a step.

    Attributes:
        step: The step that failed.
        fault: Why.
    """

    step: Step
    fault: Fault


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that was made, and found nothing wrong.

    Attributes:
        step: The step; one can be made of several checks.
        found: What was found, for people.
    """

    step: Step
    found: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemRefusal:
    """Why an item of evidence is not good; reported even when another item is.

    Attributes:
        label: Where the item came from, for people.
        form: Its form.
        failure: The step that failed, and why.
    """

    label: str
    form: EvidenceForm
    failure: StepFailure

    @property
    def code(self) -> str:
        """The stable kebab-case code of its fault."""
        return self.failure.fault.code


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedBy:
    """The good item of evidence, and what it proved."""

    label: str
    form: EvidenceForm
    claims: CertificateClaims
    log_index: int
    log_time: datetime
    root: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedStatement:
    """A signed statement about what was accepted, proved under the identity that the acceptance rests on.

    Attributes:
        signed: Who signed it, and where it is logged.
        predicate_type: URI of its type.
        annotations: ``(key, value)`` of what it annotates: foreign text, of any length.
        provenance: How the file was built, where it is provenance that agrees with its own certificate.
    """

    signed: SignedBy
    predicate_type: str
    annotations: tuple[tuple[str, str], ...] = ()
    provenance: Provenance | None = None

    @property
    def content(self) -> object:
        """What it says, whatever file it is in: one statement is stored in several forms."""
        signed, said = self.signed, (self.predicate_type, self.annotations, self.provenance)
        return signed.claims, signed.log_index, signed.log_time, said


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedByHash:
    """No signature, but a reviewed digest: this proves *what*, not *who*.

    Attributes:
        reason: Why that is enough.
        expires: The last day (UTC) on which it is; None for no end.
        days_left: Days from the one on which it was judged to that.
    """

    reason: str
    expires: date | None = None
    days_left: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance(Generic[JudgedT]):
    """What was judged may be used.

    Attributes:
        basis: What the acceptance is based on.
        bad_items: Other evidence, which was not good.
        statements: Every signed statement that was heard and proved under the identity of the basis.
        unproved: Every statement that was heard and is not proved under it: nothing that it says is known.
        unheard: Code of what ended the hearing of further statements early, ``""`` where nothing did.
        passed: What was checked, in order.
    """

    basis: SignedBy | PinnedByHash
    bad_items: tuple[ItemRefusal, ...] = ()
    statements: tuple[ProvedStatement, ...] = ()
    unproved: tuple[ItemRefusal, ...] = ()
    unheard: str = ""
    passed: tuple[Passed, ...] = ()

    @property
    def judged(self) -> JudgedT:
        """What was judged.

        Raises:
            NotImplementedError: It is of no kind.
        """
        raise NotImplementedError

    @property
    def signer(self) -> str:
        """Return in a few words what the acceptance rests on: who signed, or the pinned hash."""
        match self.basis:
            case SignedBy(claims=claims):
                return claims.subjects[0]
            case PinnedByHash(reason=reason):
                return f"pinned by hash: {reason}"

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: match on its type."""
        raise TypeError("a verdict has no truth value; match on Accepted or Refused")


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted(Acceptance[Artifact]):
    """The file may be handed to an installer.

    Attributes:
        artifact: The file that was judged.
    """

    artifact: Artifact

    @property
    def judged(self) -> Artifact:
        """The file."""
        return self.artifact


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedImage(Acceptance[JudgedImage]):
    """The image may be used: by the digest that was judged, since a tag may name another one by then.

    Attributes:
        image: The image that was judged.
    """

    image: JudgedImage

    @property
    def judged(self) -> JudgedImage:
        """The image."""
        return self.image


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The file may not be handed to an installer, or the image may not be used.

    Attributes:
        subject: The file's or the image's name, or the project's where its page was refused.
        failure: The step that failed, and why.
        bad_items: For steps 6 to 10, what was wrong with each item of evidence.
        passed: What was checked before, in order, of the file itself.
    """

    subject: str
    failure: StepFailure
    bad_items: tuple[ItemRefusal, ...] = ()
    passed: tuple[Passed, ...] = ()

    @property
    def step(self) -> Step:
        """The step that failed."""
        return self.failure.step

    @property
    def fault(self) -> Fault:
        """Why: code, expected, found, and what to do next."""
        return self.failure.fault

    @property
    def code(self) -> str:
        """The stable kebab-case code, explained by ``pip-warden explain CODE``."""
        return self.failure.fault.code

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: match on its type."""
        raise TypeError("a verdict has no truth value; match on Accepted or Refused")


Verdict = Accepted | Refused
ImageVerdict = AcceptedImage | Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """The proved signer of a file for which no identity is pinned; it is not judged, and opens no vault.

    Attributes:
        signed: What the good item of evidence proved.
    """

    signed: SignedBy


class VerdictError(RefusedError):
    """A refusal that ends the user's request.

    Attributes:
        refused: The verdict.
    """

    def __init__(self, refused: Refused, message: str = "") -> None:
        fault = refused.fault
        asked = f"did you mean {', or '.join(fault.meant)}? " if fault.meant else ""
        said = message or f"{asked}{refused.subject}: expected {fault.expected}, found {fault.found}"
        super().__init__(fault.code, said, hint=fault.hint)
        self.refused = refused
