"""Copies an image by digest, with all that it consists of, from one repository to another.

Children come first, so what is there is whole, whenever the copying ends; run again, it sends what is
missing. Nothing is tagged. A subject is not followed: it is what an artifact is about, not a part of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pip_warden.digests import Digest
from pip_warden.disk import storing
from pip_warden.oci.listed import DEEPEST, MOST_MANIFESTS, too_deep
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import Repository
from pip_warden.oci.registry import ImageRegistry


class Copying:
    """Copies from one repository to another; what was copied once is not asked for again.

    Args:
        registry: The registries.
        source: Where from.
        target: Where to.
        workspace: A private directory for blobs on their way.
    """

    def __init__(
        self, registry: ImageRegistry, *, source: Repository, target: Repository, workspace: Path
    ) -> None:
        self._registry = registry
        self._source = source
        self._target = target
        self._workspace = workspace
        self._blobs: set[Digest] = set()
        self._manifests: set[Digest] = set()

    def copy(self, manifest: Manifest) -> None:
        """Copy a manifest and what it consists of: configuration, layers, and the manifests of an index.

        Raises:
            RegistryError: ``image-too-deep``; ``bad-manifest``; ``not-read-back``; or another status.
            RefusedError: ``image-digest-differs``: a registry has other bytes under a digest.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
            UndecidedError: ``cannot-store``.
        """
        self._copy(manifest, DEEPEST)

    def copy_blobs(self, blobs: Iterable[Descriptor]) -> None:
        """Copy blobs.

        Raises:
            RegistryError: A status that does not say that it is there.
            RefusedError: ``image-digest-differs``: a registry has other bytes under a digest.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
            UndecidedError: ``cannot-store``.
        """
        for blob in blobs:
            self._copy_blob(blob)

    def _copy(self, manifest: Manifest, left: int) -> None:
        if manifest.digest in self._manifests:
            return
        if left == 0 or len(self._manifests) + len(manifest.manifests) >= MOST_MANIFESTS:
            raise too_deep()
        for child in manifest.manifests:
            if child.digest not in self._manifests:
                self._copy(self._registry.manifest(self._source, child), left - 1)
        self.copy_blobs(blobs_of(manifest))
        self._registry.put_manifest(self._target, manifest.content, manifest.media_type)
        self._manifests.add(manifest.digest)

    def _copy_blob(self, blob: Descriptor) -> None:
        if blob.digest in self._blobs:
            return
        registry = self._registry
        if not registry.has_blob(self._target, blob.digest) and not registry.mount(
            self._target, blob.digest, self._source
        ):
            with storing(self._workspace), tempfile.TemporaryFile(dir=self._workspace) as passing:
                registry.blob(self._source, blob, passing)
                registry.put_blob(self._target, passing, blob)
        self._blobs.add(blob.digest)


def blobs_of(manifest: Manifest) -> Iterator[Descriptor]:
    """Yield the blobs that a manifest names: its configuration, then its layers."""
    if manifest.config is not None:
        yield manifest.config
    yield from manifest.layers
