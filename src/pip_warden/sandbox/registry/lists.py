"""Lists: tags, and the referrers of a manifest (OCI distribution 1.1, "Content Discovery")."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pip_warden.sandbox.registry import answers
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.manifests import INDEX
from pip_warden.sandbox.registry.store import DIGEST

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.registry.service import ContainerRegistry


class Lists:
    """The routes of lists."""

    def __init__(self, registry: ContainerRegistry) -> None:
        self._registry = registry

    async def tags(self, request: Request) -> Response:
        """Return a page of the tags, in lexical order."""
        path, query = request.path_params["name"], request.query_params
        self._registry.admit(request, {path: "pull"})
        size = self._size(query.get("n"))
        repository = self._registry.store.find(path)
        if repository is None or not (repository.tags or repository.manifests):
            raise RegistryHalt("NAME_UNKNOWN", {"name": path})
        shown, has_more = answers.cut(sorted(repository.tags), query.get("last"), size)
        link = _link(request, {"last": shown[-1], "n": str(size)}) if has_more and shown else {}
        return answers.listed({"name": path, "tags": shown}, "application/json", link)

    async def referrers(self, request: Request) -> Response:
        """Return an index of what names a manifest as its subject, where the registry has such a list."""
        path, digest = request.path_params["name"], request.path_params["digest"]
        if not self._registry.referrers:
            return answers.no_such_page()
        self._registry.admit(request, {path: "pull"})
        if not DIGEST.fullmatch(digest):
            raise RegistryHalt("DIGEST_INVALID", digest)
        repository = self._registry.store.find(path)
        found = {str(entry["digest"]): entry for entry in repository.referrers(digest)} if repository else {}
        kind = request.query_params.get("artifactType")
        names = [name for name, entry in found.items() if not kind or entry.get("artifactType") == kind]
        size = self._registry.referrers_page or len(names)
        shown, has_more = answers.cut(names, request.query_params.get("last"), size)
        kept = {"artifactType": kind} if kind else {}
        headers = {"oci-filters-applied": "artifactType"} if kind else {}
        headers |= _link(request, kept | {"last": shown[-1]}) if has_more else {}
        entries = [found[name] for name in shown]
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return answers.listed(content, INDEX, headers)

    def _size(self, text: str | None) -> int:
        if text is None:
            return self._registry.tags_page
        if not text.isascii() or not text.isdecimal():
            raise RegistryHalt("PAGINATION_NUMBER_INVALID", text)
        return min(int(text), self._registry.tags_page)


def _link(request: Request, query: dict[str, str]) -> dict[str, str]:
    return {"link": f'<{request.url.path}?{urlencode(query)}>; rel="next"'}
