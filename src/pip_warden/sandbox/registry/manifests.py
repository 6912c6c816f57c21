"""Manifests, by tag and by digest, checked as CNCF distribution does (OCI distribution 1.1, "Manifests")."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from starlette.responses import Response

from pip_warden.sandbox.registry import answers
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.store import DIGEST, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from pip_warden.sandbox.registry.service import ContainerRegistry
    from pip_warden.sandbox.registry.store import ImageRepository

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_OF_MANIFESTS = {INDEX, _DOCKER_LIST}
_KNOWN = {MANIFEST, _DOCKER_MANIFEST} | _OF_MANIFESTS
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
MOST_BYTES = 4 << 20


class Manifests:
    """The route of manifests."""

    def __init__(self, registry: ContainerRegistry) -> None:
        self._registry = registry

    async def get(self, request: Request) -> Response:
        """Return a manifest; an OCI one only to who accepts its media type."""
        repository, digest = self._found(request)
        manifest = repository.manifests[digest]
        accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")}
        if manifest.media_type in {MANIFEST, INDEX} - accepted:
            raise RegistryHalt("MANIFEST_UNKNOWN", "found, but the accept header does not support it")
        headers = {"docker-content-digest": digest, "content-type": manifest.media_type}
        return Response(manifest.data, headers=answers.VERSION | headers)

    async def put(self, request: Request) -> Response:
        """Keep a manifest whose parts are all there."""
        data = await request.body()
        path, reference = request.path_params["name"], request.path_params["reference"]
        self._registry.admit(request, {path: "pull,push"})
        is_digest = ":" in reference
        if not is_digest and not _TAG.fullmatch(reference):
            raise RegistryHalt("TAG_INVALID", reference)
        if is_digest and reference != digest_of(data):
            raise RegistryHalt("DIGEST_INVALID", reference)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        with self._registry.store.lock:
            repository = self._registry.store.repository(path)
            content = _checked(repository, data, media_type)
            digest = repository.put_manifest(data, media_type, tag=None if is_digest else reference)
        place = f"{self._registry.url}/v2/{path}/manifests/{digest}"
        subject = content.get("subject")
        told = isinstance(subject, dict) and self._registry.referrers
        about = {"oci-subject": _digest(subject)} if told else {}
        return answers.named(201, {"location": place} | about, digest)

    async def delete(self, request: Request) -> Response:
        """Delete a tag, or a manifest with every tag on it."""
        repository, digest = self._found(request, "delete")
        reference = request.path_params["reference"]
        with self._registry.store.lock:
            if reference in repository.tags:
                del repository.tags[reference]
            else:
                repository.drop_manifest(digest)
        return answers.named(202, {})

    def _found(self, request: Request, actions: str = "pull") -> tuple[ImageRepository, str]:
        path, reference = request.path_params["name"], request.path_params["reference"]
        self._registry.admit(request, {path: actions})
        repository = self._registry.store.find(path)
        digest = repository.digest(reference) if repository is not None else None
        if repository is None or digest is None:
            raise RegistryHalt("MANIFEST_UNKNOWN", {"name": path, "reference": reference})
        return repository, digest


def _checked(repository: ImageRepository, data: bytes, media_type: str) -> dict[str, object]:
    """Return a manifest as JSON that can be kept.

    Raises:
        RegistryHalt: ``MANIFEST_INVALID``, or ``MANIFEST_BLOB_UNKNOWN`` for each part that is not there.
    """
    if len(data) > MOST_BYTES:
        raise RegistryHalt("MANIFEST_INVALID", f"more than {MOST_BYTES} bytes", status=413)
    try:
        content: object = json.loads(data)
    except ValueError as err:
        raise RegistryHalt("MANIFEST_INVALID", "not JSON") from err
    if not isinstance(content, dict) or content.get("schemaVersion") != 2:
        raise RegistryHalt("MANIFEST_INVALID", "unrecognized manifest schema version")
    if media_type not in _KNOWN or content.get("mediaType", media_type) != media_type:
        raise RegistryHalt("MANIFEST_INVALID", f"unexpected media type {media_type!r}")
    there = repository.manifests if media_type in _OF_MANIFESTS else repository.blobs
    missing = [digest for digest in _parts(content, media_type) if digest not in there]
    if missing:
        raise RegistryHalt("MANIFEST_BLOB_UNKNOWN", *missing)
    if "subject" in content:
        _digest(content["subject"])  # need not be there
    return content


def _parts(content: dict[str, object], media_type: str) -> Iterator[str]:
    is_index = media_type in _OF_MANIFESTS
    if is_index == ("manifests" not in content) or is_index != ("config" not in content):
        raise RegistryHalt("MANIFEST_INVALID", "an index has manifests, and a manifest has a config")
    if not is_index:
        yield _digest(content["config"])
    entries = content.get("manifests" if is_index else "layers", [])
    for entry in entries if isinstance(entries, list) else [None]:
        yield _digest(entry)


def _digest(descriptor: object) -> str:
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise RegistryHalt("MANIFEST_INVALID", "a descriptor has no digest")
    return digest
