"""The transparency log's HTTP interface."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.sandbox.sigstore import EntryRefused, SigstoreService, proposals
from pip_warden.sandbox.sigstore.rekor_app import rekor_app
from pip_warden.sandbox.sigstore.wire import JSONObject, canonical_json, new_key, pem, sign, spki_pem
from sandbox.sigstore.pipeline import CLAIMS, SUBJECT, Stage

DATA = b"the bytes of a wheel"
DIGEST = hashlib.sha256(DATA).hexdigest()
ENTRIES = "/api/v1/log/entries"
MINE = new_key()
INDEX = "/api/v1/index/retrieve"


@pytest.fixture
def url(service: SigstoreService, stage: Stage) -> str:
    return stage.play(rekor_app(service))


def post(url: str, path: str, body: object) -> requests.Response:
    return requests.post(url + path, json=body, timeout=60)


def get(url: str, path: str, **query: object) -> requests.Response:
    return requests.get(url + path, params={name: str(value) for name, value in query.items()}, timeout=60)


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

    host = urlsplit(service.urls.rekor).hostname
    assert info["inactiveShards"] is None
    note, signature = info["signedTreeHead"].split("\n\n")
    dash, name, value = signature.split()
    raw = base64.b64decode(value)
    key = load_pem_public_key(get(url, "/api/v1/log/publicKey").content)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(raw[4:], f"{note}\n".encode(), ec.ECDSA(hashes.SHA256()))
    assert (dash, name) == ("\u2014", host)
    assert raw[:4] == service.rekor.shards.current.log_id[:4]
    origin, size, root = note.split("\n")
    assert origin == f"{host} - {info['treeID']}"
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
    query = {"entries": [unlogged], "entryUUIDs": ["1" * 80, "0" * 64], "logIndexes": [7]}

    assert post(url, f"{ENTRIES}/retrieve", query).json() == []
    for answer in (get(url, ENTRIES, logIndex=7), get(url, f"{ENTRIES}/{'1' * 80}")):
        assert (answer.status_code, answer.content) == (404, b"")
        assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("tree", "status", "message"),
    [
        ("0" * 16, 500, "unexpected error communicating with transparency log"),
        ("f" * 16, 400, "validation error: ffffffffffffffff is not a valid TreeID"),
    ],
)
def test_a_tree_that_cannot_be_is_no_tree(url: str, tree: str, status: int, message: str) -> None:
    uuid = tree + "0" * 64

    assert get(url, f"{ENTRIES}/{uuid}").json() == {"code": status, "message": message}
    answer = post(url, f"{ENTRIES}/retrieve", {"entryUUIDs": [uuid]})
    assert answer.json() == {"code": 400, "message": f"invalid entryID {uuid}"}


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
    refused = get(url, "/api/v1/log/publicKey", treeID=5)
    assert refused.json() == {"code": 400, "message": "Bad Request"}
    assert refused.headers["Content-Type"] == "application/x-pem-file"


def test_the_index_lists_everybodys_entries_of_a_digest(url: str, service: SigstoreService) -> None:
    first, second = (next(iter(post(url, ENTRIES, certified(service)).json())) for _ in range(2))

    for query in ({"hash": f"sha256:{DIGEST}"}, {"hash": DIGEST}, {"subject": SUBJECT}):
        assert post(url, INDEX, query).json() == [first, second]
    for empty in (
        {"hash": "0" * 64},
        {"hash": "0" * 40},
        {"email": "a@example.com"},
        {},
        {"operator": "and"},
    ):
        assert post(url, INDEX, empty).json() == []


def test_the_index_is_searched_by_key_and_by_more_than_one_thing(url: str) -> None:
    key = new_key()
    mine, other = (
        proposals.hashedrekord(hashlib.sha256(data).hexdigest(), sign(key, data), spki_pem(key.public_key()))
        for data in (DATA, b"other")
    )
    uuids = [next(iter(post(url, ENTRIES, proposed).json())) for proposed in (mine, other)]
    shown = {"format": "x509", "content": base64.b64encode(spki_pem(key.public_key())).decode()}
    both = {"hash": DIGEST, "publicKey": shown}

    assert post(url, INDEX, {"publicKey": shown}).json() == uuids
    assert post(url, INDEX, both | {"operator": "and"}).json() == uuids[:1]
    assert post(url, INDEX, both | {"operator": "or"}).json() == post(url, INDEX, both).json() == uuids
    digest = hashlib.sha256(spki_pem(key.public_key())).hexdigest()
    assert post(url, INDEX, {"hash": digest}).json() == []  # the index keeps keys in another form


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"hash": "zz"}, 422, 605),
        ({"hash": f"md5:{DIGEST}"}, 422, 605),
        ({"email": SUBJECT}, 422, 601),
        ({"operator": "xor"}, 422, 606),
        ({"publicKey": {}}, 422, 602),
        ({"publicKey": {"format": "nope"}}, 422, 606),
        ({"publicKey": {"format": "x509", "content": "eA=="}}, 400, 400),
        ({"hash": 5}, 400, 400),
        ({"publicKey": 5}, 400, 400),
        ([], 400, 400),
    ],
)
def test_a_search_that_is_none_is_refused(url: str, query: object, status: int, code: int) -> None:
    answer = post(url, INDEX, query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_statement_is_indexed_by_its_subjects(url: str, service: SigstoreService) -> None:
    key = new_key()
    statement = json.dumps({"subject": [{"name": "a", "digest": {"sha256": DIGEST}}]}).encode()
    proposed = proposals.dsse(envelope(statement, key), spki_pem(key.public_key()))

    (uuid,) = post(url, ENTRIES, proposed).json()

    for digest in (DIGEST, hashlib.sha256(statement).hexdigest()):
        assert post(url, INDEX, {"hash": f"sha256:{digest}"}).json() == [uuid]


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

    with pytest.raises(EntryRefused, match="all signatures must have a key"):
        proposals.examine(proposals.dsse(envelope(b"x", mine, other), spki_pem(mine.public_key())))


def test_a_verifier_without_a_signature_is_refused_unless_all_are_verified_by_then() -> None:
    signer, stranger = (base64.b64encode(spki_pem(new.public_key())).decode() for new in (MINE, new_key()))
    proposed: JSONObject = dict(proposals.dsse(envelope(b"x", MINE), b""))
    content = proposed["spec"]["proposedContent"]

    content["verifiers"] = [stranger, signer]
    with pytest.raises(EntryRefused, match="could not verify envelope"):
        proposals.examine(proposed)
    content["verifiers"] = [signer, stranger]
    assert proposals.examine(proposed).kind == "dsse"


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
        (("apiVersion",), "0.0.2"),
        (("spec",), "x"),
        (("spec", "data"), []),
        (("spec", "data", "hash", "value"), "0" * 64),
        (("spec", "data", "hash", "value"), "zz"),
        (("spec", "data", "hash", "algorithm"), "md5"),
        (("spec", "data", "hash", "value"), ""),
        (("spec", "data", "hash", "value"), 5),
        (("spec", "signature"), None),
        (("spec", "signature", "content"), "***"),
        (("spec", "signature", "content"), ""),
        (("spec", "signature", "publicKey"), None),
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


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        ({"kind": "nope"}, 422, 422, 'invalid kind value: "nope"'),
        ({"kind": None}, 422, 602, "kind in body is required"),
        ({"apiVersion": None}, 422, 602, "apiVersion in body is required"),
        ({"spec": None}, 422, 602, "spec in body is required"),
    ],
)
def test_what_is_not_the_outline_of_an_entry_is_refused_before_anything(
    url: str, changes: dict[str, object], status: int, code: int, message: str
) -> None:
    entry = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {}} | changes

    answer = post(url, ENTRIES, entry)

    assert (answer.status_code, answer.json()) == (status, {"code": code, "message": message})


@pytest.mark.parametrize("changes", [{"apiVersion": "x"}, {"apiVersion": ""}])
def test_a_version_that_is_none_is_refused(url: str, changes: dict[str, object]) -> None:
    answer = post(url, ENTRIES, {"kind": "dsse", "spec": {}} | changes)

    assert (answer.status_code, answer.json()["code"]) == (422, 605)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (ENTRIES, b"{", 500, 500),
        (ENTRIES, b"[]", 500, 500),
        (ENTRIES, b'{"kind": 5}', 500, 500),
        (ENTRIES, b"null", 422, 602),
        (ENTRIES, b"", 422, 602),
        (f"{ENTRIES}/retrieve", b"{", 400, 400),
        (f"{ENTRIES}/retrieve", b"", 422, 602),
        (INDEX, b"[]", 400, 400),
        (INDEX, b"", 422, 602),
    ],
)
def test_what_is_no_json_object_is_refused(url: str, path: str, body: bytes, status: int, code: int) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = requests.post(url + path, data=body, headers=headers, timeout=60)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", [ENTRIES, f"{ENTRIES}/retrieve", INDEX])
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream"])
def test_another_media_type_is_refused(url: str, path: str, kind: str) -> None:
    answer = requests.post(url + path, data=b"{}", headers={"Content-Type": kind}, timeout=60)

    assert answer.status_code == answer.json()["code"] == 415
    assert answer.json()["message"].endswith("only [application/json] are allowed")


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (ENTRIES, {}, 602),
        (ENTRIES, {"logIndex": ""}, 602),
        (ENTRIES, {"logIndex": "x"}, 601),
        (ENTRIES, {"logIndex": 10**30}, 601),
        (ENTRIES, {"logIndex": -1}, 609),
        (f"{ENTRIES}/zz", {}, 605),
        ("/api/v1/log/proof", {}, 602),
        ("/api/v1/log/proof", {"lastSize": 0}, 609),
        ("/api/v1/log/proof", {"lastSize": 1, "firstSize": 0}, 609),
        ("/api/v1/log/proof", {"lastSize": 1, "treeID": "x"}, 605),
        ("/api/v1/log/publicKey", {"treeID": "x"}, 605),
    ],
)
def test_a_query_that_is_not_of_the_schema_is_refused(
    url: str, path: str, query: dict[str, object], code: int
) -> None:
    answer = get(url, path, **query)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_what_is_read_is_not_cached_and_a_slash_at_the_end_is_nothing(
    url: str, service: SigstoreService
) -> None:
    (uuid,) = post(url, f"{ENTRIES}/", certified(service)).json()

    for path in (
        "/api/v1/log",
        "/api/v1/log/",
        "/api/v1/log/publicKey",
        f"{ENTRIES}/{uuid}",
        f"{ENTRIES}/{'1' * 80}",
    ):
        answer = requests.get(url + path, timeout=60, allow_redirects=False)
        assert answer.status_code in {200, 404}
        assert answer.headers["Cache-Control"].startswith("no-cache, no-store")
    assert "Cache-Control" not in post(url, INDEX, {}).headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", ENTRIES, "GET,POST"),
        ("POST", "/api/v1/log", "GET"),
        ("HEAD", "/api/v1/log", "GET"),
        ("GET", INDEX, "POST"),
    ],
)
def test_another_method_is_told_the_right_ones(url: str, method: str, path: str, allowed: str) -> None:
    answer = requests.request(method, url + path, timeout=60)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        message = f"method {method} is not allowed, but [{allowed}] are"
        assert answer.json() == {"code": 405, "message": message}


def test_an_unknown_path_is_named(url: str) -> None:
    answer = get(url, "/healthz")

    assert answer.json() == {"code": 404, "message": "path /healthz was not found"}
    ping = get(url, "/ping")
    assert (ping.text, ping.headers["Content-Type"]) == (".", "text/plain")


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


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"logIndexes": list(range(11))}, 422, 611),
        ({"entryUUIDs": ["0" * 64] * 6, "logIndexes": [0] * 5}, 422, 422),
        ({"entryUUIDs": []}, 422, 612),
        ({"entryUUIDs": ["zz"]}, 422, 605),
        ({"logIndexes": [-1]}, 422, 609),
        ({"logIndexes": ["x"]}, 400, 400),
        ({"logIndexes": [True]}, 400, 400),
        ({"logIndexes": 1}, 400, 400),
        ({"entries": [1]}, 400, 400),
        ({"entries": [{}]}, 400, 400),
        ({"entries": [{"kind": "nope"}]}, 400, 400),
        ({"entries": [{"kind": "dsse"}]}, 422, 602),
        ({"entries": [{"kind": "dsse", "apiVersion": "0.0.1", "spec": {}}]}, 400, 400),
    ],
)
def test_questions_that_are_none_are_refused(url: str, query: object, status: int, code: int) -> None:
    answer = post(url, f"{ENTRIES}/retrieve", query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not answer.json()["message"].startswith("error processing entry")


@pytest.mark.parametrize("query", [{}, {"entries": []}, {"entries": None, "logIndexes": None}, {"more": 1}])
def test_no_question_has_no_answer(url: str, query: object) -> None:
    assert post(url, f"{ENTRIES}/retrieve", query).json() == []


def test_consistency_is_proved(url: str, service: SigstoreService) -> None:
    for number in range(5):
        post(url, ENTRIES, certified(service, b"%d" % number))

    proof = get(url, "/api/v1/log/proof", firstSize=3, lastSize=5).json()

    tree = service.rekor.shards.current.tree
    assert proof["hashes"] == [value.hex() for value in tree.consistency_proof(3, 5)]
    assert proof["rootHash"] == tree.root().hex()
    earlier = get(url, "/api/v1/log/proof", lastSize=2).json()
    assert earlier["rootHash"] == tree.root().hex()  # the present root, not that of the requested size
    for query, message in {
        (3, 6): "the tree size requested(6) was greater than what is currently observable(5)",
        (3, 2): "firstSize(3) must be less than lastSize(2)",
    }.items():
        answer = get(url, "/api/v1/log/proof", firstSize=query[0], lastSize=query[1])
        assert answer.json() == {"code": 400, "message": message}
    answer = get(url, "/api/v1/log/proof", lastSize=2, treeID=5)
    assert answer.json() == {"code": 400, "message": "no log range found for tree ID 5"}


def test_the_log_lies_over_http_too(url: str, service: SigstoreService) -> None:
    service.lie(promise="forged", proof="broken")
    (uuid,) = post(url, ENTRIES, certified(service)).json()
    lying = get(url, f"{ENTRIES}/{uuid}").json()[uuid]["verification"]
    service.lie()
    honest = get(url, f"{ENTRIES}/{uuid}").json()[uuid]["verification"]

    assert honest["inclusionProof"]["hashes"] == []
    assert len(lying["inclusionProof"]["hashes"]) == 1
