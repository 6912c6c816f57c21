"""Adds to what cosign 2 keeps under a tag: one manifest, of which each layer is a signature.

What is there stays. The configuration says of the layers what cosign says there, which adds to it later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pip_warden.digests import digest_of
from pip_warden.errors import RefusedError
from pip_warden.evidence.image import MOST_LAYERS
from pip_warden.oci.manifest import IMAGE_MANIFEST, MAX_MANIFEST, Descriptor, Manifest
from pip_warden.oci.names import Repository, spelled
from pip_warden.oci.registry import ImageRegistry
from pip_warden.strict_json import loads_object

_CONFIG = "application/vnd.oci.image.config.v1+json"
_NEVER = "0001-01-01T00:00:00Z"


def missing(found: Manifest | None, layers: Sequence[Descriptor]) -> tuple[Descriptor, ...]:
    """Return the layers that a manifest lacks; another signature of the same payload is another layer."""
    return tuple(layer for layer in layers if found is None or layer not in found.layers)


def check_room(found: Manifest | None, layers: Sequence[Descriptor], name: str) -> None:
    """Require that layers can be added to what is under a tag.

    Raises:
        RefusedError: ``other-content``: it is no manifest of layers, or has too many.
    """
    if found is None:
        return
    number = len(found.layers) + len(missing(found, layers))
    if found.is_index or number > MOST_LAYERS:
        raise RefusedError(
            "other-content",
            f"expected {name} to be cosign's manifest of at most {MOST_LAYERS} signatures, "
            f"found {'an index' if found.is_index else f'that there would be {number}'}",
            hint="It was not touched. Find out who pushed it, and remove what nobody needs.",
        )


def add_layers(
    registry: ImageRegistry, repository: Repository, tag: str, layers: Sequence[Descriptor]
) -> None:
    """Put layers, whose blobs are there, under a tag of cosign 2.

    Raises:
        RefusedError: ``other-content``; ``image-digest-differs``.
        RegistryError: ``not-read-back``: somebody else writes there; or another status.
        CredentialsError: The caller is not authenticated, or not authorised.
        NetworkError: No response, or a broken one.
    """
    found = registry.find(repository, tag)
    check_room(found, layers, f"{repository}:{tag}")
    further = missing(found, layers)
    if not further:
        return
    known = () if found is None else found.layers
    config = _config((*known, *further))
    described = Descriptor(media_type=_CONFIG, digest=digest_of(config), size=len(config))
    registry.put_blob(repository, config, described)
    registry.put_manifest(repository, _manifest(found, described, further), IMAGE_MANIFEST, tag=tag)


def _manifest(found: Manifest | None, config: Descriptor, further: Sequence[Descriptor]) -> bytes:
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "layers": []}
    if found is not None:
        document |= loads_object(found.content, max_bytes=MAX_MANIFEST)
    document["mediaType"], document["config"] = IMAGE_MANIFEST, config.as_json()
    document["layers"] = [*document["layers"], *(layer.as_json() for layer in further)]
    return json.dumps(document, separators=(",", ":")).encode()


def _config(layers: Sequence[Descriptor]) -> bytes:
    content = {
        "architecture": "",
        "created": _NEVER,
        "history": [{"created": _NEVER} for _ in layers],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [spelled(layer.digest) for layer in layers]},
        "config": {},
    }
    return json.dumps(content, separators=(",", ":")).encode()
