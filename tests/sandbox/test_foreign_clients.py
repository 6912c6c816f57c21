"""The sandbox's fidelity, checked by foreign clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import gitlab
import pytest
from sigstore.errors import VerificationError
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from pip_warden.sandbox import Project, Sandbox
from pip_warden.sandbox.registry_edits import flipped


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/widgets")


def _run(
    *command: str | Path, cwd: Path, check: bool = True, extra: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program with an environment built from scratch."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "NO_COLOR": "1",
        "PIP_CONFIG_FILE": os.devnull,
    } | (extra or {})
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if check:
        assert result.returncode == 0, result.stdout + result.stderr
    return result


def _pip(*arguments: str | Path, cwd: Path) -> None:
    _run(
        sys.executable,
        "-m",
        "pip",
        *arguments,
        "--no-cache-dir",
        "--disable-pip-version-check",
        "-q",
        cwd=cwd,
    )


@pytest.mark.interop
@pytest.mark.parametrize("pep691", [False, True])
def test_pip_installs_with_dependencies_from_project_and_group(
    sandbox: Sandbox, project: Project, tmp_path: Path, pep691: bool
) -> None:
    sandbox.settings.pep691 = pep691
    sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0", requires=["acme-core"])], forms=())
    sandbox.publish(sandbox.project("acme/core"), [sandbox.wheel("acme-core", "2.0")], forms=())
    group = f"{sandbox.gitlab_url}/api/v4/groups/acme/-/packages/pypi/simple"
    user = group.replace("://", f"://x:{sandbox.token()}@")

    _pip(
        "download", "--no-deps", "--index-url", project.index_url(), "-d", "one", "acme-widgets", cwd=tmp_path
    )
    _pip("install", "--index-url", user, "--target", "two", "acme-widgets==1.0", cwd=tmp_path)

    assert [path.name for path in (tmp_path / "one").iterdir()] == ["acme_widgets-1.0-py3-none-any.whl"]
    assert (tmp_path / "two" / "acme_core" / "__init__.py").read_text() == '__version__ = "2.0"\n'
    pages = [entry for entry in sandbox.requests if "/simple/" in entry.path and entry.status == 200]
    assert all((entry.header("accept") or "").startswith("application/vnd.pypi.simple") for entry in pages)


@pytest.mark.interop
def test_pip_builds_an_sdist_from_object_storage(sandbox: Sandbox, project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    sandbox.publish(project, [sandbox.sdist("acme-widgets", "1.0", marker=marker)], forms=())
    sandbox.settings.object_storage = True

    _pip("install", "--index-url", project.index_url(), "--target", "lib", "acme-widgets", cwd=tmp_path)

    assert (tmp_path / "lib" / "acme_widgets" / "__init__.py").is_file()
    assert "build_wheel" in marker.read_text().split()
    stored = [entry for entry in sandbox.requests if entry.origin == "storage"]
    assert [entry.header("authorization") for entry in stored] == [None] * len(stored)
    assert stored[-1].status == 200


def test_pip_is_forwarded_to_the_stand_in_for_pypi(
    sandbox: Sandbox, project: Project, tmp_path: Path
) -> None:
    sandbox.upstream.add("idna", [sandbox.wheel("idna", "3.20")])

    _pip("download", "--index-url", project.index_url(), "-d", "out", "idna", cwd=tmp_path)

    assert {entry.origin for entry in sandbox.requests} == {"gitlab", "pypi", "files"}


def test_uv_installs(sandbox: Sandbox, project: Project, tmp_path: Path) -> None:
    sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0")], forms=())
    uv = Path(sys.executable).with_name("uv")

    _run(
        uv, "pip", "install", "--python", sys.executable, "--target", "lib", "--no-config", "--no-cache",
        "--index-url", project.index_url(), "acme-widgets", cwd=tmp_path,
    )  # fmt: skip

    assert (tmp_path / "lib" / "acme_widgets" / "__init__.py").is_file()


def test_twine_uploads_with_a_job_token(sandbox: Sandbox, project: Project, tmp_path: Path) -> None:
    for file in (
        wheel := sandbox.wheel("acme-widgets", "1.0"),
        sdist := sandbox.sdist("acme-widgets", "1.0"),
    ):
        (tmp_path / file.name).write_bytes(file.data)
    command = [
        sys.executable,
        "-m",
        "twine",
        "upload",
        "--non-interactive",
        "--repository-url",
        project.pypi_url,
    ]
    login = {"TWINE_USERNAME": "gitlab-ci-token", "TWINE_PASSWORD": project.job_token}

    _run(*command, wheel.name, sdist.name, cwd=tmp_path, extra=login)
    again = _run(*command, wheel.name, cwd=tmp_path, check=False, extra=login)

    (package,) = project.record.packages
    assert {row.name: row.claimed_sha256 for row in package.files} == {
        f.name: f.sha256 for f in (wheel, sdist)
    }
    assert again.returncode != 0
    assert "400" in again.stdout + again.stderr


def test_curl_walks_into_the_tutorials_redirect_trap(
    sandbox: Sandbox, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "w.sig").write_text("signature")
    url, job = project.generic_url("1.0", "w.sig"), f"JOB-TOKEN: {project.job_token}"

    _run("curl", "-sS", "--header", job, "--fail", "--upload-file", "w.sig", url, cwd=tmp_path)
    _run("curl", "--fail", "-sS", "--header", job, "--output", "direct", url, cwd=tmp_path)
    sandbox.settings.object_storage = True
    _run("curl", "--fail", "-sS", "--header", job, "--output", "trap", url, cwd=tmp_path)
    _run("curl", "--fail", "-sSL", "--header", job, "--output", "followed", url, cwd=tmp_path)
    _run("curl", "--fail", "-sSIL", "--header", job, "--output", "head", url, cwd=tmp_path, check=False)

    assert (tmp_path / "direct").read_text() == (tmp_path / "followed").read_text() == "signature"
    assert (tmp_path / "trap").read_text().startswith("This resource has been moved temporarily to http")
    assert "303" in (tmp_path / "head").read_text().splitlines()[0]
    leaked = [entry.header("job-token") for entry in sandbox.requests if entry.origin == "storage"]
    assert project.job_token in leaked  # curl forwards its own header; the log shows it


def test_sigstore_signs_with_a_jobs_token_and_verifies_what_was_published(
    sandbox: Sandbox, project: Project
) -> None:
    config = ClientTrustConfig.from_json(json.dumps(sandbox.sigstore.trust_config()))
    wheel, job = sandbox.wheel("acme-widgets", "1.0"), sandbox.job(project, tag="v1.0")
    policy = Identity(identity=job.san, issuer=sandbox.issuer)
    verifier = Verifier(trusted_root=config.trusted_root)

    with SigningContext.from_trust_config(config).signer(IdentityToken(job.id_token())) as signer:
        verifier.verify_artifact(wheel.data, signer.sign_artifact(wheel.data), policy)
    sandbox.publish(project, [wheel], job=job)
    published = Bundle.from_json(sandbox.evidence(project, f"{wheel.name}.sigstore.json"))
    verifier.verify_artifact(wheel.data, published, policy)

    with pytest.raises(VerificationError):
        verifier.verify_artifact(flipped(wheel.data, 8), published, policy)
    assert {"fulcio", "rekor"} <= {entry.origin for entry in sandbox.requests}


def test_python_gitlab_finds_and_moves_packages(sandbox: Sandbox, project: Project, tmp_path: Path) -> None:
    sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0")], forms=("detached",))
    (tmp_path / "note").write_bytes(b"note")
    with gitlab.Gitlab(sandbox.gitlab_url, private_token=sandbox.token()) as client:
        remote = client.projects.get("acme/widgets")

        remote.generic_packages.upload("notes", "1.0", "note.txt", path=str(tmp_path / "note"))
        packages = remote.packages.list(package_type="generic", package_name="notes", get_all=True)
        rows = packages[0].package_files.list(get_all=True)
        note = remote.generic_packages.download("notes", "1.0", "note.txt")

        assert (remote.id, remote.default_branch) == (project.id, "main")
        assert ([package.name for package in packages], [row.file_name for row in rows]) == (
            ["notes"],
            ["note.txt"],
        )
        assert note == b"note"
        rows[0].delete()
        with pytest.raises(gitlab.exceptions.GitlabError):
            remote.generic_packages.download("notes", "1.0", "note.txt")
        group = client.groups.get("acme")
        found = group.packages.list(package_type="pypi", get_all=True)
        assert [(package.project_path, package.version) for package in found] == [("acme/widgets", "1.0")]
    with gitlab.Gitlab(sandbox.gitlab_url, job_token=project.job_token) as client:
        seen = client.projects.get(project.id, lazy=True).packages.list(get_all=True)
        assert {package.package_type for package in seen} == {"pypi", "generic"}
