"""Cases in which some client was stricter than we were, and forgeries that need a service's or signer's key.

See B23.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import logs
from interop import forge
from interop.cases import Case, Item, Release, case
from interop.clients import SLSA
from interop.forge import JSON
from interop.stack.places import HOST, KEYS, TRUST
from pip_warden.sandbox.sigstore.tsa import TimestampAuthority, TimestampRequest
from pip_warden.sandbox.sigstore.wire import sign

_NUMBER = "B23"
_ISSUER_V1 = "1.3.6.1.4.1.57264.1.1"
_V1, _V2 = f"{HOST} - 1", HOST
_ENTRY, _BUNDLE, _TIME = "bad-log-entry", "bad-bundle", "bad-signing-time"


def cases(a: Release) -> Iterator[Case]:
    """Yield each, with its original, which differs in nothing else."""
    yield from _without_a_key(a)
    yield from _checkpoints(a)
    yield from _entries(a)
    yield from _of_the_signer(a)
    yield from _of_the_authority(a)


def _without_a_key(a: Release) -> Iterator[Case]:
    v1, v2 = Item(made=a.made["v1"]), Item(made=a.made["v2"])
    words = "index of the log entry changed"
    yield case(_NUMBER, words, "v1", v1, _reindexed(a.made["v1"]), _TIME)
    yield case(_NUMBER, words, "v2", v2, _reindexed(a.made["v2"]), _ENTRY)
    words = "index of the log entry changed, its promise taken away, beside a good time stamp"
    timeless = forge.unpromised(a.made["v1, stamped"])
    forge.entry(timeless).pop("integratedTime")
    at_its_place = _relogged_v1(timeless, _body(timeless))
    yield case(_NUMBER, words, "v1", Item(made=at_its_place), _reindexed(at_its_place), _ENTRY)
    for form, item in (("v1", v1), ("v2", v2)):
        silent = copy.deepcopy(a.made[form])
        del silent["messageSignature"]["messageDigest"]
        yield case(_NUMBER, "digest of the message taken away", form, item, silent, _BUNDLE)
    for version in ("0.1", "0.2"):
        old = forge.as_version(a.made["v1"], version)
        trailed = copy.deepcopy(old)
        chain = forge.material(trailed)["x509CertificateChain"]["certificates"]
        chain.append({"rawBytes": logs.b64(b"garbage")})
        yield case(_NUMBER, "garbage after the certificate", version, Item(made=old), trailed, _BUNDLE)
    promised = copy.deepcopy(a.made["v2"])
    forge.entry(promised)["inclusionPromise"] = {"signedEntryTimestamp": logs.b64(b"nobody signed this")}
    forge.entry(promised)["integratedTime"] = "1"
    yield case(_NUMBER, "a promise that nobody signed, of Rekor v2", "v2", v2, promised, _TIME)

    witnessed = copy.deepcopy(a.made["v2"])
    checkpoint = forge.entry(witnessed)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] += f"\u2014 wit\u2003ness {logs.b64(bytes(72))}\n"
    yield case(_NUMBER, "witness with a space in its name", "v2", v2, witnessed, _BUNDLE)


def _reindexed(bundle: JSON) -> JSON:
    forged = copy.deepcopy(bundle)
    forge.entry(forged)["logIndex"] = str(int(forge.entry(bundle).get("logIndex", 0)) + 1)
    return forged


def _checkpoints(a: Release) -> Iterator[Case]:
    for form, relogged, own, others in (
        ("v1", _relogged_v1, _V1, {"of another host": "log.example.com - 1", "without a tree's id": HOST}),
        ("v2", _relogged_v2, _V2, {"of another host": "log.example.com", "with a tree's id": f"{HOST} - 1"}),
    ):
        body = _body(a.made[form])
        genuine = Item(made=relogged(a.made[form], body, own))
        for what, origin in others.items():
            forged = relogged(a.made[form], body, origin)
            yield case(_NUMBER, f"checkpoint {what}, signed by the log", form, genuine, forged, _ENTRY)
        root = json.loads((TRUST / "trusted_root.json").read_bytes())
        for log in root["tlogs"]:
            log["baseUrl"] = log["baseUrl"].replace(HOST, "log.example.com")
        item = Item(made=a.made[form])
        yield Case(
            number=_NUMBER,
            words="trusted root with another host for the log",
            form=form,
            genuine=item,
            forged=replace(item, root=root),
            code=_ENTRY,
        )


def _entries(a: Release) -> Iterator[Case]:
    whole = _body(a.made["v2"])
    genuine = Item(made=_relogged_v2(a.made["v2"], whole))
    spaced = json.dumps(json.loads(whole), sort_keys=True).encode()
    words = "entry that is not canonical JSON, in the log"
    yield case(_NUMBER, words, "v2", genuine, _relogged_v2(a.made["v2"], spaced), _ENTRY)
    loose = json.loads(whole)
    loose["spec"]["hashedRekordV002"]["data"]["digest"] += "\n"
    words = "entry whose base64 is not canonical, in the log"
    forged = _relogged_v2(a.made["v2"], logs.canonical(loose))
    yield case(_NUMBER, words, "v2", genuine, forged, _ENTRY)
    older = forge.unpromised(forge.with_stamps(a.made["v1"], forge.stamp(forge.signature(a.made["v1"]))))
    forge.entry(older).pop("integratedTime")
    words = "entry of version 0.0.1 in Rekor v2"
    forged = _relogged_v2(older, _body(a.made["v1"]))
    yield case(_NUMBER, words, "v2", genuine, forged, _ENTRY)
    body = json.loads(_body(a.made["DSSE v1"]))
    genuine = Item(made=_relogged_v1(a.made["DSSE v1"], logs.canonical(body)))
    body["spec"]["proposedContent"] = {"envelope": "{}", "verifiers": [logs.b64(b"whoever")]}
    forged = _relogged_v1(a.made["DSSE v1"], logs.canonical(body))
    words = "entry with a proposal beside what was entered, in the log"
    yield case(_NUMBER, words, "DSSE v1", genuine, forged, _ENTRY)


def _of_the_signer(a: Release) -> Iterator[Case]:
    data, like = a.bench.artifact.read_bytes(), forge.certificate(a.made["v1"])
    hand = forge.certified(like)
    sha256, sha512 = hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest()

    def stated(more: JSON | None = None, **digests: str) -> JSON:
        subject = {"name": a.bench.file, "digest": {"sha256": sha256, **digests}, **(more or {})}
        predicate: JSON = {"buildDefinition": {}, "runDetails": {}}
        kind = {"_type": "https://in-toto.io/Statement/v1", "predicateType": SLSA}
        return hand.statement(json.dumps(kind | {"subject": [subject], "predicate": predicate}).encode())

    genuine = Item(made=stated(sha512=sha512))
    words = "subject with another SHA-512 beside the right SHA-256"
    yield case(_NUMBER, words, "DSSE v2", genuine, stated(sha512="0" * 128), "subject-mismatch")
    genuine, code = Item(made=stated()), "bad-statement"
    words = "subject with another SHA-512 under the name that protobuf has for it"
    yield case(_NUMBER, words, "DSSE v2", genuine, stated(SHA2_512="0" * 128), code)
    yield case(_NUMBER, "subject with an unknown field", "DSSE v2", genuine, stated({"more": "x"}), code)
    lacking = forge.certified(like, without={_ISSUER_V1})
    for log in _LOGS:
        words = "certificate with the newer issuer extension alone"
        genuine = Item(made=hand.bundle(data, log))
        yield case(_NUMBER, words, log, genuine, lacking.bundle(data, log), "no-issuer")


_LOGS: tuple[forge.Log, ...] = ("v1", "v2")


def _of_the_authority(a: Release) -> Iterator[Case]:
    bundle = a.made["v2"]
    end, words = (
        forge.certificate(bundle).not_valid_after_utc,
        "time stamp half a second after the certificate's end",
    )
    genuine, forged = (
        forge.with_stamps(bundle, _stamped(forge.signature(bundle), end + late))
        for late in (timedelta(), timedelta(seconds=0.5))
    )
    yield case(_NUMBER, words, "v2", Item(made=genuine), forged, "expired-certificate")


def _stamped(data: bytes, moment: datetime) -> bytes:
    """Stamp bytes with the real authority's key, at any time."""
    authority = TimestampAuthority(moment)
    authority.leaf = x509.load_pem_x509_certificates((KEYS / "tsa-chain.pem").read_bytes())[0]
    authority._key = _p256("tsa")
    return authority.stamp(TimestampRequest.over(data), moment)


