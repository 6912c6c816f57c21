"""Responses as a registry words them (OCI distribution specification 1.1, "Error Codes")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse

from pip_warden.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

_CODES = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (400, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "RANGE_INVALID": (416, "invalid content range"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNSUPPORTED": (405, "the operation is unsupported"),
}
VERSION = {"docker-distribution-api-version": "registry/2.0"}


class RegistryHalt(SandboxError):  # noqa: N818 - control flow, not an error
    """End a request with an error.

    Args:
        code: Its code.
        details: One error of that code each.
        status: Another status than the code's own.
        headers: Further headers.
    """

    def __init__(
        self,
        code: str,
        *details: object,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        usual, message = _CODES[code]
        self.response: Response = JSONResponse(
            {"errors": [{"code": code, "message": message, "detail": d} for d in details or ({},)]},
            status or usual,
            VERSION | dict(headers or {}),
        )


def no_such_page() -> Response:
    """Return the answer to a path that the registry does not have."""
    return PlainTextResponse("404 page not found\n", 404)


def named(status: int, headers: Mapping[str, str], digest: str = "") -> Response:
    """Return an answer without a body, with the digest of what it is about."""
    about = {"docker-content-digest": digest} if digest else {}
    return PlainTextResponse("", status, VERSION | about | dict(headers))


def listed(content: object, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return a list as JSON."""
    return JSONResponse(content, 200, VERSION | dict(headers), media_type=media_type)


def cut(entries: Sequence[str], last: str | None, size: int) -> tuple[list[str], bool]:
    """Return the page of sorted entries that follows ``last``, and whether there are more."""
    after = [entry for entry in entries if last is None or entry > last]
    return after[:size], len(after) > size
