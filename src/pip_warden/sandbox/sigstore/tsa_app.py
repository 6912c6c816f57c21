"""The time-stamp authority over HTTP (RFC 3161 section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.answers import HEALTH, error
from pip_warden.sandbox.sigstore.errors import SigstoreRefusal
from pip_warden.sandbox.sigstore.trust import TIMESTAMP_PATH
from pip_warden.sandbox.sigstore.tsa import TimestampRequest
from pip_warden.sandbox.sigstore.wire import pem

if TYPE_CHECKING:
    from pip_warden.sandbox.sigstore.service import SigstoreService


def tsa_app(service: SigstoreService) -> Starlette:
    """Return the time-stamp authority as an ASGI application."""

    async def refuse(_request: Request, exc: Exception) -> Response:
        return error(exc.status if isinstance(exc, SigstoreRefusal) else 500, str(exc))

    async def timestamp(request: Request) -> Response:
        media_type = request.headers.get("content-type", "")
        if media_type.partition(";")[0].strip() != "application/timestamp-query":
            raise SigstoreRefusal(f"unsupported media type {media_type!r}", status=415)
        reply = service.stamp(TimestampRequest.parse(await request.body()))
        return Response(reply, status_code=201, media_type="application/timestamp-reply")

    async def chain(_request: Request) -> Response:
        certificates = b"".join(map(pem, service.stampers.current.chain))
        return Response(certificates, media_type="application/pem-certificate-chain")

    routes = [
        Route(TIMESTAMP_PATH, timestamp, methods=["POST"]),
        Route(f"{TIMESTAMP_PATH}/certchain", chain),
        *HEALTH,
    ]
    return Starlette(routes=routes, exception_handlers={SigstoreRefusal: refuse})
