"""Reference 4.1 and 4.2, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from pip_warden.sandbox import Project, Role, Sandbox
from sandbox.conftest import Http

CHALLENGE = 'Basic realm="GitLab Packages Registry"'


@dataclass
class World:
    sandbox: Sandbox
    private: Project
    public: Project
    other: Project
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Sandbox() as sandbox:
        private = sandbox.project("acme/private")
        public = sandbox.project("open/public", visibility="public")
        other = sandbox.project("else/where")
        for project in (private, public):
            sandbox.publish(project, [sandbox.wheel("widgets", "1.0")], forms=())
            sandbox.put_evidence(project, "1.0", {"note.txt": b"note"})
        private.add_member("developer", Role.DEVELOPER)
        private.add_member("reporter", Role.REPORTER)
        secrets = {
            "pat": sandbox.token(),
            "read": sandbox.token(scopes=("read_api",)),
            "registry": sandbox.token(scopes=("read_registry",)),
            "oauth": sandbox.token("oauth"),
            "project": sandbox.token("project", project=private),
            "group": sandbox.token("group", group=sandbox.group("acme")),
            "stranger": sandbox.token(user="stranger"),
            "reporter": sandbox.token(user="reporter"),
            "deploy": sandbox.token("deploy", project=private, scopes=("read_package_registry",)),
            "deploy-write": sandbox.token("deploy", project=private, scopes=("write_package_registry",)),
            "deploy-none": sandbox.token("deploy", project=private, scopes=("read_repository",)),
            "deploy-other": sandbox.token("deploy", project=other, scopes=("read_package_registry",)),
            "job": private.job_token,
            "job-other": other.job_token,
            "expired": sandbox.token(expires_at=sandbox.clock.now() - timedelta(seconds=1)),
            "revoked": sandbox.token(),
            "bad": "glpat-no-such-token",
        }
        sandbox.revoke(secrets["revoked"])
        yield World(sandbox, private, public, other, secrets)


def _credentials(world: World, form: str) -> dict[str, object]:
    """Read ``basic user:token``, ``private token``, ``bearer token``, ``job token``, ``query token``.

    An empty form is no credential.
    """
    kind, _, rest = form.partition(" ")
    if kind == "basic":
        user, _, token = rest.partition(":")
        return {"auth": (user, world.secrets[token])}
    if kind == "query":
        return {"params": {"job_token": world.secrets[rest]}}
    names = {"private": "PRIVATE-TOKEN", "job": "JOB-TOKEN", "deploy": "Deploy-Token"}
    if kind == "bearer":
        return {"headers": {"Authorization": f"Bearer {world.secrets[rest]}"}}
    return {"headers": {names[kind]: world.secrets[rest]}} if kind else {}


def _status(world: World, http: Http, project: Project, surface: str, form: str) -> int:
    options = _credentials(world, form)
    if surface == "pypi":
        return http("GET", f"{project.simple_url}/widgets/", **options).status_code
    if surface == "pypi-push":
        wheel = world.sandbox.wheel("pushed", f"1.{len(world.sandbox.requests)}")
        fields = {"name": wheel.distribution, "version": wheel.version, "sha256_digest": wheel.sha256}
        files = {"content": (wheel.name, wheel.data)}
        return http("POST", project.pypi_url, data=fields, files=files, **options).status_code
    if surface == "get":
        return http("GET", project.generic_url("1.0", "note.txt"), **options).status_code
    if surface == "put":
        return http("PUT", project.generic_url("1.0", "put.txt"), data=b"x", **options).status_code
    return http("GET", f"{project.api_url}/packages", **options).status_code


@pytest.mark.parametrize(
    ("form", "pypi", "get", "put", "api"),
    [
        ("basic anything:pat", 200, 200, 201, 404),
        ("basic __token__:pat", 200, 200, 201, 404),
        ("basic x:project", 200, 200, 201, 404),
        ("basic x:group", 200, 200, 201, 404),
        ("private pat", 200, 200, 201, 200),
        ("private project", 200, 200, 201, 200),
        ("bearer pat", 200, 200, 201, 200),
        ("bearer oauth", 200, 200, 201, 200),
        ("basic gitlab-ci-token:job", 200, 200, 401, 404),
        ("basic somebody:job", 401, 401, 401, 404),
        ("basic __token__:job", 401, 401, 401, 404),
        ("basic :job", 401, 401, 401, 404),
        ("job job", 401, 200, 201, 200),
        ("query job", 401, 200, 201, 200),
        ("private job", 401, 401, 401, 401),
        ("job pat", 401, 401, 401, 401),
        ("basic any:deploy", 200, 200, 403, 404),
        ("basic any:deploy-write", 403, 200, 201, 404),
        ("deploy deploy", 200, 200, 403, 404),
        ("deploy deploy-write", 403, 200, 201, 404),
        ("private read", 200, 200, 401, 200),
        ("basic x:read", 200, 200, 401, 404),
        ("private registry", 401, 401, 401, 401),
        ("private reporter", 200, 200, 403, 200),
    ],
)
def test_each_credential_on_each_surface(
    world: World, http: Http, form: str, pypi: int, get: int, put: int, api: int
) -> None:
    """A private project, requested with each form of credential (reference 4.1)."""
    surfaces = ("pypi", "get", "put", "api")

    answers = tuple(_status(world, http, world.private, surface, form) for surface in surfaces)

    assert dict(zip(surfaces, answers, strict=True)) == {"pypi": pypi, "get": get, "put": put, "api": api}


@pytest.mark.parametrize(
    ("project", "form", "surface", "status"),
    [
        ("private", "", "pypi", 401),
        ("private", "", "get", 401),
        ("private", "", "api", 404),
        ("private", "basic x:bad", "pypi", 401),
        ("private", "basic x:bad", "get", 401),
        ("private", "private bad", "get", 401),
        ("private", "basic x:stranger", "pypi", 404),
        ("private", "basic x:stranger", "get", 404),
        ("private", "private stranger", "api", 404),
        ("private", "basic x:stranger", "pypi-push", 404),
        ("private", "basic x:expired", "pypi", 401),
        ("private", "basic x:revoked", "get", 401),
        ("private", "private revoked", "api", 401),
        ("private", "basic x:deploy-other", "pypi", 404),
        ("private", "basic x:deploy-none", "pypi", 404),
        ("private", "basic x:reporter", "pypi-push", 403),
        ("private", "basic gitlab-ci-token:job", "pypi-push", 201),
        ("private", "basic gitlab-ci-token:job-other", "pypi", 403),
        ("private", "job job-other", "get", 403),
        ("public", "", "pypi", 200),
        ("public", "", "get", 200),
        ("public", "", "api", 200),
        ("public", "basic x:bad", "pypi", 200),
        ("public", "basic x:bad", "get", 200),
        ("public", "basic wrong-name:job", "pypi", 200),
        ("public", "private bad", "pypi", 401),
        ("public", "private bad", "get", 401),
        ("public", "job bad", "get", 401),
        ("public", "job bad", "pypi", 200),
        ("public", "deploy bad", "pypi", 401),
        ("public", "deploy bad", "get", 401),
        ("public", "", "pypi-push", 401),
        ("public", "", "put", 401),
        ("public", "basic x:stranger", "pypi-push", 403),
        ("public", "basic x:stranger", "put", 403),
        ("public", "basic gitlab-ci-token:job-other", "pypi", 200),
        ("public", "job job-other", "put", 403),
    ],
)
def test_each_situation(world: World, http: Http, project: str, form: str, surface: str, status: int) -> None:
    """Which caller gets what from which project (reference 4.2)."""
    target = world.private if project == "private" else world.public

    assert _status(world, http, target, surface, form) == status


def test_an_unknown_project_leaks_on_pypi_routes_only(world: World, http: Http) -> None:
    base = f"{world.sandbox.gitlab_url}/api/v4/projects/999999/packages"

    assert http("GET", f"{base}/pypi/simple").status_code == 404
    assert http("GET", f"{base}/generic/a/1/f").status_code == 401
    assert http("GET", f"{base}/generic/a/1/f", auth=("x", world.secrets["pat"])).status_code == 404


@pytest.mark.parametrize("surface", ["simple", "generic/private/1.0/note.txt"])
def test_401_asks_for_a_password(world: World, http: Http, surface: str) -> None:
    url = f"{world.private.api_url}/packages/{'pypi/' if surface == 'simple' else ''}{surface}"

    answer = http("GET", url)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)
    assert answer.json() == {"message": "401 Unauthorized"}


def test_allowlist_says_from_where_to_where(world: World, http: Http) -> None:
    answer = http(
        "GET", f"{world.private.simple_url}/widgets/", auth=("gitlab-ci-token", world.other.job_token)
    )

    text = "403 Forbidden - Authentication by CI/CD job token not allowed from else/where to acme/private."
    assert answer.json() == {"message": text}


def test_allowlist_and_fine_grained_permissions(sandbox: Sandbox, http: Http) -> None:
    target, source = sandbox.project("acme/target"), sandbox.project("else/source")
    sandbox.put_evidence(target, "1.0", {"f.txt": b"x"})
    header = {"JOB-TOKEN": source.job_token}
    url = target.generic_url("1.0", "f.txt")

    target.allow_job_tokens(source, frozenset({"read_packages"}))
    assert http("GET", url, headers=header).status_code == 200
    refused = http("PUT", url, headers=header, data=b"y")
    assert refused.status_code == 403
    assert refused.json()["message"].endswith(
        "project acme/target. The following token permission is required: admin_packages."
    )

    sandbox.put_files(target, [sandbox.wheel("widgets", "1.0")])
    job = ("gitlab-ci-token", source.job_token)
    target.allow_job_tokens(source, frozenset({"read_jobs"}))
    assert http("GET", f"{target.simple_url}/widgets/", auth=job).status_code == 403
    assert "<a " in http("GET", f"{sandbox.group_simple_url('acme')}/widgets/", auth=job).text

    target.record.allowlist.clear()
    target.allow_job_tokens(sandbox.group("else"))
    assert http("PUT", url, headers=header, data=b"y").status_code == 201


def test_switches_of_age(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets")
    project.add_member("guest", Role.GUEST)
    sandbox.put_evidence(project, "1.0", {"f.txt": b"x"})
    url, guest = project.generic_url("1.0", "f.txt"), {"auth": ("x", sandbox.token(user="guest"))}

    assert http("GET", url, **guest).status_code == 200
    sandbox.settings.guests_may_read = False
    assert http("GET", url, **guest).status_code == 403
    assert http("GET", project.simple_url, **guest).status_code == 403

    job = {"auth": ("gitlab-ci-token", project.job_token)}
    assert http("PUT", url, data=b"x", **job).status_code == 401
    sandbox.settings.generic_put_basic_job_token = True
    assert http("PUT", url, data=b"x", **job).status_code == 201

    project.record.anyone_can_pull = True
    assert http("GET", url).status_code == 200
    assert http("GET", project.api_url).status_code == 404
    project.record.packages_enabled = False
    assert http("GET", url).status_code == 403
    sandbox.settings.packages_enabled = False
    assert http("GET", url).status_code == 404


def test_a_finished_jobs_token_is_dead(sandbox: Sandbox, http: Http) -> None:
    job = sandbox.job(sandbox.project("acme/widgets"))
    url = f"{sandbox.project('acme/widgets').api_url}/packages"

    assert http("GET", url, headers={"JOB-TOKEN": job.job_token}).status_code == 200
    job.finish()
    assert http("GET", url, headers={"JOB-TOKEN": job.job_token}).status_code == 401


def test_group_lists_take_no_job_token(world: World, http: Http) -> None:
    url = f"{world.sandbox.gitlab_url}/api/v4/groups/acme/packages"

    assert http("GET", url, headers={"JOB-TOKEN": world.secrets["job"]}).status_code == 404
    assert http("GET", url, headers={"PRIVATE-TOKEN": world.secrets["pat"]}).status_code == 200
    index = f"{world.sandbox.gitlab_url}/api/v4/groups/acme/-/packages/pypi/simple"
    assert http("GET", index).status_code == 401
    assert http("GET", index, auth=("gitlab-ci-token", world.secrets["job"])).status_code == 200
    assert http("GET", index, auth=("x", world.secrets["stranger"])).status_code == 404


def test_plain_routes_take_header_tokens_only(world: World, http: Http) -> None:
    api = f"{world.sandbox.gitlab_url}/api/v4"

    shown = http(
        "GET", f"{api}/projects/acme%2Fprivate", headers={"PRIVATE-TOKEN": world.secrets["read"]}
    ).json()
    assert (shown["id"], shown["default_branch"]) == (world.private.id, "main")
    assert http("GET", world.private.api_url, headers={"JOB-TOKEN": world.secrets["job"]}).status_code == 404
    assert http("GET", f"{api}/user").status_code == 401
    user = http("GET", f"{api}/user", headers={"PRIVATE-TOKEN": world.secrets["stranger"]}).json()
    assert user["username"] == "stranger"
    assert http("GET", f"{api}/version", headers={"PRIVATE-TOKEN": world.secrets["pat"]}).json()["version"]
    assert http("GET", f"{api}/groups/open").json()["full_path"] == "open"
    attestations = f"{world.public.api_url}/attestations/{'0' * 64}"
    assert http("GET", attestations).status_code == 404


def test_group_deploy_tokens_and_user_namespaces(sandbox: Sandbox, http: Http) -> None:
    sandbox.user("somebody")
    inside, own = sandbox.project("acme/sub/widgets"), sandbox.project("somebody/widgets")
    for project in (inside, own):
        sandbox.put_files(project, [sandbox.wheel("widgets", "1.0")])
    secret = sandbox.token("deploy", group=sandbox.group("acme"), scopes=("read_package_registry",))
    owner = sandbox.token(user="somebody")

    for url in (inside.simple_url, sandbox.group_simple_url("acme"), sandbox.group_simple_url("acme/sub")):
        page = http("GET", f"{url}/widgets/", auth=("any", secret))
        assert (page.status_code, page.text.count("<a ")) == (200, 1)
    assert http("GET", own.simple_url, auth=("any", secret)).status_code == 404
    assert http("GET", own.simple_url, auth=("x", owner)).status_code == 200
    kind = http("GET", own.api_url, headers={"PRIVATE-TOKEN": owner}).json()["namespace"]["kind"]
    assert kind == "user"
