"""The transparency log over HTTP: Rekor's API version 1."""

from __future__ import annotations

import hashlib
import re
from functools import partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.sigstore import answers
from pip_warden.sandbox.sigstore.answers import body_of, error, get, invalid, parsed
from pip_warden.sandbox.sigstore.errors import EntryExists, EntryMalformed, EntryRefused, SigstoreRefusal
from pip_warden.sandbox.sigstore.proposals import canonical_key
from pip_warden.sandbox.sigstore.rekor import LoggedEntry, Shard
from pip_warden.sandbox.sigstore.service import SigstoreService
from pip_warden.sandbox.sigstore.wire import JSONObject, from_b64, spki_pem

ENTRIES = "/api/v1/log/entries"
_PEM = "application/x-pem-file"
_MAX_QUERIES = 10
_UUID = "^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$"
_HASH = "^(sha512:)?[0-9a-fA-F]{128}$|^(sha256:)?[0-9a-fA-F]{64}$|^(sha1:)?[0-9a-fA-F]{40}$"
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"  # RFC 5322, section 3.2.3
_FORMATS = ("pgp", "x509", "minisign", "ssh", "tuf")
_PREFIXES = {128: "sha512:", 64: "sha256:", 40: "sha1:"}
_TREE = 16
_INT64 = 2**63


class _Api:
    """The handlers, over one service."""

    def __init__(self, service: SigstoreService) -> None:
        self._service = service

    async def entries(self, request: Request) -> Response:
        return await (self.create(request) if request.method == "POST" else self.by_index(request))

    async def create(self, request: Request) -> Response:
        body = await body_of(request, "proposedEntry")
        entry = await run_in_threadpool(self._service.log, parsed(body, _unreadable))
        headers = {"Location": f"{ENTRIES}/{entry.uuid}", "ETag": entry.uuid}
        return JSONResponse(entry.rekor_json(), status_code=201, headers=headers)

    async def by_uuid(self, request: Request) -> Response:
        uuid = str(request.path_params["uuid"]).lower()
        if not re.fullmatch(_UUID, uuid):
            raise invalid(answers.PATTERN, f"entryUUID in path should match '{_UUID}'")
        tree = uuid[:-64]
        if tree and int(tree, _TREE) >= _INT64:
            raise SigstoreRefusal(f"validation error: {tree} is not a valid TreeID")
        if tree and not int(tree, _TREE):
            raise SigstoreRefusal("unexpected error communicating with transparency log", status=500)
        return _one(self._service.rekor.by_uuid(uuid, self._service.lying))

    async def by_index(self, request: Request) -> Response:
        index = _whole(request, "logIndex", 0)
        return _one(self._service.rekor.by_index(index, self._service.lying))

    async def retrieve(self, request: Request) -> Response:
        query = parsed(await body_of(request, "entry"), partial(_unparsed, "entry"))
        found = await run_in_threadpool(_retrieve, self._service, query)
        return JSONResponse([entry.rekor_json() for entry in found])

    async def search(self, request: Request) -> Response:
        query = parsed(await body_of(request, "query"), partial(_unparsed, "query"))
        found = [self._service.rekor.search(key) for key in _keys(query)]
        if query.get("operator") == "and":
            common = set(found[0]).intersection(*found[1:]) if found else set[str]()
            found = [[uuid for uuid in found[0] if uuid in common]] if found else []
        return JSONResponse(list(dict.fromkeys(uuid for uuids in found for uuid in uuids)))

    async def info(self, _request: Request) -> Response:
        *inactive, active = self._service.rekor.shards
        return JSONResponse(_tree(active) | {"inactiveShards": [_tree(shard) for shard in inactive] or None})

    async def public_key(self, request: Request) -> Response:
        shard = self._shard(request)
        if shard is None:
            return error(400, "Bad Request", media_type=_PEM)
        return Response(spki_pem(shard.public_key), media_type=_PEM)

    async def proof(self, request: Request) -> Response:
        first, last = _whole(request, "firstSize", 1, default=1), _whole(request, "lastSize", 1)
        shard = self._shard(request)
        if first > last:
            raise SigstoreRefusal(f"firstSize({first}) must be less than lastSize({last})")
        if shard is None:
            raise SigstoreRefusal(f"no log range found for tree ID {request.query_params['treeID']}")
        known = len(shard.tree)
        if last > known:
            raise SigstoreRefusal(
                f"the tree size requested({last}) was greater than what is currently observable({known})"
            )
        hashes = [value.hex() for value in shard.tree.consistency_proof(first, last)]
        # The root is that of the tree as it is now, whatever sizes were requested.
        return JSONResponse({"hashes": hashes, "rootHash": shard.tree.root().hex()})

    def _shard(self, request: Request) -> Shard | None:
        """Return the requested tree, by default the active one; None when there is no such tree."""
        shards = self._service.rekor.shards
        wanted = request.query_params.get("treeID")
        if not wanted:
            return shards.current
        if not re.fullmatch("[0-9]+", wanted):
            raise invalid(answers.PATTERN, "treeID in query should match '^[0-9]+$'")
        return next((shard for shard in shards if wanted == str(shard.tree_id)), None)


