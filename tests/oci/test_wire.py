"""Requests to registries: who is asked for tokens, and where tokens and passwords go."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback import Answer, Asked, FakeTime, Server, serve
from pip_warden.digests import digest_of
from pip_warden.errors import RegistryError, WardenError
from pip_warden.oci.answers import says_absent
from pip_warden.oci.credentials import RegistryCredentials, RegistryLogin
from pip_warden.oci.names import Repository, parse_repository
from pip_warden.oci.tokens import Access, Tokens, _granted
from pip_warden.oci.wire import Wire
from pip_warden.transport import (
    Credentials,
    NetworkSettings,
    Request,
    Response,
    Transport,
    credentials_from_environment,
)
from pip_warden.values import dataclass, field

JOB = "glcbt-very-secret-0123"
BASIC = "Basic " + base64.b64encode(f"gitlab-ci-token:{JOB}".encode()).decode()
MANIFEST = b'{"schemaVersion": 2}'


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(value).encode())


@dataclass
class Place:
    """A registry whose tokens another origin gives out, and a storage."""

    registry: Server
    realm: Server
    storage: Server
    time: FakeTime
    transport: Transport

    @property
    def host(self) -> str:
        return self.registry.url.removeprefix("http://")

    @property
    def repository(self) -> Repository:
        return parse_repository(f"{self.host}/group/image")

    @property
    def ci(self) -> dict[str, str]:
        return {"CI_REGISTRY": self.host, "CI_SERVER_URL": self.realm.url, "CI_JOB_TOKEN": JOB}

    def wire(self, environ: Mapping[str, str] | None = None, **realms: str) -> Wire:
        pinned = {self.host: frozenset(realms.values())}
        credentials = RegistryCredentials(environ=self.ci if environ is None else environ)
        return Wire(self.transport, credentials, realms=pinned, clock=self.time.read)

    def get(self, wire: Wire, path: str = "manifests/1.0") -> Response:
        return wire.ask("GET", self.repository, path, max_bytes=1000)

    def guard(self, challenge: str, *accepted: str) -> None:
        """Let the registry answer only those who send what is accepted."""

        def answer(asked: Asked) -> Answer:
            if asked.headers.get("authorization") in accepted:
                return Answer(body=MANIFEST)
            refused = _json({"errors": [{"code": "UNAUTHORIZED", "message": "who?\x1b[31m"}]}, 401)
            return Answer(status=401, headers={"WWW-Authenticate": challenge}, body=refused.body)

        self.registry.routes["/v2/group/image/manifests/1.0"] = answer

    def seen(self, server: Server) -> list[str | None]:
        return [asked.headers.get("authorization") for asked in server.asked]


@pytest.fixture
def place() -> Iterator[Place]:
    time = FakeTime()
    with (
        serve() as registry,
        serve() as realm,
        serve() as storage,
        Transport(NetworkSettings(read_timeout=60), clock=time.clock) as transport,
    ):
        place = Place(registry, realm, storage, time, transport)
        realm.routes["/jwt/auth"] = _json({"token": "t1"})
        place.guard(
            f'Bearer realm="{realm.url}/jwt/auth",service="container_registry",scope="repository:other:*"',
            "Bearer t1",
        )
        yield place


def _failure(place: Place, wire: Wire, path: str = "manifests/1.0") -> WardenError:
    with pytest.raises(WardenError) as caught:
        place.get(wire, path)
    assert caught.value.exit_code == 3
    assert JOB not in str(caught.value) + caught.value.hint
    assert "\x1b" not in str(caught.value) + caught.value.hint
    return caught.value


def test_a_token_is_fetched_once_and_for_what_is_needed_alone(place: Place) -> None:
    wire = place.wire()

    assert place.get(wire).body == MANIFEST
    assert place.get(wire).sent_credentials
    assert place.seen(place.registry) == [None, "Bearer t1", "Bearer t1"]
    assert place.seen(place.realm) == [BASIC]
    assert parse_qs(urlsplit(place.realm.asked[0].target).query) == {
        "service": ["container_registry"],
        "scope": ["repository:group/image:pull"],
    }


def test_a_token_to_push_is_another_and_a_mount_needs_a_second_scope(place: Place) -> None:
    wire = place.wire()
    path = "blobs/uploads/?mount=sha256:00&from=group/base"
    refused = Answer(
        status=401, headers={"WWW-Authenticate": f'Bearer realm="{place.realm.url}/jwt/auth",service="s"'}
    )
    place.registry.routes["/v2/group/image/" + path] = [refused, Answer(status=201)]
    place.get(wire)

    reply = wire.ask("POST", place.repository, path, writes=True, max_bytes=10)

    assert reply.status == 201
    assert parse_qs(urlsplit(place.realm.asked[-1].target).query)["scope"] == [
        "repository:group/image:pull,push",
        "repository:group/base:pull",
    ]
    assert place.seen(place.registry)[2:] == [None, "Bearer t1"]


def test_credentials_are_looked_up_once_and_only_when_they_are_demanded(place: Place) -> None:
    counted = _Held(environ=place.ci)
    wire = Wire(place.transport, counted)
    place.registry.routes["/v2/group/image/tags/list"] = Answer()
    place.get(wire, "tags/list")
    assert counted.asked == []

    place.realm.routes["/jwt/auth"] = Answer(status=401)
    for _ in range(2):
        assert _failure(place, wire).code == "credentials-refused"
    assert counted.asked == [place.repository]


def test_credentials_are_looked_up_once_by_all_threads(place: Place) -> None:
    class Slow(_Held):
        def login(self, repository: Repository) -> RegistryLogin | None:
            self.asked.append(repository)
            if len(self.asked) == 1:
                second.start()
                second.join(0.1)  # it comes to its end only where it looks up by itself
            return None

    held = Slow()
    wire = Wire(place.transport, held)
    second = Thread(target=place.get, args=(wire,))

    place.get(wire)
    second.join()

    assert held.asked == [place.repository]


def test_a_token_that_has_ended_is_replaced_before_anything_is_sent(place: Place) -> None:
    wire = place.wire()
    place.get(wire)
    place.time.skip(56)
    place.realm.routes["/jwt/auth"] = _json({"token": "t2"})
    place.guard('Bearer realm="https://evil.example/"', "Bearer t2")
    place.get(wire)

    assert place.seen(place.registry) == [None, "Bearer t1", "Bearer t2"]


def test_a_token_that_the_registry_no_longer_takes_is_replaced_once(place: Place) -> None:
    wire = place.wire()
    place.get(wire)
    place.realm.routes["/jwt/auth"] = _json({"access_token": "t2", "expires_in": 300})
    challenge = f'Bearer realm="{place.realm.url}/jwt/auth"'
    place.guard(challenge, "Bearer t2")
    assert place.get(wire).status == 200

    place.guard(challenge, "Bearer t3")
    assert _failure(place, wire).code == "credentials-refused"
    assert len(place.realm.asked) == 3


def test_a_token_is_for_one_registry_and_one_repository(place: Place) -> None:
    wire = place.wire()
    place.get(wire)
    other = parse_repository(f"{place.host}/group/other")
    elsewhere = parse_repository(place.storage.url.removeprefix("http://") + "/group/image")

    wire.ask("GET", other, "manifests/1.0", max_bytes=1000)
    wire.ask("GET", elsewhere, "manifests/1.0", max_bytes=1000)

    assert place.seen(place.registry)[-1] is None
    assert place.seen(place.storage) == [None]


def test_t31_the_job_token_goes_to_ci_registry_alone(place: Place) -> None:
    wire = place.wire(place.ci | {"CI_REGISTRY": "registry.example.com"})

    assert place.get(wire).body == MANIFEST  # an anonymous token
    assert place.seen(place.realm) == [None]


@pytest.mark.parametrize("name", ["CI_SERVER_URL", "CI_REGISTRY"])
def test_a_realm_is_trusted_for_nothing_but_ci_registry(place: Place, name: str) -> None:
    """For another registry the server of this job is a stranger, whatever credentials there are."""
    ci = place.ci | {name: "https://example.com"}
    credentials = _Held(environ=ci)
    tokens = Wire(place.transport, credentials)

    err = _failure(place, tokens)

    assert err.code == "registry-realm"
    assert place.realm.asked == []


@dataclass(frozen=True, kw_only=True)
class _Held(RegistryCredentials):
    """Credentials for every registry."""

    asked: list[Repository] = field(default_factory=list)

    def login(self, repository: Repository) -> RegistryLogin | None:
        self.asked.append(repository)
        return RegistryCredentials(environ={"CI_REGISTRY": repository.registry, "CI_JOB_TOKEN": JOB}).login(
            repository
        )


def test_t31_a_strange_realm_gets_no_credentials_and_is_named(place: Place) -> None:
    environ = {name: value for name, value in place.ci.items() if name != "CI_SERVER_URL"}

    err = _failure(place, place.wire(environ))

    assert err.code == "registry-realm"
    assert f"{place.realm.url}/jwt/auth" in str(err)
    assert f'realm = "{place.realm.url}/jwt/auth"' in err.hint
    assert place.realm.asked == []


def test_a_pinned_realm_gets_them_and_nothing_beside_it(place: Place) -> None:
    environ = {name: value for name, value in place.ci.items() if name != "CI_SERVER_URL"}

    assert place.get(place.wire(environ, a=f"{place.realm.url}/jwt/auth")).body == MANIFEST
    assert place.seen(place.realm) == [BASIC]
    assert _failure(place, place.wire(environ, a=f"{place.realm.url}/jwt/aut")).code == "registry-realm"
    assert _failure(place, place.wire(environ, a=f"{place.realm.url}/jwt/auth/")).code == "registry-realm"


def test_a_realm_that_is_pinned_for_another_registry_is_a_stranger(place: Place) -> None:
    environ = {name: value for name, value in place.ci.items() if name != "CI_SERVER_URL"}
    realms = {"registry.example.com": frozenset({f"{place.realm.url}/jwt/auth"})}
    wire = Wire(place.transport, RegistryCredentials(environ=environ), realms=realms)

    assert _failure(place, wire).code == "registry-realm"


def test_the_registrys_own_origin_may_give_out_tokens(place: Place) -> None:
    place.guard(f'Bearer realm="{place.registry.url}/token"', "Bearer t1")
    place.registry.routes["/token"] = _json({"token": "t1", "access_token": "t1", "expires_in": None})

    assert place.get(place.wire(place.ci | {"CI_SERVER_URL": ""})).body == MANIFEST
    assert place.seen(place.registry) == [None, BASIC, "Bearer t1"]


def test_t31_a_realm_that_redirects_takes_no_credentials_elsewhere(place: Place) -> None:
    place.realm.routes["/jwt/auth"] = Answer(
        status=307, headers={"Location": place.storage.url + "/jwt/auth"}
    )
    place.storage.routes["/jwt/auth"] = _json({"token": "t1"})

    assert _failure(place, place.wire()).code == "registry-sign-in"
    assert place.storage.asked == []


def test_t31_what_the_transport_holds_itself_is_sent_to_no_registry_and_no_realm(place: Place) -> None:
    environ = {"GITLAB_TOKEN": "glpat-other", "GITLAB_URL": place.realm.url}
    held = credentials_from_environment(environ, use_keyring=False)
    login = next(iter(held.by_origin.values()))
    both = Credentials(by_origin=held.by_origin, by_host={"127.0.0.1": login})
    place.realm.routes["/api/v4/auth"] = _json({"token": "t1"})
    place.guard(f'Bearer realm="{place.realm.url}/api/v4/auth"', "Bearer t1")
    with Transport(credentials=both) as transport:
        wire = Wire(transport)
        place.get(wire)
        wire.download(place.repository, "manifests/1.0", to=io.BytesIO(), max_bytes=1000, label="it")

    assert "glpat" not in str(place.realm.asked) + str(place.registry.asked)


def test_a_registry_may_take_the_password_itself(place: Place) -> None:
    place.guard('Basic realm="any https://elsewhere/"', BASIC)
    wire = place.wire()

    assert place.get(wire).body == MANIFEST
    assert place.get(wire).body == MANIFEST
    assert place.seen(place.registry) == [None, BASIC, BASIC]
    assert place.realm.asked == []


def test_a_password_that_is_wrong_is_sent_once(place: Place) -> None:
    place.guard('Basic realm="x"', "Basic other")
    wire = place.wire()

    err = _failure(place, wire)

    assert (err.code, "UNAUTHORIZED: who?\\u001b[31m" in str(err)) == ("credentials-refused", True)
    assert "CI_JOB_TOKEN" in err.hint
    assert place.seen(place.registry) == [None, BASIC]
    assert _failure(place, wire).code == "credentials-refused"
    assert place.seen(place.registry)[2:] == [BASIC]


def test_a_token_is_preferred_to_a_password(place: Place) -> None:
    place.guard(f'Basic realm="x", Bearer realm="{place.realm.url}/jwt/auth"', "Bearer t1")

    assert place.get(place.wire()).body == MANIFEST


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Negotiate",
        'Bearer realm="',
        "Bearer service=x",
        'Bearer realm="ftp://example.com/"',
        'Bearer realm="http://example.com/token"',
        'Bearer realm="https://u:p@example.com/token"',
        'Bearer realm="{realm}/jwt/auth?x=y"',
        'Bearer realm="{realm}/jwt/auth#"',
    ],
)
def test_a_demand_that_is_not_understood(place: Place, challenge: str) -> None:
    place.guard(challenge.replace("{realm}", place.realm.url), "Bearer t1")

    assert _failure(place, place.wire()).code == "registry-sign-in"
    assert _failure(place, place.wire({})).code == "registry-sign-in"
    assert place.realm.asked == []


def test_a_registry_elsewhere_cannot_have_this_machine_asked_in_plain_http(place: Place) -> None:
    reply = Response(
        status=401,
        url="https://registry.example.com/v2/a/b",
        headers={"www-authenticate": f'Bearer realm="{place.realm.url}/jwt/auth"'},
        body=b"",
    )
    tokens = Tokens(place.transport, RegistryCredentials(), realms={})

    with pytest.raises(WardenError) as caught:
        tokens.obtain(Access(repository=parse_repository("registry.example.com/a/b")), reply)
    assert (caught.value.code, caught.value.exit_code) == ("registry-sign-in", 3)
    assert place.realm.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"token": ""}',
        b'{"token": 5}',
        b'{"token": "a b"}',
        b'{"token": "a\\r\\nX: y"}',
        b'{"token": "\\u00e4"}',
        b'{"token": "a", "token": "b"}',
        b'{"token": "a", "access_token": "b"}',
        b'{"token": "a", "expires_in": "300"}',
        b'{"token": "a", "expires_in": true}',
        b'{"token": "' + b"a" * 17000 + b'"}',
    ],
)
def test_an_answer_that_is_no_token(place: Place, answer: bytes) -> None:
    place.realm.routes["/jwt/auth"] = Answer(body=answer)

    assert _failure(place, place.wire()).code == "registry-sign-in"
    assert place.seen(place.registry) == [None]


def test_an_endless_answer_is_no_token(place: Place) -> None:
    place.realm.routes["/jwt/auth"] = Answer(body=b'{"token": "a"}' + b" " * 70000)

    assert _failure(place, place.wire()).code == "too-large"


@pytest.mark.parametrize(("status", "code"), [(401, "credentials-refused"), (403, "forbidden")])
def test_a_realm_that_denies(place: Place, status: int, code: str) -> None:
    said = {"errors": [{"code": "DENIED", "message": f"access forbidden for {JOB}"}]}
    place.realm.routes["/jwt/auth"] = _json(said, status)

    err = _failure(place, place.wire())

    assert err.code == code
    assert "DENIED: access forbidden for [hidden]" in str(err)
    assert "Job token permissions" in err.hint
    place.realm.routes["/jwt/auth"] = Answer(status=status)
    assert _failure(place, place.wire({"HOME": "/nowhere"})).code == "credentials-needed"


def test_without_credentials_it_says_where_none_were_found(place: Place) -> None:
    place.realm.routes["/jwt/auth"] = _json({}, 401)

    hint = _failure(place, place.wire({"HOME": "/nowhere", "CI_REGISTRY": "registry.example.com"})).hint

    assert "the job's token is for CI_REGISTRY alone, not in /nowhere/.docker/config.json" in hint
    assert f"docker login {place.host}" in hint


def test_an_anonymous_token_that_is_not_enough_means_that_credentials_are_needed(place: Place) -> None:
    place.realm.routes["/jwt/auth"] = _json({"token": "weak"})

    assert _failure(place, place.wire({})).code == "credentials-needed"


@pytest.mark.parametrize(
    ("status", "code"), [(500, "server-error"), (404, "not-found"), (429, "rate-limited")]
)
def test_a_realm_that_fails(place: Place, status: int, code: str) -> None:
    place.realm.routes["/jwt/auth"] = Answer(status=status)

    assert _failure(place, place.wire()).code == code


def test_a_repository_that_is_forbidden(place: Place) -> None:
    place.registry.routes["/v2/group/image/manifests/1.0"] = _json({"errors": [{"code": "DENIED"}]}, 403)

    err = _failure(place, place.wire())

    assert (err.code, "DENIED" in str(err)) == ("forbidden", True)


def test_a_registry_that_limits_requests(place: Place) -> None:
    place.registry.routes["/v2/group/image/manifests/1.0"] = Answer(status=429)

    assert _failure(place, place.wire()).code == "rate-limited"


@pytest.mark.parametrize("status", [200, 202, 400, 404, 500])
def test_other_answers_are_the_callers(place: Place, status: int) -> None:
    place.registry.routes["/v2/group/image/manifests/1.0"] = Answer(status=status)

    assert place.get(place.wire()).status == status


def _stored(place: Place, answer: Answer) -> None:
    place.guard(f'Bearer realm="{place.realm.url}/jwt/auth"', "Bearer t1")
    allowed = place.registry.routes["/v2/group/image/manifests/1.0"]

    def route(asked: Asked) -> Answer:
        assert callable(allowed)
        answer = allowed(asked)
        if answer.status == 401:
            return answer
        return Answer(status=307, headers={"Location": place.storage.url + "/blob?signed=x"})

    place.registry.routes["/v2/group/image/blobs/1"] = route
    place.storage.routes["/blob"] = answer


def test_t31_a_blob_in_another_storage_is_fetched_without_credentials(place: Place) -> None:
    _stored(place, Answer(body=b"layer"))
    to = io.BytesIO(b"before")
    to.seek(6)

    found = place.wire().download(place.repository, "blobs/1", to=to, max_bytes=5, label="a layer")

    assert (found.digest, found.size, to.getvalue()) == (digest_of(b"layer"), 5, b"beforelayer")
    assert place.seen(place.registry) == [None, "Bearer t1"]
    assert place.seen(place.storage) == [None]


@pytest.mark.parametrize("challenge", ['Basic realm="x"', 'Bearer realm="{realm}/jwt/auth"'])
def test_t31_a_storage_that_demands_credentials_gets_none(place: Place, challenge: str) -> None:
    header = {"WWW-Authenticate": challenge.replace("{realm}", place.realm.url)}
    _stored(place, Answer(status=401, headers=header))

    wire = place.wire()
    place.get(wire)

    err = _failure(place, wire, "blobs/1")
    with pytest.raises(WardenError) as caught:
        wire.download(place.repository, "blobs/1", to=io.BytesIO(), max_bytes=5, label="a layer")

    assert err.code == caught.value.code == "redirect-target-failed"
    assert place.seen(place.storage) == [None, None]
    assert place.seen(place.registry) == [None, "Bearer t1", "Bearer t1", "Bearer t1"]
    assert len(place.realm.asked) == 1


def test_t31_a_storage_that_sends_back_speaks_for_no_registry(place: Place) -> None:
    absent, demand = f"{place.registry.url}/v2/absent", f"{place.registry.url}/v2/demand"
    place.registry.routes["/v2/absent"] = _json({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
    challenge = {"WWW-Authenticate": f'Bearer realm="{place.realm.url}/jwt/auth"'}
    place.registry.routes["/v2/demand"] = Answer(status=401, headers=challenge)
    wire = place.wire()

    _stored(place, Answer(status=307, headers={"Location": absent}))
    reply = place.get(wire, "blobs/1")
    assert (reply.status, says_absent(reply)) == (404, False)

    _stored(place, Answer(status=307, headers={"Location": demand}))
    assert _failure(place, wire, "blobs/1").code == "redirect-target-failed"
    assert len(place.realm.asked) == 1


@pytest.mark.parametrize(("status", "code"), [(404, "not-found"), (403, "forbidden"), (500, "server-error")])
def test_a_blob_that_is_not_to_be_had(place: Place, status: int, code: str) -> None:
    place.registry.routes["/v2/group/image/blobs/1"] = Answer(status=status)

    with pytest.raises(WardenError) as caught:
        place.wire().download(place.repository, "blobs/1", to=io.BytesIO(), max_bytes=5, label="a layer")
    assert caught.value.code == code


def test_what_is_written_is_sent_whole_with_its_type(place: Place) -> None:
    refused = Answer(status=401, headers={"WWW-Authenticate": f'Bearer realm="{place.realm.url}/jwt/auth"'})
    target = "/v2/group/image/blobs/uploads/1?_state=x"
    for content in (b"layer", io.BytesIO(b"layer")):
        place.registry.routes[target] = [refused, Answer(status=201)]
        reply = place.wire().ask(
            "PATCH",
            place.repository,
            target if content == b"layer" else place.registry.url + target,
            writes=True,
            content=content,
            content_type="application/octet-stream",
            content_range="0-4",
            max_bytes=10,
        )
        assert reply.status == 201

    sent = [(asked.method, asked.body, asked.headers["content-type"]) for asked in place.registry.asked]
    assert sent == [("PATCH", b"layer", "application/octet-stream")] * 4
    assert [asked.headers["content-length"] for asked in place.registry.asked] == ["5"] * 4
    assert [asked.headers["content-range"] for asked in place.registry.asked] == ["0-4"] * 4


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_is_written_follows_no_redirect_and_is_sent_once(place: Place, method: str) -> None:
    path = "/v2/group/image/blobs/uploads/"
    place.registry.routes[path] = Answer(status=307, headers={"Location": place.storage.url})
    with pytest.raises(WardenError) as caught:
        place.wire().ask(method, place.repository, path, writes=True, content=b"x", max_bytes=10)
    assert (caught.value.code, caught.value.exit_code) == ("insecure-redirect", 3)

    place.registry.routes[path] = Answer(status=503)
    assert (
        place.wire().ask(method, place.repository, path, writes=True, content=b"", max_bytes=1).status == 503
    )
    assert len(place.registry.asked) == 2
    assert place.storage.asked == []


def test_heads_are_asked_as_gets(place: Place) -> None:
    place.registry.routes["/v2/group/image/blobs/1"] = [
        Answer(status=503),
        Answer(headers={"Content-Length": "70000", "Docker-Content-Digest": "sha256:1"}),
    ]

    reply = place.wire().ask("HEAD", place.repository, "blobs/1", accept="a/b", max_bytes=0)

    assert (reply.status, reply.headers["content-length"], reply.body) == (200, "70000", b"")
    assert [(asked.method, asked.headers["accept"]) for asked in place.registry.asked] == [
        ("HEAD", "a/b")
    ] * 2


@pytest.mark.parametrize(
    "path", ["//127.0.0.1:1/x", "https://example.com/x", "{storage}/v2/group/image/blobs/uploads/1"]
)
def test_t31_an_upload_that_goes_on_elsewhere_is_not_followed(place: Place, path: str) -> None:
    err = _failure(place, place.wire(), path.replace("{storage}", place.storage.url))

    assert err.code == "insecure-redirect"
    assert place.storage.asked == place.registry.asked == []


def test_t31_nothing_secret_is_printed(place: Place) -> None:
    wire = place.wire()
    place.get(wire)

    shown = (
        repr(wire)
        + repr(vars(wire._tokens))
        + repr(place.get(wire))
        + repr(Request(method="GET", url="", what=""))
    )

    assert JOB not in shown
    assert "t1" not in shown.replace(place.host, "")


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: json.dumps({"token": text}).encode()))
def test_whatever_a_realm_answers_is_a_token_or_an_error(answer: bytes) -> None:
    access = Access(repository=parse_repository("registry.example.com/a"))
    try:
        header, _ = _granted(access, Response(status=200, url="https://example.com", headers={}, body=answer))
    except RegistryError:
        return
    assert header.value.reveal().isascii()
    assert header.value.reveal().isprintable()
