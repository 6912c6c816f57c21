"""The transparency log's HTTP interface."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.sandbox.sigstore import EntryRefused, SigstoreService, proposals
from pip_warden.sandbox.sigstore.wire import JSONObject, canonical_json, new_key, pem, sign, spki_pem
from sandbox.sigstore.pipeline import CLAIMS, SUBJECT, Stage

DATA = b"the bytes of a wheel"
DIGEST = hashlib.sha256(DATA).hexdigest()
ENTRIES = "/api/v1/log/entries"


@pytest.fixture
def url(service: SigstoreService, stage: Stage) -> str:
    return stage.play(service.rekor_app())


def post(url: str, path: str, body: object) -> requests.Response:
    return requests.post(url + path, json=body, timeout=10)


def get(url: str, path: str, **query: object) -> requests.Response:
    return requests.get(url + path, params={name: str(value) for name, value in query.items()}, timeout=10)


def certified(service: SigstoreService, data: bytes = DATA) -> JSONObject:
    """Return a hashedrekord with a fresh certificate."""
    key = new_key()
    leaf = service.issue(CLAIMS, key.public_key())[0]
    return dict(proposals.hashedrekord(hashlib.sha256(data).hexdigest(), sign(key, data), pem(leaf)))


def envelope(payload: bytes, *signers: ec.EllipticCurvePrivateKey, kind: str = proposals.IN_TOTO) -> str:
    signatures = [
        {"sig": base64.b64encode(sign(key, proposals.pae(kind, payload))).decode()} for key in signers
    ]
    encoded = base64.b64encode(payload).decode()
    return json.dumps({"payload": encoded, "payloadType": kind, "signatures": signatures})


def test_a_new_entry_comes_back_with_its_proofs(url: str, service: SigstoreService) -> None:
    answer = post(url, ENTRIES, certified(service))

    ((uuid, entry),) = answer.json().items()
    shard = service.rekor.shards.current
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{ENTRIES}/{uuid}"
    assert answer.headers["ETag"] == uuid
    assert (len(uuid), uuid[:16]) == (80, f"{shard.tree_id:016x}")
    assert entry["logIndex"] == 0
    assert entry["logID"] == shard.log_id.hex()
    promised = {name: entry[name] for name in ("body", "integratedTime", "logID", "logIndex")}
    promise = base64.b64decode(entry["verification"]["signedEntryTimestamp"])
    shard.public_key.verify(promise, canonical_json(promised), ec.ECDSA(hashes.SHA256()))


def test_the_checkpoint_is_a_signed_note(url: str, service: SigstoreService) -> None:
    post(url, ENTRIES, certified(service))
    info = get(url, "/api/v1/log").json()

    note, signature = info["signedTreeHead"].split("\n\n")
    dash, name, value = signature.split()
    raw = base64.b64decode(value)
    key = load_pem_public_key(get(url, "/api/v1/log/publicKey").content)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(raw[4:], f"{note}\n".encode(), ec.ECDSA(hashes.SHA256()))
    assert (dash, name) == ("\u2014", "127.0.0.1")
    assert raw[:4] == service.rekor.shards.current.log_id[:4]
    origin, size, root = note.split("\n")
    assert origin == f"127.0.0.1 - {info['treeID']}"
    assert (int(size), base64.b64decode(root).hex()) == (info["treeSize"], info["rootHash"])


def test_the_same_entry_again_is_a_conflict_that_says_where(url: str, service: SigstoreService) -> None:
    proposed = certified(service)
    first = post(url, ENTRIES, proposed)

    second = post(url, ENTRIES, proposed)

    assert second.status_code == 409
    assert second.headers["Location"] == first.headers["Location"]
    assert get(url, second.headers["Location"]).json().keys() == first.json().keys()


def test_an_entry_is_found_in_every_way(url: str, service: SigstoreService) -> None:
    proposed = certified(service)
    (uuid,) = post(url, ENTRIES, proposed).json()
    post(url, ENTRIES, certified(service))

    found = [
        get(url, f"{ENTRIES}/{uuid}").json(),
        get(url, f"{ENTRIES}/{uuid[16:]}").json(),
        get(url, ENTRIES, logIndex=0).json(),
        *post(url, f"{ENTRIES}/retrieve", {"entries": [proposed]}).json(),
        *post(url, f"{ENTRIES}/retrieve/", {"entryUUIDs": [uuid]}).json(),
        *post(url, f"{ENTRIES}/retrieve", {"logIndexes": [0]}).json(),
    ]

    assert [list(item) for item in found] == [[uuid]] * 6
    assert found[0][uuid]["verification"]["inclusionProof"]["treeSize"] == 2


def test_what_is_not_there_is_not_found(url: str, service: SigstoreService) -> None:
    unlogged = certified(service)
    query = {"entries": [unlogged], "entryUUIDs": ["0" * 80, "0" * 64], "logIndexes": [7]}

    assert post(url, f"{ENTRIES}/retrieve", query).json() == []
    assert get(url, ENTRIES, logIndex=7).status_code == 404
    assert get(url, f"{ENTRIES}/{'0' * 80}").status_code == 404


def test_indexes_run_on_over_shards(url: str, service: SigstoreService) -> None:
    proposed = certified(service)
    post(url, ENTRIES, proposed)
    service.rotate_rekor()
    again = post(url, ENTRIES, proposed)

    ((uuid, entry),) = again.json().items()
    inactive, active = service.rekor.shards
    assert again.status_code == 201
    assert (entry["logIndex"], entry["verification"]["inclusionProof"]["logIndex"]) == (1, 0)
    assert len(post(url, f"{ENTRIES}/retrieve", {"entries": [proposed]}).json()) == 2
    assert list(get(url, ENTRIES, logIndex=1).json()) == [uuid]
    info = get(url, "/api/v1/log").json()
    assert [item["treeID"] for item in info["inactiveShards"]] == [str(inactive.tree_id)]
    old = get(url, "/api/v1/log/publicKey", treeID=inactive.tree_id)
    assert old.content == spki_pem(inactive.public_key)
    assert get(url, "/api/v1/log/publicKey").content == spki_pem(active.public_key)
    assert get(url, "/api/v1/log/publicKey", treeID=5).status_code == 400


def test_the_index_lists_everybodys_entries_of_a_digest(url: str, service: SigstoreService) -> None:
    first, second = (next(iter(post(url, ENTRIES, certified(service)).json())) for _ in range(2))

    for query in ({"hash": f"sha256:{DIGEST}"}, {"hash": DIGEST}, {"email": SUBJECT}):
        assert post(url, "/api/v1/index/retrieve", query).json() == [first, second]
    assert post(url, "/api/v1/index/retrieve", {"hash": "0" * 64}).json() == []
    assert post(url, "/api/v1/index/retrieve", {}).status_code == 422


def test_a_statement_is_indexed_by_its_subjects(url: str, service: SigstoreService) -> None:
    key = new_key()
    statement = json.dumps({"subject": [{"name": "a", "digest": {"sha256": DIGEST}}]}).encode()
    proposed = proposals.dsse(envelope(statement, key), spki_pem(key.public_key()))

    (uuid,) = post(url, ENTRIES, proposed).json()

    for digest in (DIGEST, hashlib.sha256(statement).hexdigest()):
        assert post(url, "/api/v1/index/retrieve", {"hash": f"sha256:{digest}"}).json() == [uuid]


@pytest.mark.parametrize(
    "statement", [b"not JSON", b"[]", b'{"subject": [1]}', b'{"subject": [{"digest": 1}]}']
)
def test_a_payload_that_cannot_be_read_is_logged_all_the_same(statement: bytes) -> None:
    key = new_key()

    assert (
        proposals.examine(proposals.dsse(envelope(statement, key), spki_pem(key.public_key()))).kind == "dsse"
    )


def test_signatures_are_sorted_and_each_has_its_verifier() -> None:
    keys = [new_key() for _ in range(3)]
    proposed: JSONObject = dict(proposals.dsse(envelope(b"x", *keys, kind="text/plain"), b""))
    verifiers = [base64.b64encode(spki_pem(key.public_key())).decode() for key in keys]
    proposed["spec"]["proposedContent"]["verifiers"] = verifiers

    logged = json.loads(proposals.examine(proposed).body)["spec"]["signatures"]

    assert logged == sorted(logged, key=lambda item: str(item["signature"]))
    assert sorted(item["verifier"] for item in logged) == sorted(verifiers)


def test_a_signature_without_a_verifier_is_refused() -> None:
    mine, other = new_key(), new_key()

    with pytest.raises(EntryRefused, match="could not verify envelope"):
        proposals.examine(proposals.dsse(envelope(b"x", mine, other), spki_pem(mine.public_key())))


def test_rsa_keys_may_sign_and_ed25519_may_not_sign_a_digest() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    prehashed = utils.Prehashed(hashes.SHA256())
    signature = key.sign(bytes.fromhex(DIGEST), padding.PKCS1v15(), prehashed)

    entry = proposals.hashedrekord(DIGEST, signature, spki_pem(key.public_key()))
    assert proposals.examine(entry).kind == "hashedrekord"
    edwards = ed25519.Ed25519PrivateKey.generate()
    public = edwards.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(EntryRefused, match="ed25519"):
        proposals.examine(proposals.hashedrekord(DIGEST, edwards.sign(DATA), public))
    text = json.loads(envelope(b"x"))
    signed = edwards.sign(proposals.pae(proposals.IN_TOTO, b"x"))
    text["signatures"] = [{"sig": base64.urlsafe_b64encode(signed).decode()}]
    assert proposals.examine(proposals.dsse(json.dumps(text), public)).kind == "dsse"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), "intoto"),
        (("apiVersion",), "0.0.2"),
        (("spec",), None),
        (("spec", "data"), []),
        (("spec", "data", "hash", "value"), "0" * 64),
        (("spec", "data", "hash", "value"), "zz"),
        (("spec", "data", "hash", "algorithm"), "md5"),
        (("spec", "signature", "content"), "***"),
        (("spec", "signature", "publicKey", "content"), base64.b64encode(b"nonsense").decode()),
        (("spec", "signature", "publicKey", "content"), base64.b64encode(b"BEGIN CERTIFICATE").decode()),
    ],
)
def test_an_entry_that_does_not_hold_is_refused(
    url: str, service: SigstoreService, path: tuple[str, ...], value: object
) -> None:
    proposed = certified(service)
    target = proposed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value

    answer = post(url, ENTRIES, proposed)

    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert answer.json()["message"].startswith("error processing entry: ")
    assert len(service.rekor.shards.current.tree) == 0


def test_a_certificate_without_a_subject_needs_a_signature_too(service: SigstoreService) -> None:
    root = service.authorities.current.root

    with pytest.raises(EntryRefused, match="invalid signature"):
        proposals.examine(proposals.hashedrekord(DIGEST, b"no signature", pem(root)))


def test_an_rsa_key_may_sign_an_envelope() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = key.sign(proposals.pae(proposals.IN_TOTO, b"x"), padding.PKCS1v15(), hashes.SHA256())
    text = json.loads(envelope(b"x")) | {"signatures": [{"sig": base64.b64encode(signed).decode()}]}

    assert proposals.examine(proposals.dsse(json.dumps(text), spki_pem(key.public_key()))).kind == "dsse"


@pytest.mark.parametrize("verifiers", [None, "x", [1], ["***"]])
def test_an_envelope_without_readable_verifiers_is_refused(verifiers: object) -> None:
    proposed: JSONObject = dict(proposals.dsse(envelope(b"x", new_key()), b""))
    proposed["spec"]["proposedContent"]["verifiers"] = verifiers

    with pytest.raises(EntryRefused):
        proposals.examine(proposed)


@pytest.mark.parametrize("text", ["not JSON", "[]", "{}", envelope(b"x")])
def test_an_envelope_that_does_not_hold_is_refused(text: str) -> None:
    with pytest.raises(EntryRefused):
        proposals.examine(proposals.dsse(text, spki_pem(new_key().public_key())))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spec", "kind", "data", "hash", "signature"]), inner, max_size=4)
    ),
)


@given(JSON, st.sampled_from(["hashedrekord", "dsse"]))
def test_no_json_upsets_the_log(spec: object, kind: str) -> None:
    for proposed in (spec, {"kind": kind, "apiVersion": "0.0.1", "spec": spec}):
        with pytest.raises(EntryRefused):
            proposals.examine(proposed)


def test_too_many_questions_are_refused(url: str) -> None:
    assert post(url, f"{ENTRIES}/retrieve", {"logIndexes": list(range(11))}).status_code == 422


@pytest.mark.parametrize("query", [{"logIndexes": ["x"]}, {"logIndexes": 1}, {"entryUUIDs": ["zz"]}])
def test_questions_that_are_none_are_refused(url: str, query: object) -> None:
    assert post(url, f"{ENTRIES}/retrieve", query).status_code == 422


def test_consistency_is_proved(url: str, service: SigstoreService) -> None:
    for number in range(5):
        post(url, ENTRIES, certified(service, b"%d" % number))

    proof = get(url, "/api/v1/log/proof", firstSize=3, lastSize=5).json()

    tree = service.rekor.shards.current.tree
    assert proof["hashes"] == [value.hex() for value in tree.consistency_proof(3, 5)]
    assert proof["rootHash"] == tree.root().hex()
    assert get(url, "/api/v1/log/proof", firstSize=3, lastSize=6).status_code == 400


def test_the_log_lies_over_http_too(url: str, service: SigstoreService) -> None:
    service.lie(promise="forged", proof="broken")
    (uuid,) = post(url, ENTRIES, certified(service)).json()
    lying = get(url, f"{ENTRIES}/{uuid}").json()[uuid]["verification"]
    service.lie()
    honest = get(url, f"{ENTRIES}/{uuid}").json()[uuid]["verification"]

    assert honest["inclusionProof"]["hashes"] == []
    assert len(lying["inclusionProof"]["hashes"]) == 1
