"""The strict reader of bundles."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _sigstore.samples import CLAIMS, DATA, STATEMENT, changed, service
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.pep740 import read_attestation, read_provenance
from pip_warden.sandbox.sigstore import BundleForm, MediaType

MATERIAL = "verificationMaterial"
ENTRY = f"{MATERIAL}.tlogEntries.0"
SERVICE = service()
SERVICE.sign_blob(b"entry 0", CLAIMS)
BLOB: dict[str, Any] = SERVICE.sign_blob(DATA, CLAIMS, form=BundleForm(timestamp=True))
OLD: dict[str, Any] = SERVICE.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=MediaType.V01))
DSSE: dict[str, Any] = SERVICE.sign_statement(STATEMENT, CLAIMS)
ATTESTATION: dict[str, Any] = SERVICE.pep740(STATEMENT, CLAIMS)
NOTE: str = BLOB[MATERIAL]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def code(found: Item | BadItem) -> str:
    return found.fault.code if isinstance(found, BadItem) else "read"


def respelled(text: str) -> str:
    """Return base64 of the same bytes with other padding bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    other = body[:-1] + alphabet[alphabet.index(body[-1]) ^ 1] + "=" * (len(text) - len(body))
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


def test_what_is_read_is_written_in_one_form() -> None:
    spaced = json.dumps(OLD, indent=8).encode()

    first, second = read_bundle("a", raw(OLD)), read_bundle("a", spaced)

    assert isinstance(first, Item)
    assert first == second
    assert json.loads(first.wire.to_json())["mediaType"] == MediaType.V03
    assert first.wire.envelope is None


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("surprise", 1),
        (f"{MATERIAL}.surprise", 1),
        (f"{ENTRY}.surprise", {}),
        (f"{ENTRY}.log_index", "1"),
        (f"{ENTRY}.logIndex", 1),
        (f"{ENTRY}.logIndex", "01"),
        (f"{ENTRY}.logIndex", "+1"),
        (f"{ENTRY}.logIndex", " 1"),
        (f"{ENTRY}.logIndex", "1_0"),
        (f"{ENTRY}.logIndex", "-1"),
        (f"{ENTRY}.logIndex", "١"),
        (f"{ENTRY}.logIndex", "9223372036854775808"),
        (f"{ENTRY}.logId.keyId", "AAAA"),
        (f"{ENTRY}.inclusionProof.treeSize", "99"),
        (f"{ENTRY}.inclusionProof.rootHash", base64.b64encode(bytes(32)).decode()),
        (
            f"{ENTRY}.inclusionProof.rootHash",
            respelled(BLOB[MATERIAL]["tlogEntries"][0]["inclusionProof"]["rootHash"]),
        ),
        (f"{ENTRY}.inclusionProof.hashes", ["AAAA"]),
        (f"{ENTRY}.canonicalizedBody", ""),
        (f"{ENTRY}.inclusionPromise", {}),
        (f"{MATERIAL}.tlogEntries", []),
        (f"{MATERIAL}.certificate", ...),
        (f"{MATERIAL}.x509CertificateChain", {"certificates": []}),
        ("messageSignature", ...),
        ("dsseEnvelope", DSSE["dsseEnvelope"]),
        ("messageSignature.signature", ""),
        ("messageSignature.messageDigest.algorithm", "SHA2_512"),
        ("messageSignature.messageDigest.algorithm", ...),
        ("messageSignature.messageDigest.digest", "AAAA"),
    ],
)
def test_what_is_not_strictly_a_bundle(path: str, new: object) -> None:
    assert code(read_bundle("a", raw(changed(BLOB, path, new)))) == "bad-bundle"


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("dsseEnvelope.signatures", []),
        ("dsseEnvelope.signatures", DSSE["dsseEnvelope"]["signatures"] * 2),
        ("dsseEnvelope.signatures.0.keyid", "x"),
        ("dsseEnvelope.payload", "e30"),
    ],
)
def test_what_is_not_strictly_an_envelope(path: str, new: object) -> None:
    assert code(read_bundle("a", raw(changed(DSSE, path, new)))) == "bad-bundle"


