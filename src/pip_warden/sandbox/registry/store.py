"""What a registry holds: repositories with blobs, manifests, tags, and uploads that are under way."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from dataclasses import dataclass, field

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = "registry/"


def digest_of(data: bytes) -> str:
    """Return the digest as registries spell it: ``sha256:…``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(eq=False, kw_only=True, slots=True)
class StoredManifest:
    """One manifest; whoever changes its bytes makes the digest that it is kept under a lie."""

    media_type: str
    data: bytes = field(repr=False)

    def content(self) -> dict[str, object]:
        """Return it as JSON; empty where a test put something else there."""
        try:
            value: object = json.loads(self.data)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(eq=False, kw_only=True, slots=True)
class BlobUpload:
    """An upload session.

    Attributes:
        state: The ``_state`` that the next request has to carry; another one after each request that adds.
    """

    id: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    data: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, data: bytes) -> None:
        """Append bytes."""
        self.data += data
        self.state = secrets.token_urlsafe(12)


@dataclass(eq=False, kw_only=True, slots=True)
class ImageRepository:
    """One repository: blobs and manifests by digest, digests by tag, uploads by id."""

    path: str
    blobs: dict[str, bytes] = field(default_factory=dict, repr=False)
    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, BlobUpload] = field(default_factory=dict)

    def digest(self, reference: str) -> str | None:
        """Return the digest that a tag or a digest names, None where there is no such manifest."""
        digest = reference if DIGEST.fullmatch(reference) else self.tags.get(reference)
        return digest if digest in self.manifests else None

    def put_blob(self, data: bytes) -> str:
        """Keep a blob and return its digest."""
        digest = digest_of(data)
        self.blobs[digest] = data
        return digest

    def put_manifest(self, data: bytes, media_type: str, *, tag: str | None = None) -> str:
        """Keep a manifest, unchecked, and return its digest."""
        digest = digest_of(data)
        self.manifests[digest] = StoredManifest(media_type=media_type, data=data)
        if tag is not None:
            self.tags[tag] = digest
        return digest

    def drop_manifest(self, digest: str) -> None:
        """Delete a manifest with the tags on it."""
        del self.manifests[digest]
        self.tags = {tag: there for tag, there in self.tags.items() if there != digest}

    def referrers(self, digest: str) -> list[dict[str, object]]:
        """Return a descriptor of every manifest whose subject is that digest, in order of their digests."""
        found = []
        for own, manifest in sorted(self.manifests.items()):
            content = manifest.content()
            subject = content.get("subject")
            if isinstance(subject, dict) and subject.get("digest") == digest:
                found.append(_descriptor(own, manifest, content))
        return found


def _descriptor(digest: str, manifest: StoredManifest, content: dict[str, object]) -> dict[str, object]:
    config = content.get("config")
    kind = content.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    optional = {"artifactType": kind, "annotations": content.get("annotations")}
    return {
        "mediaType": manifest.media_type,
        "digest": digest,
        "size": len(manifest.data),
        **{name: value for name, value in optional.items() if value},
    }


class ImageStore:
    """All repositories; hold `lock` while reading or changing more than one thing."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repositories: dict[str, ImageRepository] = {}

    def find(self, path: str) -> ImageRepository | None:
        """Return a repository, None if nothing was ever pushed to it."""
        return self.repositories.get(path)

    def repository(self, path: str) -> ImageRepository:
        """Return a repository; it begins to exist if needed."""
        with self.lock:
            return self.repositories.setdefault(path, ImageRepository(path=path))

    @staticmethod
    def key(path: str, digest: str) -> str:
        """Return the key of a blob in the object storage."""
        return f"{_KEY}{path}/{digest}"

    def stored(self, key: str) -> bytes | None:
        """Return the blob of a key of the object storage."""
        path, _, digest = key.removeprefix(_KEY).rpartition("/")
        found = self.find(path) if key.startswith(_KEY) else None
        return found.blobs.get(digest) if found is not None else None

    def state(self) -> list[dict[str, object]]:
        """Return what is there, for inspection; each digest with the one of the bytes under it."""
        with self.lock:
            return [
                {
                    "path": repository.path,
                    "tags": dict(repository.tags),
                    "manifests": {
                        digest: {"media_type": manifest.media_type, "digest": digest_of(manifest.data)}
                        for digest, manifest in repository.manifests.items()
                    },
                    "blobs": {digest: digest_of(data) for digest, data in repository.blobs.items()},
                }
                for repository in self.repositories.values()
            ]
