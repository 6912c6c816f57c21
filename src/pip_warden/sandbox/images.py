"""Builds tiny container images, indexes and artifacts, as bytes and without any engine (OCI image 1.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pip_warden.sandbox.packages import tar, tar_gz
from pip_warden.sandbox.registry.manifests import INDEX, MANIFEST
from pip_warden.sandbox.registry.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pip_warden.sandbox.packages import Content

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = "application/vnd.oci.empty.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CREATED = "2024-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image, an index of images or an artifact.

    Attributes:
        media_type: Of the manifest.
        manifest: Its bytes.
        blobs: What the manifest refers to: the configuration, then the layers.
        platforms: The images of an index.
        platform: Such as ``linux/amd64``; empty where there is none.
    """

    media_type: str
    manifest: bytes = field(repr=False)
    blobs: tuple[bytes, ...] = field(default=(), repr=False)
    platforms: tuple[Image, ...] = ()
    platform: str = ""

    @property
    def digest(self) -> str:
        """Return the digest of the manifest as registries spell it: ``sha256:…``."""
        return digest_of(self.manifest)

    def descriptor(self) -> dict[str, object]:
        """Return what an index says of it."""
        system, _, machine = self.platform.partition("/")
        platform = {"platform": {"architecture": machine, "os": system}} if self.platform else {}
        return _descriptor(self.media_type, self.manifest) | platform


def image(
    files: Mapping[str, Content], *, platform: str = "linux/amd64", labels: Mapping[str, str] | None = None
) -> Image:
    """Build an image of one layer; the same arguments give the same bytes."""
    system, _, machine = platform.partition("/")
    config = {
        "architecture": machine,
        "os": system,
        "created": _CREATED,
        "config": {"Labels": dict(labels or {})},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(tar(files))]},
    }
    blobs = (_json(config), tar_gz(files))
    return Image(
        media_type=MANIFEST,
        manifest=_json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(_CONFIG, blobs[0]),
                "layers": [_descriptor(_LAYER, blobs[1])],
            }
        ),
        blobs=blobs,
        platform=platform,
    )


def index(images: Sequence[Image], *, annotations: Mapping[str, str] | None = None) -> Image:
    """Build an index of images, one for each platform."""
    content: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [each.descriptor() for each in images],
    }
    noted = {"annotations": dict(annotations)} if annotations else {}
    return Image(media_type=INDEX, manifest=_json(content | noted), platforms=tuple(images))


def artifact(
    data: bytes,
    *,
    subject: Image | None = None,
    artifact_type: str = BUNDLE,
    layer_type: str = "",
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """Build an artifact about an image, as cosign stores a bundle: one layer, the empty configuration.

    Args:
        data: The layer.
        subject: What it is about.
        artifact_type: What it is.
        layer_type: Media type of the layer; that of the artifact by default.
        annotations: Annotations of the manifest.
    """
    content: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": _descriptor(EMPTY, b"{}"),
        "layers": [_descriptor(layer_type or artifact_type, data)],
    }
    if annotations:
        content["annotations"] = dict(annotations)
    if subject is not None:
        content["subject"] = _descriptor(subject.media_type, subject.manifest)
    return Image(media_type=MANIFEST, manifest=_json(content), blobs=(b"{}", data))


def _descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
