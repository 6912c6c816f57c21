"""Verifies an image in its registry: what is judged is the digest that its name was of, looked up once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pip_warden.digests import Digest
from pip_warden.errors import RefusedError, UndecidedError, UsageError
from pip_warden.image.platforms import parse_platform, pulled_by, said_of
from pip_warden.oci.listed import listed_in
from pip_warden.oci.manifest import Descriptor, Manifest
from pip_warden.oci.names import ImageReference, spelled
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Outcome, Report, image_line
from pip_warden.session.images import ImageParts
from pip_warden.trust.model import ImageEntry, TrustFile
from pip_warden.values import dataclass
from pip_warden.verdict.image import judge_image, judge_listed, judge_pulled, refuse_unpinned
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, ImageVerdict, Refused

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageVerification:
    """What was found of an image.

    Attributes:
        report: The report.
        use: What may be used, by its digest: the image that was named, or that of the platform which was
            asked for. None unless all was accepted.
        named: The manifest or index that was named; None where it was not fetched.
    """

    report: Report
    use: ImageReference | None = None
    named: Manifest | None = None


def verify_image(
    parts: ImageParts,
    trust: TrustFile,
    roots: Mapping[str, Root],
    reference: ImageReference,
    *,
    platform: str | None = None,
    is_recursive: bool = False,
) -> ImageVerification:
    """Verify an image in its registry.

    An index is judged as a whole: its signature covers every platform that it lists.

    Args:
        parts: What the run works with.
        trust: The trust file; of a repository that is not in it nothing is asked.
        roots: Its trusted roots.
        reference: The image. Its tag is looked up once.
        platform: The platform, of which the image is judged that it gets of the index; None for all of them.
        is_recursive: Whether all that the index lists must have good evidence of its own.

    Raises:
        UsageError: ``bad-platform``; ``usage``: a platform of all of them.
    """
    if platform is not None and is_recursive:
        raise UsageError("usage", "expected --platform or --recursive, found both")
    wanted = None if platform is None else parse_platform(platform)
    entry = trust.image_entry(reference.repository)
    if entry is None:
        ledger = Ledger()
        ledger.add(image_line(reference, refuse_unpinned(reference)))
        return ImageVerification(report=_report(trust, ledger))
    run = _Verifying(parts, trust, roots, entry, reference)
    run.judge(wanted, is_recursive=is_recursive)
    report = _report(trust, run.ledger)
    use = run.use if report.exit_code == 0 else None
    return ImageVerification(report=report, use=use, named=run.named)


class _Verifying:
    """A verification: its parts, and what has become known of the image."""

    def __init__(
        self,
        parts: ImageParts,
        trust: TrustFile,
        roots: Mapping[str, Root],
        entry: ImageEntry,
        reference: ImageReference,
    ) -> None:
        self._registry = parts.registry
        self._supply = parts.supply(roots, entry)
        self._trust, self._roots, self._entry, self._reference = trust, roots, entry, reference
        self.ledger = Ledger()
        self.named: Manifest | None = None
        self.use: ImageReference | None = None

    def judge(self, platform: str | None, *, is_recursive: bool) -> None:
        """Look up what was named, and judge it as far as it was asked for."""
        try:
            self.named = named = self._registry.resolve(self._reference)
            if platform is not None:
                self._judge_pulled(named, platform)
            elif is_recursive:
                self._judge_each(named)
            else:
                self._judge_whole(named)
        except RefusedError as err:
            self.ledger.error = err
        except UndecidedError as err:
            self.ledger.add(image_line(self._reference, err))

    def _judge_whole(self, named: Manifest) -> None:
        """Judge what was named, for every platform."""
        verdict = self._judged(named)
        if isinstance(verdict, AcceptedImage) and self._trust.revoked:
            listed = [self._image(each.digest) for each in self._listed(named)]
            verdict = judge_listed(verdict, listed, revoked=self._trust.revoked)
        self._tell(named, verdict, said_of(named))
        self._use_of(named)

    def _judge_each(self, named: Manifest) -> None:
        """Judge what was named, and all that it lists, each by evidence of its own."""
        self._tell(named, self._judged(named), said_of(named))
        for each in self._listed(named):
            manifest = self._registry.manifest(self._reference.repository, each)
            self._tell(manifest, self._judged(manifest), each.platform or "without a platform")
        self._use_of(named)

    def _judge_pulled(self, named: Manifest, platform: str) -> None:
        """Judge what a platform gets of what was named; the index's evidence covers it, or its own."""
        found = pulled_by(named, platform, self._reference)
        pulled = self._registry.manifest(self._reference.repository, found)
        of_index, own = self._judged(named), None
        if isinstance(of_index, Refused):
            own = self._judged(pulled)
        if isinstance(of_index, UndecidedError):
            self._tell(named, of_index)
            return
        if isinstance(own, UndecidedError):
            self._tell(pulled, own)
            return
        image = self._image(pulled.digest)
        verdict = judge_pulled(image, of_index, own, index=named, revoked=self._trust.revoked)
        if isinstance(verdict, Refused):
            self._tell(named, of_index, said_of(named))
        by = f"covered by its index {spelled(named.digest)}" if own is None else "by evidence of its own"
        self._tell(pulled, verdict, f"{platform}, {by}")
        self._use_of(pulled)

    def _listed(self, named: Manifest) -> Iterator[Descriptor]:
        return listed_in(self._registry, self._reference.repository, named)

    def _judged(self, manifest: Manifest) -> ImageVerdict | UndecidedError:
        image = self._image(manifest.digest)
        evidence = self._supply.evidence(image.repository, image.digest)
        try:
            return judge_image(
                image, evidence, entry=self._entry, roots=self._roots, revoked=self._trust.revoked
            )
        except UndecidedError as err:
            return err

    def _image(self, digest: Digest) -> JudgedImage:
        return JudgedImage(repository=self._reference.repository, digest=digest, tag=self._reference.tag)

    def _tell(self, manifest: Manifest, verdict: ImageVerdict | UndecidedError, note: str = "") -> None:
        self.ledger.add(image_line(self._image(manifest.digest), verdict, note))

    def _use_of(self, manifest: Manifest) -> None:
        self.use = ImageReference(repository=self._reference.repository, digest=manifest.digest)


def _report(trust: TrustFile, ledger: Ledger) -> Report:
    """Return the report of what was judged; without an accepted image it is not a success."""
    lines = ledger.lines()
    nothing_accepted = not any(line.outcome is Outcome.ACCEPTED for line in lines)
    return Report(
        command="image verify",
        exit_code=ledger.exit_code() or int(nothing_accepted),
        lines=lines,
        trust_file=str(trust.path),
        error=ledger.unsaid(),
        roots=trust.roots,
        with_statements=True,
        about="images",
    )
