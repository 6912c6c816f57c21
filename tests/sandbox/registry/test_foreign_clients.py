"""cosign and crane use the registry with the sandbox's Sigstore, without knowing of either."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from interop.stack.places import BIN
from pip_warden.sandbox import Image, Job, Project, Sandbox
from pip_warden.sandbox.registry.manifests import INDEX
from pip_warden.sandbox.sigstore.wire import pem, spki_pem

pytestmark = pytest.mark.interop
Run = Callable[..., str]
PROVENANCE = "https://slsa.dev/provenance/v1"
LEGACY = "--new-bundle-format=false"


@pytest.fixture
def job(sandbox: Sandbox, project: Project) -> Job:
    return sandbox.job(project, tag="v1.0")


@pytest.fixture
def home(tmp_path: Path, sandbox: Sandbox, job: Job) -> Path:
    """A home with the job's login, and every form of the sandbox's trust material."""
    sandbox.write_trust(tmp_path)
    # They refuse a realm that is an address on loopback, as somebody's attack on what is inside.
    sandbox.registry.realm = f"{sandbox.gitlab_url}/jwt/auth".replace("127.0.0.1", "localhost")
    live = sandbox.sigstore
    (tmp_path / "ca.pem").write_bytes(b"".join(map(pem, live.authorities.current.chain)))
    (tmp_path / "ct.pub").write_bytes(spki_pem(live.ct_logs.current.public_key))
    (tmp_path / "rekor.pub").write_bytes(spki_pem(live.rekor.shards.current.public_key))
    login = base64.b64encode(f"gitlab-ci-token:{job.job_token}".encode()).decode()
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(
        json.dumps({"auths": {sandbox.registry_host: {"auth": login}}})
    )
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "SIGSTORE_ROOT_FILE": str(home / "ca.pem"),
        "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": str(home / "ct.pub"),
        "SIGSTORE_REKOR_PUBLIC_KEY": str(home / "rekor.pub"),
    }

    def run(program: str, *arguments: str, status: int = 0) -> str:
        ended = subprocess.run(
            [str(BIN / program), *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == status, ended.stderr
        return ended.stdout

    return run


@pytest.fixture
def image(sandbox: Sandbox, project: Project) -> Image:
    image = sandbox.image({"app/main.py": "print(1)\n"})
    sandbox.push_image(project, image, "1.0")
    return image


def who(sandbox: Sandbox, job: Job) -> tuple[str, str]:
    return f"--certificate-identity={job.san}", f"--certificate-oidc-issuer={sandbox.issuer}"


def signing(job: Job) -> tuple[str, ...]:
    trust = ("--trusted-root=trusted_root.json", "--signing-config=signing_config.json")
    return "--yes", *trust, f"--identity-token={job.id_token()}"


@pytest.mark.parametrize("referrers", [False, True], ids=["fallback", "referrers"])
@pytest.mark.parametrize("storage", [False, True], ids=["direct", "storage"])
def test_cosign_signs_and_attests_an_image(
    sandbox: Sandbox, project: Project, job: Job, image: Image, run: Run, home: Path, *,
    referrers: bool, storage: bool,
) -> None:  # fmt: skip
    sandbox.registry.referrers, sandbox.registry.object_storage = referrers, storage
    name, root = f"{project.image}:1.0", "--trusted-root=trusted_root.json"
    (home / "predicate").write_text("{}")

    run("cosign", "sign", *signing(job), "-a", "env=prod", f"{project.image}@{image.digest}")
    run("cosign", "attest", *signing(job), f"--type={PROVENANCE}", "--predicate=predicate", name)

    run("cosign", "verify", root, *who(sandbox, job), "-a", "env=prod", name)
    run("cosign", "verify", root, *who(sandbox, job), "-a", "env=test", name, status=1)
    run("cosign", "verify-attestation", root, *who(sandbox, job), f"--type={PROVENANCE}", name)
    tags = sandbox.image_tags(project).keys()
    assert tags == ({"1.0"} if referrers else {"1.0", image.digest.replace(":", "-")})


def test_cosign_loses_a_signature_whose_entry_is_gone(
    sandbox: Sandbox, project: Project, job: Job, image: Image, run: Run
) -> None:
    run("cosign", "sign", *signing(job), f"{project.image}@{image.digest}")
    (entry,) = json.loads(sandbox.image_manifest(project, image.digest.replace(":", "-")))["manifests"]

    sandbox.drop_referrer(project, image.digest, entry["digest"])

    root = "--trusted-root=trusted_root.json"
    run("cosign", "verify", root, *who(sandbox, job), f"{project.image}:1.0", status=10)


@pytest.mark.parametrize("program", ["cosign", "cosign-2.2.3"])
def test_cosign_signs_as_it_did(
    sandbox: Sandbox, project: Project, job: Job, image: Image, run: Run, program: str
) -> None:
    newer = (LEGACY, "--use-signing-config=false") if program == "cosign" else ()
    services = (f"--fulcio-url={sandbox.fulcio_url}", f"--rekor-url={sandbox.rekor_url}")
    name = f"{project.image}@{image.digest}"

    run(program, "sign", "--yes", *newer, *services, f"--identity-token={job.id_token()}", "-a", "e=p", name)

    run(program, "verify", *newer[:1], services[1], *who(sandbox, job), "-a", "e=p", f"{project.image}:1.0")
    assert sandbox.image_tags(project).keys() == {"1.0", f"{image.digest.replace(':', '-')}.sig"}


def test_crane_pushes_pulls_copies_and_deletes(
    sandbox: Sandbox, project: Project, run: Run, home: Path
) -> None:
    sandbox.registry.object_storage = True
    images = [sandbox.image({"a": "b"}, platform=f"linux/{machine}") for machine in ("amd64", "arm64")]
    index = sandbox.image_index(images)
    sandbox.push_image(project, index, "1.0", name="one")
    one, two = f"{project.image}/one:1.0", f"{project.image}/two:1.0"

    run("crane", "copy", one, two)
    assert run("crane", "digest", two).strip() == index.digest
    run("crane", "pull", "--format=oci", one, "layout")
    run("crane", "push", "--index", "layout", f"{project.image}:2.0")
    assert json.loads(run("crane", "manifest", f"{project.image}:2.0"))["mediaType"] == INDEX
    run("crane", "validate", f"--remote={two}")
    run("crane", "tag", two, "3.0")
    assert run("crane", "ls", f"{project.image}/two").split() == ["1.0", "3.0"]
    assert run("crane", "export", "--platform=linux/arm64", two, "-").startswith("a\0")
    run("crane", "delete", f"{project.image}/two@{index.digest}")
    assert run("crane", "ls", f"{project.image}/two").split() == []
    assert {r.query for r in sandbox.requests if "mount=" in r.query}  # of blobs, between repositories


def test_crane_is_refused_without_a_login(
    sandbox: Sandbox, project: Project, image: Image, run: Run, home: Path
) -> None:
    (home / ".docker" / "config.json").unlink()

    run("crane", "manifest", f"{project.image}:1.0", status=1)
    run("crane", "copy", f"{project.image}:1.0", f"{project.image}:2.0", status=1)
    public = sandbox.project("acme/open", visibility="public")
    sandbox.push_image(public, image, "1.0")
    assert run("crane", "digest", f"{public.image}:1.0").strip() == image.digest
    run("crane", "tag", f"{public.image}:1.0", "2.0", status=1)
