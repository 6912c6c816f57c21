"""What some other client refuses is refused here (B23).

These are entries, checkpoints, chains and times that only a log's or an authority's key could make.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st
from rfc3161_client import decode_timestamp_response

import logs
from _sigstore.samples import CLAIMS, DATA, NOON, STATEMENT, changed, code, outcome, root_of, service
from pip_warden._sigstore import timed
from pip_warden._sigstore.body import read_body
from pip_warden._sigstore.checkpoint import read_checkpoint
from pip_warden._sigstore.result import Envelope, VerificationResult
from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.timestamp import Timestamp, read_timestamp
from pip_warden.faults import Fault
from pip_warden.sandbox.sigstore import BundleForm, MediaType, SigstoreService, ctlog, der
from pip_warden.sandbox.sigstore.tsa import TimestampAuthority, TimestampRequest
from pip_warden.strict_json import MalformedError, loads
from pip_warden.verdict.statement import read_statement

JSON = dict[str, Any]
MATERIAL = "verificationMaterial"
ENTRY = f"{MATERIAL}.tlogEntries.0"
CHAIN = f"{MATERIAL}.x509CertificateChain.certificates"
STAMPED = BundleForm(promise=False, integrated_time=False, timestamp=True)
V1_HOST, V2_HOST = "rekor.sandbox.invalid", "log.sandbox.invalid"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


# Rekor v1


def relogged(
    bundle: JSON,
    sigstore: SigstoreService,
    *,
    body: bytes = b"",
    origin: str = f"{V1_HOST} - 1",
    signer: str = "",
) -> JSON:
    """Return a bundle with its log's only entry, and any checkpoint and body, signed by the log's key."""
    shard, entry = sigstore.rekor.shards.current, entry_of(bundle)
    body = body or base64.b64decode(entry["canonicalizedBody"])
    proof = logs.proof(body, shard.key, shard.log_id, origin=origin, signer=signer)
    forged = changed(bundle, f"{ENTRY}.inclusionProof", proof)
    return changed(forged, f"{ENTRY}.canonicalizedBody", logs.b64(body))


def entry_of(bundle: JSON) -> JSON:
    found: JSON = bundle[MATERIAL]["tlogEntries"][0]
    return found


def body_of(bundle: JSON) -> JSON:
    found: JSON = json.loads(base64.b64decode(entry_of(bundle)["canonicalizedBody"]))
    return found


@pytest.mark.parametrize(
    ("origin", "signer", "expected"),
    [
        (f"{V1_HOST} - 7", "", "proved"),
        ("other.invalid - 1", "", "bad-log-entry"),
        ("other.invalid - 1", V1_HOST, "bad-bundle"),
        (f"{V1_HOST} - 1", "other.invalid", "bad-bundle"),
        (V1_HOST, "", "bad-log-entry"),
        (f"{V1_HOST}:443 - 1", "", "bad-log-entry"),
        (f"a.{V1_HOST} - 1", "", "bad-log-entry"),
    ],
)
def test_b23_a_checkpoint_of_rekor_v1_has_its_logs_name_and_a_tree(
    origin: str, signer: str, expected: str, sigstore: SigstoreService, root: Root
) -> None:
    bundle = relogged(sigstore.sign_blob(DATA, CLAIMS), sigstore, origin=origin, signer=signer)

    assert code(outcome(bundle, root)) == expected


def test_b23_a_root_that_names_another_host_verifies_nothing(sigstore: SigstoreService) -> None:
    value = sigstore.trusted_root()
    honest = sigstore.sign_blob(DATA, CLAIMS)
    for url in ("https://other.invalid", "http://[broken", ""):
        renamed = load_root(json.dumps(changed(value, "tlogs.0.baseUrl", url)).encode())

        assert code(outcome(honest, renamed)) == "bad-log-entry"


def test_b23_an_index_without_a_promise_is_the_proofs(sigstore: SigstoreService, root: Root) -> None:
    bundle = relogged(sigstore.sign_blob(DATA, CLAIMS, form=STAMPED), sigstore)
    found = outcome(changed(bundle, f"{ENTRY}.logIndex", "0"), root)

    assert isinstance(found, VerificationResult), found
    assert found.log_index == 0
    assert code(outcome(changed(bundle, f"{ENTRY}.logIndex", "1"), root)) == "bad-log-entry"


def attested(sigstore: SigstoreService) -> JSON:
    """Sign a statement; its entry has no promise, and so may be made again."""
    bundle = changed(sigstore.sign_statement(STATEMENT, CLAIMS, form=STAMPED), f"{ENTRY}.logIndex", "0")
    assert body_of(bundle)["kind"] == "dsse"
    return bundle


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        ("spec.envelopeHash.value", "0" * 64, "proved"),  # how the envelope was written is not known
        ("spec.proposedContent", {"envelope": "{}", "verifiers": []}, "bad-log-entry"),
        ("spec.more", "x", "bad-log-entry"),
        ("spec.payloadHash.more", "x", "bad-log-entry"),
        ("spec.signatures.0.more", "x", "bad-log-entry"),
        ("spec.envelopeHash", ..., "bad-log-entry"),
        ("more", None, "bad-log-entry"),
        ("kind", "intoto", "unsupported-log-entry"),
        ("apiVersion", "0.0.3", "unsupported-log-entry"),
    ],
)
def test_b23_an_entry_has_nothing_beside_what_is_compared(
    path: str, new: object, expected: str, sigstore: SigstoreService, root: Root
) -> None:
    bundle = attested(sigstore)
    body = logs.canonical(changed(body_of(bundle), path, new))

    assert code(outcome(relogged(bundle, sigstore, body=body), root)) == expected


@pytest.mark.parametrize("kind", ["blob", "statement"])
def test_b23_an_entry_is_canonical_json(kind: str, sigstore: SigstoreService, root: Root) -> None:
    made = attested(sigstore) if kind == "statement" else sigstore.sign_blob(DATA, CLAIMS, form=STAMPED)
    bundle = changed(made, f"{ENTRY}.logIndex", "0")
    body = body_of(bundle)

    assert code(outcome(relogged(bundle, sigstore, body=logs.canonical(body)), root)) == "proved"
    for other in (
        json.dumps(body, sort_keys=True),
        json.dumps(dict(reversed(body.items())), separators=(",", ":")),
    ):
        assert code(outcome(relogged(bundle, sigstore, body=other.encode()), root)) == "bad-log-entry"


@given(text=st.text() | st.builds(json.dumps, st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4)))
@example(text='{"a":1152921504606846976}')
@example(text='{"a":1e999}')
@example(text='{"a":"\\ud800"}')
@example(text='{"apiVersion":"0.0.1","kind":"dsse"}')
@example(text='{"apiVersion":"0.0.1","kind":"dsse","spec":{"signatures":[5]}}')
def test_b23_a_body_is_read_or_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read_body(text.encode("utf-8", "surrogatepass"))


# Rekor v2


class LogV2:
    """A Rekor v2 besides the sandbox's own, and a root that has both."""

    def __init__(self, sigstore: SigstoreService, key: logs.Key) -> None:
        self.sigstore, self.key = sigstore, key
        details = "PKIX_ED25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "PKIX_ECDSA_P256_SHA_256"
        raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        known = sigstore.trusted_root()
        window = known["tlogs"][0]["publicKey"]["validFor"]
        log = {
            "baseUrl": f"https://{V2_HOST}",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": logs.b64(raw), "keyDetails": details, "validFor": window},
            "logId": {"keyId": logs.b64(logs.id_of(key, V2_HOST))},
        }
        self.root = load_root(json.dumps(known | {"tlogs": [*known["tlogs"], log]}).encode())

    def bundle(self, edit: Callable[[JSON], bytes] = logs.canonical, *, origin: str = "") -> JSON:
        """Sign a file, with a time stamp and an entry of this log."""
        made = self.sigstore.sign_blob(DATA, CLAIMS, form=STAMPED)
        message, material = made["messageSignature"], made[MATERIAL]
        parts = (
            message["messageDigest"]["digest"],
            message["signature"],
            material["certificate"]["rawBytes"],
        )
        body = edit(logs.hashedrekord_v2(*map(base64.b64decode, parts)))
        return changed(made, ENTRY, logs.entry_v2(body, self.key, V2_HOST, origin=origin))


