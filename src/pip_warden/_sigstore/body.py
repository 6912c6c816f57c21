"""Strict reader of a transparency log entry's body: every field of it is read.

The sigstore library compares the values with the bundle. What it does not check is checked here: the body is
in the canonical form in which a log writes it (RFC 8785), and has no field that the library ignores.

Sources: Rekor's types ``hashedrekord`` and ``dsse`` 0.0.1 as they are canonicalised; rekor-tiles
``HashedRekordLogEntryV002``.
"""

from __future__ import annotations

import json

import rfc8785

from pip_warden._sigstore.fields import Fields
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

V1, V2 = "0.0.1", "0.0.2"
"""Versions of the entries of Rekor v1 and Rekor v2."""

_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False)
_LARGEST_BODY = 1 << 20


def read_body(raw: bytes) -> tuple[str, str]:
    """Read the body of an entry, and return its kind and version.

    Raises:
        MalformedError: It is not canonical, or not strictly an entry. The code is ``unsupported-log-entry``
            for a kind or version that cannot be verified.
    """
    try:
        value = loads_object(raw, max_bytes=_LARGEST_BODY)
    except MalformedError as err:
        raise MalformedError(f"an entry whose body cannot be read: {err}") from err
    if not _is_canonical(value, raw):
        raise MalformedError("an entry whose body is not in canonical form (RFC 8785)")
    body = Fields(value, "body")
    kind, version = body.text("kind"), body.text("apiVersion")
    read = _READERS.get((kind, version))
    if read is None:
        raise MalformedError(f"an entry of kind {kind[:40]} {version[:40]}", code="unsupported-log-entry")
    read(body.child("spec"))
    body.done()
    return kind, version


def _is_canonical(value: JSONValue, raw: bytes) -> bool:
    try:
        # A log's bodies are of ASCII text alone, which the C encoder writes in the same form.
        if raw.isascii() and _is_of_texts(value) and _SORTED.encode(value).encode() == raw:
            return True
        return rfc8785.dumps(value) == raw
    except ValueError:  # numbers and surrogates that RFC 8785 cannot represent
        return False


def _is_of_texts(value: JSONValue) -> bool:
    """Return whether a value consists of objects, lists and texts, which have one form in JSON if ASCII."""
    if isinstance(value, dict):
        return all(map(_is_of_texts, value.values()))
    return all(map(_is_of_texts, value)) if isinstance(value, list) else isinstance(value, str)


def _hashedrekord_v1(spec: Fields) -> None:
    data, signature = spec.child("data"), spec.child("signature")
    spec.done()
    _texts(data.child("hash"), "algorithm", "value")
    data.done()
    _texts(signature.child("publicKey"), "content")
    _texts(signature, "content")


def _dsse_v1(spec: Fields) -> None:
    for name in ("envelopeHash", "payloadHash"):
        _texts(spec.child(name), "algorithm", "value")
    for signature in spec.children("signatures", most=1):
        _texts(signature, "signature", "verifier")
    spec.done()


def _hashedrekord_v2(spec: Fields) -> None:
    entry = spec.child("hashedRekordV002")
    spec.done()
    data, signature = entry.child("data"), entry.child("signature")
    entry.done()
    verifier = signature.child("verifier")
    _bytes(signature, "content")
    _bytes(verifier.child("x509Certificate"), "rawBytes")
    # The key decides the log's hash (sigstore's algorithm registry); only SHA-256 is supported here.
    for fields, name, wanted in (
        (data, "algorithm", "SHA2_256"),
        (verifier, "keyDetails", "PKIX_ECDSA_P256_SHA_256"),
    ):
        if (found := fields.text(name)) != wanted:
            raise MalformedError(f"{fields.where}.{name} is {found[:40]!r}, not {wanted}")
    verifier.done()
    _bytes(data, "digest")


def _texts(fields: Fields, *names: str) -> None:
    """Check that exactly these text fields remain."""
    for name in names:
        fields.text(name)
    fields.done()


def _bytes(fields: Fields, name: str) -> None:
    """Check that exactly this field of bytes remains, in the form in which a log writes it."""
    fields.data(name)
    fields.done()


_READERS = {
    ("hashedrekord", V1): _hashedrekord_v1,
    ("dsse", V1): _dsse_v1,
    ("hashedrekord", V2): _hashedrekord_v2,
}
