"""The transparency log over HTTP: Rekor's API version 1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore.answers import HEALTH, error, json_body
from pip_warden.sandbox.sigstore.errors import EntryExists, SigstoreRefusal
from pip_warden.sandbox.sigstore.wire import JSONObject, spki_pem

if TYPE_CHECKING:
    from pip_warden.sandbox.sigstore.rekor import LoggedEntry, Shard
    from pip_warden.sandbox.sigstore.service import SigstoreService

ENTRIES = "/api/v1/log/entries"
_MAX_QUERIES = 10
_UUID = re.compile(r"(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{80})")


class _Api:
    """The handlers, over one service."""

    def __init__(self, service: SigstoreService) -> None:
        self._service = service

    async def create(self, request: Request) -> Response:
        body = await json_body(request, "error processing entry: not JSON")
        entry = await run_in_threadpool(self._service.log, body)
        headers = {"Location": f"{ENTRIES}/{entry.uuid}", "ETag": entry.uuid}
        return JSONResponse(entry.rekor_json(), status_code=201, headers=headers)

    async def by_uuid(self, request: Request) -> Response:
        uuid = _uuid(request.path_params["uuid"])
        return _one(self._service.rekor.by_uuid(uuid, self._service.lying))

    async def by_index(self, request: Request) -> Response:
        index = _whole(request.query_params.get("logIndex"))
        return _one(self._service.rekor.by_index(index, self._service.lying))

    async def retrieve(self, request: Request) -> Response:
        query = await json_body(request, "error processing query: not JSON")
        found = await run_in_threadpool(_retrieve, self._service, query)
        return JSONResponse([entry.rekor_json() for entry in found])

    async def search(self, request: Request) -> Response:
        query = await json_body(request, "error processing query: not JSON")
        keys = [key for key in (query.get("hash"), query.get("email")) if isinstance(key, str) and key]
        if not keys:
            raise SigstoreRefusal("at least one of hash, email or publicKey must be given", status=422)
        found = [uuid for key in keys for uuid in self._service.rekor.search(_prefixed(key))]
        return JSONResponse(list(dict.fromkeys(found)))

    async def info(self, _request: Request) -> Response:
        *inactive, active = self._service.rekor.shards
        return JSONResponse(_tree(active) | {"inactiveShards": [_tree(shard) for shard in inactive]})

    async def public_key(self, request: Request) -> Response:
        key = spki_pem(self._shard(request).public_key)
        return Response(key, media_type="application/x-pem-file")

    async def proof(self, request: Request) -> Response:
        tree = self._shard(request).tree
        first = _whole(request.query_params.get("firstSize", "1"))
        last = _whole(request.query_params.get("lastSize"))
        try:
            hashes = [value.hex() for value in tree.consistency_proof(first, last)]
        except IndexError as err:
            raise SigstoreRefusal(str(err)) from err
        return JSONResponse({"hashes": hashes, "rootHash": tree.root(last).hex()})

    def _shard(self, request: Request) -> Shard:
        shards = self._service.rekor.shards
        wanted = request.query_params.get("treeID")
        if not wanted:
            return shards.current
        for shard in shards:
            if wanted == str(shard.tree_id):
                return shard
        raise SigstoreRefusal(f"no tree {wanted}")


async def _refuse(_request: Request, exc: Exception) -> Response:
    refusal = exc if isinstance(exc, SigstoreRefusal) else SigstoreRefusal(str(exc), status=500)
    answer = error(refusal.status, refusal.message)
    if isinstance(exc, EntryExists):
        answer.headers["Location"] = f"{ENTRIES}/{exc.uuid}"
    return answer


def rekor_app(service: SigstoreService) -> Starlette:
    """Return the transparency log as an ASGI application."""
    api = _Api(service)
    routes = [
        Route(ENTRIES, api.create, methods=["POST"]),
        Route(ENTRIES, api.by_index, methods=["GET"]),
        Route(f"{ENTRIES}/retrieve", api.retrieve, methods=["POST"]),
        Route(f"{ENTRIES}/retrieve/", api.retrieve, methods=["POST"]),  # sigstore-python asks with the slash
        Route(f"{ENTRIES}/{{uuid}}", api.by_uuid, methods=["GET"]),
        Route("/api/v1/index/retrieve", api.search, methods=["POST"]),
        Route("/api/v1/log", api.info),
        Route("/api/v1/log/publicKey", api.public_key),
        Route("/api/v1/log/proof", api.proof),
        *HEALTH,
    ]
    return Starlette(routes=routes, exception_handlers={SigstoreRefusal: _refuse})


def _retrieve(service: SigstoreService, query: dict[str, object]) -> list[LoggedEntry]:
    entries, uuids, indexes = (_listed(query, key) for key in ("entries", "entryUUIDs", "logIndexes"))
    if len(entries) + len(uuids) + len(indexes) > _MAX_QUERIES:
        raise SigstoreRefusal(f"more than max allowed {_MAX_QUERIES} entries in request", status=422)
    log, lie = service.rekor, service.lying
    found = [log.by_uuid(_uuid(uuid), lie) for uuid in uuids]
    found += [entry for proposed in entries for entry in log.by_proposal(proposed, lie)]
    found += [log.by_index(_whole(index), lie) for index in indexes]
    return [entry for entry in found if entry is not None]


def _listed(query: dict[str, object], key: str) -> list[object]:
    value = query.get(key) or []
    if not isinstance(value, list):
        raise SigstoreRefusal(f"{key} in body must be a list", status=422)
    return value


def _uuid(value: object) -> str:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise SigstoreRefusal(f"incorrectly formatted uuid {value}", status=422)
    return value.lower()


def _whole(value: object) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", str(value)):
        raise SigstoreRefusal(f"expected a whole number, found {value!r}", status=422)
    return int(str(value))


def _prefixed(key: str) -> str:
    return f"sha256:{key}" if re.fullmatch(r"[0-9a-fA-F]{64}", key) else key


def _one(entry: LoggedEntry | None) -> Response:
    return error(404, "entry not found") if entry is None else JSONResponse(entry.rekor_json())


def _tree(shard: Shard) -> JSONObject:
    return {
        "rootHash": shard.tree.root().hex(),
        "signedTreeHead": shard.checkpoint(),
        "treeID": str(shard.tree_id),
        "treeSize": len(shard.tree),
    }
