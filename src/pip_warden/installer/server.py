"""The loopback server: the installer's only network.

It is the child's HTTP proxy, with a password made for this run, and serves one host name that nothing else
can resolve: an index (PEP 503, PEP 691) whose files are sealed first, with their metadata (PEP 658) and byte
ranges; and our pip's requests (:mod:`~pip_warden.installer.questions`). Every other request is refused and
remembered. After the first denial it serves nothing more: an installer that is refused a file would otherwise
look for an older one.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import html
import json
import re
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import uvicorn
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from pip_warden.display import escape_text
from pip_warden.errors import InternalError, UsageError, WardenError, outranks
from pip_warden.installer.model import Backend, ListedFile
from pip_warden.installer.questions import LARGEST_QUESTION, answer
from pip_warden.names import ProjectName, parse_project_name

HOST = "index.pip-warden.invalid"
"""Reserved by RFC 2606: no resolver knows it, so it can only be reached through the proxy."""

INDEX_URL = f"http://{HOST}/simple/"
USER = "pip-warden"
_JSON = "application/vnd.pypi.simple.v1+json"
_PAGE = re.compile(r"/simple/([^/]+)/?", re.ASCII)
_FILE = re.compile(r"/files/([^/]+)/([^/]+?)(\.metadata)?", re.ASCII)
_QUESTION = re.compile(r"/run/([a-z]+)", re.ASCII)
_READS = {"GET", "HEAD"}
_ANSWERS_AT_ONCE = 16
_IDLE = 24 * 60 * 60
"""Seconds an idle connection stays open: longer than any run, as pip may reuse it and retries nothing."""

_ABORT_AGAIN = 0.02
_LONGEST_WAIT = 5.0
"""Seconds to wait for the server's thread to end."""


class _Uvicorn(uvicorn.Server):
    """Aborts the connections that are left when it ends: their responses are no longer needed."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and drop every connection, also one that was just being opened.

        Since Python 3.12 a server that closes waits for its connections, and uvicorn waits for it even with
        ``force_exit``.
        """
        closing = asyncio.ensure_future(super().shutdown(sockets))
        while not closing.done():
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.wait([closing], timeout=_ABORT_AGAIN)
        await closing


