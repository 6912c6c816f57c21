"""The order of a promotion: judge, copy, judge again where it is then, and only then move the tag.

Whenever it ends, the tag is of what it was before, or of an image that was judged there. Everything can be
done again, so the same command completes what was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pip_warden.digests import Digest
from pip_warden.errors import RefusedError, UsageError
from pip_warden.image.carried import CarriedEvidence, gather_evidence
from pip_warden.image.plan import ImagePlan
from pip_warden.image.platforms import said_of
from pip_warden.image.target import ImageTarget, Placed, outcomes
from pip_warden.image.whole import Consumer, WholeImage, judge_whole
from pip_warden.oci.manifest import Manifest
from pip_warden.oci.names import Repository
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Report, image_line
from pip_warden.session.images import ImageParts
from pip_warden.supply.images import ImageSupply
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.trust.suggest import pin_image
from pip_warden.values import dataclass
from pip_warden.verdict.model import AcceptedImage, ItemRefusal


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePromotion:
    """How a promotion went.

    Attributes:
        report: Of the last verification: the target's, or the one that refused the image.
        placed: What the target has got; nothing where the image was refused before.
        left: Evidence of the source that does not go along.
        before: What the tag was of; None where there was no such tag, or nobody looked.
        after: What the tag is of now, or would be; None where it was not moved.
    """

    report: Report
    placed: tuple[Placed, ...] = ()
    left: tuple[ItemRefusal, ...] = ()
    before: Digest | None = None
    after: Digest | None = None


def consumer_of(trust: TrustFile, plan: ImagePlan) -> Consumer:
    """Return who will use what is promoted: whoever has this trust file.

    Raises:
        UsageError: ``not-promotable``: it does not pin the target.
    """
    entry = trust.image_entry(plan.target)
    if entry is None:
        raise UsageError(
            "not-promotable",
            f"expected an [[image]] of {plan.target} in {trust.path.name}, found none",
            hint=f"An image is judged as those who use it there will: `{pin_image(plan.target)} "
            "--identity SUBJECT --issuer URL`. Where it holds no image yet, there is none to look at.",
        )
    return Consumer(entry=entry, tag=plan.tag, roots=PinnedRoots(trust.roots), revoked=trust.revoked)


def promote_image(
    parts: ImageParts, trust: TrustFile, plan: ImagePlan, *, dry_run: bool = False
) -> ImagePromotion:
    """Judge an image, copy it with its evidence, judge it again, and move the tag.

    Args:
        parts: What the run works with.
        trust: The target's trust file.
        plan: What is promoted, and where to.
        dry_run: Judge, and write nothing.

    Raises:
        UsageError: ``not-promotable``.
        RefusedError: ``too-young``; ``tag-taken``; ``other-content``; ``image-digest-differs``.
        UndecidedError: A registry or a log did not respond, or does not keep what it was given.
    """
    run = _Run(parts=parts, trust=trust, plan=plan, consumer=consumer_of(trust, plan))
    parts.reporter.step(f"judging {plan.source}")
    image = parts.registry.resolve(plan.source)
    whole = run.judge_at(plan.source.repository, image)
    if not isinstance(whole.verdict, AcceptedImage):
        return ImagePromotion(report=run.report(whole))
    evidence = run.gather(whole)
    left = tuple(each for of in evidence for each in of.left)
    carried = _judge_carried(run.consumer, whole, evidence)
    done = ImagePromotion(report=run.report(carried), left=left)
    if not isinstance(carried.verdict, AcceptedImage):
        _check_age(run.consumer, image, left)
        return done
    return run.bring(image, evidence, done, dry_run=dry_run)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """What a promotion works with."""

    parts: ImageParts
    trust: TrustFile
    plan: ImagePlan
    consumer: Consumer

    @property
    def _supply(self) -> ImageSupply:
        return self.parts.supply(self.consumer.roots, self.consumer.entry)

    def judge_at(self, at: Repository, image: Manifest) -> WholeImage:
        """Judge what a repository has, with the evidence that it has."""
        registry, supply = self.parts.registry, self._supply
        return judge_whole(
            self.consumer,
            image,
            fetch=lambda listed: registry.manifest(at, listed),
            evidence=lambda digest: supply.evidence(at, digest),
        )

    def gather(self, whole: WholeImage) -> tuple[CarriedEvidence, ...]:
        """Gather what goes along with an image and each manifest of it."""
        source, supply = self.plan.source.repository, self._supply
        logged_by = self.plan.now - self.plan.min_age if self.plan.min_age else None
        return tuple(gather_evidence(self.consumer, part, supply, source, logged_by) for part in whole.parts)

    def bring(
        self, image: Manifest, evidence: Sequence[CarriedEvidence], done: ImagePromotion, *, dry_run: bool
    ) -> ImagePromotion:
        """Copy what was judged, judge it where it is then, and move the tag."""
        parts, plan = self.parts, self.plan
        target = ImageTarget(parts.registry, plan, parts.workspace)
        there = target.look(image, evidence)
        placed = tuple(outcomes(image, evidence, there, plan, dry_run=dry_run))
        done = replace(done, placed=placed, before=there.tagged, after=image.digest)
        if dry_run:
            return done
        parts.reporter.step(f"copying to {plan.target}")
        if plan.source.repository != plan.target:
            target.place(image, evidence)
        whole = self.judge_at(plan.target, parts.registry.manifest(plan.target, image.digest))
        done = replace(done, report=self.report(whole), after=None)
        if not isinstance(whole.verdict, AcceptedImage):
            return done
        return replace(done, before=target.tag(image), after=image.digest)

    def report(self, whole: WholeImage) -> Report:
        """Report the image, and what of it may not be used."""
        consumer, ledger = self.consumer, Ledger()
        first = whole.parts[0]
        note = said_of(first.manifest) if whole.uncovered is None else ""
        ledger.add(image_line(consumer.image(first.manifest.digest), first.verdict, note))
        if whole.uncovered is not None:
            ledger.add(image_line(consumer.image(whole.parts[-1].manifest.digest), whole.uncovered))
        return Report(
            command="image promote",
            exit_code=ledger.exit_code(),
            lines=ledger.lines(),
            trust_file=str(self.trust.path),
            roots=self.trust.roots,
            about="images",
        )


def _judge_carried(consumer: Consumer, whole: WholeImage, evidence: Sequence[CarriedEvidence]) -> WholeImage:
    """Judge the image by what goes along with it alone, as it will be judged where nothing else is."""
    manifests = {part.manifest.digest: part.manifest for part in whole.parts}
    items = {of.subject.digest: of.items for of in evidence}
    return judge_whole(
        consumer,
        whole.parts[0].manifest,
        fetch=lambda listed: manifests[listed.digest],
        evidence=lambda digest: items[digest],
    )


def _check_age(consumer: Consumer, image: Manifest, left: Sequence[ItemRefusal]) -> None:
    """Say that an image, which was accepted by all its evidence, is not by what is old enough.

    Raises:
        RefusedError: ``too-young``.
    """
    young = [each.failure.fault for each in left if each.code == "too-young"]
    if young:
        raise RefusedError(
            "too-young",
            f"expected {consumer.image(image.digest).name} with evidence {young[0].expected}, "
            f"found {young[0].found}",
            hint="Promote it later: the time between is when a stolen identity is noticed.",
        )
