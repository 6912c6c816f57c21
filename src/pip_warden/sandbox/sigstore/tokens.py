"""Verifies the identity tokens that the CA receives (RFC 7515, RFC 7519, OpenID Connect Core)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from pip_warden.sandbox.sigstore.errors import TokenRefused

# An issuer's JSON Web Key Set, or None for an issuer that is not configured.
JwksFor = Callable[[str], Mapping[str, object] | None]
AUDIENCE = "sigstore"


def verify_token(token: str, jwks_for: JwksFor, now: datetime, audience: str = AUDIENCE) -> dict[str, object]:
    """Return a token's claims after signature, issuer, audience and times were verified.

    Raises:
        TokenRefused: One of these is wrong.
    """
    parts = token.split(".")
    if len(parts) != 3:
        reason = "not a compact JWS"
        raise TokenRefused(reason)
    header, claims = _object(parts[0]), _object(parts[1])
    issuer = claims.get("iss")
    keys = jwks_for(issuer) if isinstance(issuer, str) else None
    if keys is None:
        reason = f"issuer {issuer!r} is not configured"
        raise TokenRefused(reason)
    _verify_signature(header, keys, f"{parts[0]}.{parts[1]}".encode(), _decode(parts[2]))
    _check_claims(claims, now.timestamp(), audience)
    return claims


def _check_claims(claims: Mapping[str, object], now: float, audience: str) -> None:
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        reason = f"expected audience {audience!r}, found {audiences!r}"
        raise TokenRefused(reason)
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or now >= expires:
        reason = f"token is expired (exp {expires!r}, now {now:.0f})"
        raise TokenRefused(reason)
    if not isinstance(begins, int | float) or now < begins:
        reason = f"token is not valid yet (nbf {begins!r}, now {now:.0f})"
        raise TokenRefused(reason)
    if not isinstance(claims.get("sub"), str | None):
        reason = "sub is not a text"
        raise TokenRefused(reason)


def _verify_signature(
    header: Mapping[str, object], jwks: Mapping[str, object], signed: bytes, signature: bytes
) -> None:
    listed = jwks.get("keys")
    keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    wanted = header.get("kid")
    candidates = [key for key in keys if wanted is None or key.get("kid") == wanted]
    for key in candidates:
        try:
            _verify_with(key, header.get("alg"), signed, signature)
        except (InvalidSignature, ValueError, KeyError, TypeError):
            continue
        return
    reason = f"no key of the issuer verifies the token (kid {wanted!r}, {len(keys)} keys)"
    raise TokenRefused(reason)


def _verify_with(key: Mapping[str, str], algorithm: object, signed: bytes, signature: bytes) -> None:
    match key["kty"], algorithm:
        case "RSA", "RS256":
            numbers = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
            numbers.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        case "EC", "ES256":
            point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
            half = len(signature) // 2
            pair = utils.encode_dss_signature(
                int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            )
            point.public_key().verify(pair, signed, ec.ECDSA(hashes.SHA256()))
        case _:
            raise InvalidSignature


def _number(text: str) -> int:
    return int.from_bytes(_decode(text), "big")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as err:
        reason = f"not base64url: {err}"
        raise TokenRefused(reason) from err


def _object(text: str) -> dict[str, object]:
    try:
        value: object = json.loads(_decode(text))
    except ValueError as err:
        reason = f"not JSON: {err}"
        raise TokenRefused(reason) from err
    if not isinstance(value, dict):
        reason = "not a JSON object"
        raise TokenRefused(reason)
    return value
