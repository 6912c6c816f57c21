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
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, urlsplit

from pip_warden.display import escape_text
from pip_warden.errors import InternalError, UsageError, WardenError, outranks
from pip_warden.installer.connection import Request, Response
from pip_warden.installer.gate_port import HOST, USER, GatePort
from pip_warden.installer.loopback import Listener
from pip_warden.installer.model import Backend, ListedFile, RegistryAnswers
from pip_warden.installer.pages import TEXT, json_answer, text_answer
from pip_warden.installer.pages import page as render_page
from pip_warden.installer.questions import LARGEST_QUESTION, answer
from pip_warden.installer.tunnel import Tunnel, asked_origin
from pip_warden.names import ProjectName, parse_project_name
from pip_warden.transport.urls import redacted_url

if TYPE_CHECKING:
    from pip_warden.installer.authority import RunAuthority

_PAGE = re.compile(r"/simple/([^/]+)/?", re.ASCII)
_FILE = re.compile(r"/files/([^/]+)/([^/]+?)(\.metadata)?", re.ASCII)
_QUESTION = re.compile(r"/run/([a-z]+)", re.ASCII)
_PRODUCT = re.compile(r"[!-~]{1,40}", re.ASCII)
_READS = {"GET", "HEAD"}
_USER = re.compile(r".*@", re.DOTALL)
"""What some clients, Python's urllib one of them, send of ``https://user:password@host`` before the host."""


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
        place: GatePort | None = None,
        registries: RegistryAnswers | None = None,
        authority: RunAuthority | None = None,
    ) -> None:
        self._backend = backend
        self._on_denial = on_denial
        self._registries = registries
        self._authority = authority
        self._place = place or GatePort()
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
            return text_answer(407, "the password of this run is needed", {"Proxy-Authenticate": "Basic"})
        asks = self._asked(request, body)
        if asks is not None and self.denial is not None:
            return text_answer(403, f"this run was ended: {self.denial.code}")
        answered = False
        try:
            response = asks() if asks is not None else None
            answered = True
        except WardenError as err:
            answered = True
            return self._deny(err)
        finally:
            # A failure of our own must end the run too: an installer may go on after a 500.
            if not answered:
                found = f"expected an answer for {_shown(request)}, found a failure of our own"
                self._deny(InternalError("bug", found))
        if response is None:
            self._remember(f"{request.method} {_shown(request)}")
            return text_answer(403, "this run's only network is its own index")
        return response

    def _asked(self, request: Request, body: bytes) -> Callable[[], Response | None] | None:
        """Return what finds the answer to a request, None where it is for nothing that is here."""
        if self._registries is not None and self._registries.has(request.url):
            return partial(self._registries.answer, request)
        path = _own_path(request.url)
        if path is None:
            return None
        if request.method == "POST" and (question := _QUESTION.fullmatch(path)):
            return lambda: json_answer(answer(question[1], body, self._backend))
        return partial(self._route, request, path) if request.method in _READS else None

    def tunnel(self, request: Request) -> Response | Tunnel:
        """Let a request into a tunnel to a registry."""
        origin = asked_origin(request.target, needs_port=True)
        known = origin is not None and self._registries is not None and origin in self._registries.origins
        context = self._authority.context_for(origin) if origin and known and self._authority else None
        if origin is None or context is None:
            self._remember(f"{request.method} {_USER.sub('***@', request.target)}")
            return text_answer(403, "this run's only network is its own index, and what it is pinned to")
        if (denial := self.denial) is not None:
            return text_answer(403, f"this run was ended: {denial.code}")
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
            return text_answer(404, "there is nothing here")
        if page is not None:
            files, url_of = self._backend.page(project), partial(_own_url, project)
            return render_page(project, files, url_of, accept=request.header("accept"))
        handed = self._backend.file(project, match[2])
        if match[3]:
            return Response(content=handed.metadata, media_type=TEXT)
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
        return text_answer(403, f"{error.code}: {escape_text(error.message, 500)}")

    def _remember(self, stray: str) -> None:
        with self._lock:
            self.strays = (*self.strays, escape_text(stray, 300))


def _shown(request: Request) -> str:
    """Return what was asked for, without what may be a secret."""
    return redacted_url(request.url)


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


def _own_url(project: ProjectName, listed: ListedFile) -> str:
    return f"http://{HOST}/files/{project}/{quote(listed.filename)}"
