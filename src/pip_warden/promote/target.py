"""What the target has already under the names that evidence will get.

The same bytes are done. Other bytes that are proved for the same file under the same identity stay: the
publisher signed twice, and either speaks for the file. Anything else there ends the promotion before its
first upload.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pip_warden.artifact.model import Artifact
from pip_warden.digests import digest_of
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError
from pip_warden.evidence.locate import GenericPackage, generic_packages
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.index.gitlab_urls import generic_url, without_epoch
from pip_warden.names import ArtifactName
from pip_warden.promote.carried import Carried, FindEntry, completed, is_better, read_row
from pip_warden.promote.rows import EvidenceRow
from pip_warden.publish.published import Published
from pip_warden.publish.registry import Destination
from pip_warden.transport import Transport
from pip_warden.values import dataclass
from pip_warden.verdict.carried import GoodPiece, PieceJudge


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What the target will have of one file's evidence.

    Attributes:
        carried: The pieces, those that the target has in its own bytes.
        kept: Names whose other content there stays.
    """

    carried: tuple[Carried, ...]
    kept: tuple[str, ...]


class Target:
    """The registry project that a release is promoted to.

    Args:
        transport: The HTTP client.
        destination: The project.
    """

    def __init__(self, transport: Transport, destination: Destination) -> None:
        self._published = Published(transport, destination.instance, destination.project)
        self._to = destination

    def url_of(self, name: ArtifactName, stored: str) -> str:
        """Return the URL of a piece of evidence of a file."""
        place = self._place(name)
        return generic_url(self._to.instance, self._to.project, place.package, place.version, stored)

    def newest(self, name: ArtifactName, stored: str) -> bytes | None:
        """Return what a download of a name answers; None where there is none.

        Raises:
            UndecidedError: The request failed.
        """
        return self._published.evidence(self._place(name), stored)

    def settle(
        self, judge: PieceJudge[Artifact], carried: Sequence[Carried], find_entry: FindEntry
    ) -> Settled:
        """Compare what goes along with what is there.

        Raises:
            RefusedError: ``other-content``: something is there that does not speak for the file.
            UndecidedError: A request to the registry failed.
        """
        settled: list[Carried] = []
        kept: list[str] = []
        stored = without_epoch(judge.judged.name.filename)
        for ours in carried:
            there = tuple(
                (suffix, self.newest(judge.judged.name, f"{stored}{suffix}")) for suffix, _ in ours.contents
            )
            if all(found in (None, raw) for (_, found), (_, raw) in zip(there, ours.contents, strict=True)):
                settled.append(ours)
                continue
            theirs = tuple((suffix, found) for suffix, found in there if found is not None)
            piece = _proved(stored, theirs, ours, judge, find_entry)
            if piece is None or is_better(ours.piece, piece):
                raise self._other_content(judge.judged.name, stored, theirs, ours)
            settled.append(replace(ours, contents=theirs, piece=piece))
            kept += [f"{stored}{suffix}" for suffix, _ in theirs]
        return Settled(carried=tuple(settled), kept=tuple(kept))

    def _place(self, name: ArtifactName) -> GenericPackage:
        return generic_packages([self._to.evidence], name, self._to.path)[0]

    def _other_content(
        self, name: ArtifactName, stored: str, theirs: tuple[tuple[str, bytes], ...], ours: Carried
    ) -> RefusedError:
        own = dict(ours.contents)
        suffix, found = next((each for each in theirs if each[1] != own[each[0]]), theirs[0])
        return RefusedError(
            "other-content",
            f"expected {escape_text(stored + suffix)} with SHA-256 {digest_of(own[suffix])}, "
            f"other good evidence of the same signer, or nothing at {self.url_of(name, stored + suffix)}, "
            f"found SHA-256 {digest_of(found)}",
            hint="Nothing was uploaded. Find out who put it there, and remove it in the packages page.",
        )


def _proved(
    stored: str,
    theirs: tuple[tuple[str, bytes], ...],
    ours: Carried,
    judge: PieceJudge[Artifact],
    find_entry: FindEntry,
) -> GoodPiece | None:
    """Judge what the target has as what we have was judged; None where it is not proved."""
    form, item = ours.piece.item.form, None
    if form is not EvidenceForm.DETACHED:
        ((suffix, raw),) = theirs
        item = read_row(EvidenceRow(label=f"{stored}{suffix}", content=raw), form)
    elif len(theirs) == len(ours.contents):
        (suffix, signature), (_, certificate) = theirs
        item = completed(f"{stored}{suffix}", signature, certificate, judge, find_entry)
    outcome = judge.judge(item) if isinstance(item, Item | BadItem) else None
    return outcome if isinstance(outcome, GoodPiece) else None
