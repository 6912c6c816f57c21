"""An image that cosign signed, as a registry has it, and a registry that serves what a test puts there.

``data/image`` was made by cosign 3.1.3 with the registry of go-containerregistry and the sandbox's Sigstore.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pip_warden._sigstore.rekor import Hashedrekord, LoggedEnvelope, find_log_entry
from pip_warden._sigstore.wire import LogEntry
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import RegistryError
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Descriptor, Manifest, read_manifest
from pip_warden.oci.names import Repository, parse_digest, spelled
from pip_warden.strict_json import JSONValue, MalformedError

DATA = Path(__file__).parent / "data" / "image"
REAL: dict[str, Any] = json.loads((DATA / "repository.json").read_text())
DIGEST = parse_digest(REAL["tags"]["1.0"])
REPOSITORY = Repository(registry="registry.example.com", path="acme/widgets")
TAG = f"sha256-{DIGEST}"


@dataclass
class Stored:
    """A repository: content by its digest, and tags."""

    contents: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def put(self, content: object, tag: str | None = None) -> Digest:
        """Store bytes, or a document, and name them."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.contents[spelled(digest_of(raw))] = raw
        if tag is not None:
            self.tags[tag] = spelled(digest_of(raw))
        return digest_of(raw)

    def artifact(self, content: bytes, tag: str | None = None, /, **changes: object) -> Digest:
        """Store content as the only layer of an artifact about the image, with a test's changes to it."""
        bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
        layer = {"mediaType": bundle, "digest": spelled(self.put(content)), "size": len(content)}
        return self.put(
            {
                "schemaVersion": 2,
                "mediaType": IMAGE_MANIFEST,
                "artifactType": bundle,
                "config": {
                    "mediaType": "application/vnd.oci.empty.v1+json",
                    "digest": spelled(self.put(b"{}")),
                    "size": 2,
                },
                "layers": [layer],
                "subject": {"mediaType": IMAGE_MANIFEST, "digest": spelled(DIGEST), "size": 411},
                **changes,
            },
            tag,
        )

    def manifest(self, repository: Repository, wanted: Digest) -> Manifest:  # noqa: ARG002
        raw = self._served(wanted)
        index = b'"manifests"' in raw
        try:
            return read_manifest(raw, IMAGE_INDEX if index else IMAGE_MANIFEST)
        except MalformedError as err:
            raise RegistryError("bad-manifest", str(err)) from err

    def find(self, repository: Repository, tag: str) -> Manifest | None:
        return self.manifest(repository, parse_digest(self.tags[tag])) if tag in self.tags else None

    def small_blob(self, repository: Repository, descriptor: Descriptor, max_bytes: int) -> bytes:  # noqa: ARG002
        raw = self._served(descriptor.digest)
        assert descriptor.size <= max_bytes
        if len(raw) != descriptor.size:
            raise RegistryError("too-large", "another size")
        return raw

    def _served(self, digest: Digest) -> bytes:
        try:
            return self.contents[spelled(digest)]
        except KeyError:
            raise RegistryError("not-found", "not there", status=404) from None


def real() -> Stored:
    """Return the repository as cosign left it."""
    return Stored(
        {digest: text.encode() for digest, text in REAL["contents"].items()},
        dict(REAL["tags"]),
    )


def listed(*digests: Digest) -> tuple[Descriptor, ...]:
    """Return a list of referrers, which lies about their size and type."""
    return tuple(Descriptor(media_type="a/lie", digest=digest, size=1) for digest in digests)


def listed_by_cosign() -> tuple[Descriptor, ...]:
    """Return what cosign lists under the fallback tag."""
    return read_manifest(REAL["contents"][REAL["tags"][TAG]].encode(), IMAGE_INDEX).manifests


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


class Log:
    """The log's entries of what cosign signed in the old form, as it answered at the time."""

    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Reply:  # noqa: ARG002
        asked: Any = payload
        spec = asked["entries"][0]["spec"]
        envelope = spec.get("proposedContent", {}).get("envelope")
        wanted = (
            spec["signature"]["content"] if envelope is None else json.loads(envelope)["signatures"][0]["sig"]
        )
        return Reply(200, json.dumps([entry for entry in REAL["log"] if wanted in _body(entry)]).encode())


def _body(entry: dict[str, Any]) -> str:
    return base64.b64decode(next(iter(entry.values()))["body"]).decode()


def find_real_entry(wanted: Hashedrekord | LoggedEnvelope) -> LogEntry | None:
    """Look an entry up as it was in the log that cosign used."""
    return find_log_entry(Log(), ("https://rekor.invalid",), wanted)
