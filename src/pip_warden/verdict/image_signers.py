"""Who signed an image for which no identity is pinned: proved, and neither pinned nor judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.values import dataclass
from pip_warden.verdict.evidence import Roots, no_evidence, prove
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import ItemRefusal, Refused, Step, StepFailure
from pip_warden.verdict.statement import check_subject, publication_of

_UNSIGNED = "An unsigned image can be pinned to nobody. Ask its publisher to sign it, or name another tag."


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSigner:
    """Somebody who signed an image, with whatever certificates the same issuer, subject and project have.

    Attributes:
        claims: What the first of those certificates says.
        triggers: What started the pipelines that signed.
        evidence: All that this signer said: at least one item that says that the image was published.
    """

    claims: CertificateClaims
    triggers: frozenset[str]
    evidence: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Proved:
    """An item under a signature that was verified; a fault says why it is no publication of the image."""

    item: Item
    claims: CertificateClaims
    fault: Fault | None


def image_signers(
    image: JudgedImage, evidence: Iterable[Item | BadItem], *, root: str, roots: Roots
) -> tuple[ImageSigner, ...] | Refused:
    """Prove who signed an image: steps 6 to 8 for each item of its evidence.

    Args:
        image: The image.
        evidence: All of its evidence.
        root: Name of the trusted root to verify with.
        roots: The trusted roots.

    Returns:
        At least one signer, in the order of the evidence; a refusal where nothing is good.
    """
    proved: list[_Proved] = []
    bad: list[ItemRefusal] = []
    for item in evidence:
        found = _look_at(item, image, root, roots)
        if isinstance(found, StepFailure):
            bad.append(ItemRefusal(label=item.label, form=item.form, failure=found))
            continue
        proved.append(found)
        if found.fault is not None:
            failure = StepFailure(Step.SUBJECT, found.fault)
            bad.append(ItemRefusal(label=item.label, form=item.form, failure=failure))
    signers = _signers(proved)
    if signers:
        return signers
    nothing = StepFailure(Step.EVIDENCE, no_evidence(image.name, hint=_UNSIGNED))
    closest = max((each.failure for each in bad), key=lambda failure: failure.step, default=nothing)
    return Refused(subject=str(image.name), failure=closest, bad_items=tuple(bad))


def _look_at(item: Item | BadItem, image: JudgedImage, root: str, roots: Roots) -> _Proved | StepFailure:
    if isinstance(item, BadItem):
        return StepFailure(Step.EVIDENCE, item.fault)
    proof = prove(item, image, roots, root)
    if isinstance(proof, Fault):
        return StepFailure(Step.SIGNATURE, proof)
    return _Proved(item, proof.proved.claims, check_subject(proof.statement, image, publication_of(image)))


def _signers(proved: Iterable[_Proved]) -> tuple[ImageSigner, ...]:
    """Put together what each signer said; who only said something else about the image did not publish it."""
    published: dict[object, ImageSigner] = {}
    items: dict[object, list[Item]] = {}
    for each in proved:
        claims = each.claims
        key = claims.issuer, claims.subjects, claims.get("project-id")
        items.setdefault(key, []).append(each.item)
        if each.fault is None:
            known = published.setdefault(key, ImageSigner(claims=claims, triggers=frozenset(), evidence=()))
            seen = known.triggers | {claims.get("build-trigger") or ""}
            published[key] = replace(known, triggers=seen)
    return tuple(replace(one, evidence=tuple(items[key])) for key, one in published.items())
