"""Reads and writes what a registry has: manifests, tags and blobs, each digest and size checked here.

What a registry says of itself is never taken for the truth: a digest is computed over the bytes; "it is not
there" is believed only where the registry itself says so in its own words; a list is read to its end.

Source: OCI distribution specification 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pip_warden.digests import Digest, digest_of
from pip_warden.display import escape_text
from pip_warden.errors import NetworkError, RefusedError, RegistryError
from pip_warden.oci.answers import (
    MAX_LIST,
    bad_answer,
    bad_manifest,
    check_blob,
    check_echo,
    digest_differs,
    is_as_described,
    manifest_in,
    next_page,
    says_absent,
    tags_in,
    unexpected,
)
from pip_warden.oci.door import Door
from pip_warden.oci.manifest import MANIFESTS, MAX_MANIFEST, Descriptor, Manifest, read_manifest
from pip_warden.oci.names import ImageReference, Repository, parse_tag, spelled
from pip_warden.oci.upload import Upload
from pip_warden.strict_json import MalformedError
from pip_warden.transport import Response
from pip_warden.values import dataclass

_MOST_PAGES = 1000
_MOST_TAGS = 1_000_000
_ANY = ", ".join(MANIFESTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredManifest:
    """A manifest that a registry has taken.

    Attributes:
        manifest: The manifest.
        claims_to_list: Whether the registry says that it lists the manifest as a referrer of its subject.
    """

    manifest: Manifest
    claims_to_list: bool


class ImageRegistry:
    """The registries of container images, each named by the repository that is asked for.

    Args:
        door: Sends the requests.
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self._upload = Upload(door)

    def resolve(self, image: ImageReference) -> Manifest:
        """Fetch what a user names; a tag is looked up once, here.

        Raises:
            RefusedError: ``image-tag-moved``: the tag is of another digest than the one named with it;
                ``image-digest-differs``: the registry serves other bytes than those asked for.
            RegistryError: ``not-found``, ``bad-manifest``, or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        if image.tag is None and image.digest is not None:
            return self.manifest(image.repository, image.digest)
        tag = parse_tag(image.tag or "")
        manifest = manifest_in(self._get(image.repository, tag, _ANY), f"{image.repository}:{tag}")
        if image.digest is not None and not manifest.digest.matches(image.digest):
            raise RefusedError(
                "image-tag-moved",
                f"expected the tag of {image}, found that it is of {spelled(manifest.digest)}",
                hint="Find out who moved the tag. Name the digest alone if the tag does not matter.",
            )
        return manifest

    def manifest(self, repository: Repository, wanted: Digest | Descriptor) -> Manifest:
        """Fetch a manifest by its digest; by a descriptor it must be of that size and media type too.

        Raises:
            RefusedError: ``image-digest-differs``: the registry serves other bytes.
            RegistryError: ``not-found``, ``bad-manifest``, or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        digest = wanted if isinstance(wanted, Digest) else wanted.digest
        what = f"{repository}@{spelled(digest)}"
        reply = self._get(repository, spelled(digest), _ANY)
        if reply.status == 200 and not digest_of(reply.body).matches(digest):
            raise digest_differs(
                what, "the bytes of its digest", f"those of {spelled(digest_of(reply.body))}"
            )
        manifest = manifest_in(reply, what)
        if isinstance(wanted, Descriptor) and not is_as_described(manifest, wanted):
            found = f"{manifest.media_type} of {len(manifest.content)} bytes"
            raise bad_manifest(
                what, MalformedError(f"{found}, described as {wanted.media_type} of {wanted.size} bytes")
            )
        return manifest

    def find(self, repository: Repository, tag: str) -> Manifest | None:
        """Fetch what a tag is of; None where the registry says that there is no such tag or repository.

        Raises:
            RegistryError: ``bad-manifest``, or a status that does not say whether it is there.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        reply = self._get(repository, parse_tag(tag), _ANY)
        return None if says_absent(reply) else manifest_in(reply, f"{repository}:{tag}")

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """List a repository's tags.

        Raises:
            RegistryError: ``bad-registry-answer``: it is no list of tags, or does not end; or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        found: dict[str, None] = {}
        for reply in self.pages(repository, "tags/list?n=1000", None):
            if reply.status != 200:
                raise unexpected(reply, f"the tags of {repository}")
            found.update(dict.fromkeys(tags_in(reply)))
            if len(found) > _MOST_TAGS:
                raise bad_answer(reply.url, f"more than {_MOST_TAGS} tags")
        return tuple(found)

    def pages(self, repository: Repository, path: str, accept: str | None) -> Iterator[Response]:
        """Yield every page of a list, from the first; what a status means is for the caller to say.

        Raises:
            RegistryError: ``bad-registry-answer``: a page leads elsewhere or back, or the list does not end.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        url: str | None = f"{repository.url}/{path}"
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) == _MOST_PAGES:
                raise bad_answer(url, "a list that does not end")
            seen.add(url)
            reply = self.door.ask("GET", repository, url, accept=accept, max_bytes=MAX_LIST)
            yield reply
            url = next_page(reply, url)

    def blob(self, repository: Repository, descriptor: Descriptor, to: BinaryIO) -> None:
        """Write a blob; nothing may be done with what was written if this fails.

        Raises:
            RefusedError: ``image-digest-differs``: the registry serves other bytes.
            RegistryError: Another status than 200.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one; ``too-large``: more bytes than described.
            UndecidedError: ``cannot-store``.
        """
        name = spelled(descriptor.digest)
        what = f"the blob {name} of {repository}"
        found = self.door.download(repository, f"blobs/{name}", to=to, max_bytes=descriptor.size, label=what)
        check_blob(descriptor, found.size, found.digest, what)

    def small_blob(self, repository: Repository, descriptor: Descriptor, max_bytes: int) -> bytes:
        """Fetch a blob into memory.

        Raises:
            RefusedError: ``image-digest-differs``: the registry serves other bytes.
            RegistryError: Another status than 200.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one; ``too-large``: it is said to be larger than
                ``max_bytes``, or larger than it is said to be.
        """
        name = spelled(descriptor.digest)
        what = f"the blob {name} of {repository}"
        if descriptor.size > max_bytes:
            raise NetworkError(
                "too-large",
                f"expected at most {max_bytes} bytes of {what}, found {descriptor.size} described",
            )
        reply = self.door.ask("GET", repository, f"blobs/{name}", max_bytes=descriptor.size)
        if reply.status != 200:
            raise unexpected(reply, what)
        check_blob(descriptor, len(reply.body), digest_of(reply.body), what)
        return reply.body

    def has_blob(self, repository: Repository, digest: Digest) -> bool:
        """Return whether a repository has a blob.

        Raises:
            RegistryError: A status that does not say so.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        return self._upload.has(repository, digest)

    def mount(self, repository: Repository, digest: Digest, source: Repository) -> bool:
        """Have a blob of another repository of the same registry taken over; False where that cannot be.

        Raises:
            RefusedError: ``image-digest-differs``: the registry says that it took another.
            NetworkError: No response, or a broken one.
        """
        return self._upload.mount(repository, digest, source)

    def put_blob(
        self,
        repository: Repository,
        content: bytes | BinaryIO,
        descriptor: Descriptor,
        *,
        mount_from: Repository | None = None,
        anew: bool = False,
    ) -> None:
        """Store a blob, unless it is there: taken over from another repository, or uploaded.

        Args:
            repository: Where to.
            content: The bytes; a file is seekable, and sent from its beginning.
            descriptor: Their digest and size.
            mount_from: A repository of the same registry that has them.
            anew: Upload them even if they are there, which shows whether one may.

        Raises:
            RefusedError: ``image-digest-differs``: the registry says that it took another.
            RegistryError: ``bad-registry-answer``, or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        if not anew and self.has_blob(repository, descriptor.digest):
            return
        if mount_from is None or not self.mount(repository, descriptor.digest, mount_from):
            self._upload.send(repository, content, descriptor)

    def put_manifest(
        self, repository: Repository, content: bytes, media_type: str, *, tag: str | None = None
    ) -> Digest:
        """Store a manifest by its digest or under a tag, and read it back.

        Raises:
            RefusedError: ``image-digest-differs``: the registry states another digest.
            RegistryError: ``not-read-back``: it has something else; ``bad-manifest``; or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        manifest = self.store(repository, content, media_type, tag=tag).manifest
        name = tag or spelled(manifest.digest)
        reply = self._get(repository, name, manifest.media_type)
        if reply.status != 200 or reply.body != content:
            there = spelled(digest_of(reply.body)) if reply.status == 200 else f"status {reply.status}"
            raise RegistryError(
                "not-read-back",
                f"expected {repository} to have {spelled(manifest.digest)} as {escape_text(name)}, "
                f"found {there}",
                hint="Run the command again. If it stays, somebody else writes there at the same time.",
                status=reply.status,
            )
        return manifest.digest

    def store(
        self, repository: Repository, content: bytes, media_type: str, *, tag: str | None = None
    ) -> StoredManifest:
        """Store a manifest without a look at what is there afterwards: the caller takes it.

        Raises:
            RefusedError: ``image-digest-differs``: the registry states another digest.
            RegistryError: ``bad-manifest``: it is none; or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        try:
            manifest = read_manifest(content, media_type)
        except MalformedError as err:
            raise bad_manifest(f"what goes to {repository}", err) from err
        name = parse_tag(tag) if tag is not None else spelled(manifest.digest)
        reply = self.door.ask(
            "PUT", repository, f"manifests/{name}", writes=True,
            content=content, content_type=manifest.media_type, max_bytes=MAX_MANIFEST,
        )  # fmt: skip
        what = f"{repository} to take the manifest {escape_text(name)}"
        if reply.status != 201:
            raise unexpected(reply, what)
        check_echo(reply, manifest.digest, what)
        subject = spelled(manifest.subject.digest) if manifest.subject is not None else None
        listed = reply.headers.get("oci-subject", "").strip()
        return StoredManifest(manifest=manifest, claims_to_list=bool(listed) and listed == subject)

    def _get(self, repository: Repository, name: str, accept: str) -> Response:
        return self.door.ask("GET", repository, f"manifests/{name}", accept=accept, max_bytes=MAX_MANIFEST)
