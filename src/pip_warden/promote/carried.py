"""Which evidence goes along with an accepted file: for each name the newest row that is proved.

A row that is not proved is told and left behind, whoever put it there; an older one that is proved goes
instead. Where a pin requires something of statements, the newest row that meets it goes before one that is
merely newer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.artifact.model import Artifact
from pip_warden.errors import UndecidedError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import LARGEST_CERTIFICATE, LARGEST_SIGNATURE, Pair, complete, read_pair
from pip_warden.evidence.locate import GenericPackage
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.names import (
    BUNDLE,
    CERTIFICATE,
    MOST_KINDS,
    SIGNATURE,
    SUFFIXES,
    attestation_bundles,
)
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.faults import Fault
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.promote.rows import MOST_ROWS, EvidenceRow, SourceRows
from pip_warden.values import dataclass
from pip_warden.verdict.carried import GoodPiece, PieceJudge
from pip_warden.verdict.model import ItemRefusal

SUMMARY_KIND = "vsa"
"""Each promotion says this for its own target; it is never evidence, and never carried."""

_LONGEST_NAME = 255
_USUAL = tuple(suffix for suffix, _form in SUFFIXES)
_PLAIN = re.compile(r"(\.[A-Za-z0-9_-]+)+", re.ASCII)
"""What may follow a file's name in its evidence's: the registry gives it, and a file is written under it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """Evidence that goes along: one file of it, or the two of a detached signature.

    Attributes:
        contents: Each suffix to the file's name, with the bytes.
        piece: What was proved.
    """

    contents: tuple[tuple[str, bytes], ...]
    piece: GoodPiece


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What was found beside one file.

    Attributes:
        carried: What goes along.
        left: Why each other row that was looked at does not.
        skipped: Names of further kinds that were not looked at, since there are too many.
    """

    carried: tuple[Carried, ...]
    left: tuple[ItemRefusal, ...]
    skipped: tuple[str, ...] = ()


FindEntry = Callable[[Hashedrekord], LogEntry | None]


def gather(
    judge: PieceJudge[Artifact],
    rows: SourceRows,
    places: Sequence[GenericPackage],
    *,
    kinds: Sequence[str],
    find_entry: FindEntry,
) -> Gathered:
    """Gather the evidence of an accepted file that goes along with it.

    Args:
        judge: Judges each piece.
        rows: The source's rows.
        places: The packages where the file's evidence lies.
        kinds: Further kinds that are looked for, and no others; empty for all that are listed.
        find_entry: Looks up a detached signature in the logs of the judge's root.

    Raises:
        UndecidedError: A request to the registry failed.
    """
    filename = judge.judged.name.filename
    stored = without_epoch(filename)
    further, skipped = further_kinds(filename, rows.names(places), kinds)
    carried: list[Carried] = []
    left: list[ItemRefusal] = []
    for suffix, form in (*SUFFIXES, *((each, EvidenceForm.DSSE_BUNDLE) for each in further)):
        if form is EvidenceForm.DETACHED:
            continue
        found = rows.of(f"{stored}{suffix}", places, max_bytes=LARGEST_BUNDLE)
        read = ((((suffix, row.content),), read_row(row, form)) for row in found)
        _choose(judge, read, carried, left)
    pairs = partial(rows.of, places=places)
    halves = (
        list(pairs(f"{stored}{SIGNATURE}", max_bytes=LARGEST_SIGNATURE)),
        list(pairs(f"{stored}{CERTIFICATE}", max_bytes=LARGEST_CERTIFICATE)),
    )
    _choose(judge, _pairs(stored, *halves, judge, find_entry), carried, left)
    return Gathered(carried=tuple(carried), left=tuple(left), skipped=skipped)


def further_kinds(
    filename: str, listed: Iterable[str], named: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the suffixes of a file's attestations of further kinds: a limited number, each a plain name.

    Args:
        filename: The file's name.
        listed: The names that the registry lists.
        named: The kinds that the command line names: these, and no others.

    Returns:
        The suffixes, and those that are one too many.
    """
    own = (*_USUAL, f".{SUMMARY_KIND}{BUNDLE}")
    if named:
        return tuple(f".{kind}{BUNDLE}" for kind in named if f".{kind}{BUNDLE}" not in own), ()
    stored = without_epoch(filename)
    suffixes = (
        name.removeprefix(stored)
        for name in attestation_bundles(stored, listed)
        if len(name) <= _LONGEST_NAME
    )
    found = sorted({suffix for suffix in suffixes if _PLAIN.fullmatch(suffix)}.difference(own))
    return tuple(found[:MOST_KINDS]), tuple(found[MOST_KINDS:])


