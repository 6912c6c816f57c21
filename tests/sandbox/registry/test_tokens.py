"""``/jwt/auth`` and the registry's challenge: who gets what, and what a token is good for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from pip_warden.sandbox import Project, Role, Sandbox, SandboxError
from sandbox.conftest import Http
from sandbox.registry.conftest import ALL, token_of

CI = "gitlab-ci-token"
PATH = "acme/tools"
Who = Callable[[Sandbox, Project], tuple[str, str] | None]


def granted(token: str) -> dict[str, set[str]]:
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return {entry["name"]: set(entry["actions"]) for entry in claims["access"]}


def member(role: Role | None, *scopes: str, kind: str = "personal") -> Who:
    def who(sandbox: Sandbox, project: Project) -> tuple[str, str]:
        if role is not None:
            project.add_member("jo", role)
        return "jo", sandbox.token(kind, scopes=scopes, user="jo", project=project)

    return who


def job(sandbox: Sandbox, project: Project) -> tuple[str, str]:
    return CI, project.job_token


def job_of_another(
    *, listed: bool, permissions: frozenset[str] | None = None, user: str = "maintainer"
) -> Who:
    def who(sandbox: Sandbox, project: Project) -> tuple[str, str]:
        other = sandbox.project("acme/other")
        if listed:
            project.allow_job_tokens(other, permissions)
        return CI, sandbox.job(other, user=user).job_token

    return who


def deploy_of_another(sandbox: Sandbox, _project: Project) -> tuple[str, str]:
    other = sandbox.project("acme/other")
    return "d", sandbox.token("deploy", scopes=("read_registry", "write_registry"), project=other)


EVERYTHING = {"pull", "push", "delete"}
WHO: dict[str, tuple[Who, set[str], set[str]]] = {
    # who: what it gets of a private project, and of a public one
    "nobody": (lambda _s, _p: None, set(), {"pull"}),
    "guest": (member(Role.GUEST, "api"), set(), {"pull"}),
    "reporter": (member(Role.REPORTER, "api"), {"pull"}, {"pull"}),
    "developer": (member(Role.DEVELOPER, "api"), {"pull", "push"}, {"pull", "push"}),
    "maintainer": (member(Role.MAINTAINER, "api"), EVERYTHING, EVERYTHING),
    "stranger": (member(None, "api"), set(), {"pull"}),
    "reads the API": (member(Role.MAINTAINER, "read_api"), {"pull"}, {"pull"}),
    "reads": (member(Role.MAINTAINER, "read_registry"), {"pull"}, {"pull"}),
    "writes": (member(Role.MAINTAINER, "write_registry"), {"push"}, {"push"}),
    "both": (
        member(Role.DEVELOPER, "read_registry", "write_registry"),
        {"pull", "push"},
        {"pull", "push"},
    ),
    "project token": (member(None, "read_registry", kind="project"), {"pull"}, {"pull"}),
    "deploy token": (
        member(None, "read_registry", "write_registry", kind="deploy"),
        {"pull", "push"},
        {"pull", "push"},
    ),
    "deploy token of another": (deploy_of_another, set(), {"pull"}),
    "job": (job, EVERYTHING, EVERYTHING),
    "job of another": (job_of_another(listed=False), set(), {"pull"}),
    "listed job": (job_of_another(listed=True), {"pull"}, {"pull"}),
    "listed job of a stranger": (job_of_another(listed=True, user="jo"), set(), {"pull"}),
    "listed for packages": (
        job_of_another(listed=True, permissions=frozenset({"read_packages"})),
        set(),
        {"pull"},
    ),
}


@pytest.mark.parametrize("visibility", ["private", "public"])
@pytest.mark.parametrize("name", WHO)
def test_who_may_do_what(sandbox: Sandbox, http: Http, name: str, visibility: str) -> None:
    project = sandbox.project(PATH, visibility=visibility)
    who, private, public = WHO[name]

    token = token_of(http, sandbox, f"repository:{PATH}:pull,push,delete", who(sandbox, project))

    expected = public if visibility == "public" else private
    assert granted(token) == ({PATH: expected} if expected else {})
    place = f"{sandbox.registry_url}/v2/{PATH}/manifests/1.0"
    sandbox.push_image(project, sandbox.image({"a": "b"}), "1.0")
    answers = {
        action: http(method, place, headers={"Authorization": f"Bearer {token}", "Accept": ALL}).status_code
        for action, method in (("pull", "GET"), ("push", "PUT"), ("delete", "DELETE"))
    }
    assert {action for action, status in answers.items() if status != 401} == (
        expected if "pull" in expected else expected - {"push"}  # to push, one pulls
    )


def test_an_internal_project_is_pulled_by_every_account(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project(PATH, visibility="internal")

    for who in (member(None, "api"), job_of_another(listed=True, user="jo")):
        assert granted(token_of(http, sandbox, f"repository:{PATH}:pull,push", who(sandbox, project))) == {
            PATH: {"pull"}
        }
    assert granted(token_of(http, sandbox, f"repository:{PATH}:pull")) == {}


def test_a_project_without_a_list_is_pulled_by_the_jobs_of_its_members(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project(PATH)
    project.record.enforce_allowlist = False

    token = token_of(
        http, sandbox, f"repository:{PATH}:pull,push", job_of_another(listed=False)(sandbox, project)
    )

    assert granted(token) == {PATH: {"pull"}}


def test_wrong_credentials_are_no_anonymous_ones(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project(PATH, visibility="public")
    place = f"{sandbox.gitlab_url}/jwt/auth?service=container_registry&scope=repository:{PATH}:pull"
    dead = sandbox.token(scopes=("api",))
    sandbox.revoke(dead)
    secret = sandbox.token("deploy", scopes=("read_registry",), project=project)
    sandbox.state.tokens[secret].username = "gitlab+deploy-token-1"

    for pair in (("jo", "wrong"), ("jo", dead), ("jo", project.job_token), ("jo", secret)):
        answer = http("GET", place, auth=pair)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert http("GET", place, headers={"Authorization": "Basic ?"}).status_code == 401
    assert http("GET", place, headers={"Authorization": "Bearer x"}).status_code == 401
    assert http("GET", place, auth=("gitlab+deploy-token-1", secret)).status_code == 200
    other = http("GET", place, auth=("jo", sandbox.token(scopes=("read_user",))))
    assert (other.status_code, other.json()["errors"][0]["code"]) == (403, "DENIED")
    bare = f"{sandbox.gitlab_url}/jwt/auth?service=container_registry"
    assert http("GET", bare).status_code == 403
    assert http("GET", bare, auth=(CI, project.job_token)).status_code == 200
    assert http("GET", f"{sandbox.gitlab_url}/jwt/auth?service=other").status_code == 404


@pytest.mark.parametrize(
    ("path", "is_granted"),
    [
        ("acme/tools", True),
        ("acme/tools/image", True),
        ("acme/tools/image/name", True),
        ("acme/tools/image/name/more", False),
        ("acme", False),
        ("acme/Tools", False),
        ("4711", False),
        ("acme/toolsmith", False),
        ("acme/tools/..", False),
        ("acme/tools//image", False),
        ("acme/tools/image_", False),
    ],
)
def test_a_repository_belongs_to_a_project(
    sandbox: Sandbox, http: Http, project: Project, path: str, *, is_granted: bool
) -> None:
    token = token_of(http, sandbox, f"repository:{path}:pull,push", (CI, project.job_token))

    assert granted(token) == ({path: {"pull", "push"}} if is_granted else {})


def test_a_subproject_is_not_its_neighbours(sandbox: Sandbox, http: Http) -> None:
    """``acme/tools/image`` is a repository of ``acme/tools`` only while no project has that path."""
    inner, outer = sandbox.project("acme/tools/image"), sandbox.project("acme/tools")
    scope = "repository:acme/tools/image:pull"

    assert granted(token_of(http, sandbox, scope, (CI, outer.job_token))) == {}
    assert granted(token_of(http, sandbox, scope, (CI, inner.job_token))) == {"acme/tools/image": {"pull"}}


def test_the_challenge_names_realm_service_and_scope(sandbox: Sandbox, http: Http, project: Project) -> None:
    version = f"{sandbox.registry_url}/v2/"
    realm = f'Bearer realm="{sandbox.gitlab_url}/jwt/auth",service="container_registry"'

    bare = http("GET", version)
    assert (bare.status_code, bare.headers["WWW-Authenticate"]) == (401, realm)
    assert bare.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert bare.json()["errors"][0]["code"] == "UNAUTHORIZED"
    named = http("PUT", f"{version}{PATH}/manifests/1.0", data=b"x")
    assert named.headers["WWW-Authenticate"] == f'{realm},scope="repository:{PATH}:pull,push"'
    wrong = http("GET", version, headers={"Authorization": "Bearer x.y.z"})
    assert wrong.headers["WWW-Authenticate"] == f'{realm},error="invalid_token"'
    token = token_of(http, sandbox, auth=(CI, project.job_token))
    bearer = {"Authorization": f"Bearer {token}"}
    good = http("GET", version, headers=bearer)
    assert (good.status_code, good.json()) == (200, {})
    poor = http("GET", f"{version}{PATH}/tags/list", headers=bearer)
    assert poor.headers["WWW-Authenticate"].endswith(
        f'scope="repository:{PATH}:pull",error="insufficient_scope"'
    )
    assert http("GET", f"{version}_catalog", headers=bearer).status_code == 401
    sandbox.registry.realm = "http://elsewhere.invalid/token"
    assert 'realm="http://elsewhere.invalid/token"' in http("GET", version).headers["WWW-Authenticate"]


def test_a_token_is_good_for_its_repository_its_time_and_its_issuer(sandbox: Sandbox, http: Http) -> None:
    sandbox.clock.set(sandbox.clock.now())
    project = sandbox.project(PATH)
    token = token_of(http, sandbox, f"repository:{PATH}:pull", (CI, project.job_token))

    def status(token: str, path: str = PATH) -> tuple[int, str]:
        place = f"{sandbox.registry_url}/v2/{path}/tags/list"
        answer = http("GET", place, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()["errors"][0]["code"]

    assert status(token) == (404, "NAME_UNKNOWN")
    assert status(token, f"{PATH}/other") == (401, "UNAUTHORIZED")
    header, body, signature = token.split(".")
    assert status(f"{header}.{body}.{signature[::-1]}") == (401, "UNAUTHORIZED")
    access = [{"type": "repository", "name": PATH, "actions": ["*"]}]
    id_token = sandbox.job(project, access=access).id_token("container_registry")
    assert status(id_token) == (
        401,
        "UNAUTHORIZED",
    )  # signed by the same instance, but no token of it for this
    issuer, now = sandbox.instance.registry_issuer, int(sandbox.clock.now().timestamp())
    claims = {"iss": issuer.issuer, "exp": now + 60, "access": access}
    assert status(issuer.sign(claims | {"aud": "container_registry"})) == (404, "NAME_UNKNOWN")
    assert status(issuer.sign(claims | {"aud": "other"})) == (401, "UNAUTHORIZED")
    sandbox.clock.advance(timedelta(seconds=299))
    assert status(token) == (404, "NAME_UNKNOWN")
    sandbox.clock.advance(timedelta(seconds=1))
    assert status(token) == (401, "UNAUTHORIZED")


def test_a_job_knows_its_registry(sandbox: Sandbox) -> None:
    project = sandbox.project("Acme/Tools")
    job = sandbox.job(project)
    found = job.variables()

    assert {name: found[name] for name in found if name.startswith("CI_REGISTRY")} == {
        "CI_REGISTRY": sandbox.registry_host,
        "CI_REGISTRY_IMAGE": f"{sandbox.registry_host}/acme/tools",
        "CI_REGISTRY_USER": CI,
        "CI_REGISTRY_PASSWORD": job.job_token,
    }
    assert project.image == found["CI_REGISTRY_IMAGE"]
    assert sandbox.registry_url == f"http://{sandbox.registry_host}"


def test_a_relative_url_install_has_the_realm_below_it(http: Http) -> None:
    with Sandbox(relative_url="/gitlab") as sandbox:
        project = sandbox.project(PATH)
        assert (
            f'realm="{sandbox.gitlab_url}/jwt/auth"'
            in (http("GET", f"{sandbox.registry_url}/v2/").headers["WWW-Authenticate"])
        )
        assert granted(token_of(http, sandbox, f"repository:{PATH}:pull", (CI, project.job_token)))


def test_mistakes_are_told(sandbox: Sandbox, project: Project) -> None:
    image = sandbox.image({"a": "b"})
    with pytest.raises(SandboxError, match="no repository acme/tools"):
        sandbox.image_tags(project)
    sandbox.push_image(project, image)
    with pytest.raises(SandboxError, match=r"no manifest 1\.0"):
        sandbox.image_manifest(project, "1.0")
    with pytest.raises(SandboxError, match="no blob"):
        sandbox.replace_blob(project, image.digest, b"")
    with pytest.raises(SandboxError, match="not under the fallback tag"):
        sandbox.drop_referrer(project, image.digest, image.digest)
