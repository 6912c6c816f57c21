"""What an index lists, however deep, and how much that may be.

Every way through an index ends at the same limits: what is signed can be judged, and what is judged can be
copied.
"""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.digests import Digest
from pip_warden.errors import RegistryError
from pip_warden.oci.manifest import INDEXES, Descriptor, Manifest
from pip_warden.oci.names import Repository
from pip_warden.oci.registry import ImageRegistry

DEEPEST = 4
"""How many manifests deep an image may be; one that is no index is one deep."""

MOST_MANIFESTS = 1000
"""How many manifests an image may consist of, its own included."""


def listed_in(registry: ImageRegistry, repository: Repository, index: Manifest) -> Iterator[Descriptor]:
    """Yield all that an index lists, each once; indexes in it are fetched for what they list.

    Raises:
        RegistryError: ``image-too-deep``; ``bad-manifest``; or a status other than 200.
        RefusedError: ``image-digest-differs``.
        CredentialsError: The caller is not authenticated, or not authorised.
        NetworkError: No response, or a broken one.
    """
    seen: set[Digest] = {index.digest}
    level = [index]
    for _ in range(DEEPEST - 1):
        inner: list[Manifest] = []
        for each in (entry for one in level for entry in one.manifests):
            if each.digest in seen:
                continue
            if len(seen) == MOST_MANIFESTS:
                raise too_deep()
            seen.add(each.digest)
            if each.media_type in INDEXES:
                inner.append(registry.manifest(repository, each))
            yield each
        level = inner
    if any(each.manifests for each in level):
        raise too_deep()


def too_deep() -> RegistryError:
    """Return what is raised where an image consists of too much: ``image-too-deep``."""
    return RegistryError(
        "image-too-deep",
        f"expected an image of at most {MOST_MANIFESTS} manifests, {DEEPEST} deep, found more",
        hint="Name the images of the index one by one.",
    )
