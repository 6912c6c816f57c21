"""Time stamps over HTTP that rfc3161-client accepts."""

from __future__ import annotations

import base64
import hashlib

import pytest
import requests
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.errors import VerificationError

from pip_warden.sandbox.sigstore import SigstoreService, TimestampRefused, der
from pip_warden.sandbox.sigstore.tsa import TimestampRequest
from pip_warden.sandbox.sigstore.tsa_app import tsa_app
from sandbox.sigstore.pipeline import NOON, Stage

DATA = b"a signature"
POLICY, SHA1, SHA256 = "1.3.6.1.4.1.57264.2", "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
UNREADABLE = "Error generating timestamp response"
WRONG_LENGTH = "Message digest has incorrect length for specified algorithm"
OTHER_POLICY = "unaccepted policy: requested TSA policy is not supported by the TSA"
QUERY = {"Content-Type": "application/timestamp-query"}


@pytest.fixture
def url(service: SigstoreService, stage: Stage) -> str:
    return stage.play(tsa_app(service)) + "/api/v1/timestamp"


@pytest.mark.parametrize("algorithm", list(HashAlgorithm))
@pytest.mark.parametrize("nonce", [True, False])
@pytest.mark.parametrize("certificates", [True, False])
def test_a_stamp_verifies(
    url: str, service: SigstoreService, algorithm: HashAlgorithm, nonce: bool, certificates: bool
) -> None:
    builder = TimestampRequestBuilder().data(DATA).hash_algorithm(algorithm).nonce(nonce=nonce)
    request = builder.cert_request(cert_request=certificates).build()

    answer = requests.post(url, data=request.as_bytes(), headers=QUERY, timeout=60)

    response = decode_timestamp_response(answer.content)
    leaf, root = service.timestamp_authorities.current.chain
    verifier = VerifierBuilder.from_request(request).tsa_certificate(leaf).add_root_certificate(root).build()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    assert verifier.verify_message(response, DATA)
    assert response.tst_info.gen_time == NOON
    assert response.tst_info.nonce == request.nonce
    assert len(response.signed_data.certificates) == certificates
    assert (response.tst_info.name is not None, response.tst_info.policy.dotted_string) == (True, POLICY)
    assert answer.headers["Cache-Control"].startswith("no-cache, no-store")
    with pytest.raises(VerificationError):
        verifier.verify_message(response, b"other")


def test_serial_numbers_never_repeat(service: SigstoreService) -> None:
    stamps = [decode_timestamp_response(service.stamp(DATA)) for _ in range(3)]

    assert len({stamp.tst_info.serial_number for stamp in stamps}) == 3


def test_the_chain_is_published(url: str, service: SigstoreService) -> None:
    chain = x509.load_pem_x509_certificates(requests.get(f"{url}/certchain", timeout=60).content)

    assert tuple(chain) == service.timestamp_authorities.current.chain


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
def test_another_media_type_is_refused(url: str, kind: str) -> None:
    answer = requests.post(url, data=b"x", headers={"Content-Type": kind} if kind else {}, timeout=60)

    assert answer.status_code == answer.json()["code"] == 415
    assert answer.json()["message"].endswith(
        "only [application/json application/timestamp-query] are allowed"
    )


def imprint(algorithm: str = SHA256, digest: bytes = bytes(32)) -> bytes:
    return der.sequence(der.sequence(der.oid(algorithm), der.null()), der.octets(digest))


GOOD = der.sequence(der.integer(1), imprint())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (b"nonsense", UNREADABLE),
        (GOOD + b"x", UNREADABLE),
        (der.sequence(der.integer(1), imprint("1.2.3.4")), UNREADABLE),
        (der.sequence(der.integer(1), imprint(SHA1, bytes(20))), "Weak hash algorithm in timestamp request"),
        (der.sequence(der.integer(1), imprint(digest=b"short")), WRONG_LENGTH),
        (der.sequence(der.integer(1), imprint(), der.oid("1.2.3.4")), OTHER_POLICY),
        (
            der.sequence(der.integer(1), imprint(), der.explicit(0, der.sequence())),
            "unaccepted extension: requested extensions are not supported by the TSA",
        ),
    ],
)
def test_what_is_not_a_good_request_is_refused(url: str, request_: bytes, message: str) -> None:
    answer = requests.post(url, data=request_, headers=QUERY, timeout=60)

    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": message})
    assert answer.headers["Content-Type"] == "application/timestamp-reply"  # as on the real server


