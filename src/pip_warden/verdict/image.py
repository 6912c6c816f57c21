"""Judges an image by the steps that judge a file; what a file's name and archive say, an image's digest says.

========  ============  =================================================================================
step      name          what is judged
========  ============  =================================================================================
1         pin           the image's repository has an entry in the trust file
5         digest        computed over the manifest's bytes by the caller; then revocation
6 … 10                  as for a file, see :mod:`.inquiry`
========  ============  =================================================================================

A signature covers what the signed bytes name by digest: that of an index covers its platforms' manifests, and
a manifest's covers its layers. So what is pulled must be the manifest that was judged, or listed by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from pip_warden.errors import InternalError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.oci.manifest import Manifest
from pip_warden.oci.names import ImageReference, spelled
from pip_warden.trust.model import Revocation
from pip_warden.trust.suggest import pin_image
from pip_warden.verdict.evidence import EvidenceEvaluation, Roots
from pip_warden.verdict.hearing import hear_all, heard
from pip_warden.verdict.judged import ImagePin, JudgedImage
from pip_warden.verdict.model import AcceptedImage, ImageVerdict, Passed, Refused, Step, StepFailure

_UNSIGNED = (
    "The repository is pinned to an identity, so an unsigned image is refused. Ask its publisher to sign it: "
    "`pip-warden image sign IMAGE` in the pipeline that pushes it. Or name the index that lists it, with "
    "`--platform`, if that is what is signed."
)


def judge_image(
    image: JudgedImage,
    evidence: Iterable[Item | BadItem],
    *,
    entry: ImagePin | None,
    roots: Roots,
    revoked: Collection[Revocation],
) -> ImageVerdict:
    """Judge an image.

    Args:
        image: The image.
        evidence: Its evidence, best form first. It is read to the first good item for the verdict, where
            exceptions of its look-up propagate; what is left is heard for what it says, and an error there is
            told and passes to nobody.
        entry: The entry of its repository; None where that is not pinned.
        roots: The trusted roots that the trust file pins.
        revoked: What the trust file revokes; an image is revoked by its digest.

    Raises:
        InternalError: The entry is of another repository.
    """
    name = str(image.name)
    if entry is None:
        return refuse_unpinned(image.name)
    if entry.repository != image.repository:
        raise InternalError("bug", f"{name} was judged by the entry of {entry.repository}")
    passed = [
        Passed(Step.PIN, f"{image.repository}, pinned by identity"),
        Passed(Step.DIGEST, f"SHA-256 {image.digest} of its manifest"),
    ]
    if fault := _check_revoked(image, revoked):
        return Refused(subject=name, failure=StepFailure(Step.POLICY, fault), passed=tuple(passed))
    if revoked:
        passed.append(Passed(Step.POLICY, f"not among the revocations, of which there are {len(revoked)}"))
    return _weigh(image, evidence, entry, roots, tuple(passed))


def refuse_unpinned(name: ImageReference) -> Refused:
    """Refuse an image of a repository that is not pinned: nothing need be asked about it."""
    named = name if name.tag is None else replace(name, digest=None)
    fault = Fault(
        code="image-not-pinned",
        expected=f"an [[image]] of {name.repository} in the trust file",
        found="none",
        hint=f"If you want it: `{pin_image(named)}`. It shows who signed it, and asks.",
    )
    return Refused(subject=str(name), failure=StepFailure(Step.PIN, fault))


def judge_listed(
    verdict: AcceptedImage, listed: Iterable[JudgedImage], *, revoked: Collection[Revocation]
) -> ImageVerdict:
    """Judge an index by all that it lists, where it is not said what of it is used.

    Args:
        verdict: What was said of the index by its evidence.
        listed: All that it lists, however deep.
        revoked: What the trust file revokes: whoever uses the index may get what is revoked.
    """
    for each in listed:
        if fault := _check_revoked(each, revoked):
            hint = "Say with `--platform` which image of the index you use, or choose another index."
            failure = StepFailure(Step.POLICY, replace(fault, hint=hint))
            return Refused(subject=str(verdict.image.name), failure=failure, passed=verdict.passed)
    return verdict


def judge_pulled(
    pulled: JudgedImage,
    of_index: ImageVerdict,
    own: ImageVerdict | None,
    *,
    index: Manifest,
    revoked: Collection[Revocation],
) -> ImageVerdict:
    """Judge the image that is used of an index: by the index's evidence, or by its own.

    Args:
        pulled: The image that is used.
        of_index: What was said of the index.
        own: What was said of the image by its own evidence; None where that was not asked for.
        index: The index.
        revoked: What the trust file revokes; of a revoked index nothing is used.
    """
    if isinstance(of_index, Refused) and of_index.code == "revoked":
        return replace(of_index, subject=str(pulled.name))
    verdicts = [each for each in (of_index, own) if isinstance(each, AcceptedImage)]
    covered = cover(pulled, verdicts, index=index, revoked=revoked)
    if isinstance(covered, StepFailure):
        bad = own.bad_items if isinstance(own, Refused) else ()
        return Refused(subject=str(pulled.name), failure=covered, bad_items=bad)
    accepted = own if isinstance(own, AcceptedImage) else verdicts[0]
    return replace(accepted, image=pulled, passed=(*accepted.passed, covered))


def _weigh(
    image: JudgedImage,
    evidence: Iterable[Item | BadItem],
    entry: ImagePin,
    roots: Roots,
    passed: tuple[Passed, ...],
) -> ImageVerdict:
    """Steps 6 to 10."""
    weighing = EvidenceEvaluation(image, entry, roots)
    offered = iter(evidence)
    for item in offered:
        weighing.add(item)
        if (good := weighing.good) is not None:
            accepted = AcceptedImage(image=image, basis=good, passed=(*passed, *weighing.passed))
            return hear_all(heard(accepted, weighing), weighing, offered)
    failure = weighing.closest(hint=_UNSIGNED)
    return Refused(subject=str(image.name), failure=failure, bad_items=weighing.refusals, passed=passed)


def cover(
    pulled: JudgedImage,
    accepted: Iterable[AcceptedImage],
    *,
    index: Manifest | None,
    revoked: Collection[Revocation],
) -> Passed | StepFailure:
    """Say what covers the manifest that is used: evidence of its own, or that of an index that lists it.

    Args:
        pulled: The manifest that is used.
        accepted: Every image that was judged, and accepted; those of other repositories cover nothing, since
            another pin decided.
        index: The index through which it may be used; None where there is none.
        revoked: What the trust file revokes: no index covers a platform that is revoked by its digest.
    """
    if fault := _check_revoked(pulled, revoked):
        return StepFailure(Step.POLICY, fault)
    name = spelled(pulled.digest)
    good = {each.image.digest for each in accepted if each.image.repository == pulled.repository}
    if pulled.digest in good:
        return Passed(Step.SUBJECT, f"{name} has evidence of its own")
    if index is None:
        return _not_covered(name, "no index that was judged")
    by = f"the index {spelled(index.digest)}"
    if pulled.digest not in {entry.digest for entry in index.manifests}:
        return _not_covered(name, f"{by} does not list it")
    if index.digest not in good:
        return _not_covered(name, f"{by} was not accepted")
    return Passed(Step.SUBJECT, f"{name} is covered by {by}")


def _not_covered(name: str, why: str) -> StepFailure:
    fault = Fault(
        code="platform-not-covered",
        expected=f"evidence of {name}, or of an index that lists it",
        found=f"none of its own that is good, and {why}",
        hint="Name the index, by its tag or digest, whose signature covers every platform that it lists, and "
        "with `--platform` what you use of it; or ask the publisher to sign each platform, too: "
        "`--recursive` demands that.",
    )
    return StepFailure(Step.SUBJECT, fault)


def _check_revoked(image: JudgedImage, revoked: Iterable[Revocation]) -> Fault | None:
    """Check revocation by digest: projects and versions are of packages."""
    for each in revoked:
        if each.sha256 is not None and each.sha256.matches(image.digest):
            return Fault(
                code="revoked",
                expected="an image that is not revoked",
                found=f"{image.name}, revoked: {each.reason}",
                hint="The trust file revokes it. Choose another image.",
            )
    return None
