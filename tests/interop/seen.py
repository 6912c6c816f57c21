"""What a client can see of a response: everything but the values that no two servers share."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template

import requests
from cryptography import x509
from rfc3161_client import decode_timestamp_response

HEADERS = ("content-type", "location", "etag", "cache-control", "expires", "pragma", "x-accel-expires")
REPLY = "application/timestamp-reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A server under comparison.

    Attributes:
        url: Its origin.
        known: Values that differ between the two, by their name in requests: ``$uuid``.
    """

    url: str
    known: Mapping[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """Return a text with this side's values filled in."""
        return Template(text).safe_substitute(self.known)


Ask = Callable[[Side], requests.Response]


def shape(value: object) -> object:
    """Return keys and types, recursively; of a list, the different shapes of its items."""
    if isinstance(value, dict):
        return {nameless(str(key)): shape(item) for key, item in value.items()}
    if isinstance(value, list):
        shapes = [shape(item) for item in value]
        return [item for number, item in enumerate(shapes) if item not in shapes[:number]]
    return type(value).__name__


def nameless(text: str) -> str:
    """Return a text without ids of entries and trees and without sizes of trees."""
    return re.sub(r"[0-9a-f]{64,}|(?<=observable\()[0-9]+", "…", text)


def seen(answer: requests.Response, *, words: bool = True) -> dict[str, object]:
    """Return what a client sees.

    Args:
        answer: The response.
        words: Whether the message of an error is compared, or only its presence.
    """
    headers = {name: nameless(answer.headers[name]) for name in HEADERS if name in answer.headers}
    allowed = sorted(filter(None, answer.headers.get("allow", "").split(",")))
    return {"status": answer.status_code, **headers, "allow": allowed, "body": _body(answer, words=words)}


def _body(answer: requests.Response, *, words: bool) -> object:
    if answer.content.startswith(b"{") or answer.content.startswith(b"["):
        value = answer.json()
        if isinstance(value, dict) and "message" in value:
            # Lists of methods and of media types come in another order each time the server starts.
            message = re.sub(
                r"\[([\w/,. -]+)\](?= are)",
                lambda found: str(sorted(re.split("[ ,]", found[1]))),
                value["message"],
            )
            return value | {"message": nameless(message) if words else "…"}
        return shape(value)
    if answer.content.startswith(b"-----BEGIN "):
        return [re.findall("BEGIN [A-Z ]+", answer.text)[0], answer.text.endswith("-----\n")]
    if answer.headers.get("content-type") == REPLY:
        return stamp(answer.content)
    return answer.text


def different(sides: tuple[Side, Side], asks: Mapping[str, Ask], *, words: bool = True) -> dict[str, object]:
    """Send both sides all requests, and return the differing responses: the real one's, then the other's."""
    found: dict[str, object] = {}
    for name, ask in asks.items():
        real, ours = (seen(ask(side), words=words) for side in sides)
        if real != ours:
            keys = [key for key in real | ours if real.get(key) != ours.get(key)]
            found[name] = [{key: side.get(key) for key in keys} for side in (real, ours)]
    return found


def profile(certificate: x509.Certificate) -> dict[str, object]:
    """Return the parts of a leaf, and the values of Fulcio's extensions."""
    extensions = [(item.oid.dotted_string, item.critical) for item in certificate.extensions]
    values = {
        item.oid.dotted_string: item.value.value
        for item in certificate.extensions
        if isinstance(item.value, x509.UnrecognizedExtension)
    }
    get = certificate.extensions.get_extension_for_class
    usage, purposes = get(x509.KeyUsage).value, get(x509.ExtendedKeyUsage).value
    names = get(x509.SubjectAlternativeName).value
    promises = get(x509.PrecertificateSignedCertificateTimestamps).value
    issued_by = get(x509.AuthorityKeyIdentifier).value
    return {
        "version": certificate.version,
        "subject": certificate.subject,
        "key": certificate.public_key(),
        "key id": get(x509.SubjectKeyIdentifier).value.digest,
        "authority": [
            type(part).__name__ for part in (issued_by.key_identifier, issued_by.authority_cert_issuer)
        ],
        "extensions": extensions,
        "values": values,
        "usage": usage.public_bytes(),
        "purposes": [purpose.dotted_string for purpose in purposes],
        "names": [(type(name).__name__, name.value) for name in names],
        "serial": (certificate.serial_number > 0, (certificate.serial_number.bit_length() + 40) // 160),
        "lifetime": certificate.not_valid_after_utc - certificate.not_valid_before_utc,
        "promises": [
            (
                promise.version,
                promise.entry_type,
                promise.signature_hash_algorithm,
                promise.signature_algorithm,
            )
            for promise in promises
        ],
        "promised": [promise.extension_bytes for promise in promises],
    }


def stamp(reply: bytes) -> dict[str, object]:
    """Return the parts of a time stamp: its fields, and its outline in ASN.1 from the signer on."""
    response = decode_timestamp_response(reply)
    info, signed = response.tst_info, response.signed_data
    return {
        "status": response.status,
        "policy": info.policy.dotted_string,
        "version": (info.version, signed.version),
        "imprint": (info.message_imprint.hash_algorithm.dotted_string, info.message_imprint.message),
        "nonce": info.nonce,
        "serial": info.serial_number.bit_length() > 120,
        "accuracy": [getattr(info.accuracy, unit, None) for unit in ("seconds", "millis", "micros")],
        "by": type(info.name).__name__,
        "hashes": sorted(oid.dotted_string for oid in signed.digest_algorithms or ()),
        "certificates": len(signed.certificates),
        "outline": outline(reply),
    }


def outline(der: bytes) -> list[str]:
    """Return depth, tags and object identifiers of a reply, but for certificates and the parts of names."""
    words = ["openssl", "asn1parse", "-inform", "DER"]
    text = subprocess.run(words, input=der, capture_output=True, check=True).stdout.decode()
    kept, inside = [], False
    for depth, kind in re.findall(r"d=(\d+) +hl=\d+ l= *\d+ (.*)", text):
        if int(depth) <= 4:
            inside = False
        if not inside and not re.search("UTF8STRING|organizationName|commonName", kind):
            kept.append(f"{depth} " + re.sub(r"(INTEGER|OCTET STRING|UTCTIME).*", r"\1", kind).strip())
        inside = inside or (int(depth) == 4 and kind.startswith("cons: cont [ 0 ]"))
    return kept