def test_an_attestation_file_holds_an_envelope() -> None:
    assert code(read_bundle("a", raw(DSSE), EvidenceForm.DSSE_BUNDLE)) == "read"
    assert code(read_bundle("a", raw(BLOB), EvidenceForm.DSSE_BUNDLE)) == "bad-bundle"


def test_two_leaves_and_no_leaf() -> None:
    two = BLOB[MATERIAL]["tlogEntries"] * 2

    assert code(read_bundle("a", raw(changed(BLOB, f"{MATERIAL}.tlogEntries", two)))) == "bad-bundle"
    assert (
        code(read_bundle("a", raw(changed(OLD, f"{MATERIAL}.x509CertificateChain.certificates", []))))
        == "bad-bundle"
    )
    assert code(read_bundle("a", raw(changed(OLD, f"{ENTRY}.inclusionPromise", ...)))) == "bad-bundle"


def test_versions_and_keys() -> None:
    assert (
        code(
            read_bundle("a", raw(changed(BLOB, "mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json")))
        )
        == "unknown-bundle-version"
    )
    assert (
        code(read_bundle("a", raw(changed(BLOB, f"{MATERIAL}.publicKey", {"hint": "k"}))))
        == "key-signed-bundle"
    )


def test_a_key_that_appears_twice() -> None:
    twice = raw(BLOB).replace(b'"messageSignature":', b'"messageSignature": {}, "messageSignature":', 1)

    assert code(read_bundle("a", twice)) == "bad-bundle"


OWN = NOTE.rstrip("\n").rpartition("\n")[2]
HOST = NOTE.partition(" - ")[0]


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace(f"— {HOST} ", "— 127.0.0.2 "),
        NOTE + OWN + "\n",
        NOTE + "— witness.example AAAAAAAA\n",
        NOTE + "junk\n",
        NOTE + "\n",
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace(" - ", " "),
        "\n" + NOTE,
        NOTE.replace("\n", "\n0", 1),
        NOTE.replace("\n", "\n+", 1),
        NOTE.replace("\n", "\r\n"),
        "",
    ],
)
def test_a_checkpoint_is_signed_once_in_its_origins_name(note: str) -> None:
    assert note != NOTE
    value = changed(BLOB, f"{ENTRY}.inclusionProof.checkpoint.envelope", note)

    assert code(read_bundle("a", raw(value))) == "bad-bundle"


def test_witnesses_of_rekor_v2_are_left_out() -> None:
    lines = NOTE.split("\n")
    v2 = "\n".join([HOST, *lines[1:]])
    path = f"{ENTRY}.inclusionProof.checkpoint.envelope"
    plain = read_bundle("a", raw(changed(BLOB, path, v2)))

    assert code(plain) == "read"
    assert read_bundle("a", raw(changed(BLOB, path, v2 + "— witness.example AAAAAAAA\n"))) == plain
    assert code(read_bundle("a", raw(changed(BLOB, path, v2 + "— witness.example AAAA\n")))) == "bad-bundle"
    assert code(read_bundle("a", raw(changed(BLOB, path, v2 + OWN + "\n")))) == "bad-bundle", "its own, twice"


def test_the_place_in_the_tree_is_within_the_tree() -> None:
    proof = BLOB[MATERIAL]["tlogEntries"][0]["inclusionProof"]
    last = str(int(proof["treeSize"]) - 1)
    path = f"{ENTRY}.inclusionProof.logIndex"

    assert code(read_bundle("a", raw(changed(BLOB, path, last)))) == "read"
    assert code(read_bundle("a", raw(changed(BLOB, path, proof["treeSize"])))) == "bad-bundle"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (f"{MATERIAL}.timestampVerificationData.rfc3161Timestamps", 32),
        (f"{ENTRY}.inclusionProof.hashes", 64),
    ],
)
def test_t18_lists_have_an_end(path: str, most: int) -> None:
    def items(count: int) -> list[object]:
        texts = [base64.b64encode(number.to_bytes(32, "big")).decode() for number in range(1, count + 1)]
        return [{"signedTimestamp": text} for text in texts] if "hashes" not in path else [*texts]

    assert code(read_bundle("a", raw(changed(BLOB, path, items(most))))) == "read"
    assert code(read_bundle("a", raw(changed(BLOB, path, items(most + 1))))) == "bad-bundle"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty-evidence"),
        (b" \r\n", "empty-evidence"),
        (
            b"This resource has been moved temporarily to https://storage.example/x",
            "evidence-is-redirect-text",
        ),
        (b'<a href="https://storage.example/x">Found</a>.', "evidence-is-redirect-text"),
        (b"<!DOCTYPE html><html>", "evidence-is-web-page"),
        (b"<html><body>You are being <a href=", "evidence-is-redirect-text"),
        (b" " * (1 << 20) + b"{}", "evidence-too-large"),
    ],
)
def test_t36_what_was_saved_in_evidences_stead(content: bytes, expected: str) -> None:
    assert code(read_bundle("a", content)) == expected
    assert code(read_attestation("a", content)) == expected