def test_a_request_needs_a_body_and_its_media_type_no_parameter(url: str) -> None:
    empty = requests.post(url, data=b"", headers=QUERY, timeout=60)
    named = requests.post(
        url, data=GOOD, headers={"Content-Type": f"{QUERY['Content-Type']}; x=y"}, timeout=10
    )

    assert (empty.status_code, empty.json()["code"]) == (422, 602)
    assert (named.status_code, named.json()["message"]) == (400, UNREADABLE)


@pytest.mark.parametrize(
    "request_",
    [
        GOOD,
        der.sequence(der.integer(2), imprint()),
        der.sequence(der.integer(1), imprint(), der.oid(POLICY)),
        der.sequence(der.integer(1), imprint("2.16.840.1.101.3.4.2.2", bytes(48))),
        der.sequence(der.integer(1), der.sequence(der.sequence(der.oid(SHA256)), der.octets(bytes(32)))),
    ],
)
def test_other_forms_of_a_request_are_taken(url: str, request_: bytes) -> None:
    answer = requests.post(url, data=request_, headers=QUERY, timeout=60)

    assert answer.status_code == 200
    assert set(decode_timestamp_response(answer.content).tst_info.message_imprint.message) == {0}


HASH = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
ASKED: dict[str, object] = {"artifactHash": HASH, "hashAlgorithm": "SHA256", "nonce": 7, "certificates": True}


def test_a_request_may_be_json(url: str, service: SigstoreService) -> None:
    answer = requests.post(url, json=ASKED, timeout=60)

    response = decode_timestamp_response(answer.content)
    leaf, root = service.timestamp_authorities.current.chain
    verifier = VerifierBuilder(nonce=7).tsa_certificate(leaf).add_root_certificate(root).build()
    assert verifier.verify_message(response, DATA)
    assert (answer.status_code, len(response.signed_data.certificates)) == (200, 1)
    bare = requests.post(url, json={"artifactHash": HASH, "hashAlgorithm": "sha256"}, timeout=60)
    response = decode_timestamp_response(bare.content)
    assert not response.signed_data.certificates
    assert response.tst_info.nonce is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artifactHash": "***"}, UNREADABLE),
        ({"artifactHash": "eA=="}, WRONG_LENGTH),
        ({"artifactHash": 5}, UNREADABLE),
        ({"hashAlgorithm": "sha1"}, "Weak hash algorithm in timestamp request"),
        ({"hashAlgorithm": "md5"}, UNREADABLE),
        ({"nonce": "x"}, UNREADABLE),
        ({"certificates": "x"}, UNREADABLE),
        ({"tsaPolicyOID": "1.2.3.4"}, OTHER_POLICY),
        ({"tsaPolicyOID": "x"}, "OID should be comprised of at most 128 components"),
    ],
)
def test_json_that_is_no_good_request_is_refused(url: str, changes: dict[str, object], message: str) -> None:
    answer = requests.post(url, json=ASKED | changes, timeout=60)

    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": message})


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"5"])
def test_json_that_is_no_request_is_refused(url: str, body: bytes) -> None:
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60)

    assert (answer.status_code, answer.json()["message"]) == (400, UNREADABLE)


def test_what_is_not_routed_is_named(url: str) -> None:
    assert requests.get(url, timeout=60).json()["message"] == "method GET is not allowed, but [POST] are"
    assert requests.head(f"{url}/certchain", timeout=60).headers["Allow"] == "GET"
    chain = requests.get(f"{url}/certchain/", allow_redirects=False, timeout=60)
    assert (chain.status_code, chain.headers["Cache-Control"]) == (200, "max-age=86400, immutable")


@given(st.binary(max_size=64))
def test_no_bytes_upset_the_authority(data: bytes) -> None:
    with pytest.raises(TimestampRefused):
        TimestampRequest.parse(data)


def test_a_digest_of_the_wrong_length_is_refused() -> None:
    algorithm = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
    imprint = der.sequence(algorithm, der.octets(b"short"))

    with pytest.raises(TimestampRefused):
        TimestampRequest.parse(der.sequence(der.integer(1), imprint))
