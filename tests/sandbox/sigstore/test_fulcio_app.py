"""The CA's HTTP interface: who gets a certificate, and how other requests are refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.sandbox.sigstore import SigstoreService, TokenRefused
from pip_warden.sandbox.sigstore.fulcio_app import fulcio_app
from pip_warden.sandbox.sigstore.tokens import verify_token
from pip_warden.sandbox.sigstore.wire import narrow, sign, spki, spki_pem
from sandbox.sigstore.pipeline import CLAIMS, ISSUER, NOON, SUBJECT, Issuer, Stage, unpadded

IDENTITY = "There was an error processing the identity token"
SIGNATURE = "The signature supplied in the request could not be verified"
KEY = "The public key supplied in the request could not be parsed"
WEAK = "The public key supplied in the request is insecure"
CSR = "The certificate signing request could not be parsed"


@pytest.fixture
def url(service: SigstoreService, stage: Stage) -> str:
    return stage.play(fulcio_app(service))


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def proved(key: ec.EllipticCurvePrivateKey, subject: str | None = None) -> dict[str, object]:
    """Return the request as cosign 3 makes it."""
    proof = sign(key, (subject or str(CLAIMS["sub"])).encode())
    return {
        "publicKeyRequest": {
            "publicKey": {"algorithm": "ECDSA", "content": spki_pem(key.public_key()).decode()},
            "proofOfPossession": base64.b64encode(proof).decode(),
        }
    }


def asked(url: str, body: object, token: str | None, path: str = "/api/v2/signingCert") -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.post(url + path, json=body, headers=headers, timeout=60)


def refused(answer: requests.Response) -> str:
    body = answer.json()
    assert answer.status_code == 400
    assert (body["code"], body["details"]) == (3, [])
    return str(body["message"])


def test_a_proved_key_is_certified(url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey) -> None:
    answer = asked(url, proved(key), issuer.token(NOON))

    chain = answer.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    leaf, intermediate, root = (x509.load_pem_x509_certificate(item.encode()) for item in chain)
    assert answer.status_code == 200
    assert leaf.public_key() == key.public_key()
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)


def test_the_token_may_be_in_the_body(url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey) -> None:
    body = proved(key) | {"credentials": {"oidcIdentityToken": issuer.token(NOON)}}

    assert asked(url, body, None).status_code == 200


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_cosign_2_is_served(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey, encoding: Encoding
) -> None:
    content = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    body = {
        "publicKey": {"algorithm": "ecdsa", "content": base64.b64encode(content).decode()},
        "signedEmailAddress": base64.b64encode(sign(key, str(CLAIMS["sub"]).encode())).decode(),
    }

    answer = asked(url, body, issuer.token(NOON), "/api/v1/signingCert")

    chain = x509.load_pem_x509_certificates(answer.content)
    assert answer.status_code == 201
    assert len(chain) == 3
    name = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value[0]
    assert name.value == SUBJECT
    root = requests.get(f"{url}/api/v1/rootCert", timeout=60)
    assert (
        root.headers["Content-Type"] == answer.headers["Content-Type"] == "application/pem-certificate-chain"
    )
    assert x509.load_pem_x509_certificates(root.content) == chain[1:]


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("another audience", {"aud": "https://gitlab.example.com"}),
        ("audiences without ours", {"aud": ["a", "b"]}),
        ("no audience", {"aud": None}),
        ("expired", {"exp": NOON.timestamp()}),
        ("no expiry", {"exp": None}),
        ("not yet valid", {"nbf": NOON.timestamp() + 60}),
        ("a text for a time", {"nbf": "now"}),
        ("unknown issuer", {"iss": "https://gitlab.evil.example"}),
        ("no issuer", {"iss": None}),
        ("a subject that is no text", {"sub": 5}),
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey, reason: str, changes: dict[str, object]
) -> None:
    assert refused(asked(url, proved(key), issuer.token(NOON, **changes))) == IDENTITY


def test_a_list_of_audiences_with_ours_is_good(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    assert asked(url, proved(key), issuer.token(NOON, aud=["other", "sigstore"])).status_code == 200


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é.é.é", f"{unpadded(b'[]')}.{unpadded(b'{}')}.x"])
def test_what_is_not_a_token_is_refused(url: str, key: ec.EllipticCurvePrivateKey, token: str) -> None:
    body = proved(key) | {"credentials": {"oidcIdentityToken": token}}

    assert refused(asked(url, body, None)) == IDENTITY


def test_a_token_signed_by_another_key_is_refused(url: str, key: ec.EllipticCurvePrivateKey) -> None:
    assert refused(asked(url, proved(key), Issuer().token(NOON))) == IDENTITY


def test_a_token_without_signature_is_refused(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    _, claims, _ = issuer.token(NOON).split(".")
    header = unpadded(b'{"alg":"none"}')
    unsigned = f"{header}.{claims}."

    assert refused(asked(url, proved(key), unsigned)) == IDENTITY


def test_times_are_those_of_the_sandbox(
    url: str, service: SigstoreService, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    token = issuer.token(NOON)
    service.clock.advance(timedelta(minutes=6))

    assert refused(asked(url, proved(key), token)) == IDENTITY


def test_a_proof_over_something_else_is_refused(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    assert refused(asked(url, proved(key, "somebody else"), issuer.token(NOON))) == SIGNATURE


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, KEY),
        ({"publicKeyRequest": {}}, KEY),
        (
            {"publicKeyRequest": {"publicKey": {"content": "-----BEGIN nonsense"}, "proofOfPossession": ""}},
            KEY,
        ),
        ({"publicKeyRequest": {"publicKey": {"content": "***"}, "proofOfPossession": ""}}, KEY),
        (
            {"publicKeyRequest": {"publicKey": {"content": 5}}},
            "proto: invalid value for string field content: 5",
        ),
        ({"publicKeyRequest": 5}, "proto: syntax error: unexpected token for publicKeyRequest"),
        (
            {"certificateSigningRequest": 5},
            'proto: invalid value for bytes field certificateSigningRequest: "5"',
        ),
        (
            {"certificateSigningRequest": "***"},
            'proto: invalid value for bytes field certificateSigningRequest: "***"',
        ),
        ({"certificateSigningRequest": base64.b64encode(b"nonsense").decode()}, CSR),
        ([], "proto: syntax error: unexpected token"),
    ],
)
def test_a_request_without_a_key_is_refused(url: str, issuer: Issuer, body: object, message: str) -> None:
    assert refused(asked(url, body, issuer.token(NOON))) == message


def test_what_is_not_json_is_refused(url: str, issuer: Issuer) -> None:
    answer = requests.post(f"{url}/api/v2/signingCert", data=b"{", timeout=60)

    assert refused(answer).startswith("proto: syntax error: ")


def test_nothing_is_an_empty_message(url: str, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(NOON)}"}

    assert refused(requests.post(f"{url}/api/v2/signingCert", timeout=60)) == IDENTITY
    assert refused(requests.post(f"{url}/api/v2/signingCert", headers=headers, timeout=60)) == KEY


def test_a_missing_claim_is_named(url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey) -> None:
    answer = asked(url, proved(key), issuer.token(NOON, ci_config_ref_uri=None))

    assert refused(answer).endswith('map has no entry for key "ci_config_ref_uri"')


def test_a_token_without_subject_is_proved_by_nothing(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    token = issuer.token(NOON, sub=None)
    empty = proved(key)
    empty["publicKeyRequest"]["proofOfPossession"] = base64.b64encode(sign(key, b"")).decode()  # type: ignore[index]

    assert refused(asked(url, proved(key), token)) == SIGNATURE
    assert asked(url, empty, token).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "status"), [("Bearer ", 200), ("", 200), ("bearer ", 400), ("Basic ", 400), ("Token ", 400)]
)
def test_only_bearer_is_taken_off_the_token(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey, scheme: str, status: int
) -> None:
    headers = {"Authorization": scheme + issuer.token(NOON)}

    answer = requests.post(f"{url}/api/v2/signingCert", json=proved(key), headers=headers, timeout=60)

    assert answer.status_code == status


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_key_in_base64_is_for_version_1_only(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey, encoding: Encoding
) -> None:
    body = proved(key)
    content = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    body["publicKeyRequest"]["publicKey"]["content"] = base64.b64encode(content).decode()  # type: ignore[index]

    assert refused(asked(url, body, issuer.token(NOON))) == KEY


def request_for(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: hashes.SHA256 | hashes.SHA384
) -> dict[str, object]:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    text = builder.sign(key, algorithm).public_bytes(Encoding.PEM)
    return {"certificateSigningRequest": base64.b64encode(text).decode()}


def test_key_and_csr_exclude_each_other(url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey) -> None:
    answer = asked(url, proved(key) | request_for(key, hashes.SHA256()), issuer.token(NOON))

    assert refused(answer).endswith("CreateSigningCertificateRequest.key is already set")


def test_base64_of_a_request_may_be_of_the_other_kind(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    text = str(request_for(key, hashes.SHA256())["certificateSigningRequest"])
    other = text.replace("+", "-").replace("/", "_").rstrip("=")

    assert asked(url, {"certificateSigningRequest": other}, issuer.token(NOON)).status_code == 200


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_a_large_curve_needs_a_large_hash(url: str, issuer: Issuer, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    good = proved(key)
    algorithm = hashes.SHA384() if curve.name == "secp384r1" else hashes.SHA512()
    proof = key.sign(str(CLAIMS["sub"]).encode(), ec.ECDSA(algorithm))
    good["publicKeyRequest"]["proofOfPossession"] = base64.b64encode(proof).decode()  # type: ignore[index]

    assert refused(asked(url, proved(key), issuer.token(NOON))) == SIGNATURE
    assert asked(url, good, issuer.token(NOON)).status_code == 200
    answer = asked(url, request_for(key, hashes.SHA256()), issuer.token(NOON))
    assert refused(answer) == "signing algorithm not permitted: *ecdsa.PublicKey, SHA-256"


def test_rsa_signs_requests_with_sha256_only(url: str, issuer: Issuer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    answer = asked(url, request_for(key, hashes.SHA384()), issuer.token(NOON))
    assert refused(answer) == "signing algorithm not permitted: *rsa.PublicKey, SHA-384"
    assert asked(url, request_for(key, hashes.SHA256()), issuer.token(NOON)).status_code == 200


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (partial(rsa.generate_private_key, public_exponent=65537, key_size=2560), WEAK),
        (partial(rsa.generate_private_key, public_exponent=3, key_size=2048), WEAK),
        (partial(ec.generate_private_key, ec.SECP224R1()), WEAK),
        (partial(ec.generate_private_key, ec.SECP256K1()), CSR),
    ],
)
def test_a_key_that_fulcio_does_not_take_is_refused(
    url: str,
    issuer: Issuer,
    key: Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey],
    message: str,
) -> None:
    assert refused(asked(url, request_for(key(), hashes.SHA256()), issuer.token(NOON))) == message


def test_a_curve_that_go_does_not_know_cannot_be_parsed(url: str, issuer: Issuer) -> None:
    assert refused(asked(url, proved(ec.generate_private_key(ec.SECP256K1())), issuer.token(NOON))) == KEY


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, 5),
        ("GET", "/ping", 404, 5),
        ("GET", "/api/v2/trustBundle/", 404, 5),
        ("GET", "/api/v2/signingCert", 501, 12),
        ("POST", "/api/v2/trustBundle", 501, 12),
    ],
)
def test_what_is_not_routed_is_answered_by_the_gateway(
    url: str, method: str, path: str, status: int, code: int
) -> None:
    answer = requests.request(method, url + path, timeout=60)

    assert answer.status_code == status
    assert (answer.json()["code"], answer.json()["details"]) == (code, [])
    assert requests.head(f"{url}/api/v2/trustBundle", timeout=60).status_code == 501


def test_a_weak_key_is_refused(url: str, issuer: Issuer) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = base64.b64encode(builder.sign(weak, hashes.SHA256()).public_bytes(Encoding.PEM)).decode()

    message = refused(asked(url, {"certificateSigningRequest": csr}, issuer.token(NOON)))

    assert message == WEAK


def test_a_csr_signed_by_another_key_is_refused(
    url: str, issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    forged = der.replace(spki(narrow(key.public_key())), spki(narrow(other.public_key())))
    pem = b"-----BEGIN CERTIFICATE REQUEST-----\n%b\n-----END CERTIFICATE REQUEST-----\n" % base64.b64encode(
        forged
    )

    body = {"certificateSigningRequest": base64.b64encode(pem).decode()}

    assert refused(asked(url, body, issuer.token(NOON))) == SIGNATURE


def test_the_configuration_lists_the_issuers(url: str) -> None:
    listed = requests.get(f"{url}/api/v2/configuration", timeout=60).json()["issuers"]

    assert [item["issuerUrl"] for item in listed] == [ISSUER]
    assert [item["issuerType"] for item in listed] == ["ci-provider"]
    assert requests.get(f"{url}/healthz", timeout=60).json() == {"status": "SERVING"}


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer", "Bearer "])
def test_a_request_without_a_token_is_refused(
    url: str, key: ec.EllipticCurvePrivateKey, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = requests.post(f"{url}/api/v2/signingCert", json=proved(key), headers=headers, timeout=60)

    assert refused(answer) == IDENTITY


def test_rsa_and_ed25519_keys_are_certified(service: SigstoreService) -> None:
    for key in (
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    ):
        assert service.issue(CLAIMS, key)[0].public_key() == key


def test_a_token_of_an_issuer_with_an_elliptic_key_holds() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = {name: unpadded(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
    jwks = {"keys": ["not a key", {"kty": "oct"}, {}, {"kty": "EC", "crv": "P-256", **point}]}
    signed = ".".join(
        unpadded(json.dumps(part).encode())
        for part in ({"alg": "ES256"}, CLAIMS | {"exp": NOON.timestamp() + 60})
    )
    r, s = utils.decode_dss_signature(sign(key, signed.encode()))
    token = f"{signed}.{unpadded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    assert verify_token(token, lambda _issuer: jwks, NOON)["project_id"] == "4711"
    with pytest.raises(TokenRefused, match="no key of the issuer"):
        verify_token(f"{signed}.{unpadded(bytes(64))}", lambda _issuer: jwks, NOON)
    with pytest.raises(TokenRefused, match="0 keys"):
        verify_token(token, lambda _issuer: {"keys": None}, NOON)


def test_a_service_without_issuers_takes_no_token(issuer: Issuer, key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(TokenRefused, match="not configured"):
        SigstoreService().issue(issuer.token(NOON), key.public_key())


@given(st.text(max_size=20), st.lists(st.binary(max_size=12), min_size=3, max_size=3))
def test_no_text_upsets_the_check_of_tokens(text: str, parts: list[bytes]) -> None:
    for token in (text, ".".join(unpadded(part) for part in parts), f"{unpadded(b'{}')}.{unpadded(b'x')}.x"):
        with pytest.raises(TokenRefused):
            verify_token(token, lambda _issuer: {"keys": []}, NOON)
