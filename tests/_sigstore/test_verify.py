"""Step 7 with honest and forged bundles of every form."""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from _sigstore.samples import (
    CLAIMS,
    DATA,
    ISSUER,
    NOON,
    STATEMENT,
    SUBJECT,
    changed,
    code,
    outcome,
    root_of,
    service,
)
from pip_warden._sigstore import in_force
from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.root_parts import Authority, Window
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of, digest_of_file
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.pep740 import read_attestation, read_provenance
from pip_warden.faults import Fault, FaultError
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import BundleForm, Lie, MediaType, SigstoreService

REAL = Path(__file__).parent.parent / "data" / "real"
MATERIAL = "verificationMaterial"
ENTRY = f"{MATERIAL}.tlogEntries.0"
FORMATS = [*MediaType, "pep740"]


@pytest.fixture(scope="module")
def sigstore() -> SigstoreService:
    made = service()
    made.sign_blob(b"entry 0", CLAIMS)
    return made


def signed(sigstore: SigstoreService, kind: str, data: bytes = DATA, **form: Any) -> dict[str, Any]:
    """Sign in one of FORMATS; PEP 740 as an attestation, the others as a message signature."""
    if kind == "pep740":
        return sigstore.pep740(STATEMENT | {"predicate": {"of": data.decode()}}, CLAIMS)
    return sigstore.sign_blob(data, CLAIMS, form=BundleForm(media_type=MediaType(kind), **form))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_proved(kind: str, sigstore: SigstoreService, root: Root) -> None:
    proved = outcome(signed(sigstore, kind), root)

    assert isinstance(proved, VerificationResult), proved
    assert proved.claims.issuer == ISSUER
    assert proved.claims.subjects == (SUBJECT,)
    assert proved.claims.get("project-id") == "4711"
    assert proved.claims.get("token-subject") == CLAIMS["sub"]
    assert (proved.envelope is None) is (kind != "pep740")


@pytest.mark.parametrize("kind", FORMATS)
def test_t01_t02_parts_of_two_bundles_do_not_mix(kind: str, sigstore: SigstoreService, root: Root) -> None:
    """CVE-2022-36056: any part of another valid bundle, in either direction."""
    one, other = signed(sigstore, kind), signed(sigstore, kind, b"another wheel")
    same = signed(sigstore, kind)
    if kind == "pep740":
        parts = ["verification_material.certificate", "verification_material.transparency_entries"]
        parts += ["envelope.signature", "envelope.statement", "envelope", "verification_material"]
    else:
        chain = "x509CertificateChain" if kind in {MediaType.V01, MediaType.V02} else "certificate"
        parts = [f"{MATERIAL}.{chain}", f"{MATERIAL}.tlogEntries", "messageSignature"]
        parts += [
            "messageSignature.signature",
            MATERIAL,
            f"{ENTRY}.inclusionProof",
            f"{ENTRY}.inclusionPromise",
        ]
        parts += [f"{ENTRY}.canonicalizedBody", f"{ENTRY}.logIndex"]
    for foreign in (other, same):
        for part in parts:
            value: Any = foreign
            for step in part.split("."):
                value = value[int(step) if isinstance(value, list) else step]
            mixed = changed(one, part, value)
            if mixed != one:
                assert code(outcome(mixed, root)) in {
                    "bad-signature",
                    "bad-log-entry",
                    "other-log-entry",
                    "bad-signing-time",
                    "bad-bundle",
                }, part


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        (Lie(ca="foreign"), "bad-certificate-chain"),
        (Lie(sct="foreign"), "bad-sct"),
        (Lie(sct="forged"), "bad-sct"),
        (Lie(sct="absent"), "bad-sct"),
        (Lie(certificate_age=timedelta(hours=1)), "expired-certificate"),
        (Lie(entry="another"), "other-log-entry"),
        (Lie(promise="forged"), "bad-signing-time"),
        (Lie(checkpoint="forged"), "bad-log-entry"),
        (Lie(proof="broken"), "bad-log-entry"),
        (Lie(signature="foreign"), "bad-signature"),
        (Lie(extensions={1: "https://gitlab.com.evil"}), "issuer-disagrees"),
        (Lie(extensions={1: None, 8: None}), "no-issuer"),
        (Lie(extensions={1: None}), "no-issuer"),  # sigstore-python reads no other
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["blob", "pep740"])
def test_lies_are_refused_by_name(
    kind: str, lie: Lie, expected: str, sigstore: SigstoreService, root: Root
) -> None:
    value = (
        sigstore.sign_blob(DATA, CLAIMS, lie=lie)
        if kind == "blob"
        else sigstore.pep740(STATEMENT, CLAIMS, lie=lie)
    )

    assert code(outcome(value, root)) == expected


