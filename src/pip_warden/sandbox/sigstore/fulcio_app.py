"""The CA over HTTP: Fulcio's API version 2, and version 1 for cosign 2."""

from __future__ import annotations

import base64
import binascii
import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.answers import gateway_error, get
from pip_warden.sandbox.sigstore.errors import SigstoreRefusal
from pip_warden.sandbox.sigstore.service import SigstoreService
from pip_warden.sandbox.sigstore.tokens import AUDIENCE, verify_token
from pip_warden.sandbox.sigstore.wire import PublicKey, default_hash, narrow, pem, verify

_INVALID_ARGUMENT, _NOT_FOUND, _UNIMPLEMENTED = 3, 5, 12  # google.rpc.Code
_CHAIN = "application/pem-certificate-chain"
_BAD_KEY = "The public key supplied in the request could not be parsed"
_WEAK_KEY = "The public key supplied in the request is insecure"
_BAD_CSR = "The certificate signing request could not be parsed"
_BAD_SIGNATURE = "The signature supplied in the request could not be verified"
_CURVES = frozenset({"secp224r1", "secp256r1", "secp384r1", "secp521r1"})  # what Go can read
_RSA_SIZES = frozenset({2048, 3072, 4096})


def fulcio_app(service: SigstoreService) -> Starlette:
    """Return the CA as an ASGI application."""

    async def refuse(_request: Request, exc: Exception) -> Response:
        message = exc.message if isinstance(exc, SigstoreRefusal) else str(exc)
        return gateway_error(_INVALID_ARGUMENT, message)

    async def signing_cert(request: Request) -> Response:
        body = await _message(request)
        chain = await run_in_threadpool(_issue, service, body, _token(request, body))
        certificates = [pem(certificate).decode() for certificate in chain]
        return JSONResponse({"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}})

    async def legacy_signing_cert(request: Request) -> Response:
        body = _modern(await _message(request))
        chain = await run_in_threadpool(_issue, service, body, _token(request, {}))
        return Response(_joined(chain), status_code=201, media_type=_CHAIN)

    async def trust_bundle(_request: Request) -> Response:
        chain = [pem(certificate).decode() for certificate in service.authorities.current.chain]
        return JSONResponse({"chains": [{"certificates": chain}]})

    async def root_cert(_request: Request) -> Response:
        return Response(_joined(service.authorities.current.chain), media_type=_CHAIN)

    async def configuration(_request: Request) -> Response:
        return JSONResponse({"issuers": [_issuer(url) for url in service.issuers]})

    routes = [
        Route("/api/v2/signingCert", signing_cert, methods=["POST"]),
        get("/api/v2/trustBundle", trust_bundle),
        get("/api/v2/configuration", configuration),
        Route("/api/v1/signingCert", legacy_signing_cert, methods=["POST"]),
        get("/api/v1/rootCert", root_cert),
        get("/healthz", _healthy),
    ]
    handlers = {SigstoreRefusal: refuse, 404: _not_found, 405: _not_allowed}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


async def _not_found(_request: Request, _exc: Exception) -> Response:
    return gateway_error(_NOT_FOUND, "Not Found")


async def _not_allowed(_request: Request, _exc: Exception) -> Response:
    return gateway_error(_UNIMPLEMENTED, "Method Not Allowed")


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "SERVING"})


def _issuer(url: str) -> dict[str, object]:
    return {
        "issuerUrl": url,
        "audience": AUDIENCE,
        "challengeClaim": "sub",
        "spiffeTrustDomain": "",
        "issuerType": "ci-provider",
        "subjectDomain": "",
        "skipEmailVerification": False,
    }


def _joined(chain: tuple[x509.Certificate, ...]) -> bytes:
    return b"".join(pem(certificate) for certificate in chain).strip()


async def _message(request: Request) -> dict[str, object]:
    """Return the request's message, which is JSON whatever its media type; an empty body is an empty one."""
    try:
        body: object = json.loads(await request.body() or b"{}")
    except ValueError as err:
        raise SigstoreRefusal(f"proto: syntax error: {err}") from err
    if not isinstance(body, dict):
        raise SigstoreRefusal("proto: syntax error: unexpected token")
    if body.get("publicKeyRequest") and body.get("certificateSigningRequest"):
        raise SigstoreRefusal(
            'proto: error parsing "certificateSigningRequest", '
            "oneof dev.sigstore.fulcio.v2.CreateSigningCertificateRequest.key is already set"
        )
    return body