@pytest.fixture(scope="module", params=["Ed25519", "P-256"])
def log(request: pytest.FixtureRequest, sigstore: SigstoreService) -> LogV2:
    edwards = request.param == "Ed25519"
    key = ed25519.Ed25519PrivateKey.generate() if edwards else ec.generate_private_key(ec.SECP256R1())
    return LogV2(sigstore, key)


def test_b23_an_entry_of_rekor_v2_is_proved_under_its_own_index(log: LogV2) -> None:
    bundle = log.bundle()
    found = outcome(bundle, log.root)

    assert isinstance(found, VerificationResult), found
    assert found.log_index == 0
    assert code(outcome(changed(bundle, f"{ENTRY}.logIndex", "1"), log.root)) == "bad-log-entry"


@pytest.mark.parametrize("origin", [f"{V2_HOST} - 1", "other.invalid", V1_HOST])
def test_b23_a_checkpoint_of_rekor_v2_is_of_the_roots_host(log: LogV2, origin: str) -> None:
    assert code(outcome(log.bundle(origin=origin), log.root)) == "bad-log-entry"


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("spec.hashedRekordV002.more", ""),
        ("spec.hashedRekordV002.signature.verifier.publicKey", {"rawBytes": "AAAA"}),
        ("spec.hashedRekordV002.data.algorithm", ...),
        ("spec.hashedRekordV001", {}),
        ("spec.hashedRekordV002.data.algorithm", "SHA2_384"),
        ("spec.hashedRekordV002.signature.verifier.keyDetails", "PKIX_ECDSA_P384_SHA_384"),
    ],
)
def test_b23_an_entry_of_rekor_v2_has_what_is_compared(log: LogV2, path: str, new: object) -> None:
    forged = log.bundle(lambda body: logs.canonical(changed(body, path, new)))

    assert code(outcome(forged, log.root)) == "bad-log-entry"


