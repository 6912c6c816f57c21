"""Judges an image with all that it consists of, as those who use it under a name will.

A signature of an index covers the manifests that it lists; so each of them is judged too: for what speaks for
it besides, and since one that is revoked is covered by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pip_warden.digests import Digest
from pip_warden.evidence.model import BadItem, Item
from pip_warden.oci.listed import DEEPEST, MOST_MANIFESTS, too_deep
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import Repository
from pip_warden.trust.model import ImageEntry, Revocation
from pip_warden.values import dataclass
from pip_warden.verdict.evidence import Roots
from pip_warden.verdict.image import cover, judge_image
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, ImageVerdict, Refused, StepFailure


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """Whoever uses an image: what they trust, and by which name they ask for it.

    Attributes:
        entry: What pins the repository.
        tag: The tag by which they ask.
        roots: The trusted roots.
        revoked: What the trust file revokes.
    """

    entry: ImageEntry
    tag: str
    roots: Roots
    revoked: tuple[Revocation, ...]

    @property
    def repository(self) -> Repository:
        """The repository that they ask."""
        return self.entry.repository

    def image(self, digest: Digest) -> JudgedImage:
        """Return what they would use, by its digest."""
        return JudgedImage(repository=self.repository, digest=digest, tag=self.tag)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A manifest of an image, judged by itself.

    Attributes:
        manifest: The manifest.
        verdict: What its own evidence comes to.
    """

    manifest: Manifest
    verdict: ImageVerdict


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeImage:
    """An image and what it consists of, judged.

    Attributes:
        parts: The image itself, then every manifest below it; a refused image has no more.
        uncovered: The first of them that may not be used; None where all may.
    """

    parts: tuple[Part, ...]
    uncovered: Refused | None = None

    @property
    def verdict(self) -> ImageVerdict:
        """What the image comes to: it is refused where a part of it may not be used."""
        return self.parts[0].verdict if self.uncovered is None else self.uncovered


def judge_whole(
    consumer: Consumer,
    manifest: Manifest,
    *,
    fetch: Callable[[Descriptor], Manifest],
    evidence: Callable[[Digest], Iterable[Item | BadItem]],
) -> WholeImage:
    """Judge an image, and every manifest below it.

    Args:
        consumer: Who would use it.
        manifest: The image, its bytes hashed here.
        fetch: Returns a manifest that an index lists, checked against its description.
        evidence: Returns the evidence of a manifest.

    Raises:
        RegistryError: ``image-too-deep``; and what the callables raise, as UndecidedError.
    """
    walk = _Walk(consumer, fetch, evidence)
    walk.judge(manifest)
    if isinstance(walk.parts[0].verdict, AcceptedImage):
        walk.down(manifest, DEEPEST)
    return WholeImage(parts=tuple(walk.parts), uncovered=walk.uncovered)


class _Walk:
    """The way through an image, from the top."""

    def __init__(
        self,
        consumer: Consumer,
        fetch: Callable[[Descriptor], Manifest],
        evidence: Callable[[Digest], Iterable[Item | BadItem]],
    ) -> None:
        self._consumer = consumer
        self._fetch = fetch
        self._evidence = evidence
        self._accepted: list[AcceptedImage] = []
        self._seen: set[Digest] = set()
        self.parts: list[Part] = []
        self.uncovered: Refused | None = None

    def judge(self, manifest: Manifest) -> None:
        consumer = self._consumer
        self._seen.add(manifest.digest)
        verdict = judge_image(
            consumer.image(manifest.digest),
            self._evidence(manifest.digest),
            entry=consumer.entry,
            roots=consumer.roots,
            revoked=consumer.revoked,
        )
        self.parts.append(Part(manifest=manifest, verdict=verdict))
        if isinstance(verdict, AcceptedImage):
            self._accepted.append(verdict)

    def down(self, index: Manifest, left: int) -> None:
        """Judge what an index lists, and look whether each may be used."""
        for listed in index.manifests:
            if self.uncovered is not None or listed.digest in self._seen:
                continue
            if left == 1 or len(self._seen) == MOST_MANIFESTS:
                raise too_deep()
            child = self._fetch(listed)
            self.judge(child)
            image = self._consumer.image(child.digest)
            outcome = cover(image, self._accepted, index=index, revoked=self._consumer.revoked)
            if isinstance(outcome, StepFailure):
                self.uncovered = Refused(subject=str(image.name), failure=outcome)
                return
            self.down(child, left - 1)
