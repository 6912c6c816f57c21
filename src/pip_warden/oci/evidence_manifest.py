"""The artifact that keeps a Sigstore bundle beside an image in its registry, as cosign 3 writes it.

Sources: OCI image specification 1.1, "Guidelines for Artifact Usage"; cosign, ``specs/BUNDLE_SPEC.md``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pip_warden._sigstore.wire import V0_3
from pip_warden.digests import digest_of
from pip_warden.oci.manifest import IMAGE_MANIFEST, Descriptor
from pip_warden.values import dataclass, field

EMPTY_CONFIG = b"{}"
EMPTY = Descriptor(
    media_type="application/vnd.oci.empty.v1+json", digest=digest_of(EMPTY_CONFIG), size=len(EMPTY_CONFIG)
)
"""What an artifact has for a configuration, since it has none of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceArtifact:
    """A bundle as a registry keeps it.

    Attributes:
        manifest: The manifest, of the type :data:`~pip_warden.oci.manifest.IMAGE_MANIFEST`; it refers to the
            signed image.
        blobs: The blobs that must be stored before it, each with its description.
    """

    manifest: bytes
    blobs: tuple[tuple[Descriptor, bytes], ...] = field(repr=False)


def evidence_artifact(
    subject: Descriptor, bundle: bytes, predicate_type: str, *, created: datetime
) -> EvidenceArtifact:
    """Return the artifact of a bundle with a signed statement.

    Args:
        subject: The signed manifest: media type, digest and size.
        bundle: A Sigstore bundle of version 0.3 as JSON.
        predicate_type: The type of the statement's predicate, by which other clients choose.
        created: When it was signed, aware; to the second. The same arguments give the same bytes.
    """
    layer = Descriptor(media_type=V0_3, digest=digest_of(bundle), size=len(bundle))
    about = Descriptor(media_type=subject.media_type, digest=subject.digest, size=subject.size)
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "artifactType": V0_3,
        "config": EMPTY.as_json(),
        "layers": [layer.as_json()],
        "subject": about.as_json(),
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": predicate_type,
            "org.opencontainers.image.created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }
    manifest = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return EvidenceArtifact(manifest=manifest, blobs=((EMPTY, EMPTY_CONFIG), (layer, bundle)))
