"""Evidence of images: what cosign stores is read, whatever else is stored there, and nothing is believed."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from _sigstore.samples import CLAIMS, service
from pip_warden._sigstore.rekor import Hashedrekord, LoggedEnvelope, find_log_entry
from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.root import load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden._sigstore.wire import LogEntry
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import NetworkError, RefusedError, RegistryError, WardenError
from pip_warden.evidence.cosign_tags import read_image_attestation, read_image_signature
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.image import MOST_LAYERS, MOST_REFERRERS, image_evidence
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Manifest
from pip_warden.oci.names import Repository, spelled
from pip_warden.sandbox.sigstore.rekor_app import rekor_app
from pip_warden.strict_json import JSONValue
from stored_images import (
    DATA,
    DIGEST,
    REAL,
    REPOSITORY,
    TAG,
    Reply,
    Stored,
    find_real_entry,
    listed,
    listed_by_cosign,
    real,
)

ROOT = load_root((DATA / "trusted_root.json").read_bytes())
SUBJECT = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
BUNDLE = REAL["contents"][
    json.loads(REAL["contents"][spelled(listed_by_cosign()[0].digest)])["layers"][0]["digest"]
].encode()
SIGNATURE_LAYER = json.loads(REAL["contents"][REAL["tags"][f"{TAG}.sig"]])["layers"][0]
ATTESTATION_LAYER = json.loads(REAL["contents"][REAL["tags"][f"{TAG}.att"]])["layers"][0]
PAYLOAD = REAL["contents"][SIGNATURE_LAYER["digest"]].encode()
ENVELOPE = REAL["contents"][ATTESTATION_LAYER["digest"]].encode()


def read(
    store: Stored,
    *digests: Digest,
    find_entry: Callable[[Hashedrekord | LoggedEnvelope], LogEntry | None] | None = find_real_entry,
) -> list[Item | BadItem]:
    return list(image_evidence(store, REPOSITORY, DIGEST, listed(*digests), find_entry))


def codes(items: list[Item | BadItem]) -> list[str]:
    return [item.fault.code if isinstance(item, BadItem) else "read" for item in items]


def test_all_that_cosign_stores_is_read_and_proved() -> None:
    found = list(image_evidence(real(), REPOSITORY, DIGEST, listed_by_cosign(), find_real_entry))

    assert [(item.label, item.form) for item in found] == [
        *((f"sha256:{each.digest.hex[:12]}…", EvidenceForm.REFERRER) for each in listed_by_cosign()),
        (f"sha256-{DIGEST.hex[:12]}….sig", EvidenceForm.IMAGE_SIGNATURE),
        (f"sha256-{DIGEST.hex[:12]}….att", EvidenceForm.IMAGE_ATTESTATION),
    ]
    for item in found:
        assert isinstance(item, Item), item
        signed = digest_of(item.payload) if item.payload is not None else DIGEST
        proved = verify_bundle(item.wire, signed, ROOT)
        assert isinstance(proved, VerificationResult), proved
        assert proved.claims.subjects == (SUBJECT,)
    assert [isinstance(item, Item) and item.payload for item in found] == [None, None, PAYLOAD, None]


def test_an_image_without_evidence_has_none() -> None:
    assert read(Stored()) == []


def test_other_artifacts_are_passed_over() -> None:
    store = Stored()
    sbom = store.artifact(b"{}", artifactType="application/spdx+json")
    scan = store.artifact(b"{}", artifactType=None)

    assert read(store, sbom, scan, store.artifact(BUNDLE))[0].form is EvidenceForm.REFERRER
    assert codes(read(store, sbom, scan, store.artifact(BUNDLE))) == ["read"]


def test_the_type_of_the_configuration_counts_where_no_other_is_said() -> None:
    store = Stored()
    config = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "digest": spelled(store.put(b"{}")),
        "size": 2,
    }

    assert codes(read(store, store.artifact(BUNDLE, artifactType=None, config=config))) == ["read"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": None}, "referrer-of-another"),
        (
            {"subject": {"mediaType": IMAGE_MANIFEST, "digest": spelled(digest_of(b"x")), "size": 1}},
            "referrer-of-another",
        ),
        ({"layers": []}, "unreadable-image-evidence"),
        ({"layers": "none"}, "unreadable-image-evidence"),
    ],
)
def test_t02_what_is_listed_and_is_no_evidence_of_the_image_is_a_bad_item(
    changes: dict[str, JSONValue], code: str
) -> None:
    store = Stored()

    assert codes(read(store, store.artifact(BUNDLE, **changes), store.artifact(BUNDLE))) == [code, "read"]


def layer(store: Stored, content: bytes, **changes: JSONValue) -> dict[str, JSONValue]:
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "digest": spelled(store.put(content)),
        "size": len(content),
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 1}, "unreadable-image-evidence"),
        ({"size": (1 << 20) + 1}, "evidence-too-large"),
        ({"digest": spelled(digest_of(b"nothing"))}, "unreadable-image-evidence"),
        ({"mediaType": "application/vnd.dev.sigstore.bundle.v9+json"}, "read"),
    ],
)
def test_t11_a_layer_that_is_not_as_it_is_described_spoils_only_itself(
    changes: dict[str, JSONValue], code: str
) -> None:
    store = Stored()
    spoilt = store.artifact(BUNDLE, layers=[layer(store, BUNDLE, **changes)])

    assert codes(read(store, spoilt, store.artifact(BUNDLE))) == [code, "read"]


def test_t21_an_artifact_has_one_bundle() -> None:
    store = Stored()
    two: JSONValue = [layer(store, BUNDLE)] * 2

    found = read(store, store.artifact(BUNDLE, layers=two), store.artifact(BUNDLE))

    assert codes(found) == ["too-much-evidence", "read"]


def test_what_is_listed_and_not_there_spoils_only_itself() -> None:
    store = Stored()

    assert codes(read(store, digest_of(b"gone"), store.artifact(BUNDLE))) == [
        "unreadable-image-evidence",
        "read",
    ]


def test_an_index_is_no_evidence() -> None:
    store = Stored()
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    subject = {"mediaType": IMAGE_MANIFEST, "digest": spelled(DIGEST), "size": 411}
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_INDEX,
        "artifactType": bundle,
        "manifests": [],
        "subject": subject,
    }

    assert codes(read(store, store.put(document))) == ["unreadable-image-evidence"]
    store.put({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": []}, f"{TAG}.sig")
    assert codes(read(store)) == ["unreadable-image-evidence"]


def test_t21_too_many_layers_are_not_cut() -> None:
    store = Stored()

    store.artifact(PAYLOAD, f"{TAG}.sig", layers=[SIGNATURE_LAYER] * (MOST_LAYERS + 1))
    assert codes(read(store)) == ["too-much-evidence"]


def test_t21_too_many_referrers_are_not_cut() -> None:
    store = Stored()

    many = listed(*(store.artifact(BUNDLE),) * (MOST_REFERRERS + 1))
    found = image_evidence(store, REPOSITORY, DIGEST, many, None)

    assert codes(list(islice(found, MOST_REFERRERS))) == ["read"] * MOST_REFERRERS
    with pytest.raises(RegistryError) as caught:
        next(found)

    assert (caught.value.code, caught.value.exit_code) == ("too-many-referrers", 3)


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("no-answer", "nobody there"),
        RegistryError("unexpected-status", "status 500", status=500),
        RefusedError("image-tag-moved", "moved"),
    ],
)
def test_t16_what_the_registry_does_not_answer_is_never_taken_for_nothing(error: WardenError) -> None:
    class Silent(Stored):
        def _served(self, digest: Digest) -> bytes:  # noqa: ARG002
            raise error

    store = Silent(tags={f"{TAG}.sig": spelled(DIGEST)})
    with pytest.raises(type(error)):
        read(store, DIGEST)
    with pytest.raises(type(error)):
        read(store)


def test_t16_a_tag_that_is_not_found_in_other_words_is_not_taken_for_absent() -> None:
    class BehindAProxy(Stored):
        def find(self, repository: Repository, tag: str) -> Manifest | None:  # noqa: ARG002
            raise RegistryError("not-found", "a page of a proxy", status=404)

    with pytest.raises(RegistryError) as caught:
        read(BehindAProxy())

    assert (caught.value.code, caught.value.exit_code) == ("not-found", 3)


def test_a_manifest_under_a_tag_that_cannot_be_read_spoils_only_itself() -> None:
    store = real()
    store.put(b"{}", f"{TAG}.sig")

    assert codes(read(store)) == ["unreadable-image-evidence", "read"]


def test_what_cosign_2_signed_is_not_looked_up_where_the_log_must_not_be_asked() -> None:
    assert codes(read(real(), find_entry=None)) == ["log-lookup-offline"] * 2


def test_t02_what_the_log_does_not_have_is_bad() -> None:
    assert codes(read(real(), find_entry=lambda _wanted: None)) == ["no-log-entry"] * 2


def test_a_log_that_cannot_be_reached_is_no_log_without_the_entry() -> None:
    def unreachable(_wanted: object) -> LogEntry | None:
        raise NetworkError("no-answer", "nobody there")

    with pytest.raises(NetworkError):
        read(real(), find_entry=unreachable)


@pytest.mark.parametrize(("suffix", "layer_of"), [(".sig", SIGNATURE_LAYER), (".att", ATTESTATION_LAYER)])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "read"),
        ({"mediaType": "application/octet-stream"}, "unreadable-image-evidence"),
        ({"size": 1}, "unreadable-image-evidence"),
        ({"size": (1 << 20) + 1}, "evidence-too-large"),
        ({"annotations": {}}, "key-signed-bundle"),
        ({"annotations": {"dev.sigstore.cosign/certificate": "x"}}, "bad-detached-signature"),
    ],
)
def test_t11_a_layer_of_cosign_2_that_cannot_be_read_spoils_only_itself(
    suffix: str, layer_of: dict[str, JSONValue], changes: dict[str, JSONValue], code: str
) -> None:
    store = real()
    del store.tags[f"{TAG}.sig"], store.tags[f"{TAG}.att"]
    if suffix == ".sig" and code == "bad-detached-signature":
        code = "empty-evidence"  # neither the signature nor the certificate is one
    store.artifact(b"", f"{TAG}{suffix}", layers=[{**layer_of, **changes}, layer_of])

    found = read(store)

    assert codes(found) == [code, "read"]
    assert [item.label.rpartition(suffix)[2] for item in found] == ["", " #2"]


def test_another_image_s_signature_is_read_with_what_it_says() -> None:
    """Which image it is about stands in the payload, for the judge."""
    store = real()
    item = read(store)[0]

    assert isinstance(item, Item)
    assert item.payload == PAYLOAD
    assert item.wire.message_digest == digest_of(PAYLOAD).raw()


@pytest.mark.parametrize(
    "change",
    [
        lambda envelope: envelope | {"signatures": envelope["signatures"] * 2},
        lambda envelope: envelope | {"signatures": []},
        lambda envelope: envelope | {"signatures": [envelope["signatures"][0] | {"keyid": "a"}]},
        lambda envelope: envelope | {"more": 1},
        lambda envelope: [envelope],
    ],
)
def test_t02_an_envelope_is_read_strictly(change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.dumps(change(json.loads(ENVELOPE))).encode()

    found = read_image_attestation("a", raw, ATTESTATION_LAYER["annotations"], find_real_entry)

    assert isinstance(found, BadItem)
    assert found.fault.code == "bad-envelope"


def test_nothing_and_web_pages_are_told_as_that() -> None:
    for content, code in ((b"", "empty-evidence"), (b"<html>", "evidence-is-web-page")):
        for reader, said in (
            (read_image_signature, SIGNATURE_LAYER),
            (read_image_attestation, ATTESTATION_LAYER),
        ):
            found = reader("a", content, said["annotations"], find_real_entry)
            assert isinstance(found, BadItem)
            assert found.fault.code == code


@given(
    raw=st.binary(max_size=99) | st.sampled_from([PAYLOAD, ENVELOPE]),
    signature=st.text(max_size=99)
    | st.just(SIGNATURE_LAYER["annotations"]["dev.cosignproject.cosign/signature"]),
    certificate=st.text(max_size=99)
    | st.just(SIGNATURE_LAYER["annotations"]["dev.sigstore.cosign/certificate"]),
)
def test_whatever_is_under_the_tags_no_reader_fails(raw: bytes, signature: str, certificate: str) -> None:
    said = {"dev.cosignproject.cosign/signature": signature, "dev.sigstore.cosign/certificate": certificate}

    for reader in (read_image_signature, read_image_attestation):
        found = reader("a", raw, said, lambda _wanted: None)
        assert isinstance(found, BadItem)
        assert found.label == "a"


def retrieve(sigstore: Any, payload: JSONValue) -> Reply:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(payload).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    path = "/api/v1/log/entries/retrieve"
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    asyncio.run(rekor_app(sigstore)(scope, receive, send))
    return Reply(sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]))


def test_an_attestation_is_found_in_a_log_by_its_envelope() -> None:
    sigstore = service()
    signed: Any = sigstore.sign_statement({"_type": "https://in-toto.io/Statement/v1"}, CLAIMS)
    envelope = json.dumps(signed["dsseEnvelope"]).encode()
    certificate = base64.b64decode(signed["verificationMaterial"]["certificate"]["rawBytes"])
    said = {"dev.sigstore.cosign/certificate": pem_of(certificate).decode()}

    class Rekor:
        def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Reply:  # noqa: ARG002
            return retrieve(sigstore, payload)

    def find(wanted: Hashedrekord | LoggedEnvelope) -> LogEntry | None:
        return find_log_entry(Rekor(), ("https://rekor.invalid",), wanted)

    found = read_image_attestation("a", envelope, said, find)
    other = read_image_attestation("a", envelope + b" ", said, find)

    assert isinstance(found, Item), found
    root = load_root(json.dumps(sigstore.trusted_root()).encode())
    assert isinstance(verify_bundle(found.wire, DIGEST, root), VerificationResult)
    assert isinstance(other, BadItem)
    assert other.fault.code == "no-log-entry"


@pytest.mark.parametrize("part", ["envelope", "payload", "signature", "pem"])
def test_t02_an_entry_of_another_envelope_is_refused(part: str) -> None:
    item = read_image_attestation("a", ENVELOPE, ATTESTATION_LAYER["annotations"], find_real_entry)
    assert isinstance(item, Item)
    assert item.wire.envelope is not None
    wanted = LoggedEnvelope(
        envelope=ENVELOPE,
        payload=digest_of(item.wire.envelope.payload),
        signature=item.wire.signature,
        pem=pem_of(item.wire.certificate),
    )
    others: dict[str, Any] = {
        "envelope": ENVELOPE + b" ",
        "payload": DIGEST,
        "signature": b"x",
        "pem": b"x",
    }

    assert find_real_entry(wanted) == item.wire.entry
    with pytest.raises(RegistryError) as caught:
        find_real_entry(replace(wanted, **{part: others[part]}))
    assert caught.value.code == "bad-rekor-answer"
