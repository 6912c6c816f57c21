"""Signs images: a bundle beside each in its registry, verified before it is stored.

An entry in a log is for ever, so whatever can be known to fail is found before the first one is made: what
the image is, whether its evidence can be listed, and whether one may write there. What is there already and
would be made now stays. A registry knows no conditional writing, so in the end it is looked once more whether
all that was stored is listed.

An image may have many signatures, of many signers: what is there and says something else stays, too, and is
no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.sign import Signatory
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import RegistryError
from pip_warden.evidence.image import MOST_REFERRERS, referring_evidence
from pip_warden.oci.evidence_manifest import EMPTY, EMPTY_CONFIG, evidence_artifact
from pip_warden.oci.listed import listed_in
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import ImageReference, Repository, spelled
from pip_warden.oci.referrers import add_referrer, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.publish.same import Judge, OtherError
from pip_warden.publish.side_by_side import side_by_side
from pip_warden.publish.sign import checked
from pip_warden.publish.token import TokenClaims
from pip_warden.values import dataclass

_LOOKS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageStatement:
    """What is to be said of an image.

    Attributes:
        predicate_type: The type of the statement's predicate.
        about: Makes the in-toto statement about a digest.
    """

    predicate_type: str
    about: Callable[[Digest], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedImage:
    """One manifest that was signed, or of which something was attested.

    Attributes:
        image: Repository, digest, and the tag that it was named by.
        artifact: Digest of the artifact that holds the evidence.
        proved: What that evidence proves.
        is_kept: Whether it was there already.
    """

    image: ImageReference
    artifact: Digest
    proved: VerificationResult
    is_kept: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Artifact:
    """Evidence of a manifest: on its way into the registry, or there and listed."""

    subject: Manifest
    manifest: bytes
    blobs: tuple[tuple[Descriptor, bytes], ...]
    digest: Digest
    proved: VerificationResult
    is_kept: bool

    def told(self, repository: Repository, tag: str | None) -> SignedImage:
        image = ImageReference(repository=repository, tag=tag, digest=self.subject.digest)
        return SignedImage(image=image, artifact=self.digest, proved=self.proved, is_kept=self.is_kept)


def sign_image(
    image: ImageReference,
    statement: ImageStatement,
    by: Signatory,
    registry: ImageRegistry,
    *,
    claimed: TokenClaims | None = None,
    recursive: bool = False,
) -> list[SignedImage]:
    """Sign a statement about an image, and store it beside the image; what says the same already stays.

    Args:
        image: The image; its tag is looked up once.
        statement: What is said of it.
        by: The signer.
        registry: The registries.
        claimed: Who signs; None keeps nothing.
        recursive: Say the same of every manifest that an index lists, however deep.

    Returns:
        The image, then what it lists, in its order.

    Raises:
        RefusedError: ``image-tag-moved``, or ``image-digest-differs``.
        RegistryError: ``image-too-deep``; ``too-many-referrers``; ``fallback-tag-taken``; ``referrers-lost``;
            ``bad-manifest``; or another status.
        CredentialsError: The caller is not authenticated, or not authorised.
        NetworkError: No response, or a broken one.
        UndecidedError: ``signing-failed``, ``no-timestamp``, ``token-ran-out`` or
            ``unverifiable-signature``.
    """
    first = registry.resolve(image)
    subjects = _with_listed(registry, image.repository, first) if recursive else [first]
    work = _Work(registry, image.repository, statement, by, claimed)
    kept = [work.kept(subject) for subject in subjects]
    if None in kept:
        work.check_may_push()
    made = side_by_side(zip(subjects, kept, strict=True), work.make, work.store)
    work.see_to_it(made)
    return [one.told(image.repository, image.tag if one.subject is first else None) for one in made]


def _with_listed(registry: ImageRegistry, repository: Repository, first: Manifest) -> list[Manifest]:
    """Return a manifest and all that it lists, each once; attestations of BuildKit too, as cosign does."""
    return [first, *(registry.manifest(repository, each) for each in listed_in(registry, repository, first))]


class _Work:
    """One statement about each of some manifests of a repository."""

    def __init__(
        self,
        registry: ImageRegistry,
        repository: Repository,
        statement: ImageStatement,
        by: Signatory,
        claimed: TokenClaims | None,
    ) -> None:
        self._registry, self._repository = registry, repository
        self._statement, self._by = statement, by
        self._judge = Judge(root=by.root, claimed=claimed, stamps=by.stamps)

    def kept(self, subject: Manifest) -> _Artifact | None:
        """Return what is there and would be made now; what else is there does not matter, but for its number.

        Raises:
            RegistryError: ``too-many-referrers``: nobody would look at one more.
        """
        listed = referrers(self._registry, self._repository, subject.digest)
        statement = self._statement.about(subject.digest)
        for descriptor in listed[:MOST_REFERRERS]:
            for item in referring_evidence(self._registry, self._repository, subject.digest, descriptor):
                try:
                    _, proved = self._judge.same(item, subject.digest, statement)
                except OtherError:
                    continue
                return _Artifact(
                    subject=subject, manifest=b"", blobs=(),
                    digest=descriptor.digest, proved=proved, is_kept=True,
                )  # fmt: skip
        if len(listed) >= MOST_REFERRERS:
            raise RegistryError(
                "too-many-referrers",
                f"expected fewer than {MOST_REFERRERS} artifacts that refer to "
                f"{self._repository}@{spelled(subject.digest)}, found {len(listed)}",
                hint="Nothing was signed: with one more, no consumer would read any. "
                "Delete what nobody needs there.",
            )
        return None

    def check_may_push(self) -> None:
        """Store the empty configuration of every artifact: who may not push finds out before the log."""
        self._registry.put_blob(self._repository, EMPTY_CONFIG, EMPTY, anew=True)

    def make(self, item: tuple[Manifest, _Artifact | None]) -> _Artifact:
        """Sign, and verify what was signed."""
        subject, there = item
        if there is not None:
            return there
        bundle = self._by.sign_statement(self._statement.about(subject.digest))
        name = f"{self._repository}@{spelled(subject.digest)}"
        _, proved = checked(name, bundle, subject.digest, self._by)
        artifact = evidence_artifact(
            subject.described(), bundle, self._statement.predicate_type, created=datetime.now(UTC)
        )
        return _Artifact(
            subject=subject, manifest=artifact.manifest, blobs=artifact.blobs,
            digest=digest_of(artifact.manifest), proved=proved, is_kept=False,
        )  # fmt: skip

    def store(self, made: _Artifact) -> _Artifact:
        """Store the blobs, then the artifact, and list it."""
        if not made.is_kept:
            for descriptor, content in made.blobs:
                self._registry.put_blob(self._repository, content, descriptor)
            self._list(made)
        return made

    def see_to_it(self, made: Sequence[_Artifact]) -> None:
        """Look whether all that was stored is listed, and list again what another writer has overwritten.

        Raises:
            RegistryError: ``referrers-lost``: it does not stay.
        """
        lost = self._lost(one for one in made if not one.is_kept)
        for _ in range(_LOOKS - 1):
            for one in lost:
                self._list(one)
            lost = self._lost(lost)
        if lost:
            raise RegistryError(
                "referrers-lost",
                f"expected {spelled(lost[0].digest)} among the referrers of "
                f"{self._repository}@{spelled(lost[0].subject.digest)}, found after {_LOOKS} looks that it "
                "does not stay there",
                hint="The artifact itself is stored. Run the command again when no other job writes there.",
            )

    def _list(self, made: _Artifact) -> None:
        add_referrer(self._registry, self._repository, made.subject.described(), made.manifest)

    def _lost(self, made: Iterable[_Artifact]) -> list[_Artifact]:
        return [one for one in made if one.digest not in self._listed(one.subject)]

    def _listed(self, subject: Manifest) -> set[Digest]:
        return {each.digest for each in referrers(self._registry, self._repository, subject.digest)}
