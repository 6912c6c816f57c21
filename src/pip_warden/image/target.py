"""The repository that an image is promoted to: what it has already, and what it gets, the tag last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, RegistryError
from pip_warden.evidence.image import MOST_REFERRERS
from pip_warden.image.carried import CarriedEvidence
from pip_warden.image.cosign2 import add_layers, check_room, missing
from pip_warden.image.plan import ImagePlan
from pip_warden.oci.copying import Copying, blobs_of
from pip_warden.oci.evidence_manifest import EMPTY, EMPTY_CONFIG
from pip_warden.oci.manifest import Manifest
from pip_warden.oci.names import spelled
from pip_warden.oci.referrers import add_referrer, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.values import dataclass, field

Kind = Literal["image", "evidence"]
Outcome = Literal["copied", "already there", "would be copied"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """One thing that the target has in the end, or would have.

    Attributes:
        name: The repository, or the label of a piece of evidence.
        kind: What it is.
        outcome: What was done.
        digest: That of its manifest, or of its layer under a tag of cosign 2.
    """

    name: str
    kind: Kind
    outcome: Outcome
    digest: Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class There:
    """What a target has.

    Attributes:
        tagged: The digest that the tag is of; None where there is no such tag.
        has_image: Whether it has the image by its digest.
        listed: The artifacts that refer to each image, by the image's digest.
        legacy: What is under each tag of cosign 2.
    """

    tagged: Digest | None
    has_image: bool
    listed: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)
    legacy: Mapping[str, Manifest | None] = field(default_factory=dict)


class ImageTarget:
    """A repository that an image is promoted to.

    Args:
        registry: The registries.
        plan: What is promoted, and where to.
        workspace: A private directory for blobs on their way.
    """

    def __init__(self, registry: ImageRegistry, plan: ImagePlan, workspace: Path) -> None:
        self._registry = registry
        self._plan = plan
        self._to = plan.target
        self._copying = Copying(
            registry, source=plan.source.repository, target=plan.target, workspace=workspace
        )

    def look(self, image: Manifest, evidence: Sequence[CarriedEvidence]) -> There:
        """Look at what is there; nothing is written.

        Raises:
            RefusedError: ``tag-taken``; ``other-content``: something else is under a tag of cosign 2.
            RegistryError: ``fallback-tag-taken``; ``too-many-referrers``: with what goes along there would
                be more than consumers read; or a status that does not say what is there.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        tagged = self._tagged(image.digest)
        legacy = {tag: self._registry.find(self._to, tag) for each in evidence for tag, _ in each.layers}
        for each in evidence:
            for tag, layers in each.layers:
                check_room(legacy[tag], layers, f"{self._to}:{tag}")
        listed = {each.subject.digest: self._listed(each.subject.digest) for each in evidence}
        for each in evidence:
            self._check_number(each, listed[each.subject.digest])
        return There(tagged=tagged, has_image=self._has(image.digest), listed=listed, legacy=legacy)

    def _check_number(self, evidence: CarriedEvidence, listed: frozenset[Digest]) -> None:
        """Require that the image stays usable: of one with more evidence nobody reads any."""
        number = len(listed | {artifact.digest for _label, artifact in evidence.artifacts})
        if number > MOST_REFERRERS:
            raise RegistryError(
                "too-many-referrers",
                f"expected {self._to} to have at most {MOST_REFERRERS} artifacts that refer to "
                f"{spelled(evidence.subject.digest)}, found that there would be {number}",
                hint="Nothing was copied. Delete what nobody needs, in the source or there.",
            )

    def _check_writable(self) -> None:
        """Upload the two bytes that artifacts have for a configuration, even if they are there."""
        self._registry.put_blob(self._to, EMPTY_CONFIG, EMPTY, anew=True)

    def place(self, image: Manifest, evidence: Sequence[CarriedEvidence]) -> None:
        """Copy the image, then its evidence, and look whether all of it is there; only evidence is tagged.

        Whoever may not write there, ends before anything is copied. What is listed there already is stored
        again: a list can name what is gone.

        Raises:
            RefusedError: ``image-digest-differs``: a registry has other bytes under a digest.
            RegistryError: ``referrers-lost``: others have overwritten what was listed; as for
                :class:`Copying` and :func:`add_referrer`.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
            UndecidedError: ``cannot-store``.
        """
        self._check_writable()
        self._copying.copy(image)
        for each in evidence:
            subject = each.subject.described()
            for _label, artifact in each.artifacts:
                self._copying.copy_blobs(blobs_of(artifact))
                add_referrer(
                    self._registry, self._to, subject, artifact.content, media_type=artifact.media_type
                )
            for tag, layers in each.layers:
                self._copying.copy_blobs(layers)
                add_layers(self._registry, self._to, tag, layers)
        self._check_placed(evidence)

    def _check_placed(self, evidence: Iterable[CarriedEvidence]) -> None:
        """Look whether all evidence is still there: others may have overwritten a list meanwhile."""
        for each in evidence:
            wanted = {artifact.digest for _label, artifact in each.artifacts}
            lost = wanted - self._listed(each.subject.digest)
            for tag, layers in each.layers:
                lost |= {layer.digest for layer in missing(self._registry.find(self._to, tag), layers)}
            if lost:
                raise RegistryError(
                    "referrers-lost",
                    f"expected {self._to} to list {spelled(min(lost, key=str))} as evidence of "
                    f"{spelled(each.subject.digest)}, found that others have overwritten the list",
                    hint="The tag was not moved. Run the command again when no other job writes there.",
                )

    def tag(self, image: Manifest) -> Digest | None:
        """Move the tag to the image, look at it, and return what it was of before.

        Raises:
            RefusedError: ``tag-taken``.
            RegistryError: ``not-read-back``: it is of another image afterwards; or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        before = self._tagged(image.digest)
        if before != image.digest:
            self._registry.put_manifest(self._to, image.content, image.media_type, tag=self._plan.tag)
        return before

    def _tagged(self, wanted: Digest) -> Digest | None:
        found = self._registry.find(self._to, self._plan.tag)
        if found is not None and found.digest != wanted and not self._plan.overwrites:
            raise RefusedError(
                "tag-taken",
                f"expected no tag {escape_text(self._plan.named)}, or that it is of {spelled(wanted)}, "
                f"found it of {spelled(found.digest)}",
                hint="Choose another tag, or promote without --no-overwrite.",
            )
        return None if found is None else found.digest

    def _has(self, digest: Digest) -> bool:
        try:
            self._registry.manifest(self._to, digest)
        except RegistryError as err:
            if err.code != "not-found":
                raise
            return False
        return True

    def _listed(self, digest: Digest) -> frozenset[Digest]:
        return frozenset(listed.digest for listed in referrers(self._registry, self._to, digest))


def outcomes(
    image: Manifest, evidence: Iterable[CarriedEvidence], there: There, plan: ImagePlan, *, dry_run: bool
) -> Iterator[Placed]:
    """Yield what the target gets besides the tag, in the order in which it is copied."""
    for name, kind, digest, is_there in _wanted(image, evidence, there, plan):
        done: Outcome = "would be copied" if dry_run else "copied"
        yield Placed(name=name, kind=kind, outcome="already there" if is_there else done, digest=digest)


def _wanted(
    image: Manifest, evidence: Iterable[CarriedEvidence], there: There, plan: ImagePlan
) -> Iterator[tuple[str, Kind, Digest, bool]]:
    """Yield everything with whether the target has it."""
    yield f"{plan.target}@{spelled(image.digest)}", "image", image.digest, there.has_image
    for each in evidence:
        listed = there.listed[each.subject.digest]
        for label, artifact in each.artifacts:
            yield label, "evidence", artifact.digest, artifact.digest in listed
        for tag, layers in each.layers:
            left = missing(there.legacy[tag], layers)
            yield from ((tag, "evidence", layer.digest, layer not in left) for layer in layers)
