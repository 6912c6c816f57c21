"""Which evidence goes along with an image: every item that is good under the pin of its new repository.

What refers to the image is copied as it is, byte for byte. What cosign 2 put under a tag is one manifest
of many signatures, to which anybody with push rights can add: of it the good layers go along, and no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from pip_warden.errors import UndecidedError
from pip_warden.evidence.image import (
    COSIGN_TAGS,
    MOST_LAYERS,
    MOST_REFERRERS,
    SignedLayer,
    cosign_tag,
    fetched,
    referring_evidence,
    tag_evidence,
)
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.image.whole import Consumer, Part
from pip_warden.oci.manifest import MAX_MANIFEST, Descriptor, Manifest
from pip_warden.oci.names import Repository, spelled
from pip_warden.oci.referrers import referrers
from pip_warden.supply.images import ImageSupply
from pip_warden.values import dataclass
from pip_warden.verdict.carried import GoodPiece, PieceJudge
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, ItemRefusal, Refused

_LARGEST = 64 << 10
"""Bytes of an artifact's configuration, which is not signed, and small."""

_MOST_LISTED = MAX_MANIFEST // 2 // MOST_REFERRERS
_MOST_LAYER = MAX_MANIFEST // 2 // MOST_LAYERS
"""Bytes of an artifact in the list of them, and of the description of cosign 2's layer: anybody can annotate
them, and as many as are read must leave room in the manifest that the target keeps of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedEvidence:
    """The evidence of one manifest that goes along with it.

    Attributes:
        subject: What it is about.
        artifacts: The manifests that refer to it, each with its label.
        layers: For each tag of cosign 2 the layers that are good.
        items: All of this as it was read.
        left: Why each other piece does not go along.
    """

    subject: Manifest
    artifacts: tuple[tuple[str, Manifest], ...] = ()
    layers: tuple[tuple[str, tuple[Descriptor, ...]], ...] = ()
    items: tuple[Item, ...] = ()
    left: tuple[ItemRefusal, ...] = ()


def gather_evidence(
    consumer: Consumer, part: Part, supply: ImageSupply, source: Repository, logged_by: datetime | None
) -> CarriedEvidence:
    """Gather the evidence of a manifest that goes along with it.

    Args:
        consumer: Who will use it.
        part: The manifest, judged.
        supply: Where evidence comes from.
        source: The repository that it is copied from.
        logged_by: The latest time at which a piece may have been logged, aware; None for any.

    Raises:
        UndecidedError: A request to the registry failed.
    """
    match part.verdict:
        case AcceptedImage() as accepted:
            judge = PieceJudge(accepted, consumer.entry, consumer.roots, logged_by=logged_by, by_any=True)
            return _Gathering(judge, supply, source, part.manifest).gather()
        case Refused(bad_items=bad):
            return CarriedEvidence(subject=part.manifest, left=bad)


class _Gathering:
    """Looks at each piece of evidence of one manifest."""

    def __init__(
        self, judge: PieceJudge[JudgedImage], supply: ImageSupply, source: Repository, subject: Manifest
    ) -> None:
        self._judge = judge
        self._supply = supply
        self._source = source
        self._subject = subject
        self._items: list[Item] = []
        self._left: list[ItemRefusal] = []

    def gather(self) -> CarriedEvidence:
        artifacts = tuple(self._artifacts())
        layers = tuple((tag, found) for tag, found in self._layers() if found)
        return CarriedEvidence(
            subject=self._subject,
            artifacts=artifacts,
            layers=layers,
            items=tuple(self._items),
            left=tuple(self._left),
        )

    def _artifacts(self) -> Iterator[tuple[str, Manifest]]:
        registry, digest = self._supply.registry, self._subject.digest
        seen: set[bytes] = set()
        for listed in referrers(registry, self._source, digest):
            for item in referring_evidence(registry, self._source, digest, listed):
                if (good := self._good(item)) is None:
                    continue
                manifest = registry.manifest(self._source, listed.digest)
                if bad := self._unfit(good, manifest):
                    self._good(bad)
                elif good.wire.signature not in seen:
                    seen.add(good.wire.signature)
                    self._items.append(good)
                    yield good.label, manifest

    def _layers(self) -> Iterator[tuple[str, tuple[Descriptor, ...]]]:
        registry, digest = self._supply.registry, self._subject.digest
        for kind in COSIGN_TAGS:
            layers: dict[bytes, Descriptor] = {}
            for found in tag_evidence(registry, self._source, digest, kind):
                good = self._good(found if isinstance(found, BadItem) else self._looked_up(found))
                if isinstance(found, SignedLayer) and good is not None:
                    layers.setdefault(good.wire.signature, found.layer)
                    self._items.append(good)
            yield cosign_tag(digest, kind), tuple(layers.values())

    def _looked_up(self, found: SignedLayer) -> Item | BadItem:
        """Read a layer; where no log can be asked, nothing is known of it, and it is not good.

        Anybody with push rights can add one, and nobody may so block what other evidence speaks for.
        """
        if fault := _too_large(found.layer, _MOST_LAYER):
            return BadItem(label=found.label, form=found.kind.form, fault=fault)
        try:
            return found.read(self._supply.find_entry)
        except UndecidedError as err:
            fault = Fault(code=err.code, expected="its entry in the transparency log", found=err.message)
            return BadItem(label=found.label, form=found.kind.form, fault=fault)

    def _good(self, item: Item | BadItem) -> Item | None:
        """Return a piece that is good; what is not is told."""
        piece = self._judge.judge(item)
        if isinstance(piece, GoodPiece):
            return piece.item
        self._left.append(piece)
        return None

    def _unfit(self, item: Item, manifest: Manifest) -> BadItem | None:
        """Say what prevents that an artifact is copied whose bundle is good: anybody can wrap one anew."""
        subject, config = manifest.subject, manifest.config
        largest = max(len(manifest.content), 0 if config is None else config.size)
        fault = _too_large(manifest.as_referrer(), _MOST_LISTED)
        if subject is None or subject.size != len(self._subject.content):
            fault = Fault(
                code="referrer-of-another",
                expected=f"an artifact about {spelled(self._subject.digest)}, with its size",
                found="another size",
            )
        elif largest > _LARGEST:
            expected = f"manifest and configuration of at most {_LARGEST} bytes each"
            fault = Fault(code="evidence-too-large", expected=expected, found=f"{largest} bytes")
        if fault is not None:
            return BadItem(label=item.label, form=item.form, fault=fault)
        if config is None:
            return None
        registry, source = self._supply.registry, self._source
        found = fetched(item.label, item.form, lambda: registry.small_blob(source, config, _LARGEST))
        return found if isinstance(found, BadItem) else None


def _too_large(described: Descriptor, most: int) -> Fault | None:
    """Say that the target would have to keep too much of what nobody signed."""
    size = len(json.dumps(described.as_json()))
    if size <= most:
        return None
    return Fault(
        code="evidence-too-large", expected=f"a description of at most {most} bytes", found=f"{size} bytes"
    )