def _token(request: Request, body: dict[str, object]) -> str:
    """Return the token of body or header; any scheme but exactly ``Bearer`` counts as part of the token."""
    credentials = body.get("credentials")
    if isinstance(credentials, dict) and credentials.get("oidcIdentityToken"):
        return str(credentials["oidcIdentityToken"])
    return request.headers.get("authorization", "").replace("Bearer ", "", 1).strip()


def _issue(service: SigstoreService, body: dict[str, object], token: str) -> tuple[x509.Certificate, ...]:
    # The token comes before the key, as in Fulcio: a caller without a token learns nothing about the key.
    csr = _bytes(body, "certificateSigningRequest")
    request = _object(body, "publicKeyRequest")
    given, proof = _object(request, "publicKey"), _bytes(request, "proofOfPossession")
    content = given.get("content") or ""
    if not isinstance(content, str | bytes):
        raise SigstoreRefusal(f"proto: invalid value for string field content: {content}")
    claims = verify_token(token, service.jwks_for, service.clock.now())
    if csr:
        return service.issue(claims, _csr_key(csr))
    encoded = content.encode() if isinstance(content, str) else content
    return service.issue(claims, _proved_key(encoded, proof, str(claims.get("sub") or "")))


def _object(message: dict[str, object], name: str) -> dict[str, object]:
    value = message.get(name)
    if value is not None and not isinstance(value, dict):
        raise SigstoreRefusal(f"proto: syntax error: unexpected token for {name}")
    return value or {}


def _bytes(message: dict[str, object], name: str) -> bytes:
    """Return a field of bytes: base64 of either alphabet, padded or not."""
    text = message.get(name) or ""
    try:
        if not isinstance(text, str):
            raise TypeError
        unified = text.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(unified + "=" * (-len(unified) % 4), validate=True)
    except (TypeError, ValueError, binascii.Error) as err:
        raise SigstoreRefusal(f'proto: invalid value for bytes field {name}: "{text}"') from err


def _csr_key(csr: bytes) -> PublicKey:
    try:
        request = x509.load_pem_x509_csr(csr)
        offered = request.public_key()
    except (ValueError, UnsupportedAlgorithm) as err:
        raise SigstoreRefusal(_BAD_CSR, reason=str(err)) from err
    key = _strong(offered, _BAD_CSR)
    if not request.is_signature_valid:
        raise SigstoreRefusal(_BAD_SIGNATURE)
    used = request.signature_hash_algorithm
    if used is not None and used.name != default_hash(key).name:
        raise SigstoreRefusal(f"signing algorithm not permitted: {_go_type(key)}, {_go_name(used)}")
    return key


def _go_type(key: PublicKey) -> str:
    return "*rsa.PublicKey" if isinstance(key, rsa.RSAPublicKey) else "*ecdsa.PublicKey"


def _go_name(algorithm: hashes.HashAlgorithm) -> str:
    return algorithm.name.upper().replace("SHA", "SHA-")


def _proved_key(content: bytes, proof: bytes, subject: str) -> PublicKey:
    """Return a key that signed the token's subject: the proof of possession."""
    try:
        loaded = (
            load_pem_public_key(content)
            if content.lstrip().startswith(b"-----")
            else load_der_public_key(content)
        )
    except (ValueError, UnsupportedAlgorithm) as err:
        raise SigstoreRefusal(_BAD_KEY, reason=str(err)) from err
    key = _strong(loaded, _BAD_KEY)
    try:
        verify(key, proof, subject.encode(), default_hash(key))
    except InvalidSignature as err:
        raise SigstoreRefusal(_BAD_SIGNATURE, reason=repr(err)) from err
    return key


def _strong(key: object, unreadable: str) -> PublicKey:
    """Return a key whose kind and size Fulcio accepts; one of a curve unknown to Go is `unreadable`."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        raise SigstoreRefusal(unreadable, reason=key.curve.name)
    if isinstance(key, rsa.RSAPublicKey) and (
        key.key_size not in _RSA_SIZES or key.public_numbers().e != 65537
    ):
        raise SigstoreRefusal(_WEAK_KEY, reason=f"RSA of {key.key_size} bits")
    try:
        return narrow(key)
    except ValueError as err:
        raise SigstoreRefusal(_WEAK_KEY, reason=str(err)) from err


def _modern(body: dict[str, object]) -> dict[str, object]:
    """Return a version 1 request as version 2: 1 has key and proof one level higher, the key in base64."""
    key = {"content": _bytes(_object(body, "publicKey"), "content")}
    request = {"publicKey": key, "proofOfPossession": body.get("signedEmailAddress")}
    return {"certificateSigningRequest": body.get("certificateSigningRequest"), "publicKeyRequest": request}