def test_t27_the_older_issuer_extension_is_enough(sigstore: SigstoreService, root: Root) -> None:
    value = sigstore.sign_blob(DATA, CLAIMS, lie=Lie(extensions={8: None}))

    proved = outcome(value, root)

    assert isinstance(proved, VerificationResult)
    assert proved.claims.issuer == ISSUER


def test_t08_an_edited_integrated_time_is_refused(sigstore: SigstoreService, root: Root) -> None:
    value = signed(sigstore, MediaType.V03)
    later = str(int(value[MATERIAL]["tlogEntries"][0]["integratedTime"]) + 1)

    assert code(outcome(changed(value, f"{ENTRY}.integratedTime", later), root)) == "bad-signing-time"
    unsigned = changed(value, f"{ENTRY}.inclusionPromise", ...)
    assert code(outcome(unsigned, root)) == "no-signing-time"
    assert code(outcome(changed(unsigned, f"{ENTRY}.integratedTime", later), root)) == "no-signing-time"
    assert code(outcome(changed(value, f"{ENTRY}.integratedTime", ...), root)) == "bad-bundle"


def test_a_certificate_that_cannot_be_read_is_at_fault_before_the_time(
    sigstore: SigstoreService, root: Root
) -> None:
    value = changed(signed(sigstore, MediaType.V03), f"{MATERIAL}.certificate.rawBytes", "MAA=")

    assert code(outcome(value, root)) == "bad-certificate"
    assert code(outcome(changed(value, f"{ENTRY}.inclusionPromise", ...), root)) == "bad-certificate"
    assert code(outcome(changed(value, f"{ENTRY}.integratedTime", "9" * 18), root)) == "bad-certificate"


@pytest.mark.parametrize("proof", [True, False])
@pytest.mark.parametrize("promise", [True, False])
@pytest.mark.parametrize("timestamp", [True, False])
@pytest.mark.parametrize("stated", [True, False])
def test_t64_log_proof_times_time_proof(
    proof: bool, promise: bool, timestamp: bool, stated: bool, sigstore: SigstoreService, root: Root
) -> None:
    """A time that the entry states counts only with the log's promise; without one it must be absent."""
    form = BundleForm(proof=proof, promise=promise, timestamp=timestamp, integrated_time=stated or promise)
    found = outcome(sigstore.sign_blob(DATA, CLAIMS, form=form), root)

    unpromised = "no-signing-time" if not timestamp else "bad-signing-time" if stated else "proved"
    assert code(found) == ("no-log-proof" if not proof else "proved" if promise else unpromised)


@pytest.mark.parametrize("timestamp", [True, False])
def test_t09_an_expired_intermediate_is_refused(timestamp: bool) -> None:
    # The sandbox's authorities are valid for ten years.
    sigstore = SigstoreService(SandboxClock(NOON), start=NOON - timedelta(days=3650, minutes=1))
    form = BundleForm(timestamp=timestamp)

    assert (
        code(outcome(sigstore.sign_blob(DATA, CLAIMS, form=form), root_of(sigstore)))
        == "bad-certificate-chain"
    )


