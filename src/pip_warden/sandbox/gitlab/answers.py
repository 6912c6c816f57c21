"""Responses as GitLab's API words them (reference 4.2 and 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote

from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from pip_warden.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.requests import Request

T = TypeVar("T")

_PIECE = 1 << 20

REALM = 'Basic realm="GitLab Packages Registry"'
MOVED = "This resource has been moved temporarily to {}."


class Halt(SandboxError):  # noqa: N818 - control flow, not an error
    """End a request with a response, from anywhere in its handling."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered {response.status_code}")
        self.response = response


def message(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``{"message": …}``."""
    return JSONResponse({"message": text}, status, dict(headers or {}))


def error(text: str, *, status: int = 400) -> Response:
    """Return ``{"error": …}``, the form of parameter errors."""
    return JSONResponse({"error": text}, status)


def unauthorized(*, challenge: bool = True) -> Response:
    """Return 401; package routes add the challenge on which installers ask for a password."""
    return message(401, "401 Unauthorized", headers={"www-authenticate": REALM} if challenge else None)


def not_found(what: str = "") -> Response:
    """Return 404 for a kind of resource, such as ``Project``."""
    return message(404, f"404 {what} Not Found" if what else "404 Not found")


def forbidden(reason: str = "") -> Response:
    """Return 403."""
    return message(403, "403 Forbidden" + (f" - {reason}" if reason else ""))


def bad_request(reason: str) -> Response:
    """Return 400."""
    return message(400, f"400 Bad request - {reason}")


def too_large(status: int) -> Response:
    """Return the refusal of a file that is too large: by Rails (400) or by the proxy in front of it (413)."""
    if status == 413:
        return HTMLResponse("<html><head><title>413 Request Entity Too Large</title></head></html>", 413)
    return bad_request("File is too large")


def redirect(url: str, *, method: str = "GET") -> Response:
    """Return 302 for GET and 303 for all else, with the text that a careless client saves as its file."""
    status = 302 if method == "GET" else 303
    headers = {"location": url, "cache-control": "no-cache", "content-type": "text/plain"}
    return Response(MOVED.format(url), status, headers)


def attachment(data: bytes, name: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a file as a download."""
    return Response(data, headers=_download(name) | dict(headers or {}))


def streamed(
    path: Path, name: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a file as a download, piece by piece."""
    fields = _download(name) | {"content-length": str(path.stat().st_size)} | dict(headers or {})
    return Response(headers=fields) if method == "HEAD" else StreamingResponse(_pieces(path), headers=fields)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    # Read in the loop itself: a thread for each piece would bound what is measured.
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _download(name: str) -> dict[str, str]:
    plain = name.replace("\\", "_").replace('"', "_")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return {"content-disposition": disposition, "content-type": "application/octet-stream"}


def found(value: T | None, what: str = "") -> T:
    """Return the value.

    Raises:
        Halt: It is None.
    """
    if value is None:
        raise Halt(not_found(what))
    return value


def segment(request: Request, name: str) -> str:
    """Return a path parameter, decoded."""
    return unquote(request.path_params[name])
