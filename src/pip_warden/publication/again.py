"""Publishing again: whether other evidence that a registry has under the same name may stay.

A retried pipeline signs again: certificate, log entry and time are new, what is said is the same. What is
published stays then, since a name never gets other content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import Pair, complete, read_pair
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.names import ATTESTATION, BUNDLE, CERTIFICATE, OLD_BUNDLE, SIGNATURE
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.publication.judging import Publishable, files_of, judge_with
from pip_warden.publish.registry import Weighed
from pip_warden.verdict.model import Refused
from pip_warden.verdict.pieces import ProvedPiece, prove_piece

_OTHER_HALF = {SIGNATURE: CERTIFICATE, CERTIFICATE: SIGNATURE}


class EarlierEvidence:
    """Weighs what a registry has under the names of a file's evidence.

    Args:
        ours: The file, judged, with the evidence of this run.
        today: The day (UTC).
    """

    def __init__(self, ours: Publishable, today: date) -> None:
        self._ours = ours
        self._today = today
        # What consumers will meet: ours, with what stays in its place.
        self._items = dict(ours.items)

    def weigh(self, piece: Path, there: bytes, beside: Callable[[str], bytes | None]) -> Weighed:
        """Return whether other content stays: it is proved for the same bytes, as strictly as ours was.

        Args:
            piece: Our piece of that name.
            there: What the registry has.
            beside: Returns what it has under another name beside it.

        Raises:
            UndecidedError: The log entry of a detached signature could not be looked up.
        """
        half = next((end for end in _OTHER_HALF if piece.name.endswith(end)), None)
        if half is None:
            item = self._read(piece.name, there)
        else:
            other = beside(f"{piece.name.removesuffix(half)}{_OTHER_HALF[half]}")
            if other is None:
                # An upload that ended between the two; its other half is gone with the job that had it.
                return "replaced"
            signature, certificate = (there, other) if half == SIGNATURE else (other, there)
            item = self._read_pair(piece.name, signature, certificate)
        return "stays" if self._is_as_good(piece.name, item) else "refused"

    def _is_as_good(self, name: str, item: Item | BadItem) -> bool:
        copy, rule = self._ours.copy, self._ours.rule
        proved = prove_piece(item, copy.artifact, rule.signer, rule.roots)
        if not isinstance(proved, ProvedPiece) or not proved.is_said_again(self._ours.pieces[name]):
            return False
        # Its content may differ from ours in what a pin requires of statements.
        met = {**self._items, self._label(name): item}
        if isinstance(judge_with(copy, rule, met, self._today), Refused):
            return False
        self._items = met
        return True

    def _label(self, name: str) -> str:
        return next(label for label, item in self._items.items() if name in (*files_of(item), label))

    def _read(self, name: str, there: bytes) -> Item | BadItem:
        filename = self._ours.copy.artifact.name.filename
        if name.endswith(ATTESTATION):
            return read_attestation(name, there)
        plain = name in {f"{filename}{BUNDLE}", f"{filename}{OLD_BUNDLE}"}
        return read_bundle(name, there, EvidenceForm.BUNDLE if plain else EvidenceForm.DSSE_BUNDLE)

    def _read_pair(self, name: str, signature: bytes, certificate: bytes) -> Item | BadItem:
        pair, digest = read_pair(name, signature, certificate), self._ours.copy.artifact.digest
        if isinstance(pair, Pair):
            return complete(pair, digest, self._ours.rule.find_entry(pair.wanted(digest)))
        return BadItem(label=name, form=EvidenceForm.DETACHED, fault=pair)