def read_row(row: EvidenceRow, form: EvidenceForm) -> Item | BadItem:
    """Read a row strictly, as a consumer does."""
    if isinstance(row.content, Fault):
        return BadItem(label=row.label, form=form, fault=row.content)
    if form is EvidenceForm.PEP740:
        return read_attestation(row.label, row.content)
    return read_bundle(row.label, row.content, form)


_Contents = tuple[tuple[str, bytes | Fault], ...]


def _choose(
    judge: PieceJudge[Artifact],
    found: Iterable[tuple[_Contents, Item | BadItem]],
    carried: list[Carried],
    left: list[ItemRefusal],
) -> None:
    """Take the best of what lies under one name: the newest, unless an older one meets what is required."""
    best: Carried | None = None
    for contents, item in found:
        piece = judge.judge(item)
        if isinstance(piece, ItemRefusal):
            left.append(piece)
            continue
        if best is None or is_better(piece, best.piece):
            whole = tuple((suffix, raw) for suffix, raw in contents if isinstance(raw, bytes))
            best = Carried(contents=whole, piece=piece)
        if piece.meets and (piece.counts or item.form is EvidenceForm.DSSE_BUNDLE):
            break
    if best is not None:
        carried.append(best)


def is_better(piece: GoodPiece, than: GoodPiece) -> bool:
    """Return whether a consumer can be served by a piece and not by another of the same name."""
    return (piece.meets, piece.counts) > (than.meets, than.counts)


def _pairs(
    stored: str,
    signatures: list[EvidenceRow],
    certificates: list[EvidenceRow],
    judge: PieceJudge[Artifact],
    find_entry: FindEntry,
) -> Iterator[tuple[_Contents, Item | BadItem]]:
    """Yield every pair of a signature and a certificate, the newest first; each is looked up in its turn."""
    if bool(signatures) != bool(certificates):
        here, missing = (SIGNATURE, CERTIFICATE) if signatures else (CERTIFICATE, SIGNATURE)
        fault = Fault(
            code="incomplete-detached-signature",
            expected=f"{stored}{missing} beside {stored}{here}",
            found="none",
        )
        yield (), BadItem(label=f"{stored}{here}", form=EvidenceForm.DETACHED, fault=fault)
        return
    both = ((sig, crt) for sig in signatures for crt in certificates)
    for sig, crt in islice(both, MOST_ROWS):
        label = sig.label if crt.label == f"{stored}{CERTIFICATE}" else f"{sig.label} + {crt.label}"
        contents = ((SIGNATURE, sig.content), (CERTIFICATE, crt.content))
        yield contents, completed(label, sig.content, crt.content, judge, find_entry)


def completed(
    label: str,
    signature: bytes | Fault,
    certificate: bytes | Fault,
    judge: PieceJudge[Artifact],
    find_entry: FindEntry,
) -> Item | BadItem:
    """Make one item of a detached signature, its certificate and their log entry.

    Where the log cannot be searched nothing is known of the pair, and it is not good: anybody with push
    rights can add one, and nobody may so block a file that other evidence speaks for.
    """
    for half in (signature, certificate):
        if isinstance(half, Fault):
            return BadItem(label=label, form=EvidenceForm.DETACHED, fault=half)
    assert isinstance(signature, bytes)  # noqa: S101 -- as the loop has seen
    assert isinstance(certificate, bytes)  # noqa: S101
    pair = read_pair(label, signature, certificate)
    if isinstance(pair, Pair):
        digest = judge.judged.digest
        try:
            return complete(pair, digest, find_entry(pair.wanted(digest)))
        except UndecidedError as err:
            pair = Fault(code=err.code, expected="its entry in the transparency log", found=err.message)
    return BadItem(label=label, form=EvidenceForm.DETACHED, fault=pair)