def _body(bundle: JSON) -> bytes:
    return base64.b64decode(forge.entry(bundle)["canonicalizedBody"])


def _relogged_v1(bundle: JSON, body: bytes, origin: str = _V1) -> JSON:
    """Return a bundle with an entry signed by the real Rekor v1's key, as the only one of its log.

    It is promised again where it was.
    """
    key, entry = _p256("rekor1"), forge.entry(bundle)
    log_id = base64.b64decode(entry["logId"]["keyId"])
    proof = logs.proof(body, key, log_id, origin=origin)
    made = {**entry, "logIndex": "0", "inclusionProof": proof, "canonicalizedBody": logs.b64(body)}
    if "inclusionPromise" in entry:
        promise = {
            "body": logs.b64(body),
            "integratedTime": int(entry["integratedTime"]),
            "logID": log_id.hex(),
            "logIndex": 0,
        }
        signed = sign(key, logs.canonical(promise))
        made["inclusionPromise"] = {"signedEntryTimestamp": logs.b64(signed)}
    return forge.with_entries(bundle, made)


def _relogged_v2(bundle: JSON, body: bytes, origin: str = _V2) -> JSON:
    """Return a bundle with an entry signed by the real Rekor v2's key, as the only one of its log."""
    key = _edwards("rekor2")
    return forge.with_entries(bundle, logs.entry_v2(body, key, HOST, origin=origin))


def _p256(name: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key((KEYS / f"{name}.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _edwards(name: str) -> ed25519.Ed25519PrivateKey:
    key = load_pem_private_key((KEYS / f"{name}.key").read_bytes(), None)
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key
