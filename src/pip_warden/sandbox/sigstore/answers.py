"""What the three HTTP services share: two are go-openapi servers, the CA is a gRPC gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.errors import SigstoreRefusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
JSON = "application/json"
MISSING, WRONG_TYPE, PATTERN, NOT_LISTED, TOO_SMALL, TOO_MANY, TOO_FEW = 602, 601, 605, 606, 609, 611, 612
UNCACHED = {
    "Cache-Control": "no-cache, no-store, no-transform, must-revalidate, private, max-age=0",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Pragma": "no-cache",
    "X-Accel-Expires": "0",
}


def get(path: str, handler: Handler) -> Route:
    """Return a route for GET and nothing else: none of the real servers answers HEAD."""
    return only(Route(path, handler, methods=["GET"]))


def only(route: Route) -> Route:
    """Remove HEAD, which Starlette adds to GET by itself, from a route."""
    (route.methods or set()).discard("HEAD")
    return route


def invalid(code: int, message: str) -> SigstoreRefusal:
    """Return go-openapi's refusal of a request that does not match the API's schema."""
    return SigstoreRefusal(message, status=422, code=code)


def error(status: int, message: str, *, code: int | None = None, media_type: str = JSON) -> Response:
    """Return an error as the go-openapi servers do."""
    body = json.dumps({"code": code or status, "message": message}, separators=(",", ":"), ensure_ascii=False)
    return Response(body, status_code=status, media_type=media_type)


def plain(text: str, media_type: str = "text/plain") -> Response:
    """Return text of a media type without the charset that Starlette adds."""
    return Response(text, headers={"Content-Type": media_type})


async def body_of(
    request: Request, name: str, media_types: tuple[str, ...] = (JSON,), unsaid: str = JSON
) -> bytes:
    """Return a request's body, which a go-openapi server requires, in a media type it knows.

    Args:
        request: The request.
        name: What the API calls the body.
        media_types: Those it knows.
        unsaid: What is assumed without a content type. The real servers assume bytes; the log here is
            also called without a server, by callers that set none.

    Raises:
        SigstoreRefusal: There is none, or it is of another media type.
    """
    given = request.headers.get("content-type") or unsaid
    if given.partition(";")[0].strip().lower() not in media_types:
        message = f'unsupported media type "{given}", only [{" ".join(media_types)}] are allowed'
        raise SigstoreRefusal(message, status=415)
    body = await request.body()
    if not body:
        raise invalid(MISSING, f"{name} in body is required")
    return body


def parsed(body: bytes, refuse: Callable[[str], SigstoreRefusal]) -> dict[str, object]:
    """Return a JSON object, an empty one for null.

    Raises:
        SigstoreRefusal: It is something else; `refuse` makes it from the reason.
    """
    try:
        value: object = json.loads(body)
    except ValueError as err:
        raise refuse(str(err)) from err
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(f"json: cannot unmarshal {type(value).__name__}")
    return value


async def _not_found(request: Request, _exc: Exception) -> Response:
    return error(404, f"path {request.url.path} was not found")


async def _not_allowed(request: Request, exc: Exception) -> Response:
    allowed = (exc.headers or {}).get("Allow", "") if isinstance(exc, HTTPException) else ""
    methods = ",".join(sorted(allowed.replace(" ", "").split(",")))
    answer = error(405, f"method {request.method} is not allowed, but [{methods}] are")
    answer.headers["Allow"] = methods
    return answer


async def _alive(_request: Request) -> Response:
    return plain(".")


PING = get("/ping", _alive)
UNROUTED: Mapping[int, Callable[[Request, Exception], Awaitable[Response]]] = {
    404: _not_found,
    405: _not_allowed,
}


class OpenApi:
    """A go-openapi server's middleware: a trailing slash is ignored, some responses are not cached.

    Args:
        app: The wrapped application.
        uncached: Matches method and path of the uncached ones.
    """

    def __init__(self, app: ASGIApp, uncached: str) -> None:
        self._app = app
        self._uncached = re.compile(uncached)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, and its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        uncached = self._uncached.fullmatch(f"{scope['method']} {scope['path']}") is not None

        async def marked(message: Message) -> None:
            if uncached and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(UNCACHED)
            await send(message)

        await self._app(scope, receive, marked)


def gateway_error(code: int, message: str) -> JSONResponse:
    """Return an error as the gRPC gateway does: gRPC's code, the HTTP status for it, and no details."""
    statuses = {3: 400, 5: 404, 12: 501}
    return JSONResponse({"code": code, "message": message, "details": []}, status_code=statuses[code])