class Server:
    """Serves one installer run on a free port of 127.0.0.1; a context manager.

    Args:
        backend: The gate.
        on_denial: Called once, from another thread, at the first denial.

    Attributes:
        denial: Why the run was ended, None while it was not.
        strays: Requests that were not for the index, each as shown to people.
    """

    def __init__(self, backend: Backend, *, on_denial: Callable[[], None] = lambda: None) -> None:
        self._backend = backend
        self._on_denial = on_denial
        self._password = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self.denial: WardenError | None = None
        self.strays: tuple[str, ...] = ()
        # asyncio disables Nagle's algorithm only where the protocol is TCP by name; with it every response
        # would wait 40 ms for an acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._serve,
            http="h11",
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_IDLE,
        )
        self._uvicorn = _Uvicorn(config)
        # A pool of its own, since the event loop waits for its default one at its end: a run that was refused
        # must not wait for the other files.
        self._pool = ThreadPoolExecutor(_ANSWERS_AT_ONCE, thread_name_prefix="loopback-answer")
        self._thread = threading.Thread(target=self._run, name="loopback-index", daemon=True)

    def __enter__(self) -> Self:
        self._socket.listen()
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._uvicorn.should_exit = True
        self._uvicorn.force_exit = True
        self._thread.join(_LONGEST_WAIT)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._socket.close()

    @property
    def proxy_url(self) -> str:
        """Return the proxy URL for the child's environment: a secret of this run."""
        return f"http://{USER}:{self._password}@127.0.0.1:{self._socket.getsockname()[1]}"

    def fileno(self) -> int:
        """Return the descriptor of the listening socket: a process that inherits it holds the port."""
        return self._socket.fileno()

    def _run(self) -> None:
        asyncio.run(self._uvicorn.serve(sockets=[self._socket]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        # An absolute-form target (RFC 9112 section 3.2.2) is in the path unchanged.
        target = scope.get("raw_path", b"").decode("latin-1") or str(scope["path"])
        if query := scope.get("query_string", b""):
            target = f"{target}?{query.decode('latin-1')}"
        body = await _body(request) if request.method == "POST" and self._knows(request) else b""
        response = await asyncio.get_running_loop().run_in_executor(
            self._pool, self._answer, request, target, body
        )
        response.headers["Cache-Control"] = "no-store"

        async def counting(message: Message) -> None:
            self._backend.carried(len(message.get("body", b"")))
            await send(message)

        await response(scope, receive, counting)

    def _answer(self, request: Request, target: str, body: bytes) -> Response:
        if not self._knows(request):
            return _text(407, "the password of this run is needed", {"Proxy-Authenticate": "Basic"})
        path = _own_path(target)
        question = _QUESTION.fullmatch(path) if request.method == "POST" and path is not None else None
        if path is None or not (question or request.method in _READS):
            self._remember(f"{request.method} {target}")
            return _text(403, "this run's only network is its own index")
        if self.denial is not None:
            return _text(403, f"this run was ended: {self.denial.code}")
        answered = False
        try:
            response = (
                JSONResponse(answer(question[1], body, self._backend))
                if question
                else self._route(request, path)
            )
            answered = True
        except WardenError as err:
            answered = True
            return self._deny(err)
        finally:
            # A failure of our own must end the run too: an installer may go on after a 500.
            if not answered:
                found = f"expected an answer for {escape_text(path)}, found a failure of our own"
                self._deny(InternalError("bug", found))
        return response

    def _route(self, request: Request, path: str) -> Response:
        page, file = _PAGE.fullmatch(path), _FILE.fullmatch(path)
        match = page or file
        project = _project(match[1]) if match is not None else None
        if match is None or project is None:
            return _text(404, "there is nothing here")
        if page is not None:
            wants_json = _JSON in request.headers.get("accept", "")
            return (_json_page if wants_json else _html_page)(project, self._backend.page(project))
        handed = self._backend.file(project, match[2])
        if match[3]:
            return Response(handed.metadata, media_type="text/plain; charset=utf-8")
        self._backend.sent(match[2])
        return FileResponse(handed.path, media_type="application/octet-stream")

    def _knows(self, request: Request) -> bool:
        wanted = base64.b64encode(f"{USER}:{self._password}".encode()).decode()
        scheme, _, given = request.headers.get("proxy-authorization", "").partition(" ")
        return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode(), wanted.encode())

    def _deny(self, error: WardenError) -> Response:
        with self._lock:
            first = self.denial is None
            # A refusal outranks what could not be decided, whichever came first.
            if self.denial is None or outranks(error, self.denial):
                self.denial = error
        if first:
            self._on_denial()
        return _text(403, f"{error.code}: {escape_text(error.message, 500)}")

    def _remember(self, stray: str) -> None:
        with self._lock:
            self.strays = (*self.strays, escape_text(stray, 300))


async def _body(request: Request) -> bytes:
    """Read a body; of one that is too long, only enough for it to be refused."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_QUESTION:
            break
    return bytes(body)


def _own_path(target: str) -> str | None:
    """Return the requested path, None where the request is not for the index."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme != "http" or parts.netloc != HOST or parts.query:
        return None
    return unquote(parts.path)


def _project(name: str) -> ProjectName | None:
    try:
        return parse_project_name(name)
    except UsageError:
        return None


def _file_url(project: ProjectName, listed: ListedFile) -> str:
    fragment = f"#sha256={listed.sha256}" if listed.sha256 else ""
    return f"http://{HOST}/files/{project}/{quote(listed.filename)}{fragment}"


def _json_page(project: ProjectName, files: tuple[ListedFile, ...]) -> Response:
    """Return a PEP 691 page, with the upload time and size of PEP 700 where upstream has them."""
    document = {
        "meta": {"api-version": "1.0"},
        "name": project,
        "files": [_json_file(project, file) for file in files],
    }
    return Response(json.dumps(document), media_type=_JSON)


def _json_file(project: ProjectName, file: ListedFile) -> dict[str, object]:
    shape: dict[str, object] = {
        "filename": file.filename,
        "url": _file_url(project, file),
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
        "core-metadata": _has_metadata(file),
        "yanked": file.yanked or file.yanked is not None,
    }
    if file.upload_time is not None:
        shape["upload-time"] = file.upload_time
    if file.size is not None:
        shape["size"] = file.size
    return shape


def _html_page(project: ProjectName, files: tuple[ListedFile, ...]) -> Response:
    """Return a PEP 503 page, with PEP 592 and PEP 658 attributes."""
    anchors = []
    for file in files:
        attributes = f' data-yanked="{html.escape(file.yanked)}"' if file.yanked is not None else ""
        attributes += ' data-core-metadata="true"' if _has_metadata(file) else ""
        url, name = html.escape(_file_url(project, file)), html.escape(file.filename)
        anchors.append(f'<a href="{url}"{attributes}>{name}</a><br>')
    body = "\n".join(["<!DOCTYPE html>", f"<title>{project}</title>", *anchors])
    return Response(body, media_type="text/html; charset=utf-8")


def _has_metadata(file: ListedFile) -> bool:
    """Return whether a file's metadata is offered separately.

    pip then writes its report before it has the file, with the digest of the page: without one, it could not
    be compared with what was accepted.
    """
    return file.filename.endswith(".whl") and bool(file.sha256)


def _text(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(f"pip-warden: {message}\n", status_code=status, media_type="text/plain", headers=headers)