async def _refuse(_request: Request, exc: Exception) -> Response:
    refusal = exc if isinstance(exc, SigstoreRefusal) else SigstoreRefusal(str(exc), status=500)
    answer = error(refusal.status, refusal.message, code=refusal.code)
    if isinstance(exc, EntryExists):
        answer.headers["Location"] = f"{ENTRIES}/{exc.uuid}"
    return answer


def rekor_app(service: SigstoreService) -> Starlette:
    """Return the transparency log as an ASGI application."""
    api = _Api(service)
    routes = [
        answers.only(Route(ENTRIES, api.entries, methods=["GET", "POST"])),
        answers.only(Route(f"{ENTRIES}/retrieve", api.retrieve, methods=["POST"])),
        get(f"{ENTRIES}/{{uuid}}", api.by_uuid),
        Route("/api/v1/index/retrieve", api.search, methods=["POST"]),
        get("/api/v1/log", api.info),
        get("/api/v1/log/publicKey", api.public_key),
        get("/api/v1/log/proof", api.proof),
        answers.PING,
    ]
    uncached = f"GET /api/v1/log(/publicKey|/proof)?|GET {ENTRIES}(/[^/]+)?"
    return Starlette(
        routes=routes,
        middleware=[Middleware(answers.OpenApi, uncached=uncached)],
        exception_handlers={SigstoreRefusal: _refuse, **answers.UNROUTED},
    )


def _unreadable(why: str) -> SigstoreRefusal:
    return SigstoreRefusal(why, status=500)


def _unparsed(name: str, why: str) -> SigstoreRefusal:
    return SigstoreRefusal(f'parsing {name} body from "" failed, because {why}')


def _retrieve(service: SigstoreService, query: dict[str, object]) -> list[LoggedEntry]:
    entries, uuids, indexes = _asked(query)
    if len(entries) + len(uuids) + len(indexes) > _MAX_QUERIES:
        raise SigstoreRefusal(f"more than max allowed {_MAX_QUERIES} entries in request", status=422)
    log, lie = service.rekor, service.lying
    found = [log.by_uuid(uuid, lie) for uuid in uuids]
    try:
        found += [entry for proposed in entries for entry in log.by_proposal(proposed, lie)]
    except EntryMalformed as err:
        if err.code == answers.MISSING and not err.bare.startswith("kind "):
            raise invalid(answers.MISSING, f"entries.0.{err.bare}") from err
        raise _unparsed("entry", err.bare) from err
    except EntryRefused as err:
        raise SigstoreRefusal(err.bare) from err
    found += [log.by_index(index, lie) for index in indexes]
    return [entry for entry in found if entry is not None]


