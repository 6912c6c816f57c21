"""Run our own copy of pip, which asks the loopback server before it opens a link and before it installs.

A script, not a module: any Python that pip supports runs it with ``-I``, so it imports only the standard
library and pip.

pip has no public hook for either. A requirement of a build backend, or of metadata that is made while
building, may name a file, a directory or a URL, and pip would follow it. So five functions of it are wrapped:
two prepare whatever has a link, one installs what was prepared, two install build dependencies, whose owner
is to be known, and without a second pip: in this process (``--use-feature inprocess-build-deps``) the first
two prepare them. Two more are wrapped for their cost: a file of the index is here already, and is moved, not
copied through a socket; and nobody reads pip's User-Agent, for which it would run whatever ``rustc`` and
``lsb_release`` are here. Where pip is not a version that we know, or the server does not answer, the process
ends at once: pip catches many exceptions, and may try something else.

::

    guarded_pip.py PIP_PARENT HOST install …        the proxy, with the run's password, is in the environment
    guarded_pip.py PIP_PARENT HOST -                loads pip first, then reads its arguments as JSON from
                                                    standard input; without them it ends
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import http.client
import inspect
import json
import os
import re
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

_FRAGMENT = re.compile(r"(sha256=[0-9a-f]{64})?", re.ASCII)
"""How the index's own links end. ``subdirectory=`` would build something other than what was judged."""

_FILE = re.compile(r"/files/([^/?#]+)/([^/?#]+)(?<!\.metadata)(?:#.*)?", re.ASCII)
"""A link of the index to a file, after the host. Metadata is small, and is downloaded."""

_OBJECTS = 50_000
"""How many more objects there are before Python looks for cycles among them: pip loads as many."""

_COUNTS = hasattr(gc, "freeze")  # as CPython counts references; others have no cycles to look for

_KNOWN = {
    "session.user_agent": (),
    "Downloader.__call__": ("self", "link", "location"),
    "RequirementPreparer.prepare_linked_requirement": ("self", "req", "parallel_builds"),
    "RequirementPreparer.prepare_editable_requirement": ("self", "req"),
    "InprocessBuildEnvironmentInstaller.install": ("self", "requirements", "prefix", "kind", "for_req"),
    "SubprocessBuildEnvironmentInstaller.install": ("self", "requirements", "prefix", "kind", "for_req"),
    "install.install_given_reqs": (
        *("requirements", "root", "home", "prefix", "warn_script_location", "use_user_site", "pycompile"),
        *("progress_bar", "script_executable"),
    ),
}
"""The wrapped functions, with their parameters in every pip of the range in ``pyproject.toml``."""


class OnlyThisPip:
    """Finds ``pip`` in one directory, whatever the target has installed."""

    def __init__(self, parent: str) -> None:
        self._parent = parent

    def find_spec(self, name: str, _path: object = None, target: Any = None) -> ModuleSpec | None:
        """Find a module (:class:`importlib.abc.MetaPathFinder`)."""
        return PathFinder.find_spec(name, [self._parent], target) if name == "pip" else None