@pytest.mark.parametrize("last", ["=", "", " "])
@pytest.mark.parametrize(
    "way",
    [("data", "digest"), ("signature", "content"), ("signature", "verifier", "x509Certificate", "rawBytes")],
)
def test_b23_an_entry_of_rekor_v2_has_bytes_in_one_form(log: LogV2, way: tuple[str, ...], last: str) -> None:
    path = ".".join(("spec", "hashedRekordV002", *way))

    def edit(body: JSON) -> bytes:
        text = body["spec"]["hashedRekordV002"]
        for step in way:
            text = text[step]
        return logs.canonical(changed(body, path, f" {text}" if last == " " else f"{text}{last}"))

    assert code(outcome(log.bundle(edit), log.root)) == ("bad-log-entry" if last else "proved")


def test_b23_an_entry_of_rekor_v2_is_canonical_json(log: LogV2) -> None:
    forged = log.bundle(lambda body: json.dumps(body, sort_keys=True).encode())

    assert code(outcome(forged, log.root)) == "bad-log-entry"


def test_b23_an_entry_of_version_1_has_no_place_in_rekor_v2(log: LogV2) -> None:
    for origin in (V2_HOST, f"{V2_HOST} - 1"):
        first = log.sigstore.sign_blob(DATA, CLAIMS, form=STAMPED)
        body = base64.b64decode(entry_of(first)["canonicalizedBody"])
        forged = changed(first, ENTRY, logs.entry_v2(body, log.key, V2_HOST, origin=origin))
        # By its id alone a log with a P-256 key could be either: its checkpoints differ.
        alike = isinstance(log.key, ec.EllipticCurvePrivateKey) and " - " in origin

        assert code(outcome(forged, log.root)) == ("proved" if alike else "bad-log-entry")


def test_b23_a_promise_of_rekor_v2_is_no_expired_certificate(log: LogV2) -> None:
    promised = changed(log.bundle(), f"{ENTRY}.inclusionPromise", {"signedEntryTimestamp": "AAAA"})

    for moment in (NOON, NOON + timedelta(days=1)):
        timed = changed(promised, f"{ENTRY}.integratedTime", str(int(moment.timestamp())))

        assert code(outcome(timed, log.root)) == "bad-signing-time"


WITNESS = base64.b64encode(b"four and more").decode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("witness.example/x", "proved"),
        ("wi\u200btness", "proved"),
        ("wi\u2003tness", "bad-bundle"),
        ("wi\u00a0tness", "bad-bundle"),
        ("wi\u0085tness", "bad-bundle"),
        ("wi\x01tness", "bad-bundle"),
        ("wi+tness", "bad-bundle"),
    ],
    ids=ascii,
)
def test_b23_a_witness_has_a_name(log: LogV2, name: str, expected: str) -> None:
    path = f"{ENTRY}.inclusionProof.checkpoint.envelope"
    bundle = log.bundle()
    note = entry_of(bundle)["inclusionProof"]["checkpoint"]["envelope"]

    assert code(outcome(changed(bundle, path, f"{note}\u2014 {name} {WITNESS}\n"), log.root)) == expected