def _asked(query: dict[str, object]) -> tuple[list[object], list[str], list[int]]:
    entries = _listed(query, "entries", dict)
    uuids = [str(uuid).lower() for uuid in _listed(query, "entryUUIDs", str)]
    indexes = [int(str(index)) for index in _listed(query, "logIndexes", int)]
    for place, uuid in enumerate(uuids):
        if not re.fullmatch(_UUID, uuid):
            raise invalid(answers.PATTERN, f"entryUUIDs.{place} in body should match '{_UUID}'")
    for place, index in enumerate(indexes):
        if index < 0:
            raise invalid(
                answers.TOO_SMALL, f"logIndexes.{place} in body should be greater than or equal to 0"
            )
    for uuid in uuids:
        if uuid[:-64] and not 0 < int(uuid[:-64], _TREE) < _INT64:
            raise SigstoreRefusal(f"invalid entryID {uuid}")
    return entries, uuids, indexes


def _listed(query: dict[str, object], name: str, kind: type) -> list[object]:
    value = query.get(name)
    if value is None or (value == [] and name == "entries"):
        return []
    if not isinstance(value, list) or any(type(item) is not kind for item in value):
        raise _unparsed("entry", f"json: cannot unmarshal into Go struct field .{name}")
    if not value:
        raise invalid(answers.TOO_FEW, f"{name} in body should have at least 1 items")
    if len(value) > _MAX_QUERIES:
        raise invalid(answers.TOO_MANY, f"{name} in body should have at most {_MAX_QUERIES} items")
    return value


def _keys(query: dict[str, object]) -> list[str]:
    """Return the keys of a search request, as the index writes them."""
    digest, mail, subject, operator = (
        query.get(name) or "" for name in ("hash", "email", "subject", "operator")
    )
    key = query.get("publicKey")
    if not all(isinstance(text, str) for text in (digest, mail, subject, operator)) or not isinstance(
        key, dict | None
    ):
        raise _unparsed("query", "json: cannot unmarshal into Go struct field SearchIndex")
    if mail and not re.fullmatch(f"{_ATOM}@{_ATOM}", str(mail)):
        raise invalid(answers.WRONG_TYPE, f'email in body must be of type email: "{mail}"')
    if digest and not re.search(_HASH, str(digest)):
        raise invalid(answers.PATTERN, f"hash in body should match '{_HASH}'")
    if operator not in {"", "and", "or"}:
        raise invalid(answers.NOT_LISTED, "operator in body should be one of [and or]")
    keys = [_prefixed(str(digest))] if digest else []
    keys += [] if key is None else [_key_hash(key)]
    return [*keys, *(str(text) for text in (mail, subject) if text)]


def _prefixed(digest: str) -> str:
    return _PREFIXES.get(len(digest), "") + digest


def _key_hash(key: dict[str, object]) -> str:
    form, content = key.get("format"), key.get("content") or ""
    where = "publicKey.publicKey.format in body"
    if not form:
        raise invalid(answers.MISSING, f"{where} is required")
    if form not in _FORMATS:
        raise invalid(answers.NOT_LISTED, f"{where} should be one of [{' '.join(_FORMATS)}]")
    try:
        return hashlib.sha256(canonical_key(from_b64(str(content)))).hexdigest()
    except (ValueError, EntryRefused) as err:
        raise SigstoreRefusal("public key provided could not be parsed", reason=str(err)) from err


def _whole(request: Request, name: str, least: int, default: int | None = None) -> int:
    text = request.query_params.get(name) or ""
    if not text and default is not None:
        return default
    if not text:
        raise invalid(answers.MISSING, f"{name} in query is required")
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or not -_INT64 <= int(text) < _INT64:
        raise invalid(answers.WRONG_TYPE, f'{name} in query must be of type int64: "{text}"')
    if int(text) < least:
        raise invalid(answers.TOO_SMALL, f"{name} in query should be greater than or equal to {least}")
    return int(text)


def _one(entry: LoggedEntry | None) -> Response:
    return Response(status_code=404) if entry is None else JSONResponse(entry.rekor_json())


def _tree(shard: Shard) -> JSONObject:
    return {
        "rootHash": shard.tree.root().hex(),
        "signedTreeHead": shard.checkpoint(),
        "treeID": str(shard.tree_id),
        "treeSize": len(shard.tree),
    }
