"""sigstore-python accepts what the sandbox signs in process."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sigstore.errors import Error
from sigstore.models import InvalidBundle
from sigstore.verify import Verifier

from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import BundleForm, MediaType, SigstoreService, proposals
from sandbox.sigstore.pipeline import CLAIMS, NOON, POLICY, parse, verifier_of

DATA = b"the bytes of a wheel"
STATEMENT: dict[str, object] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "acme_widgets-1.0.tar.gz", "digest": {"sha256": hashlib.sha256(DATA).hexdigest()}}],
    "predicateType": "https://docs.pypi.org/attestations/publish/v1",
    "predicate": None,
}
Fresh = Callable[[], Verifier]


@pytest.mark.parametrize("media_type", list(MediaType))
@pytest.mark.parametrize("timestamp", [False, True])
def test_a_blob_verifies_in_every_bundle_format(
    service: SigstoreService, verifier: Fresh, media_type: MediaType, timestamp: bool
) -> None:
    bundle = service.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=media_type, timestamp=timestamp))

    verifier().verify_artifact(DATA, parse(bundle), POLICY)


@pytest.mark.parametrize("media_type", list(MediaType))
def test_a_statement_verifies_in_every_bundle_format(
    service: SigstoreService, verifier: Fresh, media_type: MediaType
) -> None:
    bundle = service.sign_statement(STATEMENT, CLAIMS, form=BundleForm(media_type=media_type))

    kind, payload = verifier().verify_dsse(parse(bundle), POLICY)

    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload) == STATEMENT


def test_any_payload_type_can_be_signed(service: SigstoreService, verifier: Fresh) -> None:
    bundle = service.sign_statement(b"plain", CLAIMS, "text/plain", timestamp=True)

    assert verifier().verify_dsse(parse(bundle), POLICY) == ("text/plain", b"plain")


def test_an_rfc3161_time_stands_in_for_the_promise(service: SigstoreService, verifier: Fresh) -> None:
    bundle = service.sign_blob(DATA, CLAIMS, form=BundleForm(promise=False, timestamp=True))

    assert "inclusionPromise" not in bundle["verificationMaterial"]["tlogEntries"][0]
    verifier().verify_artifact(DATA, parse(bundle), POLICY)


def test_without_promise_and_timestamp_there_is_no_time(service: SigstoreService) -> None:
    bundle = service.sign_blob(DATA, CLAIMS, form=BundleForm(promise=False))

    with pytest.raises(InvalidBundle, match="inclusion promise or signed timestamp"):
        parse(bundle)


def test_a_bundle_without_proof_has_none(service: SigstoreService) -> None:
    bundle = service.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=MediaType.V01, proof=False))

    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    assert "inclusionPromise" in entry
    assert "inclusionProof" not in entry


def test_defaults_can_be_left_out_as_go_does(service: SigstoreService) -> None:
    """Entry 0 of a fresh log has index 0 and no hashes, both of which protobuf JSON leaves out."""
    entry = service.sign_blob(DATA, CLAIMS, form=BundleForm(omit_defaults=True))["verificationMaterial"][
        "tlogEntries"
    ][0]

    assert "logIndex" not in entry
    assert "logIndex" not in entry["inclusionProof"]
    assert "hashes" not in entry["inclusionProof"]
    assert entry["inclusionProof"]["treeSize"] == "1"


def test_a_pep740_attestation_is_the_bundle_rearranged(service: SigstoreService, verifier: Fresh) -> None:
    attestation = service.pep740(STATEMENT, CLAIMS)

    material, envelope = attestation["verification_material"], attestation["envelope"]
    rebuilt = {
        "mediaType": MediaType.V03.value,
        "verificationMaterial": {
            "certificate": {"rawBytes": material["certificate"]},
            "tlogEntries": material["transparency_entries"],
        },
        "dsseEnvelope": {
            "payload": envelope["statement"],
            "payloadType": proposals.IN_TOTO,
            "signatures": [{"sig": envelope["signature"]}],
        },
    }
    assert attestation["version"] == 1
    verifier().verify_dsse(parse(rebuilt), POLICY)


@pytest.mark.parametrize("crt", ["pem", "base64"])
def test_a_detached_pair_is_found_in_the_log(service: SigstoreService, verifier: Fresh, crt: str) -> None:
    sig, certificate = service.sign_detached(DATA, CLAIMS, crt="pem" if crt == "pem" else "base64")

    pem = certificate if crt == "pem" else base64.b64decode(certificate)
    proposed = proposals.hashedrekord(hashlib.sha256(DATA).hexdigest(), base64.b64decode(sig), pem)
    (entry,) = service.rekor.by_proposal(proposed)
    der = base64.b64encode(base64.b64decode(b"".join(pem.splitlines()[1:-1]))).decode()
    bundle = {
        "mediaType": MediaType.V03.value,
        "verificationMaterial": {"certificate": {"rawBytes": der}, "tlogEntries": [entry.bundle_json()]},
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                "digest": base64.b64encode(hashlib.sha256(DATA).digest()).decode(),
            },
            "signature": sig.decode(),
        },
    }
    verifier().verify_artifact(DATA, parse(bundle), POLICY)


def test_every_entry_of_a_growing_log_verifies(service: SigstoreService, verifier: Fresh) -> None:
    bundles = [service.sign_blob(b"%d" % number, CLAIMS) for number in range(9)]

    for number, bundle in enumerate(bundles):
        verifier().verify_artifact(b"%d" % number, parse(bundle), POLICY)


def test_products_of_before_a_rotation_stay_good(
    service: SigstoreService, clock: SandboxClock, verifier: Fresh
) -> None:
    before = service.sign_blob(DATA, CLAIMS, form=BundleForm(timestamp=True))
    clock.advance(timedelta(days=30))
    service.rotate_ca()
    service.rotate_ct()
    service.rotate_rekor()
    service.rotate_tsa()

    after = service.sign_blob(DATA, CLAIMS, form=BundleForm(timestamp=True))

    verifier().verify_artifact(DATA, parse(before), POLICY)
    verifier().verify_artifact(DATA, parse(after), POLICY)
    entry = after["verificationMaterial"]["tlogEntries"][0]
    assert (entry["logIndex"], entry["inclusionProof"]["logIndex"]) == ("1", "0")
    root = service.trusted_root()
    for listed in (root["certificateAuthorities"], root["timestampAuthorities"]):
        assert [item["validFor"].get("end") for item in listed] == ["2026-07-01T12:00:00Z", None]
    for listed in (root["tlogs"], root["ctlogs"]):
        assert [item["publicKey"]["validFor"].get("end") for item in listed] == ["2026-07-01T12:00:00Z", None]


@pytest.mark.parametrize("service_name", ["ca", "ct", "rekor", "tsa"])
def test_what_a_rotation_forgets_is_trusted_no_longer(
    service: SigstoreService, verifier: Fresh, service_name: str
) -> None:
    form = BundleForm(timestamp=True, promise=service_name != "tsa")
    before = service.sign_blob(DATA, CLAIMS, form=form)

    getattr(service, f"rotate_{service_name}")(forget=True)

    with pytest.raises(Error):
        verifier().verify_artifact(DATA, parse(before), POLICY)


def test_a_rotation_can_leave_the_window_open(service: SigstoreService) -> None:
    service.rotate_ca(end=False)

    assert all("end" not in item["validFor"] for item in service.trusted_root()["certificateAuthorities"])


def test_a_dump_has_every_entry(service: SigstoreService) -> None:
    service.sign_blob(DATA, CLAIMS)
    service.sign_statement(STATEMENT, CLAIMS)

    state = json.loads(json.dumps(service.state()))

    assert len(state["entries"]) == 2
    assert state["now"] == NOON.isoformat()


def test_old_releases_can_be_signed_in_the_past(clock: SandboxClock) -> None:
    clock.set(NOON - timedelta(days=900))
    service = SigstoreService(clock)
    bundle = service.sign_blob(DATA, CLAIMS)
    clock.set(NOON)

    verifier_of(service).verify_artifact(DATA, parse(bundle), POLICY)