class GateClient:
    """A client of the loopback server, through the proxy that every child of the run has.

    Args:
        host: The index's host name.
        proxy: The proxy's URL, with the password.
    """

    def __init__(self, host: str, proxy: str) -> None:
        self.host = host
        self._proxy = urlsplit(proxy)

    def ask(self, question: str, document: dict[str, object]) -> Any:
        """Send a request and return the answer; anything but a yes ends this process."""
        try:
            return self._post(question, json.dumps(document).encode())
        except BaseException:  # noqa: BLE001 -- no caller may take it for a failure to retry
            end("the gate does not answer")

    def _post(self, question: str, body: bytes) -> Any:
        login = f"{unquote(self._proxy.username or '')}:{unquote(self._proxy.password or '')}"
        headers = {
            "Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection(self._proxy.hostname or "", self._proxy.port)
        connection.request("POST", f"http://{self.host}/run/{question}", body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            end(content.decode(errors="replace").strip())
        return json.loads(content)


def end(why: str) -> NoReturn:
    """End this process at once; its children are ended from outside."""
    sys.stdout.flush()
    os.write(2, f"{why}\n".encode(errors="backslashreplace"))
    os._exit(1)


class Guard:
    """Decides what the server is asked, and when."""

    def __init__(self, gate: GateClient) -> None:
        self._gate = gate
        self._building: list[str] = []

    def judge(self, req: Any) -> str:
        """Let a requirement pass whose link is the index's; ask about every other.

        Returns:
            The URL to record for it instead of the link's, ``""`` for the link's own.
        """
        try:
            link, place = req.source_link, req.link
            # A wheel that this process has built from a link before is in pip's temporary cache.
            if place != link and not _is_temporary_wheel(place):
                link = place
            if not req.is_direct and self._is_of_index(link.url):
                return ""
            wanted_by = self._building[-1] if self._building else _name(req.comes_from)
            texts = {"name": req.name or "", "url": link.url, "wanted_by": wanted_by}
            document: dict[str, object] = {key: _whole(text) for key, text in texts.items()}
        except BaseException as err:  # noqa: BLE001 -- as in GateClient.ask
            self.unfit(f"requirements of another shape: {err}")
        return str(self._gate.ask("link", document)["record"])

    def _is_of_index(self, url: str) -> bool:
        """Return whether a link that pip found is from a page of the index.

        A link that a requirement names is judged wherever it leads.
        """
        own = url.startswith(f"http://{self._gate.host}/")
        return own and _FRAGMENT.fullmatch(urlsplit(url).fragment) is not None

    def plan(self, requirements: list[Any]) -> None:
        """Show what is about to be installed."""
        try:
            items = [
                {
                    "name": req.metadata["name"],
                    "version": req.metadata["version"],
                    "source": req.source_link.url,
                    "wheel": req.local_file_path,
                }
                for req in requirements
            ]
        except BaseException as err:  # noqa: BLE001 -- as in GateClient.ask
            self.unfit(f"requirements of another shape: {err}")
        self._gate.ask("plan", {"items": items})

    def unfit(self, found: str) -> NoReturn:
        """Report to the server that this pip is not one that we know, and end."""
        self._gate.ask("unfit", {"found": found})
        end(f"this pip is unknown: {found}")

    def preparing(
        self, prepare: Callable[..., Any], preparer: Any, req: Any, *rest: Any, **named: Any
    ) -> Any:
        """Judge a requirement's link, then prepare it."""
        record = self.judge(req)
        prepared = prepare(preparer, req, *rest, **named)
        if record:
            req.download_info = dataclasses.replace(req.download_info, url=record)
        return prepared

    def building(
        self, install: Callable[..., Any], installer: Any, requirements: Any, prefix: Any, **named: Any
    ) -> Any:
        """Install build dependencies, and remember which project needs them."""
        self._building.append(f"the build of {_name(named['for_req'])}")
        try:
            return install(installer, requirements, prefix, **named)
        finally:
            self._building.pop()

    def beside(self, *_args: Any, **_named: Any) -> NoReturn:
        """End a run in which another process would install build dependencies."""
        self.unfit("a second pip for build dependencies")

    def installing(
        self, install: Callable[..., Any], requirements: list[Any], *rest: Any, **named: Any
    ) -> Any:
        """Show what is about to be installed, then install it."""
        self.plan(requirements)
        return install(requirements, *rest, **named)

    def taking(
        self, log: Any, shown: Any, download: Callable[..., Any], downloader: Any, link: Any, location: str
    ) -> Any:
        """Move a file of the index from where the gate puts it, instead of downloading it: pip hashes it."""
        url = str(getattr(link, "url", ""))
        file = _FILE.fullmatch(url.removeprefix(f"http://{self._gate.host}"))
        if file is None or not self._is_of_index(url):
            return download(downloader, link, location)
        answer = self._gate.ask("take", {"project": unquote(file[1]), "filename": unquote(file[2])})
        there = os.fsdecode(answer["path"].encode("latin-1"))  # as in _told
        here = shutil.move(there, location)
        log("Downloading %s (%s)", file[2], shown(os.path.getsize(here)))  # as pip would
        return here, "application/octet-stream"

    def wrap(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        """Wrap one of pip's functions in one of ours."""
        original = getattr(owner, name, None)
        known = _KNOWN[f"{owner.__name__.rpartition('.')[2]}.{name}"]
        found = tuple(inspect.signature(original).parameters) if callable(original) else ("none",)
        if found != known:
            self.unfit(f"{owner.__name__}.{name}({', '.join(found)}) for ({', '.join(known)})")

        def wrapped(*args: Any, **named: Any) -> Any:
            return around(original, *args, **named)

        setattr(owner, name, wrapped)


def _name(req: Any) -> str:
    """Return the name of a requirement, or of what requires one."""
    return str(getattr(req, "name", None) or req or "")


def _whole(text: str) -> str:
    """Replace lone surrogates, which our JSON may not hold, by ``?``: no ``file:`` URL with one passes."""
    return text.encode("utf-8", "replace").decode()


def _is_temporary_wheel(link: Any) -> bool:
    path = os.path.realpath(link.file_path) if link.is_file else ""
    return path.startswith(os.path.realpath(tempfile.gettempdir()) + os.sep) and path.endswith(".whl")


def _told() -> list[str]:
    """Read the arguments, and leave pip as little input as if it had had them from the start."""
    with open(0, "rb", closefd=False) as stream:
        told = stream.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        # Cut short, they are no JSON. Each character is a byte, for this Python to decode as it does a
        # command line: its encoding need not be ours.
        return [os.fsdecode(word.encode("latin-1")) for word in json.loads(told)]
    except ValueError:
        end("nobody said what is to be done")


def main() -> None:
    """Wrap pip and run it."""
    if _COUNTS:
        gc.set_threshold(_OBJECTS)
    parent, host, *words = sys.argv[1:]
    guard = Guard(GateClient(host, os.environ.get("http_proxy", "")))
    sys.meta_path.insert(0, OnlyThisPip(parent))
    try:
        from pip._internal import build_env
        from pip._internal.commands import install
        from pip._internal.network import download, session
        from pip._internal.operations import prepare
        from pip._internal.utils.misc import format_size

        preparer, inside = prepare.RequirementPreparer, build_env.InprocessBuildEnvironmentInstaller
        beside, downloader = build_env.SubprocessBuildEnvironmentInstaller, download.Downloader
        log = download.logger.info
    except (ImportError, AttributeError) as err:
        guard.unfit(str(err))
    for name in ("prepare_linked_requirement", "prepare_editable_requirement"):
        guard.wrap(preparer, name, guard.preparing)
    guard.wrap(inside, "install", guard.building)
    guard.wrap(beside, "install", guard.beside)
    guard.wrap(install, "install_given_reqs", guard.installing)
    guard.wrap(session, "user_agent", lambda _ask: "pip")
    guard.wrap(downloader, "__call__", partial(guard.taking, log, format_size))
    sys.argv[:] = ["pip", *(_told() if words == ["-"] else words)]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    finally:
        if _COUNTS:
            gc.freeze()  # at its end Python would look for cycles in all that was loaded, four times


if __name__ == "__main__":
    main()
