"""Says what a registry claims of an image and its evidence: nothing is verified, and nothing decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from pip_warden._sigstore.claims import claimed_signer
from pip_warden._sigstore.result import Envelope
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.oci.manifest import Manifest
from pip_warden.oci.names import ImageReference
from pip_warden.session.images import ImageParts
from pip_warden.supply.images import ImageSupply
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass
from pip_warden.verdict.attested import read_annotations
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.simple_signing import read_payload
from pip_warden.verdict.statement import Statement, read_statement

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root

_MOST_ANNOTATIONS = 64
_LAST_SECOND = 253402300799  # of the year 9999


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedEvidence:
    """An item of evidence, as it describes itself: anybody could have written all of it.

    Attributes:
        label: Where it came from, for people.
        form: Its form.
        claimed_type: The type of what is said, None for what says nothing.
        claimed_subject: Who signed it, None where no certificate says so.
        claimed_issuer: Who vouches for the signer.
        claimed_annotations: The first annotations of the image.
        claimed_logged_at: When a log entered it, None where it does not say.
        fault: Why it can be no evidence of the image, None where that takes verification.
    """

    label: str
    form: EvidenceForm
    claimed_type: str | None = None
    claimed_subject: str | None = None
    claimed_issuer: str | None = None
    claimed_annotations: tuple[tuple[str, str], ...] = ()
    claimed_logged_at: datetime | None = None
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedImage:
    """What a registry says of an image; the digest alone was computed here.

    Attributes:
        name: The image, with its digest.
        manifest: The manifest or index.
        evidence: Its evidence, as it describes itself.
    """

    name: ImageReference
    manifest: Manifest
    evidence: tuple[ClaimedEvidence, ...]


def inspect_image(
    parts: ImageParts, reference: ImageReference, trust: TrustFile | None, roots: Mapping[str, Root]
) -> InspectedImage:
    """Ask a registry about an image.

    Args:
        parts: What the run works with.
        reference: The image. Its tag is looked up once.
        trust: The trust file: of a pinned repository, the logs of its roots are asked for what cosign 2
            signed. None where there is none.
        roots: Its trusted roots.

    Raises:
        RefusedError: ``image-tag-moved``; ``image-digest-differs``.
        UndecidedError: The registry or a log did not answer, or not as they should.
    """
    manifest = parts.registry.resolve(reference)
    image = JudgedImage(repository=reference.repository, digest=manifest.digest, tag=reference.tag)
    entry = None if trust is None else trust.image_entry(reference.repository)
    if entry is None:
        supply = ImageSupply(registry=parts.registry, transport=parts.transport, roots=roots)
    else:
        supply = parts.supply(roots, entry)
    found = tuple(_claimed(each, image) for each in supply.evidence(image.repository, image.digest))
    return InspectedImage(name=image.name, manifest=manifest, evidence=found)


def _claimed(item: Item | BadItem, image: JudgedImage) -> ClaimedEvidence:
    """Read what an item says of itself."""
    if isinstance(item, BadItem):
        return ClaimedEvidence(label=item.label, form=item.form, fault=item.fault)
    said, signer = _said(item, image), claimed_signer(item.wire.certificate)
    noted = read_annotations(said, image) if isinstance(said, Statement) and said.names(image) else ()
    faults = (each for each in (said, signer, noted, _of_another(said, image)) if isinstance(each, Fault))
    seconds = item.wire.entry.integrated_time
    return ClaimedEvidence(
        label=item.label,
        form=item.form,
        claimed_type=said.predicate_type if isinstance(said, Statement) else None,
        claimed_subject=None if isinstance(signer, Fault) else signer.subjects[0],
        claimed_issuer=None if isinstance(signer, Fault) else signer.issuer,
        claimed_annotations=() if isinstance(noted, Fault) else tuple(islice(noted, _MOST_ANNOTATIONS)),
        claimed_logged_at=datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None,
        fault=next(faults, None),
    )


def _said(item: Item, image: JudgedImage) -> Statement | Fault | None:
    if item.payload is not None:
        return read_payload(item.payload, None, image)
    claimed = item.wire.envelope
    if claimed is None:
        return None
    envelope = Envelope(payload_type=claimed.payload_type, payload=claimed.payload)
    return read_statement(envelope, named=False)


def _of_another(said: Statement | Fault | None, image: JudgedImage) -> Fault | None:
    if isinstance(said, Statement) and not said.names(image):
        return Fault(
            code="subject-mismatch",
            expected=f"a statement about SHA-256 {image.digest}",
            found=f"one about {said.subjects[0].sha256 or 'no SHA-256'}",
        )
    return None
