"""The artifact of a bundle is that of cosign 3, byte for byte where bytes matter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from pip_warden.digests import digest_of
from pip_warden.oci.evidence_manifest import EvidenceArtifact, evidence_artifact
from pip_warden.oci.manifest import IMAGE_MANIFEST, Descriptor, read_manifest
from pip_warden.oci.names import parse_digest, spelled
from stored_images import DIGEST, REAL, listed_by_cosign

SIGN = "https://sigstore.dev/cosign/sign/v1"
SUBJECT = Descriptor(media_type=IMAGE_MANIFEST, digest=DIGEST, size=411)
NOW = datetime(2026, 11, 29, 12, 0, 0, 999, tzinfo=UTC)


def made(bundle: bytes = b"{}", subject: Descriptor = SUBJECT, created: datetime = NOW) -> EvidenceArtifact:
    return evidence_artifact(subject, bundle, SIGN, created=created)


def test_it_is_the_one_that_cosign_writes() -> None:
    theirs = json.loads(REAL["contents"][spelled(listed_by_cosign()[0].digest)])
    bundle = REAL["contents"][theirs["layers"][0]["digest"]].encode()
    created = datetime.fromisoformat(theirs["annotations"]["org.opencontainers.image.created"])

    ours = json.loads(made(bundle, created=created).manifest)

    # cosign says it of the configuration, too, which no specification has.
    assert theirs["config"].pop("artifactType") == theirs["artifactType"]
    assert ours == theirs


def test_it_is_read_again_and_brings_its_blobs() -> None:
    artifact = made(b"a bundle")
    manifest = read_manifest(artifact.manifest, IMAGE_MANIFEST)

    assert manifest.subject == SUBJECT
    assert manifest.kind == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert [descriptor for descriptor, _ in artifact.blobs] == [manifest.config, *manifest.layers]
    assert all((digest_of(raw), len(raw)) == (each.digest, each.size) for each, raw in artifact.blobs)


def test_the_same_arguments_give_the_same_bytes() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))

    assert made() == made(created=elsewhere)
    assert made() != made(created=NOW + timedelta(seconds=1))


def test_of_the_image_only_what_identifies_it_is_written() -> None:
    listed = Descriptor(
        media_type=IMAGE_MANIFEST,
        digest=parse_digest(f"sha256:{DIGEST}"),
        size=411,
        platform="linux/amd64",
        artifact_type="a/b",
        annotations={"a": "b"},
    )

    assert made(subject=listed) == made()
