"""What the three HTTP services have in common."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.errors import SigstoreRefusal

Handler = Callable[[Request], Awaitable[Response]]


async def json_body(request: Request, message: str) -> dict[str, object]:
    """Return the request's body, a JSON object.

    Raises:
        SigstoreRefusal: It is something else; `message` is what the client is told.
    """
    try:
        body: object = json.loads(await request.body())
    except ValueError as err:
        raise SigstoreRefusal(message, reason=str(err)) from err
    if not isinstance(body, dict):
        raise SigstoreRefusal(message, reason="not an object")
    return body


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("OK")


HEALTH = (Route("/healthz", _alive), Route("/ping", _alive))


def error(status: int, message: str, *, code: int | None = None) -> JSONResponse:
    """Return an error as Rekor does; Fulcio's gateway has gRPC's code in it and an empty list of details."""
    if code is None:
        return JSONResponse({"code": status, "message": message}, status_code=status)
    return JSONResponse({"code": code, "message": message, "details": []}, status_code=status)
