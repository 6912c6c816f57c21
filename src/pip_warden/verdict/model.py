"""A verdict is a value. Only :mod:`pip_warden.verdict.judge` makes an :class:`Accepted`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NoReturn

from pip_warden._sigstore.proved import Claims
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.evidence.model import Evidence, Form
from pip_warden.index.candidate import Candidate, IndexPage


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhibit:
    """Everything that is judged about one file.

    Attributes:
        artifact: The file.
        candidate: The index entry it came from; None for a local file.
        page: The page that entry stands on; None for a local file.
        evidence: Every item found for it, best form first.
        locked_sha256: The digest a lock file or requirements file demands, where there is one.
    """

    artifact: Artifact
    candidate: Candidate | None
    page: IndexPage | None
    evidence: Evidence
    locked_sha256: Digest | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemRefusal:
    """Why one item of evidence was no good; reported even when another item was."""

    label: str
    form: Form
    step: Step
    code: str
    expected: str
    found: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedBy:
    """The item of evidence that was good, and what it proved."""

    label: str
    form: Form
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
        step: The number of the step that said no.
        code: Stable kebab-case code, explained by ``pip-warden explain CODE``.
        expected: What would have been right.
        found: What there was.
        hint: What to do next; may be empty.
        bad_items: For steps 6 to 10, what was wrong with each item of evidence.
    """

    subject: str
    step: Step
    code: str
    expected: str
    found: str
    hint: str = ""
    bad_items: tuple[ItemRefusal, ...] = ()

    def __bool__(self) -> NoReturn:
        """A verdict is not a truth value: match on its type."""
        raise TypeError("a verdict has no truth value; match on Accepted or Refused")


Verdict = Accepted | Refused