def provenance(*bundles: object, **changes: object) -> bytes:
    return raw({"version": 1, "attestation_bundles": list(bundles)} | changes)


PUBLISHER = {"kind": "GitLab", "repository": "acme/widgets"}
GOOD = {"publisher": PUBLISHER, "attestations": [ATTESTATION]}


def test_a_provenance_object_yields_its_attestations() -> None:
    found = read_provenance(
        "p", provenance(GOOD, {"publisher": PUBLISHER, "attestations": [{}, ATTESTATION]})
    )

    assert [(item.label, code(item)) for item in found] == [
        ("p", "read"),
        ("p#2", "unknown-attestation-version"),
        ("p#3", "read"),
    ]


@pytest.mark.parametrize(("size", "expected"), [(700_000, "read"), (800_000, "evidence-too-large")])
def test_an_attestation_is_no_larger_in_a_provenance_object_than_by_itself(size: int, expected: str) -> None:
    """What is stored of it is read as a bundle again."""
    large = base64.b64encode(b"x" * size).decode()
    one = changed(ATTESTATION, "envelope.statement", large)
    (found,) = read_provenance("p", provenance({"publisher": PUBLISHER, "attestations": [one]}))

    assert (code(found), code(read_attestation("a", raw(one)))) == (expected, expected)
    if isinstance(found, Item):
        assert code(read_bundle("b", found.wire.to_json())) == "read"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (provenance(), "no-attestations"),
        (provenance({"publisher": PUBLISHER, "attestations": []}), "no-attestations"),
        (provenance(GOOD, {"publisher": PUBLISHER, "attestations": []}), "no-attestations"),
        (provenance(GOOD, version=2), "unknown-attestation-version"),
        (provenance(GOOD, version=True), "unknown-attestation-version"),
        (provenance(GOOD, surprise=1), "bad-provenance"),
        (provenance({"attestations": [ATTESTATION]}), "bad-provenance"),
        (b"[]", "bad-provenance"),
        (b"", "empty-evidence"),
    ],
)
def test_t05_a_provenance_object_without_attestations_is_none(content: bytes, expected: str) -> None:
    (found,) = read_provenance("p", content)

    assert code(found) == expected


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        ("version", 2, "unknown-attestation-version"),
        ("version", 1.0, "unknown-attestation-version"),
        ("version", "1", "unknown-attestation-version"),
        ("surprise", 1, "bad-attestation"),
        ("envelope.surprise", 1, "bad-attestation"),
        ("verification_material.transparency_entries", [], "bad-attestation"),
        (
            "verification_material.transparency_entries",
            ATTESTATION["verification_material"]["transparency_entries"] * 2,
            "bad-attestation",
        ),
        (
            "verification_material.certificate",
            ATTESTATION["verification_material"]["certificate"] + "\n",
            "bad-attestation",
        ),
        ("envelope.statement", "", "bad-attestation"),
    ],
)
def test_what_is_not_strictly_an_attestation(path: str, new: object, expected: str) -> None:
    assert code(read_attestation("a", raw(changed(ATTESTATION, path, new)))) == expected


@given(content=st.binary(max_size=300) | st.text().map(str.encode))
def test_t14_garbage_is_a_bad_item(content: bytes) -> None:
    assert isinstance(read_bundle("a", content), BadItem)
    assert isinstance(read_attestation("a", content), BadItem)
    assert all(isinstance(item, BadItem) for item in read_provenance("a", content))