@pytest.mark.parametrize(("others", "expected"), [(99, "proved"), (100, "bad-bundle")])
def test_b23_a_checkpoint_has_as_many_witnesses_as_others_read(
    log: LogV2, others: int, expected: str
) -> None:
    bundle = log.bundle()
    note = entry_of(bundle)["inclusionProof"]["checkpoint"]["envelope"]
    lines = "".join(f"\u2014 w{number} {WITNESS}\n" for number in range(others))
    forged = changed(bundle, f"{ENTRY}.inclusionProof.checkpoint.envelope", note + lines)

    assert code(outcome(forged, log.root)) == expected


@pytest.mark.parametrize("line", ["a\tb", "a\rb", "\0", "a\x1f"], ids=ascii)
def test_b23_a_checkpoint_has_no_control_characters(line: str) -> None:
    log_id = bytes(32)
    signature = base64.b64encode(log_id[:4] + b"signature").decode()

    def note(extra: str) -> str:
        return f"{V2_HOST}\n1\n{logs.b64(bytes(32))}\n{extra}\n\n\u2014 {V2_HOST} {signature}\n"

    assert read_checkpoint(note("Timestamp: 1"), log_id, "it").size == 1
    with pytest.raises(MalformedError, match="control character"):
        read_checkpoint(note(line), log_id, "it")


# Bundles


VERSION_3 = bytes.fromhex("a003020102")
EC_KEY = bytes.fromhex("06072a8648ce3d0201")


def unreadable(certificate: JSON, part: bytes, instead: bytes) -> JSON:
    """Return a certificate with a version or a kind of key that nobody knows."""
    raw = base64.b64decode(certificate["rawBytes"])
    assert part in raw
    return {"rawBytes": logs.b64(raw.replace(part, instead))}


@pytest.mark.parametrize("kind", [MediaType.V01, MediaType.V02])
def test_b23_what_follows_the_leaf_is_its_chain(
    kind: MediaType, sigstore: SigstoreService, root: Root
) -> None:
    bundle = sigstore.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=kind))
    leaf, *rest = bundle[MATERIAL]["x509CertificateChain"]["certificates"]
    other = sigstore.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=kind))
    stranger = other[MATERIAL]["x509CertificateChain"]["certificates"][0]
    issuer = sigstore.trusted_root()["certificateAuthorities"][0]["certChain"]["certificates"][0]

    for good in ([leaf], [leaf, *rest], [leaf, issuer]):
        assert code(outcome(changed(bundle, CHAIN, good), root)) == "proved"
    for bad in (
        [leaf, {"rawBytes": "AAAA"}],
        [leaf, *rest, {"rawBytes": "AAAA"}],
        [leaf, stranger],
        [leaf, leaf],
        [leaf, unreadable(issuer, VERSION_3, bytes.fromhex("a003020107"))],
        [leaf, unreadable(issuer, EC_KEY, bytes.fromhex("06072a8648ce3d0277"))],
    ):
        assert code(outcome(changed(bundle, CHAIN, bad), root)) == "bad-bundle"


def test_b23_a_message_signature_states_its_digest(sigstore: SigstoreService, root: Root) -> None:
    bundle = sigstore.sign_blob(DATA, CLAIMS)

    assert code(outcome(changed(bundle, "messageSignature.messageDigest", ...), root)) == "bad-bundle"
    assert code(outcome(changed(bundle, "messageSignature.messageDigest", {}), root)) == "bad-bundle"


# Time


HALF = timedelta(seconds=0.5)


def stamped_at(sigstore: SigstoreService, moment: datetime) -> JSON:
    """Sign a file, and time-stamp it at a moment with its fraction of a second."""
    bundle = sigstore.sign_blob(DATA, CLAIMS, form=STAMPED)
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    response = sigstore.timestamp_authorities.current.stamp(TimestampRequest.over(signature), moment)
    stamps = [{"signedTimestamp": logs.b64(response)}]
    made = relogged(bundle, sigstore)
    forged = changed(made, f"{MATERIAL}.timestampVerificationData.rfc3161Timestamps", stamps)
    return changed(forged, f"{ENTRY}.logIndex", "0")