def _issued(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: tuple[str, ec.EllipticCurvePrivateKey],
    *,
    days: float,
    extension: x509.ExtensionType | None = None,
) -> x509.Certificate:
    """Make a certificate that is valid from a day before NOON on."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by[0])]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=days))
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by[1], hashes.SHA256())


@pytest.mark.parametrize(("days", "good"), [(1, True), (0, True), (-0.5, False)])
def test_t09_every_authority_of_the_chain_was_in_force(days: float, good: bool) -> None:
    """The library checks no further up than the authority that issued."""
    top, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    chain = (
        _issued("middle", middle, ("top", top), days=1),
        _issued("top", top, ("top", top), days=days),
    )
    window = Window(start=NOON - timedelta(days=1), end=None)
    authority = Authority(certificates=chain, window=window, part={})
    root: Any = SimpleNamespace(authorities=(authority,))
    certificate = _issued("leaf", leaf, ("middle", middle), days=1)

    if good:
        assert in_force.authority_of(certificate, root, (NOON,)) is authority
    else:
        with pytest.raises(FaultError) as caught:
            in_force.authority_of(certificate, root, (NOON,))
        assert caught.value.fault.code == "bad-certificate-chain"


@pytest.mark.parametrize("edge", ["start", "end"])
def test_an_authority_vouches_for_certificate_and_signature(edge: str) -> None:
    """It begins between the two, or ends there: the moment of either alone would do."""
    sigstore = service()
    value = sigstore.sign_blob(DATA, CLAIMS, lie=Lie(certificate_age=timedelta(minutes=5)))
    whole = json.loads(json.dumps(sigstore.trusted_root()))
    assert code(outcome(value, load_root(json.dumps(whole).encode()))) == "proved"
    whole["certificateAuthorities"][0]["validFor"][edge] = (NOON - timedelta(minutes=2)).isoformat()

    assert code(outcome(value, load_root(json.dumps(whole).encode()))) == "outside-validity-window"


@pytest.mark.parametrize(("times", "good"), [(0, False), (1, True), (2, False)])
def test_a_certificate_has_exactly_one_timestamp(
    times: int, good: bool, sigstore: SigstoreService, root: Root
) -> None:
    value = signed(sigstore, MediaType.V03)
    honest = x509.load_der_x509_certificate(base64.b64decode(value[MATERIAL]["certificate"]["rawBytes"]))
    stamps = list(
        honest.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    )
    key = ec.generate_private_key(ec.SECP256R1())
    extension = x509.PrecertificateSignedCertificateTimestamps(stamps * times)
    certificate = _issued("leaf", key, ("leaf", key), days=1, extension=extension)

    if good:
        assert in_force.ct_log_of(certificate, root) is root.ct_logs[0]
    else:
        with pytest.raises(FaultError) as caught:
            in_force.ct_log_of(certificate, root)
        assert caught.value.fault.code == "bad-sct"


def test_t13_each_of_several_attestations_is_judged(sigstore: SigstoreService, root: Root) -> None:
    honest = [sigstore.pep740(STATEMENT, CLAIMS) for _ in range(3)]
    for tampered in range(3):
        values = [dict(value) for value in honest]
        values[tampered] = changed(values[tampered], "envelope.statement", "e30=")
        content = {"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": values}]}
        items = read_provenance("p", json.dumps(content).encode())

        found = [
            code(verify_bundle(item.wire, digest_of(DATA), root)) for item in items if isinstance(item, Item)
        ]

        assert found == ["bad-signature" if at == tampered else "proved" for at in range(3)]


@pytest.mark.parametrize("lie", ["foreign", "other"])
@pytest.mark.parametrize("promise", [True, False])
def test_t10_a_forged_timestamp_counts_for_nothing_and_masks_nothing(
    lie: Any, promise: bool, sigstore: SigstoreService, root: Root
) -> None:
    form = BundleForm(timestamp=True, promise=promise)
    value = sigstore.sign_blob(DATA, CLAIMS, form=form, lie=Lie(timestamp=lie))

    assert code(outcome(value, root)) == "bad-signing-time"


@pytest.mark.parametrize(("seconds", "expected"), [(0, "proved"), (-1, "bad-signing-time")])
def test_a_stamp_at_the_last_moment_of_its_authority_counts(seconds: int, expected: str) -> None:
    sigstore = service()
    value = signed(sigstore, MediaType.V03, promise=False, integrated_time=False, timestamp=True)
    sigstore.timestamp_authorities.generations[0].end = NOON + timedelta(seconds=seconds)

    assert code(outcome(value, root_of(sigstore))) == expected


def test_t18_too_many_timestamps(sigstore: SigstoreService, root: Root) -> None:
    value = signed(sigstore, MediaType.V03, timestamp=True)
    path = f"{MATERIAL}.timestampVerificationData.rfc3161Timestamps"
    stamps = value[MATERIAL]["timestampVerificationData"]["rfc3161Timestamps"]

    assert code(outcome(changed(value, path, stamps * 33), root)) == "bad-bundle"
    assert code(outcome(changed(value, path, stamps * 2), root)) == "bad-bundle"


@pytest.mark.parametrize("sct", ["honest", "foreign"])
def test_t09_a_certificate_that_only_names_the_authority_is_at_fault_before_all_else(
    sct: Any, sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authority's name and key identifier are no secret: only its signature tells."""
    monkeypatch.setattr(in_force, "names_issuer", lambda *_: True)
    found = outcome(sigstore.sign_blob(DATA, CLAIMS, lie=Lie(ca="foreign", sct=sct)), root)

    assert isinstance(found, Fault)
    assert (found.code, found.found[:11]) == ("bad-certificate-chain", "the issuer ")


