"""Where the evidence of an image is in its registry, and in which order it is read.

It is what refers to the image (cosign 3, and this project), then what cosign 2 put under tags beside it.
What cannot be read is an item, too: whoever may push can add some, and must not make a good item unseen by
it. No list says what an artifact is: its own manifest does.

Everything here is lazy: the caller can stop at the first good item.

Sources: OCI distribution specification 1.1, "Listing Referrers"; cosign, ``specs/BUNDLE_SPEC.md``,
``specs/SIGNATURE_SPEC.md`` and ``specs/ATTESTATION_SPEC.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest
from pip_warden.errors import RegistryError, WardenError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.cosign_tags import (
    LARGEST_PAYLOAD,
    ImageEntryFinder,
    read_image_attestation,
    read_image_signature,
)
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import Repository, spelled
from pip_warden.values import dataclass

MOST_REFERRERS = 256
MOST_LAYERS = 64
"""Layers under one tag: cosign 2 adds one with each signature. A bundle is an artifact's only layer, so that
there is a limit to all that must be looked at."""

_BUNDLE = "application/vnd.dev.sigstore.bundle"
"""How the media types of all versions of a bundle begin."""

_MALFORMED = frozenset({"bad-manifest", "too-large", "image-digest-differs"})
_BROKEN = _MALFORMED | {"not-found"}
"""What can be the fault of whoever stored an artifact; all else concerns the registry, as does a tag that is
not found in other words than those that say so."""

_SHOWN = 12
"""Digits of a digest in a label."""

T = TypeVar("T")


class ImageStore(Protocol):
    """The part of a registry client that is used here: see :class:`pip_warden.oci.registry.ImageRegistry`."""

    def manifest(self, repository: Repository, wanted: Digest) -> Manifest:
        """Fetch a manifest by its digest."""
        ...

    def find(self, repository: Repository, tag: str) -> Manifest | None:
        """Fetch what a tag is of, None where there is no such tag."""
        ...

    def small_blob(self, repository: Repository, descriptor: Descriptor, max_bytes: int) -> bytes:
        """Fetch a blob whose digest and size are checked."""
        ...


def image_evidence(
    store: ImageStore,
    repository: Repository,
    digest: Digest,
    listed: Iterable[Descriptor],
    find_entry: ImageEntryFinder | None,
) -> Iterator[Item | BadItem]:
    """Yield the evidence of an image, best form first.

    Args:
        store: The registry.
        repository: The repository of the image.
        digest: Digest of its manifest or index.
        listed: What is listed as referring to it: see :func:`pip_warden.oci.referrers.each_referrer`.
        find_entry: How the log entry of what cosign 2 signed is looked up; None where it must not be.

    Raises:
        RegistryError: ``too-many-referrers``, or an answer that is none of the registry protocol's.
        UndecidedError: A request to the registry or the transparency log failed.
    """
    for number, descriptor in enumerate(listed):
        if number == MOST_REFERRERS:
            raise RegistryError(
                "too-many-referrers",
                f"expected at most {MOST_REFERRERS} artifacts that refer to {repository}@{spelled(digest)}, "
                "found more",
                hint="Delete what nobody needs there; a part of the list is never taken for the whole.",
            )
        yield from referring_evidence(store, repository, digest, descriptor)
    for kind in COSIGN_TAGS:
        for found in tag_evidence(store, repository, digest, kind):
            yield found if isinstance(found, BadItem) else found.read(find_entry)


def referring_evidence(
    store: ImageStore, repository: Repository, digest: Digest, descriptor: Descriptor
) -> Iterator[Item | BadItem]:
    """Yield what one artifact says about an image: one item, or none where it is no evidence.

    Args:
        store: The registry.
        repository: The repository of the image.
        digest: Digest of its manifest or index.
        descriptor: The artifact, as it is listed.

    Raises:
        RegistryError: An answer that is none of the registry protocol's.
        UndecidedError: A request to the registry failed.
    """
    label, form = f"sha256:{descriptor.digest.hex[:_SHOWN]}…", EvidenceForm.REFERRER
    found = fetched(label, form, lambda: store.manifest(repository, descriptor.digest))
    if isinstance(found, BadItem):
        yield found
        return
    if found.subject is None or not found.subject.digest.matches(digest):
        yield BadItem(label=label, form=form, fault=_of_another(found, digest))
        return
    if not (found.kind or "").startswith(_BUNDLE):
        return  # an SBOM, a scan's result, …
    bundles = [layer for layer in found.layers if layer.media_type.startswith(_BUNDLE)]
    if fault := _wrong_number(found, len(bundles), most=1):
        yield BadItem(label=label, form=form, fault=fault)
        return
    raw = _blob(store, repository, bundles[0], (label, form), LARGEST_BUNDLE)
    yield raw if isinstance(raw, BadItem) else read_bundle(label, raw, form)


@dataclass(frozen=True, kw_only=True, slots=True)
class CosignTag:
    """What cosign 2 puts under a tag: the tag's end, its form, its layers' type and size, their reader."""

    suffix: str
    form: EvidenceForm
    media_type: str
    largest: int
    read: Callable[[str, bytes, Mapping[str, str], ImageEntryFinder | None], Item | BadItem]


COSIGN_TAGS = (
    CosignTag(
        suffix=".sig",
        form=EvidenceForm.IMAGE_SIGNATURE,
        media_type="application/vnd.dev.cosign.simplesigning.v1+json",
        largest=LARGEST_PAYLOAD,
        read=read_image_signature,
    ),
    CosignTag(
        suffix=".att",
        form=EvidenceForm.IMAGE_ATTESTATION,
        media_type="application/vnd.dsse.envelope.v1+json",
        largest=LARGEST_BUNDLE,
        read=read_image_attestation,
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedLayer:
    """A layer that cosign 2 put under a tag.

    Attributes:
        layer: The layer, as its manifest describes it.
        label: Where it came from, for people.
        kind: What is under that tag.
        content: Its bytes, or why they are no evidence.
    """

    layer: Descriptor
    label: str
    kind: CosignTag
    content: bytes | BadItem

    def read(self, find_entry: ImageEntryFinder | None) -> Item | BadItem:
        """Read it as evidence, with its log entry; the log is not asked where there is no ``find_entry``.

        Raises:
            UndecidedError: The transparency log could not be asked.
        """
        if isinstance(self.content, BadItem):
            return self.content
        return self.kind.read(self.label, self.content, self.layer.annotations, find_entry)


def cosign_tag(digest: Digest, kind: CosignTag) -> str:
    """Return the tag that cosign 2 gives to its evidence of a kind about an image."""
    return f"sha256-{digest}{kind.suffix}"


def tag_evidence(
    store: ImageStore, repository: Repository, digest: Digest, kind: CosignTag
) -> Iterator[SignedLayer | BadItem]:
    """Yield what cosign 2 put under a tag that belongs to an image.

    Raises:
        UndecidedError: A request to the registry failed.
    """
    label = f"sha256-{digest.hex[:_SHOWN]}…{kind.suffix}"
    tag = cosign_tag(digest, kind)
    found = fetched(label, kind.form, lambda: store.find(repository, tag), _MALFORMED)
    if found is None:
        return
    if isinstance(found, BadItem):
        yield found
        return
    if fault := _wrong_number(found, len(found.layers), most=MOST_LAYERS):
        yield BadItem(label=label, form=kind.form, fault=fault)
        return
    for number, layer in enumerate(found.layers, 1):
        of = _numbered(label, number)
        if layer.media_type != kind.media_type:
            yield BadItem(label=of, form=kind.form, fault=_of_another_type(layer, kind.media_type))
            continue
        raw = _blob(store, repository, layer, (of, kind.form), kind.largest)
        yield SignedLayer(layer=layer, label=of, kind=kind, content=raw)


def _blob(
    store: ImageStore, repository: Repository, layer: Descriptor, item: tuple[str, EvidenceForm], largest: int
) -> bytes | BadItem:
    """Fetch a layer that is not said to be larger than it may be."""
    label, form = item
    if layer.size > largest:
        fault = Fault(
            code="evidence-too-large", expected=f"at most {largest} bytes", found=f"{layer.size} bytes"
        )
        return BadItem(label=label, form=form, fault=fault)
    return fetched(label, form, lambda: store.small_blob(repository, layer, largest))


def fetched(
    label: str, form: EvidenceForm, fetch: Callable[[], T], spoilt: frozenset[str] = _BROKEN
) -> T | BadItem:
    """Fetch a part of an item; where that fails by what somebody stored there, the item is bad.

    Raises:
        WardenError: It failed by anything else: with a code that is not in ``spoilt``.
    """
    try:
        return fetch()
    except WardenError as err:
        if err.code not in spoilt:
            raise
        fault = Fault(
            code="unreadable-image-evidence",
            expected="an artifact that the registry serves whole, as it is described",
            found=f"{err.message} [{err.code}]",
        )
        return BadItem(label=label, form=form, fault=fault)


def _wrong_number(found: Manifest, usable: int, *, most: int) -> Fault | None:
    """Return what is wrong with the layers of an artifact of which some can be used."""
    if not usable:
        return Fault(
            code="unreadable-image-evidence",
            expected="an artifact whose layers are evidence",
            found="an index" if found.is_index else "none",
        )
    if len(found.layers) > most:
        return Fault(
            code="too-much-evidence",
            expected=f"layers, {most} at most",
            found=f"{len(found.layers)}; none was looked at",
            hint="Delete the tag or artifact, and sign the image anew.",
        )
    return None


def _of_another(found: Manifest, digest: Digest) -> Fault:
    return Fault(
        code="referrer-of-another",
        expected=f"an artifact about {spelled(digest)}, where it is listed",
        found="one about nothing" if found.subject is None else f"one about {spelled(found.subject.digest)}",
        hint="Whoever wrote the list put it there. It is no evidence of this image.",
    )


def _of_another_type(layer: Descriptor, wanted: str) -> Fault:
    return Fault(
        code="unreadable-image-evidence",
        expected=f"a layer of the type {wanted}",
        found=layer.media_type,
    )


def _numbered(label: str, number: int) -> str:
    return label if number == 1 else f"{label} #{number}"