LIFETIME = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(), "proved"),
        (-HALF, "proved"),
        (timedelta(microseconds=1), "expired-certificate"),
        (HALF, "expired-certificate"),
        (2 * HALF, "expired-certificate"),
    ],
    ids=str,
)
def test_b23_a_time_stamp_counts_to_the_fraction_of_a_second(
    late: timedelta, expected: str, sigstore: SigstoreService, root: Root
) -> None:
    bundle = stamped_at(sigstore, NOON + LIFETIME + late)

    found = outcome(bundle, root)

    assert code(found) == expected
    if isinstance(found, VerificationResult):
        assert found.log_time == NOON + LIFETIME + late


@pytest.mark.parametrize(("end", "expected"), [(HALF, "proved"), (timedelta(), "bad-signing-time")])
def test_b23_an_authority_ends_to_the_fraction_of_a_second(end: timedelta, expected: str) -> None:
    sigstore = service()
    bundle = stamped_at(sigstore, NOON + HALF)
    value = sigstore.trusted_root()
    authority: JSON = value["timestampAuthorities"][0]
    authority["validFor"]["end"] = (NOON + end).isoformat()

    assert code(outcome(bundle, load_root(json.dumps(value).encode()))) == expected


def test_b23_both_readers_of_a_time_stamp_read_one_time(
    sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = stamped_at(sigstore, NOON)
    later = Timestamp(gen_time=NOON + timedelta(seconds=1), signing_time=None)
    monkeypatch.setattr(timed, "read_timestamp", lambda _: later)

    assert code(outcome(bundle, root)) == "bad-signing-time"


HONEST_STAMP = service().stamp(b"data")


@given(st.binary(max_size=200) | st.integers(0, 400).map(lambda cut: HONEST_STAMP[:cut]))
def test_b23_a_response_that_is_none_has_no_time(raw: bytes) -> None:
    try:
        moment = read_timestamp(raw).gen_time
    except MalformedError:
        return
    assert moment.tzinfo is UTC
    assert raw.startswith(HONEST_STAMP[:8])


@pytest.mark.parametrize(
    "written",
    [
        "20260601120000",
        "20260601120000.50Z",
        "20260601120000.Z",
        "20260601120000.1234567Z",
        "20261301120000Z",
        "x",
    ],
)
def test_b23_a_time_has_one_form(written: str) -> None:
    raw = HONEST_STAMP.replace(der.generalized_time(NOON), der.tlv(der.GENERALIZED_TIME, written.encode()))

    assert read_timestamp(HONEST_STAMP) == Timestamp(gen_time=NOON, signing_time=NOON)
    with pytest.raises(MalformedError):
        read_timestamp(raw)


# Statements, notes and entries


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (
            {
                "uri": "x",
                "mediaType": "x",
                "downloadLocation": "x",
                "content": "AAAA",
                "annotations": {"a": 1},
            },
            "",
        ),
        ({"uri": None, "annotations": None}, ""),
        ({"tomorrow": "x"}, "bad-statement"),
        ({"tomorrow": None}, "bad-statement"),
        ({"Name": "x"}, "bad-statement"),
        ({"Digest": {"sha256": "0" * 64}}, "bad-statement"),
        ({"uri": 5}, "bad-statement"),
        ({"mediaType": {}}, "bad-statement"),
        ({"content": "%"}, "bad-statement"),
        ({"annotations": []}, "bad-statement"),
        ({"digest": {"sha256": "0" * 64, "md5": 5}}, "bad-statement"),
        ({"digest": {"sha256": "0" * 64, "SHA2_256": "0" * 64}}, "bad-statement"),
        ({"digest": {"sha256": "0" * 64, "SHA2_512": "0" * 128}}, "bad-statement"),
        ({"digest": {"sha256": "0" * 64, "gitCommit": "0" * 40}}, ""),
    ],
    ids=str,
)
def test_b23_a_subject_has_fields_that_everybody_reads(subject: JSON, expected: str) -> None:
    plain = {"name": "x", "digest": {"sha256": "0" * 64}}
    for subjects in ([plain | subject], [plain, plain | subject]):
        statement = STATEMENT | {"subject": subjects}
        found = read_statement(
            Envelope(payload_type="application/vnd.in-toto+json", payload=json.dumps(statement).encode())
        )

        assert (found.code if isinstance(found, Fault) else "") == expected


