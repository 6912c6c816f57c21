"""Time stamps that rfc3161-client accepts, asked for over HTTP."""

from __future__ import annotations

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
from sandbox.sigstore.pipeline import NOON, Stage

DATA = b"a signature"
QUERY = {"Content-Type": "application/timestamp-query"}


@pytest.fixture
def url(service: SigstoreService, stage: Stage) -> str:
    return stage.play(service.tsa_app()) + "/api/v1/timestamp"


@pytest.mark.parametrize("algorithm", list(HashAlgorithm))
@pytest.mark.parametrize("nonce", [True, False])
@pytest.mark.parametrize("certificates", [True, False])
def test_a_stamp_verifies(
    url: str, service: SigstoreService, algorithm: HashAlgorithm, nonce: bool, certificates: bool
) -> None:
    builder = TimestampRequestBuilder().data(DATA).hash_algorithm(algorithm).nonce(nonce=nonce)
    request = builder.cert_request(cert_request=certificates).build()

    answer = requests.post(url, data=request.as_bytes(), headers=QUERY, timeout=10)

    response = decode_timestamp_response(answer.content)
    leaf, root = service.stampers.current.chain
    verifier = VerifierBuilder.from_request(request).tsa_certificate(leaf).add_root_certificate(root).build()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    assert verifier.verify_message(response, DATA)
    assert response.tst_info.gen_time == NOON
    assert response.tst_info.nonce == request.nonce
    assert len(response.signed_data.certificates) == certificates
    with pytest.raises(VerificationError):
        verifier.verify_message(response, b"other")


def test_serial_numbers_never_repeat(service: SigstoreService) -> None:
    stamps = [decode_timestamp_response(service.stamp(DATA)) for _ in range(3)]

    assert len({stamp.tst_info.serial_number for stamp in stamps}) == 3


def test_the_chain_is_published(url: str, service: SigstoreService) -> None:
    chain = x509.load_pem_x509_certificates(requests.get(f"{url}/certchain", timeout=10).content)

    assert tuple(chain) == service.stampers.current.chain


def test_another_media_type_is_refused(url: str) -> None:
    assert requests.post(url, json={}, timeout=10).status_code == 415


def test_what_is_not_a_request_is_refused(url: str) -> None:
    assert requests.post(url, data=b"nonsense", headers=QUERY, timeout=10).status_code == 400


@given(st.binary(max_size=64))
def test_no_bytes_upset_the_authority(data: bytes) -> None:
    with pytest.raises(TimestampRefused):
        TimestampRequest.parse(data)


def test_a_digest_of_the_wrong_length_is_refused() -> None:
    algorithm = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
    imprint = der.sequence(algorithm, der.octets(b"short"))

    with pytest.raises(TimestampRefused):
        TimestampRequest.parse(der.sequence(der.integer(1), imprint))
