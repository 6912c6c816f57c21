"""Judges a file that is to be published, and each piece of evidence that would lie beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry, WireBundle
from pip_warden.errors import UndecidedError
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.locate import locate
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.names import CERTIFICATE, SIGNATURE
from pip_warden.evidence.siblings import Siblings
from pip_warden.faults import Fault
from pip_warden.publication.copies import PrivateCopy
from pip_warden.publication.rules import JudgingRule
from pip_warden.report.model import Line, Outcome, line_of, undecided_line
from pip_warden.values import dataclass
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.model import Accepted, ItemRefusal, Refused, Step, StepFailure
from pip_warden.verdict.pieces import ProvedPiece, prove_piece, refuse_pieces

Items = Mapping[str, Item | BadItem]
"""Evidence by the name of its file; of a detached signature, by that of the signature."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishable:
    """A file that may be published, with evidence of which every piece is good.

    Attributes:
        copy: The private copy that was judged.
        rule: Under what.
        items: Its evidence.
        pieces: What each piece proves, by its file's name; both halves of a detached signature are in it.
        line: The report's line.
    """

    copy: PrivateCopy
    rule: JudgingRule
    items: Items
    pieces: Mapping[str, ProvedPiece]
    line: Line

    @property
    def signers(self) -> tuple[str, ...]:
        """Return who signed its evidence, each once."""
        return tuple(dict.fromkeys(piece.claims.subjects[0] for piece in self.pieces.values()))


def judge_copy(copy: PrivateCopy, rule: JudgingRule, today: date) -> Publishable | Line:
    """Judge a file, then each piece of its evidence; return the line of what is not good, or not decided.

    Args:
        copy: The private copy.
        rule: Under what it is judged.
        today: The day (UTC).
    """
    artifact = copy.artifact
    try:
        items = {item.label: item for item in _items(copy, rule)}
        outcome = judge_with(copy, rule, items, today)
        if isinstance(outcome, Refused):
            return line_of(outcome, sha256=artifact.digest.hex)
        pieces = _pieces(copy, rule, items)
    except UndecidedError as err:
        return undecided_line(artifact.name, err)
    if isinstance(pieces, Refused):
        return line_of(pieces, sha256=artifact.digest.hex)
    line = Line(
        subject=artifact.name.filename,
        outcome=Outcome.ACCEPTED,
        sha256=artifact.digest.hex,
        verdict=outcome,
        note="" if outcome is not None else "its evidence verifies; no identity is pinned",
    )
    return Publishable(copy=copy, rule=rule, items=items, pieces=pieces, line=line)


def judge_with(copy: PrivateCopy, rule: JudgingRule, items: Items, today: date) -> Accepted | Refused | None:
    """Judge a file with some evidence, as a consumer would who met it; None: good, and nobody is pinned.

    Raises:
        UndecidedError: A trusted root cannot be used.
    """
    inquiry = Inquiry(copy.artifact.name, trust=rule.trust, roots=rule.roots, today=today, probe=rule.probe)
    if inquiry.wants is Wants.ARTIFACT:
        inquiry.offer_artifact(copy.artifact)
    if inquiry.wants is Wants.EVIDENCE:
        inquiry.offer_all(items.values())
    if rule.probe is None:
        return inquiry.verdict
    observed = inquiry.observation
    return observed if isinstance(observed, Refused) else None


def _items(copy: PrivateCopy, rule: JudgingRule) -> Iterator[Item | BadItem]:
    """Yield every piece of evidence as a consumer reads it."""
    artifact, known = copy.artifact, list[WireBundle]()
    store = Siblings(artifact.path.parent)
    find_entry = partial(_found_entry, known, rule)
    for item in locate(artifact.name.filename, artifact.digest, [store], find_entry):
        if isinstance(item, Item):
            known.append(item.wire)
        yield item


def _found_entry(known: list[WireBundle], rule: JudgingRule, wanted: Hashedrekord) -> LogEntry | None:
    """Return the log entry of a detached signature: that of the bundle it was split from, else the log's.

    It is proved as any other, wherever it comes from.
    """
    for wire in known:
        if wire.signature == wanted.signature and pem_of(wire.certificate) == wanted.pem:
            return wire.entry
    return rule.find_entry(wanted)


def files_of(item: Item | BadItem) -> tuple[str, ...]:
    """Return the names of the files that an item was read from."""
    if item.form is not EvidenceForm.DETACHED:
        return (item.label,)
    base = item.label.removesuffix(SIGNATURE).removesuffix(CERTIFICATE)
    return f"{base}{SIGNATURE}", f"{base}{CERTIFICATE}"


def _unread(name: str) -> Fault:
    return Fault(
        code="unread-evidence",
        expected="evidence under a name by which consumers look for it",
        found=name,
    )


def _pieces(copy: PrivateCopy, rule: JudgingRule, items: Items) -> dict[str, ProvedPiece] | Refused:
    """Prove each piece by itself: all that lies beside a file must speak for it, though one is enough."""
    proved: dict[str, ProvedPiece] = {}
    bad: list[ItemRefusal] = []
    for item in items.values():
        found = prove_piece(item, copy.artifact, rule.signer, rule.roots)
        if isinstance(found, StepFailure):
            bad.append(ItemRefusal(label=item.label, form=item.form, failure=found))
        else:
            proved |= dict.fromkeys(files_of(item), found)
    read = {name for item in items.values() for name in files_of(item)}
    for path in copy.signed.evidence:
        if path.name not in read:  # by no consumer, and so proved by nobody
            failure = StepFailure(Step.EVIDENCE, _unread(path.name))
            bad.append(ItemRefusal(label=path.name, form=EvidenceForm.BUNDLE, failure=failure))
    return refuse_pieces(copy.artifact, bad) if bad else proved
