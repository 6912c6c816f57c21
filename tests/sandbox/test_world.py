"""The facade: publishing, tampering, lies, other origins, tokens of a job, dumps."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pip_warden.sandbox import Sandbox, SandboxError
from pip_warden.sandbox.serve import run_forever
from pip_warden.sandbox.signing import EvidenceForm
from sandbox.conftest import Http

ALL_FORMS: tuple[EvidenceForm, ...] = (
    "bundle",
    "detached",
    "pep740",
    "slsa",
    "publish-bundle",
    "slsa-bundle",
)
JSON = "application/vnd.pypi.simple.v1+json"


def _unverified(part: str) -> dict[str, object]:
    loaded = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(loaded, dict)
    return loaded


def test_publishing_puts_evidence_where_the_tutorial_has_it(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets", visibility="public")
    wheel = sandbox.wheel("acme-widgets", "1!2.0")

    sandbox.publish(project, [wheel], forms=ALL_FORMS)

    endings = [
        "sigstore.json", "sig", "crt", "publish.attestation", "slsa.attestation",
        "publish.sigstore.json", "slsa.sigstore.json",
    ]  # fmt: skip
    for ending in endings:
        name = f"{wheel.name}.{ending}".replace("!", "__")
        assert http("GET", f"{project.api_url}/packages/generic/widgets/1__2.0/{name}").status_code == 200
    bundle = json.loads(sandbox.evidence(project, f"{wheel.name}.sigstore.json".replace("!", "__")))
    assert bundle["mediaType"].startswith("application/vnd.dev.sigstore.bundle")


def test_tampering_and_lying(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets", visibility="public")
    wheel = sandbox.wheel("acme-widgets", "1.0")
    sandbox.publish(project, [wheel], forms=("bundle",))
    page = f"{project.simple_url}/acme-widgets/"
    claimed = f"{project.pypi_url}/files/{wheel.sha256}/{wheel.name}"

    sandbox.tamper(project, wheel.name, flip_bit=9)
    assert http("GET", claimed).content == bytes([wheel.data[0], wheel.data[1] ^ 2]) + wheel.data[2:]
    sandbox.tamper(project, wheel.name, data=b"other", keep_claimed_hash=False)
    assert http("GET", claimed).status_code == 404
    sandbox.lie(project, wheel.name, sha256="2" * 64, requires_python=">=9")
    assert "#sha256=" + "2" * 64 in http("GET", page).text
    assert 'data-requires-python="&gt;=9"' in http("GET", page).text
    sandbox.lie(project, wheel.name, url="http://elsewhere.invalid/w.whl")
    assert 'href="http://elsewhere.invalid/w.whl#sha256=' in http("GET", page).text
    sandbox.lie(project, wheel.name, rename="acme_widgets-9.0-py3-none-any.whl")
    assert "acme_widgets-9.0" in http("GET", page).text
    sandbox.lie(project, "acme_widgets-9.0-py3-none-any.whl", hidden=True)
    assert http("GET", page).status_code == 302

    evidence = f"{wheel.name}.sigstore.json"
    old = sandbox.evidence(project, evidence)
    sandbox.replace_evidence(project, evidence, b"{}", newer_row=True)
    assert http("GET", project.generic_url("1.0", evidence)).content == b"{}"
    sandbox.delete_evidence(project, evidence)
    assert http("GET", project.generic_url("1.0", evidence)).status_code == 404
    assert old
    with pytest.raises(SandboxError, match="no generic file"):
        sandbox.delete_evidence(project, evidence)
    with pytest.raises(SandboxError, match="say what to change"):
        sandbox.tamper(project, "acme_widgets-9.0-py3-none-any.whl")


def test_object_storage_is_another_origin_with_rules(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets", visibility="public")
    sandbox.put_evidence(project, "1.0", {"f": b"content"})
    sandbox.settings.object_storage = True
    url = project.generic_url("1.0", "f")

    moved, head = http("GET", url), http("HEAD", url)
    target = moved.headers["Location"]

    assert (moved.status_code, moved.headers["Cache-Control"], head.status_code) == (302, "no-cache", 303)
    assert target.startswith(sandbox.storage_url)
    assert http("GET", target).content == b"content"
    assert http("HEAD", target).status_code == 403
    assert http("HEAD", head.headers["Location"]).status_code == 200
    assert http("GET", target, headers={"Authorization": "Basic eDp5"}).status_code == 400
    assert http("GET", target.replace("X-Amz-Signature=", "X-Amz-Signature=0")).status_code == 403
    sandbox.clock.advance(timedelta(seconds=601))
    expired = http("GET", target)
    assert (expired.status_code, "expired" in expired.text) == (403, True)
    assert [entry.origin for entry in sandbox.requests][-2:] == ["storage", "storage"]


def test_the_stand_in_for_pypi(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets")
    wheel = sandbox.wheel("idna", "3.20", requires_python=">=3.8")
    attestation = sandbox.sign(wheel, sandbox.job(project), ("pep740",)).popitem()[1]
    sandbox.upstream.add(
        "idna", [wheel, sandbox.sdist("idna", "3.20")], provenance={wheel.name: [attestation]}
    )
    sandbox.upstream.add("idna", [sandbox.wheel("idna", "3.19")], yanked="broken")

    page = http("GET", f"{sandbox.pypi_url}/idna/", headers={"Accept": JSON}).json()
    html = http("GET", f"{sandbox.pypi_url}/idna/").text

    assert page["versions"] == ["3.19", "3.20"]
    first, second, third = page["files"]
    assert (first["requires-python"], first["yanked"], third["yanked"]) == (">=3.8", False, "broken")
    assert (second["provenance"], second["core-metadata"]) == (None, False)
    assert http("GET", first["url"]).content == wheel.data
    assert b"Name: idna" in http("GET", first["url"] + ".metadata").content
    provenance = http("GET", first["provenance"]).json()
    assert provenance["attestation_bundles"][0]["attestations"] == [json.loads(attestation)]
    assert 'data-yanked="broken"' in html
    assert "data-core-metadata" in html
    assert http("GET", f"{sandbox.pypi_url}/IDNA/").headers["Location"] == f"{sandbox.pypi_url}/idna/"
    assert http("GET", f"{sandbox.pypi_url}/nothing/").status_code == 404
    assert "idna" in http("GET", f"{sandbox.pypi_url}/").text
    sandbox.upstream.file(wheel.name).listed = False
    assert http("GET", f"{sandbox.pypi_url}/idna/").text.count("<a ") == 2


def test_id_tokens_verify_by_discovery(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/tools/widgets")
    token = sandbox.job(project, tag="v1.0", environment="production").id_token()
    header, body, signature = token.split(".")
    found = http("GET", f"{sandbox.gitlab_url}/.well-known/openid-configuration").json()
    (key,) = http("GET", found["jwks_uri"]).json()["keys"]
    n, e = (int.from_bytes(base64.urlsafe_b64decode(key[part] + "==")) for part in ("n", "e"))

    public = rsa.RSAPublicNumbers(e, n).public_key()
    public.verify(
        base64.urlsafe_b64decode(signature + "=="),
        f"{header}.{body}".encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )

    claims = _unverified(body)
    host = sandbox.gitlab_url.removeprefix("http://")
    expected = {
        "iss": found["issuer"],
        "aud": "sigstore",
        "sub": "project_path:acme/tools/widgets:ref_type:tag:ref:v1.0",
        "ref_path": "refs/tags/v1.0",
        "ref_protected": "true",
        "ci_config_ref_uri": f"{host}/acme/tools/widgets//.gitlab-ci.yml@refs/tags/v1.0",
        "project_id": str(project.id),
        "namespace_path": "acme/tools",
        "runner_environment": "gitlab-hosted",
        "environment": "production",
        "user_access_level": "maintainer",
    }
    assert expected.items() <= claims.items()
    assert all(
        isinstance(claims[name], str) for name in claims if name.endswith("_id") and name != "runner_id"
    )
    assert (_unverified(header)["kid"], isinstance(claims["runner_id"], int)) == (key["kid"], True)
    sandbox.rotate("oidc")
    assert http("GET", found["jwks_uri"]).json()["keys"][0]["kid"] != key["kid"]


def test_a_forks_merge_request_wears_the_targets_configuration(sandbox: Sandbox) -> None:
    target, fork = sandbox.project("acme/widgets"), sandbox.project("stranger/widgets")

    job = sandbox.job(target, "main", pipeline_source="merge_request_event", source_project=fork)

    claims = job.claims()
    assert (claims["project_path"], claims["job_project_path"]) == ("stranger/widgets", "acme/widgets")
    assert "/acme/widgets//.gitlab-ci.yml@refs/heads/main" in job.san
    assert job.variables()["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"] == "stranger/widgets"


def test_claims_can_be_changed_or_left_out(sandbox: Sandbox) -> None:
    project = sandbox.project("acme/widgets")

    job = sandbox.job(
        project, ci_config_ref_uri=None, runner_environment="self-hosted", project_id="1", user="dev"
    )

    claims = job.claims("other")
    assert "ci_config_ref_uri" not in claims
    assert (claims["aud"], claims["project_id"], claims["user_login"]) == ("other", "1", "dev")


def test_variables_are_enough_for_a_shell(sandbox: Sandbox) -> None:
    project = sandbox.project("acme/widgets")

    job = sandbox.job(project)
    found = job.variables()

    assert found["CI_API_V4_URL"] == f"{sandbox.gitlab_url}/api/v4"
    assert (found["CI_JOB_TOKEN"], found["CI_COMMIT_BRANCH"]) == (job.job_token, "main")
    assert found["CI_PROJECT_ID"] == str(project.id)
    assert all(isinstance(value, str) for value in found.values())
    assert sandbox.job(project, tag="v1").variables()["CI_COMMIT_TAG"] == "v1"


@pytest.mark.parametrize("what", ["ca", "rekor", "ct", "tsa"])
def test_rotation_shows_in_the_trusted_root(sandbox: Sandbox, tmp_path: Path, what: str) -> None:
    before = sandbox.write_trust(tmp_path).read_text()

    sandbox.rotate(what)

    assert sandbox.write_trust(tmp_path).read_text() != before
    assert {path.name for path in tmp_path.iterdir()} == {
        "trusted_root.json", "signing_config.json", "trust_config.json",
    }  # fmt: skip


def test_mistakes_are_told(sandbox: Sandbox) -> None:
    project = sandbox.project("acme/widgets")
    with pytest.raises(SandboxError, match="no key 'tuf'"):
        sandbox.rotate("tuf")
    with pytest.raises(SandboxError, match="group/project"):
        sandbox.project("widgets")
    with pytest.raises(SandboxError, match="needs project"):
        sandbox.token("project")
    with pytest.raises(SandboxError, match="a Project"):
        sandbox.job(project, source_project="acme/fork")
    with pytest.raises(SandboxError, match="no file"):
        sandbox.upstream.file("x.whl")
    with pytest.raises(SandboxError, match="no origin is called web"):
        Sandbox(ports={"web": 0})
    port = int(sandbox.gitlab_url.rpartition(":")[2])
    with pytest.raises(SandboxError, match="cannot listen"):
        Sandbox(ports={"gitlab": port})


def test_dumps_show_real_and_claimed(sandbox: Sandbox, http: Http, tmp_path: Path) -> None:
    project = sandbox.project("acme/widgets")
    wheel = sandbox.wheel("acme-widgets", "1.0")
    sandbox.publish(project, [wheel])
    sandbox.lie(project, wheel.name, sha256="3" * 64)
    http("GET", project.simple_url)

    sandbox.dump(tmp_path / "dump")

    loaded = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "dump").iterdir()}
    assert loaded.keys() == {"projects", "registry", "requests", "upstream", "sigstore"}
    (file,) = loaded["projects"][0]["packages"][1]["files"]
    assert (file["sha256"], file["claimed_sha256"]) == (wheel.sha256, "3" * 64)
    assert loaded["requests"][0]["status"] == 401
    sandbox.clear_requests()
    assert sandbox.requests == ()


def test_a_relative_url_install(http: Http) -> None:
    with Sandbox(relative_url="/gitlab") as sandbox:
        project = sandbox.project("acme/widgets", visibility="public")
        sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0")])

        packages = http("GET", f"{project.api_url}/packages?per_page=1")

        assert sandbox.gitlab_url.endswith("/gitlab")
        assert (
            sandbox.issuer
            == http("GET", f"{sandbox.gitlab_url}/.well-known/openid-configuration").json()["issuer"]
        )
        assert (
            "/gitlab/api/v4/projects/4711/packages/pypi/files/"
            in http("GET", f"{project.simple_url}/acme-widgets").text
        )
        assert http("GET", packages.links["next"]["url"]).status_code == 200
        assert http("GET", project.api_url.replace("/gitlab", "")).status_code == 404
        assert "/acme/widgets//" in sandbox.job(project).san
        assert "gitlab/acme" not in sandbox.job(project).san


def test_a_wrong_external_url_shows_in_links(sandbox: Sandbox, http: Http) -> None:
    project = sandbox.project("acme/widgets", visibility="public")
    sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0")], forms=())

    sandbox.settings.external_url = "http://gitlab.invalid:8080"

    assert (
        'href="http://gitlab.invalid:8080/api/v4/' in http("GET", f"{project.simple_url}/acme-widgets").text
    )


def test_https_with_its_own_authority() -> None:
    with Sandbox(tls=True) as sandbox:
        project = sandbox.project("acme/widgets", visibility="public")
        sandbox.put_evidence(project, "1.0", {"f": b"x"})
        sandbox.settings.object_storage = True
        assert sandbox.ca_file is not None
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        with urllib.request.urlopen(project.generic_url("1.0", "f"), context=context) as answer:  # noqa: S310
            assert (answer.read(), answer.url.startswith(sandbox.storage_url)) == (b"x", True)
        assert sandbox.gitlab_url.startswith("https://")
        assert sandbox.job(project).variables()["CI_SERVER_TLS_CA_FILE"] == str(sandbox.ca_file)
        assert sandbox.storage_url.startswith("https://")


def test_every_url_has_the_host_that_is_asked_for() -> None:
    with Sandbox(tls=True, host="localhost") as sandbox:
        sandbox.upstream.add("left-pad", [sandbox.wheel("left-pad", "1.0")])
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        with urllib.request.urlopen(f"{sandbox.pypi_url}/left-pad/", context=context) as answer:  # noqa: S310
            page = answer.read().decode()
        assert sandbox.issuer == sandbox.gitlab_url
        assert all(url.startswith("https://localhost:") for url in (sandbox.gitlab_url, sandbox.pypi_url))
        assert f'href="{sandbox.files_url}/packages/' in page
        assert sandbox.files_url.startswith("https://localhost:")


def test_running_forever_ends_when_told(http: Http) -> None:
    stop, seen = threading.Event(), []

    def ready(sandbox: Sandbox) -> None:
        seen.append(http("GET", f"{sandbox.gitlab_url}/oauth/discovery/keys").status_code)
        stop.set()

    run_forever(ready=ready, stop=stop)

    assert seen == [200]
