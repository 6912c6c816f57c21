"""Object storage on its own origin: signed URLs that expire; a second credential is refused."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

_STAMP = "%Y%m%dT%H%M%SZ"


class _RefusedError(Exception):
    def __init__(self, *, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class ObjectStorage:
    """Serve bytes under signed URLs, as S3 does for GitLab.

    Args:
        url: The origin it is served on.
        now: The sandbox's clock.
        load: Returns the bytes for a key, or None.
    """

    def __init__(self, *, url: str, now: Callable[[], datetime], load: Callable[[str], bytes | None]) -> None:
        self.url = url
        self._now = now
        self._load = load
        self._secret = secrets.token_bytes(32)

    def sign(self, key: str, *, method: str, filename: str, seconds: int = 600) -> str:
        """Return a URL valid for one method and ``seconds``."""
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": self._now().astimezone(UTC).strftime(_STAMP),
            "X-Amz-Expires": str(seconds),
            "response-content-disposition": f'attachment; filename="{filename}"',
        }
        query["X-Amz-Signature"] = self._signature(method, key, query["X-Amz-Date"], str(seconds))
        return f"{self.url}/packages/{quote(key)}?{urlencode(query)}"

    @property
    def app(self) -> ASGIApp:
        """Return the application for the storage's origin."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            response = self._answer(Request(scope, receive))
            await response(scope, receive, send)

        return answer

    def _answer(self, request: Request) -> Response:
        try:
            data = self._admit(request)
        except _RefusedError as refusal:
            body = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
            return Response(body, refusal.status, media_type="application/xml")
        headers = {
            "content-length": str(len(data)),
            "content-type": "application/octet-stream",
            "content-disposition": request.query_params["response-content-disposition"],
            "etag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"',
        }
        return Response(b"" if request.method == "HEAD" else data, headers=headers)

    def _admit(self, request: Request) -> bytes:
        query = request.query_params
        if "authorization" in request.headers:
            message = (
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
                "string parameter or the Authorization header should be specified"
            )
            raise _RefusedError(status=400, code="InvalidArgument", message=message)
        key = unquote(request.url.path.removeprefix("/packages/"))
        stamp, seconds = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        expected = self._signature(request.method, key, stamp, seconds)
        if not hmac.compare_digest(expected.encode(), query.get("X-Amz-Signature", "").encode()):
            message = "The request signature we calculated does not match the signature you provided."
            raise _RefusedError(status=403, code="SignatureDoesNotMatch", message=message)
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        if self._now() > signed_at + timedelta(seconds=int(seconds)):
            raise _RefusedError(status=403, code="AccessDenied", message="Request has expired")
        data = self._load(key)
        if data is None:
            raise _RefusedError(status=404, code="NoSuchKey", message="The specified key does not exist.")
        return data

    def _signature(self, method: str, key: str, stamp: str, seconds: str) -> str:
        text = f"{method}\n{key}\n{stamp}\n{seconds}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
