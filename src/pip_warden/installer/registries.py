"""The registries' own paths, answered from what the gate accepts.

So a tool asks where its lock file says, and what it writes into one names the real registry. Of a request
only method, URL, ``Accept`` and ``Range`` count: credentials that a tool has for a registry are for nobody
here, and nothing is ever passed on.
"""

from __future__ import annotations

from collections.abc import Iterable

from pip_warden.installer.connection import Request, Response
from pip_warden.installer.model import FileQuestion, ListedFile, RegistryBackend, ReleaseFacts
from pip_warden.installer.pages import TEXT, json_answer, page, text_answer
from pip_warden.installer.routes import FileRoute, PageRoute, ReleaseRoute, find_route, origin_in
from pip_warden.trust.source import Source

_READS = {"GET", "HEAD"}


class Registries:
    """Answers for some origins.

    Args:
        sources: The trust file's sources: where each has its pages and files.
        origins: The origins that are answered for, each as :class:`~pip_warden.transport.urls.Origin` spells
            it.
        backend: The gate.

    Attributes:
        origins: The same.
    """

    def __init__(self, sources: Iterable[Source], origins: Iterable[str], backend: RegistryBackend) -> None:
        self._sources = tuple(sources)
        self.origins = frozenset(origins)
        self._backend = backend

    def has(self, url: str) -> bool:
        """Return whether a URL is one of an origin that is answered for."""
        return origin_in(url) in self.origins

    def answer(self, request: Request) -> Response | None:
        """Answer a request.

        Returns:
            The answer; None where nothing is ever asked so: that is not what a tool needs a registry for.

        Raises:
            RefusedError: What is asked for is refused: the run ends.
            UndecidedError: It could not be decided about.
        """
        if request.method not in _READS or not self.has(request.url):
            return None
        match find_route(request.url, self._sources):
            case None:
                return None
            case PageRoute() as route:
                return self._page(route, request.header("accept"))
            case FileRoute() as route:
                return self._file(route.asked, is_metadata=route.is_metadata)
            case ReleaseRoute() as route:
                facts = self._backend.release_at(route.project, route.version, route.source)
                return _nothing() if facts is None else json_answer(_release(facts))

    def _page(self, route: PageRoute, accept: str) -> Response:
        files = self._backend.page_at(route.project, route.source, route.registry, route.group)
        return _nothing() if files is None else page(route.project, files, _upstream, accept=accept)

    def _file(self, asked: FileQuestion, *, is_metadata: bool) -> Response:
        served = self._backend.file_at(asked)
        if served is None:
            return _nothing()
        if is_metadata:
            return Response(content=served.metadata, media_type=TEXT)
        opened = served.path.open("rb")
        self._backend.sent(asked.filename)
        return Response(file=opened, media_type="application/octet-stream")


def _upstream(listed: ListedFile) -> str:
    return listed.url


def _nothing() -> Response:
    """Return what makes a tool look at its next index."""
    return text_answer(404, "there is nothing here")


def _release(facts: ReleaseFacts) -> dict[str, object]:
    """Return a release as PyPI's JSON API does, as far as tools read it (docs.pypi.org/api/json)."""
    reasons = [file.yanked for file in facts.files]
    is_yanked = bool(reasons) and None not in reasons
    info = {
        "name": facts.name,
        "version": facts.version,
        "summary": facts.summary,
        "requires_dist": None if facts.requires_dist is None else list(facts.requires_dist),
        "requires_python": facts.requires_python,
        "yanked": is_yanked,
        "yanked_reason": (reasons[0] or None) if is_yanked else None,
    }
    # Without a digest, nothing could be written into a lock.
    return {"info": info, "urls": [_release_file(file) for file in facts.files if file.sha256]}


def _release_file(file: ListedFile) -> dict[str, object]:
    return {
        "filename": file.filename,
        "url": file.url,
        "digests": {"sha256": file.sha256},
        "packagetype": "bdist_wheel" if file.filename.endswith(".whl") else "sdist",
        "requires_python": None,
        "size": file.size,
        "upload_time_iso_8601": file.upload_time,
        "yanked": file.yanked is not None,
        "yanked_reason": file.yanked or None,
    }
