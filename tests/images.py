"""Images, what is signed about them, and the pin that accepts it; an embedded Sigstore signs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import samples
from _sigstore.samples import CLAIMS, SUBJECT, root_of, service
from pip_warden.digests import Digest, digest_of
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.oci.names import Repository, parse_repository, spelled
from pip_warden.trust.model import Identity, Requirements, Revocation
from pip_warden.trust.subject import parse_subject
from pip_warden.verdict.image import judge_image
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, ImageVerdict, Refused
from pip_warden.verdict.statement import COSIGN_SIGN

SIGSTORE = service()
ROOTS = {"default": root_of(SIGSTORE)}
REPOSITORY = parse_repository("registry.example.com/acme/app")
DIGEST = digest_of(b"the manifest")
OTHER = digest_of(b"another manifest")
USUAL = Requirements()
PATTERN = SUBJECT.replace("v1.0", "v{tag}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """What the trust file says of a repository."""

    repository: Repository = REPOSITORY
    identities: tuple[Identity, ...] = ()
    require: Requirements = USUAL


def image(**changes: Any) -> JudgedImage:
    """Make an image."""
    values: dict[str, Any] = {"repository": REPOSITORY, "digest": DIGEST, "tag": "1.0"}
    return JudgedImage(**(values | changes))


def pin(pattern: str = PATTERN, **require: Any) -> Pin:
    """Make the entry that accepts what :func:`signed` signs."""
    signer = samples.identity(subject=parse_subject(pattern))
    return Pin(identities=(signer,), require=Requirements(**require))


def subject(of: Digest = DIGEST, **changes: Any) -> dict[str, Any]:
    """Make a statement's subject; ``None`` leaves a field out."""
    values = {"digest": {"sha256": of.hex}} | changes
    return {name: value for name, value in values.items() if value is not None}


def statement(*subjects: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Make a statement, as cosign 3 signs images."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": list(subjects) or [subject()],
        "predicateType": COSIGN_SIGN,
        "predicate": {},
    } | changes


def signed(said: Mapping[str, Any] | None = None, label: str = "a", **claims: Any) -> Item:
    """Sign a statement."""
    bundle = SIGSTORE.sign_statement(said or statement(), CLAIMS | claims)
    return read(bundle, label, EvidenceForm.DSSE_BUNDLE)


def payload(digest: Digest = DIGEST, **changes: Any) -> dict[str, Any]:
    """Make a payload, as cosign 2 signs images."""
    critical = {
        "identity": {"docker-reference": str(REPOSITORY)},
        "image": {"docker-manifest-digest": spelled(digest)},
        "type": "cosign container image signature",
    }
    return {"critical": critical, "optional": None} | changes


def simple(said: Mapping[str, Any] | None = None, over: bytes | None = None, label: str = "old") -> Item:
    """Sign a payload; ``over`` are the bytes that are signed in its stead."""
    raw = json.dumps(said or payload()).encode()
    item = read(SIGSTORE.sign_blob(raw if over is None else over, CLAIMS), label, EvidenceForm.BUNDLE)
    return Item(label=label, form=item.form, wire=item.wire, payload=raw)


def message(data: bytes, label: str = "message") -> Item:
    """Sign bytes."""
    return read(SIGSTORE.sign_blob(data, CLAIMS), label, EvidenceForm.BUNDLE)


def judged(
    *evidence: Item | BadItem,
    entry: Pin | None = None,
    revoked: tuple[Revocation, ...] = (),
    **changes: Any,
) -> ImageVerdict:
    """Judge an image by the pin of its repository."""
    return judge_image(image(**changes), evidence, entry=entry or pin(), roots=ROOTS, revoked=revoked)


def code(verdict: ImageVerdict) -> str | None:
    """Return the code of a refusal, None of an acceptance."""
    match verdict:
        case AcceptedImage():
            return None
        case Refused():
            return verdict.code


def codes(bad: Iterable[Any]) -> list[str]:
    """Return the codes of bad items."""
    return [each.code for each in bad]


def read(bundle: Mapping[str, Any], label: str, form: EvidenceForm) -> Item:
    item = read_bundle(label, json.dumps(bundle).encode(), form)
    assert isinstance(item, Item)
    return item
