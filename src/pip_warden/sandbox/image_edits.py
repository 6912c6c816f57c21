"""Changes to the container registry's content, made directly in the state: publishing, tampering, lies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pip_warden.sandbox import images
from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.registry.manifests import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from pip_warden.sandbox.handles import Project
    from pip_warden.sandbox.images import Image
    from pip_warden.sandbox.registry.service import ContainerRegistry
    from pip_warden.sandbox.registry.store import ImageRepository, StoredManifest


class ImageEdits:
    """Change the images of projects; ``name`` is the image's below the project's path, empty for none."""

    registry: ContainerRegistry

    image = staticmethod(images.image)
    image_index = staticmethod(images.index)
    artifact = staticmethod(images.artifact)

    def push_image(self, project: Project, image: Image, tag: str | None = None, *, name: str = "") -> str:
        """Put an image with all its parts into the registry and return its digest."""
        with self.registry.store.lock:
            repository = self.registry.store.repository(_path(project, name))
            for each in image.platforms:
                self.push_image(project, each, name=name)
            for blob in image.blobs:
                repository.put_blob(blob)
            return repository.put_manifest(image.manifest, image.media_type, tag=tag)

    def attach(self, project: Project, subject: str, artifact: Image, *, name: str = "") -> str:
        """Put an artifact about a manifest into the registry, as a client does, and return its digest.

        Where the registry does not list referrers, the artifact is entered under the fallback tag.
        """
        digest = self.push_image(project, artifact, name=name)
        if not self.registry.referrers:
            content = json.loads(artifact.manifest)
            optional = {name: content[name] for name in ("artifactType", "annotations") if name in content}
            self._change_fallback(
                project, subject, name, lambda entries: [*entries, artifact.descriptor() | optional]
            )
        return digest

    def drop_referrer(self, project: Project, subject: str, artifact: str, *, name: str = "") -> None:
        """Remove an artifact's entry under the fallback tag, as a concurrent writer does; it stays itself.

        Raises:
            SandboxError: There is no such entry.
        """

        def without(entries: list[dict[str, object]]) -> list[dict[str, object]]:
            kept = [entry for entry in entries if entry["digest"] != artifact]
            if len(kept) == len(entries):
                msg = f"{artifact} is not under the fallback tag of {subject}"
                raise SandboxError(msg)
            return kept

        self._change_fallback(project, subject, name, without)

    def image_tags(self, project: Project, *, name: str = "") -> dict[str, str]:
        """Return the digest of every tag."""
        return dict(self._repository(project, name).tags)

    def image_manifest(self, project: Project, reference: str, *, name: str = "") -> bytes:
        """Return the bytes that the registry has under a tag or a digest.

        Raises:
            SandboxError: There is none.
        """
        return self._manifest(project, reference, name).data

    def retag(self, project: Project, tag: str, digest: str | None, *, name: str = "") -> None:
        """Put a tag on another digest, or remove it (None)."""
        repository = self._repository(project, name)
        if digest is None:
            repository.tags.pop(tag, None)
        else:
            repository.tags[tag] = digest

    def replace_manifest(
        self, project: Project, reference: str, data: bytes, *, media_type: str | None = None, name: str = ""
    ) -> None:
        """Serve other bytes under the digest that a tag or a digest names.

        Raises:
            SandboxError: There is no such manifest.
        """
        manifest = self._manifest(project, reference, name)
        manifest.data, manifest.media_type = data, media_type or manifest.media_type

    def replace_blob(self, project: Project, digest: str, data: bytes | None, *, name: str = "") -> None:
        """Serve other bytes under a blob's digest, or none at all.

        Raises:
            SandboxError: There is no such blob.
        """
        blobs = self._repository(project, name).blobs
        if digest not in blobs:
            msg = f"{_path(project, name)} has no blob {digest}"
            raise SandboxError(msg)
        if data is None:
            del blobs[digest]
        else:
            blobs[digest] = data

    def _change_fallback(
        self,
        project: Project,
        subject: str,
        name: str,
        change: Callable[[list[dict[str, object]]], list[dict[str, object]]],
    ) -> None:
        with self.registry.store.lock:
            repository = self._repository(project, name)
            tag = subject.replace(":", "-")
            digest = repository.digest(tag)
            old = repository.manifests[digest].content().get("manifests") if digest is not None else []
            entries = change(old if isinstance(old, list) else [])
            content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
            repository.put_manifest(json.dumps(content).encode(), INDEX, tag=tag)

    def _repository(self, project: Project, name: str) -> ImageRepository:
        path = _path(project, name)
        found = self.registry.store.find(path)
        if found is None:
            msg = f"the registry has no repository {path}"
            raise SandboxError(msg)
        return found

    def _manifest(self, project: Project, reference: str, name: str) -> StoredManifest:
        repository = self._repository(project, name)
        digest = repository.digest(reference)
        if digest is None:
            msg = f"{repository.path} has no manifest {reference}"
            raise SandboxError(msg)
        return repository.manifests[digest]


def _path(project: Project, name: str) -> str:
    return "/".join(filter(None, (project.path.lower(), name)))
