"""The time-stamp authority over HTTP (RFC 3161 section 3.4, and requests in JSON)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.answers import JSON, PING, UNROUTED, OpenApi, body_of, error, get
from pip_warden.sandbox.sigstore.errors import SigstoreRefusal, TimestampRefused
from pip_warden.sandbox.sigstore.service import SigstoreService
from pip_warden.sandbox.sigstore.trust import TIMESTAMP_PATH
from pip_warden.sandbox.sigstore.tsa import TimestampRequest
from pip_warden.sandbox.sigstore.wire import pem

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


def tsa_app(service: SigstoreService) -> Starlette:
    """Return the time-stamp authority as an ASGI application."""

    async def refuse(_request: Request, exc: Exception) -> Response:
        refusal = exc if isinstance(exc, SigstoreRefusal) else SigstoreRefusal(str(exc), status=500)
        # The real server has the reply's media type on its own refusals, though they are JSON.
        media_type = _REPLY if isinstance(refusal, TimestampRefused) else JSON
        return error(refusal.status, refusal.message, code=refusal.code, media_type=media_type)

    async def timestamp(request: Request) -> Response:
        body = await body_of(request, "request", (JSON, _QUERY), "application/octet-stream")
        return Response(service.stamp(_read(request.headers["content-type"], body)), media_type=_REPLY)

    async def chain(_request: Request) -> Response:
        certificates = b"".join(map(pem, service.timestamp_authorities.current.chain))
        headers = {"Cache-Control": "max-age=86400, immutable"}
        return Response(certificates, media_type="application/pem-certificate-chain", headers=headers)

    routes = [
        Route(TIMESTAMP_PATH, timestamp, methods=["POST"]),
        get(f"{TIMESTAMP_PATH}/certchain", chain),
        PING,
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(OpenApi, uncached=f"POST {TIMESTAMP_PATH}")],
        exception_handlers={SigstoreRefusal: refuse, **UNROUTED},
    )


def _read(content_type: str, body: bytes) -> TimestampRequest:
    """Parse a request by its media type; parameters, which the server accepts up to here, are refused."""
    match content_type:
        case "application/timestamp-query":
            return TimestampRequest.parse(body)
        case "application/json":
            return TimestampRequest.parse_json(body)
        case _:
            raise TimestampRefused("Error generating timestamp response", reason=content_type)