def test_an_authoritys_signature_is_left_to_the_library_where_all_is_well(
    sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes as long as all other signatures of a bundle together."""
    asked: list[Authority] = []
    issued = in_force._issued

    def count(certificate: x509.Certificate, authority: Authority) -> bool:
        asked.append(authority)
        return issued(certificate, authority)

    monkeypatch.setattr(in_force, "_issued", count)

    assert code(outcome(signed(sigstore, MediaType.V03), root)) == "proved"
    assert asked == []
    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS, lie=Lie(sct="foreign")), root)) == "bad-sct"
    assert len(asked) == len(root.authorities)


def test_t22_a_valid_bundle_does_not_fit_a_changed_file(sigstore: SigstoreService, root: Root) -> None:
    value = signed(sigstore, MediaType.V03)

    assert code(outcome(value, root, b"changed")) == "bad-signature"
    found = outcome(value, root, b"changed")
    assert isinstance(found, Fault)
    assert digest_of(DATA).hex in found.found, "it says of which file the signature is"


@pytest.mark.parametrize("part", ["rotate_ca", "rotate_ct", "rotate_rekor"])
def test_a_part_that_had_ended_is_refused(part: str) -> None:
    sigstore = service()
    value = signed(sigstore, MediaType.V03)
    getattr(sigstore, part)()
    assert code(outcome(value, root_of(sigstore))) == "proved"
    ended = json.loads(json.dumps(sigstore.trusted_root()))
    for parts in ("certificateAuthorities", "ctlogs", "tlogs"):
        for one in ended[parts]:
            window = one.get("validFor") or one["publicKey"]["validFor"]
            if "end" in window:
                window["end"] = "2026-06-01T11:00:00Z"

    assert code(outcome(value, load_root(json.dumps(ended).encode()))) == "outside-validity-window"


@pytest.mark.parametrize(
    ("part", "at"), [("certificateAuthorities", 1), ("ctlogs", 1), ("tlogs", 0)], ids=["ca", "ct", "log"]
)
@pytest.mark.parametrize("edge", ["end", "start"])
def test_the_real_attestation_outside_a_window(part: str, at: int, edge: str) -> None:
    """The library accepts the ended ones: with validFor.end in 2022, a signature of 2024 verifies there."""
    whole = json.loads((REAL / "trusted_root.public-good.json").read_bytes())
    holder = whole[part][at]
    window = holder.get("validFor") or holder["publicKey"]["validFor"]
    window[edge] = "2022-12-31T00:00:00Z" if edge == "end" else "2025-01-01T00:00:00Z"
    item = read_attestation("a", (REAL / "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation").read_bytes())
    assert isinstance(item, Item)

    digest = digest_of_file(REAL / "gitlab_oidc_project-0.0.3.tar.gz")
    found = verify_bundle(item.wire, digest, load_root(json.dumps(whole).encode()))

    assert code(found) == "outside-validity-window"


@pytest.mark.parametrize("part", ["rotate_ca", "rotate_ct", "rotate_rekor"])
def test_t11_a_part_that_was_removed_is_refused(part: str) -> None:
    sigstore = service()
    value = signed(sigstore, MediaType.V03)
    getattr(sigstore, part)(forget=True)

    expected = {"rotate_ca": "bad-certificate-chain", "rotate_ct": "bad-sct", "rotate_rekor": "bad-log-entry"}
    assert code(outcome(value, root_of(sigstore))) == expected[part]


def test_t61_another_instance_vouches_for_nothing(sigstore: SigstoreService) -> None:
    assert code(outcome(signed(sigstore, MediaType.V03), root_of(service()))) == "bad-certificate-chain"


@pytest.mark.parametrize(
    "form", [BundleForm(omit_defaults=True), BundleForm(omit_defaults=True, timestamp=True)], ids=str
)
def test_entry_zero_without_its_defaults(form: BundleForm) -> None:
    sigstore = service()
    value = sigstore.sign_blob(DATA, CLAIMS, form=form)
    assert "logIndex" not in value[MATERIAL]["tlogEntries"][0]

    proved = outcome(value, root_of(sigstore))

    assert isinstance(proved, VerificationResult)
    assert proved.log_index == 0


def test_t04_the_kind_that_the_bundle_says_is_the_entrys(sigstore: SigstoreService, root: Root) -> None:
    value = signed(sigstore, MediaType.V03)

    assert code(outcome(changed(value, f"{ENTRY}.kindVersion.kind", "dsse"), root)) == "bad-log-entry"
    assert code(outcome(changed(value, f"{ENTRY}.kindVersion.version", "0.0.2"), root)) == "bad-log-entry"


@given(raw=st.binary(max_size=200) | st.text().map(str.encode))
def test_t14_nothing_but_a_fault_comes_of_garbage(raw: bytes, root: Root) -> None:
    item = read_bundle("b", raw)

    assert isinstance(
        item.fault if isinstance(item, BadItem) else verify_bundle(item.wire, digest_of(DATA), root), Fault
    )


@given(data=st.data())
def test_t14_nothing_but_a_fault_comes_of_a_damaged_bundle(
    data: st.DataObject, sigstore: SigstoreService, root: Root
) -> None:
    paths = [
        "mediaType",
        MATERIAL,
        "messageSignature",
        ENTRY,
        f"{ENTRY}.logId.keyId",
        f"{ENTRY}.inclusionProof",
    ]
    paths += [f"{ENTRY}.inclusionProof.{key}" for key in ("hashes", "rootHash", "treeSize", "checkpoint")]
    paths += [f"{ENTRY}.{key}" for key in ("canonicalizedBody", "integratedTime", "kindVersion.kind")]
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=5,
    )
    value = changed(_honest(sigstore), data.draw(st.sampled_from(paths)), data.draw(junk))

    assert isinstance(outcome(value, root), Fault)


_HONEST: dict[int, dict[str, Any]] = {}


def _honest(sigstore: SigstoreService) -> dict[str, Any]:
    """Return a bundle that is not the log's first entry.

    The first one's list of hashes is empty, and an empty value in its place would be accepted.
    """
    if id(sigstore) not in _HONEST:
        signed(sigstore, MediaType.V03)
        _HONEST[id(sigstore)] = signed(sigstore, MediaType.V03)
    return _HONEST[id(sigstore)]


def test_t55_no_claim_crosses_between_threads(sigstore: SigstoreService, root: Root) -> None:
    other = CLAIMS | {"project_id": "666"}
    values = [(sigstore.sign_blob(DATA, claims), str(claims["project_id"])) for claims in (CLAIMS, other)]
    crossed: list[object] = []

    def alternate() -> None:
        for _ in range(10):
            for value, project in values:
                found = outcome(value, root)
                if not isinstance(found, VerificationResult) or found.claims.get("project-id") != project:
                    crossed.append(found)

    threads = [threading.Thread(target=alternate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert crossed == []
