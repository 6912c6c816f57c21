"""What is judged: a file, or an image of a registry. One judge for both, and only what names them differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.oci.names import ImageReference, Repository
from pip_warden.trust.model import Identity, Requirements
from pip_warden.trust.segments import ImageTag
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedImage:
    """A manifest or an index, and how it is called.

    Attributes:
        repository: The repository that it was asked of, whose pin decides.
        digest: SHA-256 computed over the bytes of its manifest, never one that a registry claimed.
        tag: The tag by which it was asked for; None where only its digest was named.
    """

    repository: Repository
    digest: Digest
    tag: str | None = None

    @property
    def name(self) -> ImageReference:
        """Its name, with the digest."""
        return ImageReference(repository=self.repository, tag=self.tag, digest=self.digest)

    @property
    def release(self) -> ImageTag:
        """Its release: the tag."""
        return ImageTag(self.tag)

    def is_called(self, _claimed_name: str) -> bool:
        """Return True: a statement's name of an image is not compared.

        cosign's ``sign`` writes none, its ``attest`` that of the repository, and its ``verify`` reads none.
        An image that is promoted to another repository keeps its digest and its signatures.
        """
        return True

    def has_digests(self, stated: Mapping[str, str]) -> bool:
        """Return whether nothing but SHA-256 is stated: no other digest of a manifest can be checked here."""
        return not stated


Judged = Artifact | JudgedImage
"""What is judged, its bytes hashed here."""

JudgedT = TypeVar("JudgedT", Artifact, JudgedImage)


class Signers(Protocol):
    """An entry of the trust file that names who may sign: the part of it that steps 6 to 10 read."""

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The allowed signers; never empty."""

    @property
    def require(self) -> Requirements:
        """Further requirements of the certificate and of statements."""


class ImagePin(Signers, Protocol):
    """An entry that pins the images of a repository."""

    @property
    def repository(self) -> Repository:
        """The repository."""


def noun(judged: Judged) -> str:
    """Return what it is called in messages."""
    return "image" if isinstance(judged, JudgedImage) else "file"
