"""Marks what the gate has proved in the same call: nothing else is ever called verified."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pip_warden.inspection.model import ClaimedPiece, InspectedFile
from pip_warden.report.model import Report
from pip_warden.verdict.model import Accepted, SignedBy


def marked(file: InspectedFile, report: Report) -> InspectedFile:
    """Mark a file that was accepted, and the pieces of its evidence that were proved for it.

    Args:
        file: The file, with the evidence that was judged.
        report: The verdicts.
    """
    for line in report.lines:
        accepted = line.verdict
        if not isinstance(accepted, Accepted) or file.artifact is None:
            continue
        same_name = accepted.artifact.name == file.artifact.name
        if same_name and accepted.artifact.digest.matches(file.artifact.digest):
            return replace(file, is_verified=True, evidence=proved(file.evidence, accepted))
    return file


def proved(pieces: Iterable[ClaimedPiece], accepted: Accepted) -> tuple[ClaimedPiece, ...]:
    """Mark the pieces that a verdict proved.

    A statement is proved if it is among the verdict's, a mere signature if the verdict rests on it. Where two
    pieces have one label, but not one content, nobody knows which of them was meant.
    """
    pieces = tuple(pieces)
    statements = {each.signed.label for each in accepted.statements}
    basis = {accepted.basis.label} if isinstance(accepted.basis, SignedBy) else set()
    labels: dict[str, set[int]] = {}
    for piece in pieces:
        labels.setdefault(piece.label, set()).add(pieces.index(piece))
    return tuple(
        replace(piece, is_verified=True)
        if piece.fault is None
        and piece.label in (basis if piece.statement is None else statements)
        and len(labels[piece.label]) == 1
        else piece
        for piece in pieces
    )
