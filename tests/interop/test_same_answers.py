"""The sandbox's Sigstore responds like the real servers, in everything that a client can see.

Left out on purpose, and so compared nowhere: the authorities (the stack's CA signs by itself, with P-256; the
sandbox's has an intermediate and P-384, as the public good's), CORS (``Vary``), connections (``Date``,
``Server``, ``Transfer-Encoding``), the order of search results, and the messages of Go's own decoders, of
which only status and code are compared. `LEFT_OUT` has the rest.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from rfc3161_client import TimestampRequestBuilder
from rfc3161_client.base import HashAlgorithm

from interop.seen import Ask, Side, different, profile
from interop.stack.places import Port
from pip_warden.sandbox import Job, Sandbox

pytestmark = pytest.mark.interop

Sides = tuple[Side, Side]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
JSON = "application/json"
SIGNING, ENTRIES = "/api/v2/signingCert", "/api/v1/log/entries"
RETRIEVE, INDEX, STAMP = f"{ENTRIES}/retrieve", "/api/v1/index/retrieve", "/api/v1/timestamp"
SHA256 = hashes.SHA256()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pem(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def der(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(size: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, size)


def sign(key: Key, data: bytes, algorithm: hashes.HashAlgorithm = SHA256) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(algorithm))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    return key.sign(data)


def get(path: str, **headers: str) -> Ask:
    return ask("GET", path, **headers)


def ask(method: str, path: str, **headers: str) -> Ask:
    return lambda side: requests.request(method, side.url + side.fill(path), headers=headers, timeout=10)


def post(path: str, body: object, media_type: str = JSON, **headers: str) -> Ask:
    """Return a request that posts JSON, or bytes as they are."""

    def asked(side: Side) -> requests.Response:
        data = body if isinstance(body, bytes) else side.fill(json.dumps(body)).encode()
        kind = {"Content-Type": media_type} if media_type else {}
        return requests.post(side.url + path, data=data, headers=kind | headers, timeout=10)

    return asked


def changed(value: Mapping[str, Any], path: str, *new: object) -> dict[str, Any]:
    """Return a copy with another value at a dotted path, or without it."""
    result = copy.deepcopy(dict(value))
    *steps, last = path.split(".")
    inner = result
    for step in steps:
        inner = inner[step]
    if new:
        inner[last] = new[0]
    else:
        del inner[last]
    return result


# Fulcio


def proved(
    key: Key, subject: str, algorithm: hashes.HashAlgorithm = SHA256, content: str | None = None
) -> dict[str, Any]:
    proof = b64(sign(key, subject.encode(), algorithm))
    shown = pem(key).decode() if content is None else content
    return {"publicKeyRequest": {"publicKey": {"content": shown}, "proofOfPossession": proof}}


def csr(key: Key, algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = SHA256) -> dict[str, Any]:
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, algorithm)
    return {"certificateSigningRequest": b64(request.public_bytes(Encoding.PEM))}


class Fulcios:
    """Both CAs, and a job whose tokens are valid for both."""

    def __init__(self, gitlab: Sandbox) -> None:
        self.gitlab = gitlab
        self.sides = Side(url=Port.FULCIO.url), Side(url=gitlab.fulcio_url)
        self.key = p256()
        self.job = self.another()
        self.subject = str(self.job.claims()["sub"])
        self.token = self.job.id_token()
        self.body = proved(self.key, self.subject)

    def another(self, **claims: Any) -> Job:
        return self.gitlab.job(self.gitlab.project("acme/widgets"), tag="v1.0", **claims)

    def signed(self, **claims: object) -> str:
        """Return a token with other claims; null stays null."""
        return self.gitlab.instance.oidc.sign({**self.job.claims(), **claims})

    def ask(self, body: object = None, token: str | None = None) -> Ask:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return post(SIGNING, self.body if body is None else body, **headers)

    def leaves(self, token: str) -> list[x509.Certificate]:
        answers = [self.ask(csr(self.key), token)(side) for side in self.sides]
        chains = [answer.json()["signedCertificateEmbeddedSct"]["chain"] for answer in answers]
        return [x509.load_pem_x509_certificate(chain["certificates"][0].encode()) for chain in chains]


@pytest.fixture
def fulcio(gitlab: Sandbox) -> Fulcios:
    return Fulcios(gitlab)


def test_the_ca_tells_and_routes_the_same(fulcio: Fulcios) -> None:
    paths = ("/api/v2/configuration", "/api/v2/trustBundle", "/api/v1/rootCert", "/healthz")
    asks = {path: get(path) for path in paths}
    asks |= {f"no {path}": get(path) for path in ("/", "/ping", "/nope", "/api/v2/trustBundle/")}
    for method, path in (
        ("GET", SIGNING),
        ("GET", "/api/v1/signingCert"),
        ("POST", paths[1]),
        ("DELETE", paths[1]),
        ("HEAD", paths[1]),
        ("POST", paths[2]),
    ):
        asks[f"{method} {path}"] = ask(method, path)

    assert different(fulcio.sides, asks) == {}


def test_the_ca_takes_the_same_tokens(fulcio: Fulcios) -> None:
    now = int(time.time())
    body, token = fulcio.body, fulcio.token
    unsigned = post(SIGNING, body)
    asks = {
        "in the header": fulcio.ask(),
        "in the body": post(SIGNING, body | {"credentials": {"oidcIdentityToken": token}}),
        "a bad one in the body": fulcio.ask(body | {"credentials": {"oidcIdentityToken": "x"}}),
        "none": unsigned,
        "another scheme": post(SIGNING, body, Authorization="Basic abc"),
        "the scheme spelt otherwise": post(SIGNING, body, Authorization=f"bearer {token}"),
        "no scheme": post(SIGNING, body, Authorization=token),
        "an empty one": post(SIGNING, body, Authorization="Bearer "),
        "malformed": fulcio.ask(token="abc"),
        "three parts": fulcio.ask(token="a.b.c"),
        "another audience": fulcio.ask(token=fulcio.job.id_token("other")),
        "expired": fulcio.ask(token=fulcio.signed(exp=now - 100, nbf=now - 200, iat=now - 200)),
        "no expiry": fulcio.ask(token=fulcio.another(exp=None).id_token()),
        "not yet valid": fulcio.ask(token=fulcio.signed(nbf=now + 1000)),
        "another issuer": fulcio.ask(token=fulcio.signed(iss="https://gitlab.evil.example")),
        "another signature": fulcio.ask(token=f"{token[:-8]}AAAAAAAA"),
        "no subject": fulcio.ask(token=fulcio.another(sub=None).id_token()),
        "no subject, proved": fulcio.ask(proved(fulcio.key, ""), fulcio.another(sub=None).id_token()),
    }

    assert different(fulcio.sides, asks) == {}


def test_the_ca_misses_the_same_claims(fulcio: Fulcios) -> None:
    names = (
        *("ci_config_ref_uri", "ci_config_sha", "runner_environment", "project_path", "sha", "ref_type"),
        *("project_id", "namespace_path", "namespace_id", "pipeline_source", "job_id", "project_visibility"),
    )
    asks = {name: fulcio.ask(token=fulcio.another(**{name: None}).id_token()) for name in names}

    assert different(fulcio.sides, asks) == {}


def test_the_ca_takes_the_same_keys(fulcio: Fulcios) -> None:
    subject, key = fulcio.subject, fulcio.key
    curves = (ec.SECP224R1, ec.SECP384R1, ec.SECP521R1, ec.SECP256K1)
    odd = {curve.name: ec.generate_private_key(curve()) for curve in curves}
    keys: dict[str, Key] = {
        **odd,
        "RSA 1024": rsa_key(1024),
        "RSA 2048": rsa_key(2048),
        "RSA 2560": rsa_key(2560),
        "RSA with 3": rsa_key(2048, 3),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    edwards = keys["Ed25519"]
    asks = {name: fulcio.ask(proved(other, subject)) for name, other in keys.items()}
    asks |= {f"{name} in a CSR": fulcio.ask(csr(o)) for name, o in keys.items() if o is not edwards}
    asks |= {
        "P-384 with its hash": fulcio.ask(proved(odd["secp384r1"], subject, hashes.SHA384())),
        "P-521 with its hash": fulcio.ask(proved(odd["secp521r1"], subject, hashes.SHA512())),
        "P-384 with its hash in a CSR": fulcio.ask(csr(odd["secp384r1"], hashes.SHA384())),
        "P-521 with its hash in a CSR": fulcio.ask(csr(odd["secp521r1"], hashes.SHA512())),
        "P-256 with another hash in a CSR": fulcio.ask(csr(key, hashes.SHA384())),
        "RSA with another hash in a CSR": fulcio.ask(csr(keys["RSA 2048"], hashes.SHA384())),
        "Ed25519 in a CSR": fulcio.ask(csr(edwards, None)),
        "a CSR": fulcio.ask(csr(key)),
        "no CSR": fulcio.ask({"certificateSigningRequest": b64(b"nonsense")}),
        "PEM in base64": fulcio.ask(proved(key, subject, content=b64(pem(key)))),
        "DER in base64": fulcio.ask(proved(key, subject, content=b64(der(key)))),
        "no key": fulcio.ask({}),
        "an empty key": fulcio.ask({"publicKeyRequest": {}}),
        "nonsense": fulcio.ask(proved(key, subject, content="nonsense")),
        "another's proof": fulcio.ask(proved(key, "somebody else")),
        "no proof": fulcio.ask(changed(fulcio.body, "publicKeyRequest.proofOfPossession", "")),
    }

    assert different(fulcio.sides, asks) == {}


def test_the_ca_reads_the_same_requests(fulcio: Fulcios) -> None:
    bodies = {
        "malformed": b"{",
        "a list": b"[]",
        "null": b"null",
        "nothing": b"",
        "key and CSR": fulcio.body | csr(fulcio.key),
        "a number for a text": changed(fulcio.body, "publicKeyRequest.publicKey.content", 5),
        "no base64": changed(fulcio.body, "publicKeyRequest.proofOfPossession", "***"),
        "no base64 for a CSR": {"certificateSigningRequest": "***"},
        "base64 of the other kind": {
            name: text.replace("+", "-").replace("/", "_").rstrip("=")
            for name, text in csr(fulcio.key).items()
        },
        "a field nobody knows": fulcio.body | {"more": 1},
        "nulls": fulcio.body | {"credentials": None, "certificateSigningRequest": None},
    }
    asks = {name: fulcio.ask(body) for name, body in bodies.items()}
    asks |= {f"{name} without a token": post(SIGNING, body) for name, body in bodies.items()}
    bearer = {"Authorization": f"Bearer {fulcio.token}"}
    asks["text"] = post(SIGNING, fulcio.body, "text/plain", **bearer)

    assert different(fulcio.sides, asks, words=False) == {}


def test_the_ca_serves_cosign_2_the_same(fulcio: Fulcios) -> None:
    bearer = {"Authorization": f"Bearer {fulcio.token}"}
    proof = fulcio.body["publicKeyRequest"]["proofOfPossession"]
    bodies: dict[str, dict[str, Any]] = {
        "PEM": {"publicKey": {"content": b64(pem(fulcio.key))}, "signedEmailAddress": proof},
        "DER": {"publicKey": {"content": b64(der(fulcio.key))}, "signedEmailAddress": proof},
        "a CSR": csr(fulcio.key),
        "nothing": {},
    }
    asks = {name: post("/api/v1/signingCert", body, **bearer) for name, body in bodies.items()}
    asks["no token"] = post("/api/v1/signingCert", bodies["PEM"])

    assert different(fulcio.sides, asks) == {}


def test_certificates_have_the_same_profile(fulcio: Fulcios) -> None:
    tokens = {
        "a tag": fulcio.token,
        "an environment": fulcio.another(environment="production").id_token(),
        "an empty environment": fulcio.signed(environment=""),
        "a branch": fulcio.gitlab.job(fulcio.gitlab.project("acme/widgets"), "main").id_token(),
        "nulls": fulcio.signed(ci_config_ref_uri=None, ci_config_sha=None, environment=None),
        "no text": fulcio.signed(ci_config_ref_uri="", sha="", project_path="", ref=""),
        "an odd ref type": fulcio.signed(ref_type="odd"),
    }
    here = "127.0.0.1:17080/acme/widgets//.gitlab-ci.yml@refs/heads"
    refs = ("é", "%41", "%C3%A9", "a%2Fb<", "'a\"b<c>]^`{|}", "fix#12", "fix#é'", "a!b$&c(*)+,;=", "a b")
    tokens |= {ref: fulcio.signed(ci_config_ref_uri=f"{here}/{ref}") for ref in refs}
    profiles = {name: [profile(leaf) for leaf in fulcio.leaves(token)] for name, token in tokens.items()}

    assert {name: seen for name, (seen, _) in profiles.items()} == {
        name: seen for name, (_, seen) in profiles.items()
    }
    arcs = {int(oid.rpartition(".")[2]) for oid in profiles["an environment"][0]["values"]}  # type: ignore[attr-defined]
    assert arcs == {1, *range(8, 25)}  # 2 to 7 are GitHub's, and a name of another kind


def test_the_ca_refuses_the_same_subjects(fulcio: Fulcios) -> None:
    here = "127.0.0.1:17080/acme/widgets//.gitlab-ci.yml@refs/heads"
    asks = {
        ref: fulcio.ask(token=fulcio.signed(ci_config_ref_uri=f"{here}/{ref}"))
        for ref in ("100%", "%zz", "%4")
    }

    assert different(fulcio.sides, asks) == {}


# Rekor


def hashedrekord(data: bytes | None = None, key: Key | None = None) -> dict[str, Any]:
    key = key or p256()
    data = os.urandom(8) if data is None else data
    signature = {"content": b64(sign(key, data)), "publicKey": {"content": b64(pem(key))}}
    digest = {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}
    return {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {"data": {"hash": digest}, "signature": signature},
    }


def dsse(payload: bytes, kind: str = "application/vnd.in-toto+json", *keys: Key) -> dict[str, Any]:
    keys = keys or (p256(),)
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signatures = [{"sig": b64(sign(key, pae))} for key in keys]
    envelope = {"payload": b64(payload), "payloadType": kind, "signatures": signatures}
    content = {"envelope": json.dumps(envelope), "verifiers": [b64(pem(key)) for key in keys]}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def enveloped(proposed: dict[str, Any], path: str, *new: object) -> dict[str, Any]:
    where = "spec.proposedContent.envelope"
    envelope = json.loads(proposed["spec"]["proposedContent"]["envelope"])
    return changed(proposed, where, json.dumps(changed(envelope, path, *new)))


@pytest.fixture(scope="module")
def sandbox(stack: None) -> Any:
    with Sandbox() as made:
        yield made


@pytest.fixture(scope="module")
def logs(sandbox: Sandbox) -> Sides:
    """Both logs, with three entries at least; one of them is known by id and by index."""

    def side(url: str) -> Side:
        for _ in range(2):
            requests.post(url + ENTRIES, json=hashedrekord(), timeout=10)
        ((uuid, entry),) = requests.post(url + ENTRIES, json=hashedrekord(), timeout=10).json().items()
        known = {"uuid": uuid, "tree": uuid[:16], "leaf": uuid[16:], "index": str(entry["logIndex"])}
        return Side(url=url, known=known)

    zeros = {"sha256": "0" * 64, "sha512": "0" * 128, "sha1": "0" * 40}
    left = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x", "digest": zeros}]}
    real, ours = side(Port.REKOR1.url), side(sandbox.rekor_url)
    # The real log may have entries of another run, and keeps them. No response below may depend on that.
    assert post(ENTRIES, dsse(json.dumps(left | {"predicateType": "x", "predicate": {}}).encode()))(real).ok
    return real, ours


def test_the_log_tells_the_same(logs: Sides) -> None:
    proof, key = "/api/v1/log/proof", "/api/v1/log/publicKey"
    paths = [
        *("/api/v1/log", "/api/v1/log/", "/api/v1/log?stable=true", key, f"{key}?treeID=5"),
        *(f"{key}?treeID=x", "/ping", "/nope", "/healthz", "/api/v1/nope", proof, f"{proof}?lastSize=2"),
        *(f"{proof}?firstSize={first}&lastSize={last}" for first in (0, 1, 2, -1, "x") for last in (1, 2)),
        *(f"{proof}?lastSize={last}" for last in (0, "x", 10**9, 10**30)),
        *(f"{proof}?lastSize=2&treeID={tree}" for tree in ("5", "x", "")),
    ]

    assert different(logs, {path: get(path) for path in paths}) == {}


def test_the_log_routes_the_same(logs: Sides) -> None:
    wrong = [
        ("DELETE", ENTRIES),
        ("PUT", ENTRIES),
        ("HEAD", ENTRIES),
        ("POST", "/api/v1/log"),
        ("GET", INDEX),
    ]
    wrong += [("GET", RETRIEVE), ("HEAD", "/api/v1/log"), ("POST", f"{ENTRIES}/{'0' * 64}")]
    asks = {f"{method} {path}": ask(method, path) for method, path in wrong}
    for path in (ENTRIES, RETRIEVE, INDEX):
        asks[f"text to {path}"] = post(path, {}, "text/plain")
        asks[f"bytes to {path}"] = post(path, b"{}", "application/octet-stream")
        asks[f"nothing to {path}"] = post(path, b"")
        asks[f"a slash after {path}"] = post(f"{path}/", b"")

    assert different(logs, asks) == {}
    malformed = {
        path: post(path, body) for path in (ENTRIES, RETRIEVE, INDEX) for body in (b"{", b"[]", b"5")
    }
    malformed |= {f"null to {path}": post(path, b"null") for path in (ENTRIES, RETRIEVE, INDEX)}
    assert different(logs, malformed, words=False) == {}


def test_the_log_takes_the_same_entries(logs: Sides) -> None:
    first, statement = hashedrekord(), dsse(b'{"subject": [{"digest": {"sha256": "00"}}]}')
    two = dsse(os.urandom(8), "text/plain", p256(), p256())
    verifiers = two["spec"]["proposedContent"]["verifiers"]
    asks = {
        "a hashedrekord": post(ENTRIES, first),
        "a hashedrekord again": post(ENTRIES, first),
        "a charset": post(ENTRIES, hashedrekord(), f"{JSON}; charset=utf-8"),
        "RSA": post(ENTRIES, hashedrekord(key=rsa_key(2048))),
        "an upper digest": post(
            ENTRIES, changed(first, "spec.data.hash.value", first["spec"]["data"]["hash"]["value"].upper())
        ),
        "more fields": post(ENTRIES, first | {"more": 1}),
        "a DSSE": post(ENTRIES, statement),
        "a DSSE again": post(ENTRIES, statement),
        "another payload": post(ENTRIES, dsse(os.urandom(8), "text/plain")),
        "an unreadable statement": post(ENTRIES, dsse(os.urandom(8))),
        "two signers": post(ENTRIES, two),
        "two signers, one known": post(
            ENTRIES, changed(two, "spec.proposedContent.verifiers", verifiers[:1])
        ),
        "a verifier too many": post(
            ENTRIES, changed(two, "spec.proposedContent.verifiers", [b64(pem(p256())), *verifiers])
        ),
        "a verifier after all": post(
            ENTRIES, changed(two, "spec.proposedContent.verifiers", [*verifiers, b64(pem(p256()))])
        ),
    }

    assert different(logs, asks) == {}


def test_the_log_refuses_the_same_entries(logs: Sides) -> None:
    entry = hashedrekord()
    outline: dict[str, tuple[object, ...]] = {
        "kind": ("", "nope", 5),
        "apiVersion": ("", "x", "0.0.9", "0.0.2", 5),
        "spec": (None, "x", 5, [], {}),
    }
    hashed: dict[str, tuple[object, ...]] = {
        "spec.data": ([], {}),
        "spec.data.hash": ({}, 5),
        "spec.data.hash.value": ("0" * 64, "zz", "", 5, "0" * 128),
        "spec.data.hash.algorithm": ("md5", "sha1", "sha512", 5, ""),
        "spec.signature": ({}, 5),
        "spec.signature.content": ("***", "", 5, b64(b"nonsense")),
        "spec.signature.publicKey": ({}, 5),
        "spec.signature.publicKey.content": ("***", "", b64(b"nonsense"), b64(pem(p256())), b64(der(p256()))),
    }
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    hashed["spec.signature.publicKey.content"] += (b64(broken),)
    asks = {f"no {path}": post(ENTRIES, changed(entry, path)) for path in {**outline, **hashed}}
    for path, values in {**outline, **hashed}.items():
        asks |= {f"{path}: {value!r}": post(ENTRIES, changed(entry, path, value)) for value in values}
    unread = {name: asks.pop(name) for name in ("kind: 5", "apiVersion: 5")}

    assert different(logs, asks) == {}
    assert different(logs, unread, words=False) == {}


def test_the_log_refuses_the_same_envelopes(logs: Sides) -> None:
    proposed, where = dsse(b"{}"), "spec.proposedContent"
    lists: tuple[object, ...] = (None, [], "x", [1], ["***"], [b64(b"x")], [b64(pem(p256()))])
    entries = {f"verifiers {value!r}": changed(proposed, f"{where}.verifiers", value) for value in lists}
    entries |= {
        "no content": changed(proposed, where),
        "empty content": changed(proposed, where, {}),
        "version 0.0.2": changed(proposed, "apiVersion", "0.0.2"),
        "an empty envelope": changed(proposed, f"{where}.envelope", "{}"),
        "no signatures": enveloped(proposed, "signatures", []),
        "another signature": enveloped(proposed, "signatures", [{"sig": b64(b"x")}]),
        "a signature that is no base64": enveloped(proposed, "signatures", [{"sig": "***"}]),
        "a payload that is no base64": enveloped(proposed, "payload", "***"),
        "another payload": enveloped(proposed, "payload", b64(b"[]")),
        "no payload": enveloped(proposed, "payload"),
        "no payload type": enveloped(proposed, "payloadType"),
    }
    unread = {text: post(ENTRIES, changed(proposed, f"{where}.envelope", text)) for text in ("x", "[]", "5")}

    assert different(logs, {name: post(ENTRIES, body) for name, body in entries.items()}) == {}
    assert different(logs, unread, words=False) == {}


def test_entries_are_found_the_same(logs: Sides) -> None:
    ids = ("$uuid", "$leaf", "${tree}" + "0" * 64, "1" * 16 + "$leaf", "0" * 64, "0" * 80, "f" * 80)
    numbers = ("$index", "", "-1", "x", "1.5", "99999999", "9" * 30)
    paths = [f"{ENTRIES}/{uuid}" for uuid in (*ids, "zz", "g" * 64, "0" * 63, "0" * 79)]
    paths += [ENTRIES, *(f"{ENTRIES}?logIndex={number}" for number in numbers)]

    assert different(logs, {path: get(path) for path in paths}) == {}


def test_entries_are_retrieved_the_same(logs: Sides) -> None:
    logged, entry = hashedrekord(), hashedrekord()
    for side in logs:
        post(ENTRIES, logged)(side)
    none = "0" * 64
    queries: list[dict[str, Any]] = [
        *(
            {"entryUUIDs": [uuid]}
            for uuid in ("$uuid", "$leaf", "${tree}" + none, none, "0" * 80, "f" * 80, "zz")
        ),
        *({"entryUUIDs": uuids} for uuids in ([], None, [none] * 10, [none] * 11)),
        *({"logIndexes": numbers} for numbers in ([0], [0, 0], [0] * 10, [0] * 11, [-1], [99999999], [])),
        *({"entries": entries} for entries in ([logged], [entry], [], None, [logged] * 11)),
        {"entries": [changed(entry, "spec.signature.content", "***")]},
        {"entries": [changed(entry, "spec.data.hash.value", none)]},
        {"entries": [changed(entry, "kind", "nope")]},
        {"entries": [changed(entry, "kind")]},
        {"entries": [changed(entry, "apiVersion")]},
        {"entryUUIDs": ["$uuid"], "logIndexes": [0], "entries": [logged]},
        {"entryUUIDs": [none] * 6, "logIndexes": [0] * 5},
        {},
        {"more": 1},
    ]
    unread: list[dict[str, Any]] = [
        {"logIndexes": ["1"]},
        {"logIndexes": 1},
        {"entryUUIDs": [1]},
        {"entries": "x"},
    ]

    assert different(logs, {json.dumps(query)[:120]: post(RETRIEVE, query) for query in queries}) == {}
    asks = {json.dumps(query): post(RETRIEVE, query) for query in [*unread, {"entries": [1]}]}
    assert different(logs, asks, words=False) == {}


def test_the_index_is_searched_the_same(logs: Sides) -> None:
    key = p256()
    entry = hashedrekord(key=key)
    for side in logs:
        post(ENTRIES, entry)(side)
    digest = entry["spec"]["data"]["hash"]["value"]
    unlogged = os.urandom(64).hex()  # not zeros: other runs may have logged anything
    shown, mail = {"format": "x509", "content": b64(pem(key))}, f"{unlogged[:9]}@example.com"
    key_hash = hashlib.sha256(pem(key)).hexdigest()
    words = (
        f"sha256:{digest}",
        digest,
        digest.upper(),
        key_hash,
        unlogged[:64],
        unlogged[:40],
        unlogged,
        "",
        None,
        "zz",
    )
    queries: list[dict[str, Any]] = [
        {},
        *({"hash": text} for text in (*words, f"sha1:{unlogged[:40]}", "sha256:zz", f"md5:{digest}")),
        *(
            {"email": text}
            for text in (mail, "a/b@c", "a.b@c/d", "a..b@c", "é@c", "", "x", "https://example.com/x@y")
        ),
        *({"subject": text} for text in ("x", key_hash)),
        *({"hash": digest, "email": mail, "operator": operator} for operator in ("and", "or", "xor", "")),
        *({"hash": digest, "publicKey": shown, "operator": operator} for operator in ("and", "or")),
        {"hash": digest, "email": mail},
        {"operator": "and"},
        *({"publicKey": value} for value in (shown, None, {}, {"format": "x509"}, {"format": "nope"})),
        {"publicKey": shown | {"content": b64(b"x")}},
    ]
    unread: list[dict[str, Any]] = [{"hash": 5}, {"publicKey": 5}, {"subject": 5}]

    assert different(logs, {json.dumps(query)[:120]: post(INDEX, query) for query in queries}) == {}
    assert different(logs, {json.dumps(query): post(INDEX, query) for query in unread}, words=False) == {}


def test_the_log_stores_signs_and_proves_the_same(logs: Sides) -> None:
    for proposed in (hashedrekord(), dsse(b"{}", "text/plain")):
        answers = [post(ENTRIES, proposed)(side).json() for side in logs]
        ((real, _),), ((ours, _),) = ([(e["body"], u[16:]) for u, e in a.items()] for a in answers)
        assert ours == real  # the canonical body, byte for byte
        for side, answer in zip(logs, answers, strict=True):
            ((uuid, entry),) = answer.items()
            key = load_pem_public_key(get("/api/v1/log/publicKey")(side).content)
            assert isinstance(key, ec.EllipticCurvePublicKey)
            log_id = hashlib.sha256(
                key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).hexdigest()
            promised = {name: entry[name] for name in ("body", "integratedTime", "logID", "logIndex")}
            canonical = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
            verification, proof = entry["verification"], entry["verification"]["inclusionProof"]
            key.verify(base64.b64decode(verification["signedEntryTimestamp"]), canonical, ec.ECDSA(SHA256))
            origin, size, root, blank, signed, end = proof["checkpoint"].split("\n")
            name, signature = signed.removeprefix("\u2014 ").split(" ")
            note = f"{origin}\n{size}\n{root}\n".encode()
            key.verify(base64.b64decode(signature)[4:], note, ec.ECDSA(SHA256))
            assert (blank, end, name) == ("", "", "127.0.0.1")
            assert origin == f"127.0.0.1 - {int(uuid[:16], 16)}"
            assert base64.b64decode(signature)[:4].hex() == log_id[:8] == entry["logID"][:8]
            assert (int(size), base64.b64decode(root).hex()) == (proof["treeSize"], proof["rootHash"])


# Time stamps


@pytest.fixture(scope="module")
def timestamp_authorities(sandbox: Sandbox) -> Sides:
    return Side(url=Port.TSA.url), Side(url=sandbox.tsa_url)


def tlv(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return bytes((tag, len(body))) + body


def query(
    *more: bytes, version: bytes = b"\x01", digest: bytes = bytes(32), algorithm: str = "608648016503040201"
) -> bytes:
    """Return a request in DER that no honest client would make."""
    named = tlv(0x30, tlv(0x06, bytes.fromhex(algorithm)), tlv(0x05))
    return tlv(0x30, tlv(0x02, version), tlv(0x30, named, tlv(0x04, digest)), *more)


def test_stamps_are_the_same(timestamp_authorities: Sides) -> None:
    der_query = "application/timestamp-query"
    requests_ = {
        f"{algorithm} {nonce} {certificates}": TimestampRequestBuilder()
        .data(b"x")
        .hash_algorithm(algorithm)
        .nonce(nonce=nonce)
        .cert_request(cert_request=certificates)
        .build()
        .as_bytes()
        for algorithm in HashAlgorithm
        for nonce in (True, False)
        for certificates in (True, False)
    }
    requests_ |= {
        "SHA-384": query(algorithm="608648016503040202", digest=bytes(48)),
        "SHA-1": query(algorithm="2b0e03021a", digest=bytes(20)),
        "another hash": query(algorithm="2a0304"),
        "a short digest": query(digest=b"short"),
        "version 2": query(version=b"\x02"),
        "nonce 0": query(tlv(0x02, b"\x00")),
        "no parameters of the hash": tlv(
            0x30,
            tlv(0x02, b"\x01"),
            tlv(0x30, tlv(0x30, tlv(0x06, bytes.fromhex("608648016503040201"))), tlv(0x04, bytes(32))),
        ),
        "our policy": query(tlv(0x06, bytes.fromhex("2b0601040183bf3002"))),
        "another policy": query(tlv(0x06, bytes.fromhex("2a0304"))),
        "an extension": query(tlv(0xA0, tlv(0x30, tlv(0x06, bytes.fromhex("2a0304")), tlv(0x04, b"x")))),
        "garbage": b"nonsense",
        "nothing": b"",
        "more than a request": query() + b"x",
    }
    asks = {name: post(STAMP, body, der_query) for name, body in requests_.items()}

    assert different(timestamp_authorities, asks) == {}


def test_stamps_are_asked_for_in_json_the_same(timestamp_authorities: Sides) -> None:
    good = {"artifactHash": b64(bytes(32)), "hashAlgorithm": "sha256", "certificates": True, "nonce": 1123}
    changes: dict[str, tuple[object, ...]] = {
        "artifactHash": ("***", b64(b"short"), "", 5),
        "hashAlgorithm": ("SHA256", "sha384", "sha1", "md5", "", None),
        "certificates": (False, "x", None),
        "nonce": ("x", 0, None, 2**90),
        "tsaPolicyOID": ("", "1.2.3.4", "x", "1.3.6.1.4.1.57264.2", ".".join(["1"] * 140)),
        "more": (1,),
    }
    asks = {f"no {name}": post(STAMP, changed(good, name)) for name in good}
    for name, values in changes.items():
        asks |= {f"{name}: {value!r}": post(STAMP, changed(good, name, value)) for value in values}
    asks |= {repr(body): post(STAMP, body) for body in (good, {}, b"{", b"[]", b"null", b"")}

    assert different(timestamp_authorities, asks) == {}


def test_the_stamper_routes_the_same(timestamp_authorities: Sides) -> None:
    chain = f"{STAMP}/certchain"
    wrong = (("GET", STAMP), ("DELETE", STAMP), ("POST", chain), ("HEAD", chain))
    asks = {f"{method} {path}": ask(method, path) for method, path in wrong}
    asks |= {
        path: get(path) for path in (chain, f"{chain}/", "/ping", "/healthz", "/", "/nope", "/api/v1/nope")
    }
    for kind in (
        "",
        "text/plain",
        "application/octet-stream",
        "application/timestamp-query; x=y",
        f"{JSON}; x=y",
    ):
        asks[f"media type {kind}"] = post(STAMP, query(), kind)
    asks["a slash"] = post(f"{STAMP}/", query(), "application/timestamp-query")

    assert different(timestamp_authorities, asks) == {}


# What is left out


LEFT_OUT = {
    "a page for people at / of the log": "no program asks for it",
    "no for clients that accept no JSON": (
        "the sandbox does not look at Accept; every client here takes anything"
    ),
    "no to a question without a media type": "tests call the log without a server and say none",
    "no to a subject with a control character": (
        "attacks need certificates with one; Git allows none in a ref"
    ),
    "protobuf's other names of fields": "no client here writes them",
    "numbers in exponents": (
        "Go prints 12270807 as 1.2270807e+07; GitLab's claims are texts but for one, which no extension has"
    ),
}


def test_what_is_left_out_is_still_different(logs: Sides, fulcio: Fulcios) -> None:
    pages, accept, unsaid, control, names, numbers = LEFT_OUT
    subject = f"{fulcio.job.claims()['ci_config_ref_uri']}\x01"
    proof = fulcio.body["publicKeyRequest"]
    other = {"public_key": proof["publicKey"], "proof_of_possession": proof["proofOfPossession"]}
    found = different(
        logs,
        {pages: get("/"), accept: get("/api/v1/log", Accept="text/html"), unsaid: post(RETRIEVE, b"{}", "")},
    )
    found |= different(
        fulcio.sides,
        {
            control: fulcio.ask(token=fulcio.signed(ci_config_ref_uri=subject)),
            names: fulcio.ask({"public_key_request": other}),
        },
    )
    real, ours = (profile(leaf) for leaf in fulcio.leaves(fulcio.signed(project_id=12270807)))
    found |= {} if real["values"] == ours["values"] else {numbers: [real, ours]}

    assert found.keys() == LEFT_OUT.keys()
