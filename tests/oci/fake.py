"""An in-memory registry behind :class:`pip_warden.oci.door.Door`; it can lie, and be interfered with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError, NetworkError, WardenError
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Descriptor, Manifest, read_manifest
from pip_warden.oci.names import Repository, parse_repository, spelled
from pip_warden.transport import Download, Response, error_for

HOST = "registry.example.com"
APP = parse_repository(f"{HOST}/acme/app")
PROD = parse_repository(f"{HOST}/acme/prod")
ELSEWHERE = parse_repository("other.example.com/acme/app")
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"

Lie = Callable[["Asked"], Response | None]


def _nothing(asked: Asked) -> None:
    """Interfere with nothing."""


def sha(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Asked:
    method: str
    repository: Repository
    url: str
    content: bytes
    content_range: str | None
    accept: str | None = None

    @property
    def short(self) -> str:
        parts = urlsplit(self.url)
        path = parts.path.removeprefix(f"/v2/{self.repository.path}/")
        return f"{self.method} {path}" + (f"?{parts.query}" if parts.query else "")


def answer(status: int, body: bytes = b"", url: str = f"https://{HOST}/v2/", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, url=url, headers=MappingProxyType(named), body=body, sent_credentials=True)


def unknown(code: str, status: int = 404) -> Response:
    return answer(status, json.dumps({"errors": [{"code": code, "message": "no"}]}).encode())


@dataclass
class Shelf:
    """One repository."""

    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


@dataclass
class FakeRegistry:
    """Registries as CNCF distribution is one: manifests only after what they refer to.

    Attributes:
        referrers: Whether it lists referrers itself; ``page`` at once.
        before: Called with each request before it is answered: other writers, or a kill.
        lie: May answer in its place.
        mounts: What a mount ends with: 201, 202, or 401.
        absolute: Whether a Location is an absolute URL.
    """

    referrers: bool = False
    page: int = 1000
    before: Callable[[Asked], None] = field(default=_nothing)
    lie: Lie = field(default=_nothing)
    mounts: int = 201
    absolute: bool = False
    least_piece: int = 0
    shelves: dict[str, Shelf] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    sessions: dict[str, bytes] = field(default_factory=dict)

    def shelf(self, repository: Repository) -> Shelf:
        return self.shelves.setdefault(str(repository), Shelf())

    def ask(
        self,
        method: str,
        repository: Repository,
        path: str,
        *,
        writes: bool = False,
        accept: str | None = None,
        content: bytes | BinaryIO | None = None,
        content_type: str | None = None,
        content_range: str | None = None,
        max_bytes: int,
    ) -> Response:
        body = content if isinstance(content, bytes) else content.read() if content is not None else b""
        url = urljoin(f"{repository.url}/", path)
        asked = Asked(method, repository, url, body, content_range, accept)
        assert writes == (method in {"POST", "PUT", "PATCH"})
        assert url.startswith(f"{repository.url}/")
        self.log.append(asked.short)
        self.before(asked)
        reply = self.lie(asked) or self._answer(asked, content_type or "")
        return _limited(reply, max_bytes)

    def download(
        self, repository: Repository, path: str, *, to: BinaryIO, max_bytes: int, label: str
    ) -> Download:
        reply = self.ask("GET", repository, path, max_bytes=max_bytes)
        if reply.status != 200:
            raise error_for(reply, label)
        to.write(reply.body)
        return Download(url=reply.url, digest=digest_of(reply.body), size=len(reply.body))

    def _answer(self, asked: Asked, content_type: str) -> Response:
        shelf, path = self.shelf(asked.repository), urlsplit(asked.url).path
        kind, _, name = path.removeprefix(f"/v2/{asked.repository.path}/").partition("/")
        if path.endswith("/tags/list"):
            return self._tags(asked, shelf)
        if kind == "referrers":
            return self._referrers(asked, shelf, name)
        if kind == "manifests":
            return self._put(asked, shelf, name, content_type) if asked.method == "PUT" else _get(shelf, name)
        if name.startswith("uploads/"):
            return self._upload(asked, shelf, name.removeprefix("uploads/"))
        if name not in shelf.blobs:
            return unknown("BLOB_UNKNOWN")
        return answer(200, b"" if asked.method == "HEAD" else shelf.blobs[name], asked.url)

    def _tags(self, asked: Asked, shelf: Shelf) -> Response:
        if not shelf.manifests:
            return unknown("NAME_UNKNOWN")
        query = parse_qs(urlsplit(asked.url).query)
        rest = [tag for tag in sorted(shelf.tags) if tag > query.get("last", [""])[0]]
        page, more = rest[: self.page], rest[self.page :]
        body = json.dumps({"name": asked.repository.path, "tags": page}).encode()
        link = f'</v2/{asked.repository.path}/tags/list?n=1000&last={page[-1]}>; rel="next"' if more else ""
        return answer(200, body, asked.url, link=link)

    def _referrers(self, asked: Asked, shelf: Shelf, name: str) -> Response:
        if not self.referrers:
            return answer(404, b"404 page not found\n", asked.url)
        at = int(parse_qs(urlsplit(asked.url).query).get("at", ["0"])[0])
        read = [read_manifest(*stored) for stored in shelf.manifests.values()]
        found = [
            one.as_referrer().as_json() for one in read if one.subject and spelled(one.subject.digest) == name
        ]
        body = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": found[at : at + self.page]}
        following = at + self.page
        link = f'<{urlsplit(asked.url).path}?at={following}>; rel="next"' if found[following:] else ""
        return answer(200, json.dumps(body).encode(), asked.url, content_type=IMAGE_INDEX, link=link)

    def _put(self, asked: Asked, shelf: Shelf, name: str, content_type: str) -> Response:
        manifest = read_manifest(asked.content, content_type)
        if name.startswith("sha256:") and name != spelled(manifest.digest):
            return unknown("DIGEST_INVALID", 400)
        blobs = [one for one in (manifest.config, *manifest.layers) if one is not None]
        if any(spelled(blob.digest) not in shelf.blobs for blob in blobs) or any(
            spelled(child.digest) not in shelf.manifests for child in manifest.manifests
        ):
            return unknown("MANIFEST_BLOB_UNKNOWN", 400)
        self.keep(shelf, manifest, None if name.startswith("sha256:") else name)
        headers = {"docker_content_digest": spelled(manifest.digest)}
        if self.referrers and manifest.subject is not None:
            headers["oci_subject"] = spelled(manifest.subject.digest)
        return answer(201, b"", asked.url, **headers)

    def _upload(self, asked: Asked, shelf: Shelf, session: str) -> Response:
        query = parse_qs(urlsplit(asked.url).query)
        if asked.method == "POST" and "mount" in query:
            return self._mount(asked, shelf, query["mount"][0], query["from"][0])
        if asked.method == "POST":
            session = f"session-{len(self.sessions)}"
            self.sessions[session] = b""
            return self._accepted(asked, session)
        if session not in self.sessions:
            return unknown("BLOB_UPLOAD_UNKNOWN")
        there = self.sessions[session]
        if asked.method == "PATCH" and not (asked.content_range or "").startswith(f"{len(there)}-"):
            return unknown("BLOB_UPLOAD_INVALID", 416)
        self.sessions[session] = there + asked.content
        if asked.method == "PATCH":
            return self._accepted(asked, session)
        content = self.sessions.pop(session)
        if query["digest"] != [sha(content)]:
            return unknown("DIGEST_INVALID", 400)
        shelf.blobs[sha(content)] = content
        return answer(201, b"", asked.url, docker_content_digest=sha(content))

    def _mount(self, asked: Asked, shelf: Shelf, name: str, source: str) -> Response:
        if self.mounts == 401:
            raise CredentialsError("forbidden", "no")
        there = self.shelves.get(f"{asked.repository.registry}/{source}", Shelf()).blobs
        if self.mounts == 201 and name in there:
            shelf.blobs[name] = there[name]
            return answer(201, b"", asked.url, docker_content_digest=name)
        return answer(202, b"", asked.url, location="/v2/nowhere")

    def _accepted(self, asked: Asked, session: str) -> Response:
        path = f"/v2/{asked.repository.path}/blobs/uploads/{session}?_state=a%3D"
        root = f"https://{asked.repository.registry}" if self.absolute else ""
        headers = {"location": root + path}
        if self.sessions[session]:
            headers["range"] = f"0-{len(self.sessions[session]) - 1}"
        if self.least_piece:
            headers["oci_chunk_min_length"] = str(self.least_piece)
        return answer(202, b"", asked.url, **headers)

    def keep(self, shelf: Shelf, manifest: Manifest, tag: str | None = None) -> None:
        shelf.manifests[spelled(manifest.digest)] = (manifest.content, manifest.media_type)
        if tag is not None:
            shelf.tags[tag] = spelled(manifest.digest)

    def push(self, repository: Repository, image: Image, tag: str | None = None) -> Manifest:
        """Put an image there, without a request."""
        shelf = self.shelf(repository)
        shelf.blobs.update({sha(blob): blob for blob in image.blobs})
        for child in image.children:
            self.push(repository, child)
        self.keep(shelf, image.manifest, tag)
        return image.manifest


def _limited(reply: Response, max_bytes: int) -> Response:
    if reply.status == 200 and len(reply.body) > max_bytes:
        raise NetworkError("too-large", "too large")
    return reply


def _get(shelf: Shelf, name: str) -> Response:
    digest = name if name.startswith("sha256:") else shelf.tags.get(name, "")
    if digest not in shelf.manifests:
        return unknown("MANIFEST_UNKNOWN")
    content, media_type = shelf.manifests[digest]
    return answer(200, content, content_type=media_type, docker_content_digest=digest)


@dataclass(frozen=True)
class Image:
    """A manifest with its blobs, or an index with its images."""

    manifest: Manifest
    blobs: tuple[bytes, ...] = ()
    children: tuple[Image, ...] = ()


def described(content: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": sha(content), "size": len(content)}


def image(name: str = "app", *layers: bytes) -> Image:
    config = json.dumps({"name": name}).encode()
    blobs = layers or (f"layer of {name}".encode(),)
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": described(config, CONFIG),
        "layers": [described(blob, LAYER) for blob in blobs],
    }
    return Image(read_manifest(json.dumps(document).encode(), IMAGE_MANIFEST), (config, *blobs))


def index(*children: Image, platforms: tuple[str, ...] = ()) -> Image:
    entries = [dict(child.manifest.described().as_json()) for child in children]
    for entry, platform in zip(entries, platforms, strict=False):
        entry["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    document = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": entries}
    return Image(read_manifest(json.dumps(document).encode(), IMAGE_INDEX), (), children)


def artifact(subject: Descriptor, text: str = "bundle", **annotations: str) -> Image:
    empty, bundle = b"{}", text.encode()
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "artifactType": BUNDLE,
        "config": described(empty, "application/vnd.oci.empty.v1+json"),
        "layers": [described(bundle, BUNDLE)],
        "subject": subject.as_json(),
        "annotations": annotations,
    }
    return Image(read_manifest(json.dumps(document).encode(), IMAGE_MANIFEST), (empty, bundle))


def lying(fake: FakeRegistry, at: str, *replies: Response) -> None:
    """Answer requests that begin so with these in turn, the last one again and again."""
    left = list(replies)

    def lie(asked: Asked) -> Response | None:
        if not asked.short.startswith(at):
            return None
        return left.pop(0) if len(left) > 1 else left[0]

    fake.lie = lie


def fails(call: Callable[[], object], code: str, exit_code: int = 3) -> WardenError:
    with pytest.raises(WardenError) as caught:
        call()
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    return caught.value
