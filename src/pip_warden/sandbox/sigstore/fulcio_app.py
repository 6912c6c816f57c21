"""The CA over HTTP: Fulcio's API version 2, and version 1 for cosign 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.answers import HEALTH, error, json_body
from pip_warden.sandbox.sigstore.errors import SigstoreRefusal, TokenRefused
from pip_warden.sandbox.sigstore.tokens import AUDIENCE, verify_token
from pip_warden.sandbox.sigstore.wire import PublicKey, from_b64, narrow, pem, verify

if TYPE_CHECKING:
    from pip_warden.sandbox.sigstore.service import SigstoreService

_INVALID_ARGUMENT = 3  # google.rpc.Code, which the gateway answers with HTTP 400
_BAD_KEY = "The public key supplied in the request could not be parsed"
_WEAK_KEY = "The public key supplied in the request is insecure"
_BAD_CSR = "The certificate signing request could not be parsed"
_BAD_SIGNATURE = "The signature supplied in the request could not be verified"


def fulcio_app(service: SigstoreService) -> Starlette:
    """Return the CA as an ASGI application."""

    async def refuse(_request: Request, exc: Exception) -> Response:
        message = exc.message if isinstance(exc, SigstoreRefusal) else str(exc)
        return error(400, message, code=_INVALID_ARGUMENT)

    async def signing_cert(request: Request) -> Response:
        body = await json_body(request, "invalid JSON in the request")
        chain = await run_in_threadpool(_issue, service, body, _bearer(request, body))
        certificates = [pem(certificate).decode() for certificate in chain]
        return JSONResponse({"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}})

    async def legacy_signing_cert(request: Request) -> Response:
        body = await json_body(request, "invalid JSON in the request")
        chain = await run_in_threadpool(_issue, service, _modern(body), _bearer(request, body))
        bundle = b"".join(pem(certificate) for certificate in chain)
        return Response(bundle, status_code=201, media_type="application/pem-certificate-chain")

    async def trust_bundle(_request: Request) -> Response:
        chain = [pem(certificate).decode() for certificate in service.authorities.current.chain]
        return JSONResponse({"chains": [{"certificates": chain}]})

    async def root_cert(_request: Request) -> Response:
        return PlainTextResponse(b"".join(map(pem, service.authorities.current.chain)))

    async def configuration(_request: Request) -> Response:
        listed = [
            {"issuerUrl": url, "audience": AUDIENCE, "challengeClaim": "sub", "spiffeTrustDomain": ""}
            for url in service.issuers
        ]
        return JSONResponse({"issuers": listed})

    routes = [
        Route("/api/v2/signingCert", signing_cert, methods=["POST"]),
        Route("/api/v2/trustBundle", trust_bundle),
        Route("/api/v2/configuration", configuration),
        Route("/api/v1/signingCert", legacy_signing_cert, methods=["POST"]),
        Route("/api/v1/rootCert", root_cert),
        *HEALTH,
    ]
    return Starlette(routes=routes, exception_handlers={SigstoreRefusal: refuse})


def _bearer(request: Request, body: dict[str, object]) -> str:
    credentials = body.get("credentials")
    if isinstance(credentials, dict) and isinstance(credentials.get("oidcIdentityToken"), str):
        return str(credentials["oidcIdentityToken"])
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        reason = "the request carries no token"
        raise TokenRefused(reason)
    return token.strip()


def _issue(service: SigstoreService, body: dict[str, object], token: str) -> tuple[x509.Certificate, ...]:
    # The token comes first, as in Fulcio: who has none learns nothing about his key.
    claims = verify_token(token, service.jwks_for, service.clock.now())
    csr = body.get("certificateSigningRequest")
    key = _csr_key(csr) if csr else _proved_key(body.get("publicKeyRequest"), str(claims["sub"]))
    return service.issue(claims, key)


def _csr_key(csr: object) -> PublicKey:
    try:
        request = x509.load_pem_x509_csr(from_b64(str(csr)))
        offered = request.public_key()
    except ValueError as err:
        raise SigstoreRefusal(_BAD_CSR, reason=str(err)) from err
    key = _strong(offered)
    if not request.is_signature_valid:
        raise SigstoreRefusal(_BAD_SIGNATURE)
    return key


def _proved_key(request: object, subject: str) -> PublicKey:
    """Return a key that signed the token's subject: the proof of possession."""
    try:
        if not isinstance(request, dict):
            raise SigstoreRefusal(_BAD_KEY, reason="neither CSR nor public key")
        given, proof = request["publicKey"], request["proofOfPossession"]
        content = str(given["content"])
        loaded = load_pem_public_key(content.encode()) if "BEGIN" in content else _load_der(content)
    except (ValueError, KeyError, TypeError) as err:
        raise SigstoreRefusal(_BAD_KEY, reason=str(err)) from err
    key = _strong(loaded)
    try:
        verify(key, from_b64(str(proof)), subject.encode())
    except (InvalidSignature, ValueError) as err:
        raise SigstoreRefusal(_BAD_SIGNATURE, reason=repr(err)) from err
    return key


def _load_der(content: str) -> object:
    data = from_b64(content)
    return load_pem_public_key(data) if data.startswith(b"-----") else load_der_public_key(data)


def _strong(key: object) -> PublicKey:
    try:
        return narrow(key)
    except ValueError as err:
        raise SigstoreRefusal(_WEAK_KEY, reason=str(err)) from err


def _modern(body: dict[str, object]) -> dict[str, object]:
    """Return a version 1 request as version 2 has it: key and proof lie one level higher there."""
    request = {"publicKey": body.get("publicKey"), "proofOfPossession": body.get("signedEmailAddress")}
    return {"certificateSigningRequest": body.get("certificateSigningRequest"), "publicKeyRequest": request}
