"""The loopback server: the installer's only network.

It is the child's HTTP proxy, with a password made for this run, and serves one host name that nothing else
can resolve: an index (PEP 503, PEP 691) whose files are sealed first, with their metadata (PEP 658) and byte
ranges; and our pip's requests (:mod:`~pip_warden.installer.questions`). Every other request is refused and
remembered. After the first denial it serves nothing more: an installer that is refused a file would otherwise
look for an older one.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, urlsplit

from pip_warden.display import escape_text
from pip_warden.errors import InternalError, UsageError, WardenError, outranks
from pip_warden.installer.connection import Request, Response
from pip_warden.installer.loopback import Listener
from pip_warden.installer.model import Backend, ListedFile, RegistryAnswers
from pip_warden.installer.place import HOST, USER, Place
from pip_warden.installer.questions import LARGEST_QUESTION, answer
from pip_warden.installer.tunnel import Tunnel, asked_origin
from pip_warden.names import ProjectName, parse_project_name

if TYPE_CHECKING:
    from pip_warden.installer.authority import RunAuthority

_JSON = "application/vnd.pypi.simple.v1+json"
_TEXT = "text/plain; charset=utf-8"
_PAGE = re.compile(r"/simple/([^/]+)/?", re.ASCII)
_FILE = re.compile(r"/files/([^/]+)/([^/]+?)(\.metadata)?", re.ASCII)
_QUESTION = re.compile(r"/run/([a-z]+)", re.ASCII)
_PRODUCT = re.compile(r"[!-~]{1,40}", re.ASCII)
_READS = {"GET", "HEAD"}


class Server:
    """Serves one installer run on a free port of 127.0.0.1; a context manager.

    Args:
        backend: The gate.
        on_denial: Called once, from another thread, at the first denial.
        place: Where it is found; None for a place of its own. It is closed at the end.
        registries: Answers for the registries' own paths; None where nobody asks for them.
        authority: Ends TLS for the registries' origins; None where there are none of https.

    Attributes:
        denial: Why the run was ended, None while it was not.
        strays: Requests that were not for the index, each as shown to people.
        mistrusts: Who did not accept the run's certificate for which origin, each as shown to people. Some
            break off without saying so, and are not among them.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        on_denial: Callable[[], None] = lambda: None,
        place: Place | None = None,
        registries: RegistryAnswers | None = None,
        authority: RunAuthority | None = None,
    ) -> None:
        self._backend = backend
        self._on_denial = on_denial
        self._registries = registries
        self._authority = authority
        self._place = place or Place()
        self._lock = threading.Lock()
        self.denial: WardenError | None = None
        self.strays: tuple[str, ...] = ()
        self.mistrusts: tuple[str, ...] = ()
        self._listener = Listener(self._place, self, longest_body=LARGEST_QUESTION)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.end()

    @property
    def proxy_url(self) -> str:
        """Return the proxy URL for the child's environment: a secret of this run."""
        return self._place.proxy_url

    def knows(self, request: Request) -> bool:
        """Return whether a request has the password, or came through a tunnel whose request had it."""
        if request.origin:
            return True
        wanted = base64.b64encode(f"{USER}:{self._place.password}".encode()).decode()
        scheme, _, given = request.header("proxy-authorization").partition(" ")
        return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode(), wanted.encode())

    def carried(self, size: int) -> None:
        """Count bytes of an answer, before they are sent."""
        self._backend.carried(size)

    def answer(self, request: Request, body: bytes) -> Response:
        """Answer a request."""
        if not self.knows(request):
            return _text(407, "the password of this run is needed", {"Proxy-Authenticate": "Basic"})
        path = _own_path(request.target)
        question = _QUESTION.fullmatch(path) if request.method == "POST" and path is not None else None
        if path is None or not (question or request.method in _READS):
            self._remember(f"{request.method} {request.target}")
            return _text(403, "this run's only network is its own index")
        if self.denial is not None:
            return _text(403, f"this run was ended: {self.denial.code}")
        answered = False
        try:
            response = (
                _json(answer(question[1], body, self._backend)) if question else self._route(request, path)
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

    def tunnel(self, request: Request) -> Response | Tunnel:
        """Let a request into a tunnel to a registry."""
        origin = asked_origin(request.target, needs_port=True)
        known = origin is not None and self._registries is not None and origin in self._registries.origins
        context = self._authority.context_for(origin) if origin and known and self._authority else None
        if origin is None or context is None:
            self._remember(f"{request.method} {request.target}")
            return _text(403, "this run's only network is its own index, and what it is pinned to")
        if (denial := self.denial) is not None:
            return _text(403, f"this run was ended: {denial.code}")
        tool = _PRODUCT.match(request.header("user-agent"))
        mistrust = f"{origin}, by {tool[0] if tool else 'a client'}"
        return Tunnel(origin=origin, context=context, on_mistrust=lambda: self._mistrusted(mistrust))

    def _mistrusted(self, line: str) -> None:
        with self._lock:
            self.mistrusts = tuple(dict.fromkeys((*self.mistrusts, line)))

    def _route(self, request: Request, path: str) -> Response:
        page, file = _PAGE.fullmatch(path), _FILE.fullmatch(path)
        match = page or file
        project = _project(match[1]) if match is not None else None
        if match is None or project is None:
            return _text(404, "there is nothing here")
        if page is not None:
            wants_json = _JSON in request.header("accept")
            return (_json_page if wants_json else _html_page)(project, self._backend.page(project))
        handed = self._backend.file(project, match[2])
        if match[3]:
            return Response(content=handed.metadata, media_type=_TEXT)
        opened = handed.path.open("rb")
        self._backend.sent(match[2])
        return Response(file=opened, media_type="application/octet-stream")

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
    return _json(document, _JSON)


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
    import html

    anchors = []
    for file in files:
        attributes = f' data-yanked="{html.escape(file.yanked)}"' if file.yanked is not None else ""
        attributes += ' data-core-metadata="true"' if _has_metadata(file) else ""
        url, name = html.escape(_file_url(project, file)), html.escape(file.filename)
        anchors.append(f'<a href="{url}"{attributes}>{name}</a><br>')
    body = "\n".join(["<!DOCTYPE html>", f"<title>{project}</title>", *anchors])
    return Response(content=body.encode(), media_type="text/html; charset=utf-8")


def _has_metadata(file: ListedFile) -> bool:
    """Return whether a file's metadata is offered separately.

    pip then writes its report before it has the file, with the digest of the page: without one, it could not
    be compared with what was accepted.
    """
    return file.filename.endswith(".whl") and bool(file.sha256)


def _json(document: object, media_type: str = "application/json") -> Response:
    return Response(content=json.dumps(document).encode(), media_type=media_type)


def _text(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    content = f"pip-warden: {message}\n".encode()
    return Response(status=status, content=content, media_type=_TEXT, headers=headers or {})