@pytest.mark.parametrize("number", ["1" + "0" * 308, "-1" + "0" * 308])
def test_b23_a_number_is_a_double(number: str) -> None:
    assert loads(number, max_bytes=400) == int(number)
    with pytest.raises(MalformedError):
        loads(f"{number}0", max_bytes=400)


def test_b23_a_timestamp_of_a_ct_log_is_by_its_kind_of_key(monkeypatch: pytest.MonkeyPatch) -> None:
    sigstore = service()
    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS), root_of(sigstore))) == "proved"
    monkeypatch.setattr(ctlog, "_ECDSA", 1)  # RSA (RFC 5246 section 7.4.1.4.1)

    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS), root_of(sigstore))) == "bad-sct"


def test_b23_null_is_absent_also_for_what_we_do_not_take(sigstore: SigstoreService, root: Root) -> None:
    bundle = sigstore.sign_blob(DATA, CLAIMS)
    for name in ("publicKey", "x509CertificateChain"):
        assert code(outcome(changed(bundle, f"{MATERIAL}.{name}", None), root)) == "proved"
        assert code(outcome(changed(bundle, f"{MATERIAL}.{name}", {}), root)) != "proved"


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        (NOON, "proved"),
        (NOON + timedelta(days=365), "proved"),
        (NOON + timedelta(days=365 * 20), "bad-signing-time"),
        (NOON - timedelta(days=365), "bad-signing-time"),
    ],
    ids=str,
)
def test_b23_a_stamper_signs_while_its_certificate_is_valid(
    signed: datetime, expected: str, sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = TimestampAuthority._token
    monkeypatch.setattr(
        TimestampAuthority, "_token", lambda self, info, _, request: honest(self, info, signed, request)
    )

    assert code(outcome(stamped_at(sigstore, NOON), root)) == expected


def rewritten(data: bytes, way: tuple[int, ...], new: bytes) -> bytes:
    """Replace an element by other bytes, which are not signed."""
    at, *rest = way
    elements = der.read(data)
    inner = elements[at]
    written = der.tlv(inner.tag, rewritten(inner.content, tuple(rest), new)) if rest else new
    return b"".join(written if number == at else one.raw for number, one in enumerate(elements))


TO_INFO = (0, 1, 1, 0, 2, 1, 0, 0)
TO_ATTRIBUTES = (0, 1, 1, 0, 4, 0, 3)


@pytest.mark.parametrize(
    ("place", "new", "expected"),
    [
        (1, der.oid("1.2.3"), True),
        (1, der.oid(f"1.2.{2**31 - 1}"), True),
        (1, der.oid(f"1.2.{2**31}"), False),
        (5, der.sequence(der.integer(2**31 - 1)), True),
        (5, der.sequence(der.integer(2**31)), False),
        (5, der.sequence(der.integer(2**70)), False),
    ],
)
def test_b23_a_stamp_has_a_policy_and_an_accuracy_that_everybody_reads(
    place: int, new: bytes, expected: bool
) -> None:
    stamp = decode_timestamp_response(rewritten(HONEST_STAMP, (*TO_INFO, place), new))
    if expected:
        timed.check_timestamp(stamp)
    else:
        with pytest.raises((MalformedError, ValueError)):
            timed.check_timestamp(stamp)


def attribute(moment: datetime, *more: bytes) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.9.5"), der.set_of(der.utc_time(moment), *more))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((), None),
        ((attribute(NOON),), Timestamp(gen_time=NOON, signing_time=NOON)),
        ((der.sequence(der.oid("1.2.3"), der.set_of()),), Timestamp(gen_time=NOON, signing_time=None)),
        ((attribute(NOON), attribute(NOON)), None),
        ((attribute(NOON, der.utc_time(NOON)),), None),
        ((der.sequence(der.oid("1.2.840.113549.1.9.5"), der.set_of(der.integer(1))),), None),
    ],
)
def test_b23_a_stamp_is_signed_with_attributes(
    attributes: tuple[bytes, ...], expected: Timestamp | None
) -> None:
    written = der.tlv(0xA0, *attributes) if attributes else b""
    raw = rewritten(HONEST_STAMP, TO_ATTRIBUTES, written)
    if expected is None:
        with pytest.raises(MalformedError):
            read_timestamp(raw)
    else:
        assert read_timestamp(raw) == expected
