"""GitLab's tutorial, literally: its sign, publish and publish_signatures jobs with cosign 2.2.3, the real Fulcio and the real Rekor v1, and then we verify."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from interop.clients import OLD_KEYS
from interop.stack.places import BIN, TRUST, Port
from pip_warden.sandbox import Project, Sandbox

pytestmark = pytest.mark.interop

VENV = Path(sys.executable).parent
VERSIONS = ("1.0.0", "1.1.0")

SIGN = """
for file in dist/*.whl dist/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    cosign sign-blob --yes \\
      --fulcio-url=${FULCIO_URL} \\
      --rekor-url=${REKOR_URL} \\
      --oidc-issuer $CI_SERVER_URL \\
      --identity-token $SIGSTORE_ID_TOKEN \\
      --output-signature "dist/${filename}.sig" \\
      --output-certificate "dist/${filename}.crt" \\
      "$file"
  fi
done
"""

PUBLISH = """
TWINE_PASSWORD=${CI_JOB_TOKEN} TWINE_USERNAME=gitlab-ci-token \\
  twine upload --repository-url ${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/packages/pypi \\
  dist/*.whl dist/*.tar.gz
"""

PUBLISH_SIGNATURES = """
for file in dist/*.whl dist/*.tar.gz; do
  if [ -f "$file" ]; then
    filename=$(basename "$file")

    curl --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --fail \\
         --upload-file "dist/${filename}.sig" \\
         "${GENERIC_PACKAGE_BASE_URL}/${filename}.sig"

    curl --header "JOB-TOKEN: ${CI_JOB_TOKEN}" \\
         --fail \\
         --upload-file "dist/${filename}.crt" \\
         "${GENERIC_PACKAGE_BASE_URL}/${filename}.crt"
  fi
done
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tutorial:
    """A project whose releases were published by the tutorial's jobs, and a consumer who pinned its identity."""

    gitlab: Sandbox
    project: Project
    home: Path

    def release(self, version: str) -> None:
        """Run the jobs for a release, on the default branch as the tutorial does."""
        checkout = self.home / version
        (checkout / "dist").mkdir(parents=True)
        for file in (
            self.gitlab.wheel(self.project.record.name, version),
            self.gitlab.sdist(self.project.record.name, version),
        ):
            (checkout / "dist" / file.name).write_bytes(file.data)
        job = self.gitlab.job(self.project)
        variables = job.variables()
        api = f"{variables['CI_API_V4_URL']}/projects/{variables['CI_PROJECT_ID']}"
        variables |= {
            "FULCIO_URL": Port.FULCIO.url,
            "REKOR_URL": Port.REKOR1.url,
            "COSIGN_YES": "true",
            "GENERIC_PACKAGE_BASE_URL": f"{api}/packages/generic/{variables['CI_PROJECT_NAME']}/{version}",
        }
        for script in (SIGN, PUBLISH, PUBLISH_SIGNATURES):
            done = self.run("bash", "-euo", "pipefail", "-c", script, cwd=checkout, **OLD_KEYS, **variables)
            assert done.returncode == 0, done.stdout + done.stderr

    def run(
        self, *words: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program where ``cosign`` is the tutorial's."""
        path = f"{self.home}/bin:{VENV}:{os.environ['PATH']}"
        return subprocess.run(
            words,
            cwd=cwd or self.home,
            env={"HOME": str(self.home), "PATH": path, "NO_COLOR": "1"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def consumer(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of our commands as the consumer."""
        return self.run(
            *words, GITLAB_URL=self.gitlab.gitlab_url, GITLAB_TOKEN=self.gitlab.token(scopes=("api",))
        )

    def verify_release(self, version: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Verify a release from the registry, with a cache that remembers nothing."""
        cache = f"--cache-dir={self.home / 'cache'}"
        return self.consumer("pip-warden", "verify-release", f"acme-widgets=={version}", cache, *more)


@pytest.fixture
def tutorial(gitlab: Sandbox, tmp_path: Path) -> Tutorial:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cosign").symlink_to(BIN / "cosign-2.2.3")
    made = Tutorial(gitlab=gitlab, project=gitlab.project("acme/acme-widgets"), home=tmp_path)
    made.release(VERSIONS[0])
    first = ["--source", gitlab.gitlab_url, "--trusted-root", str(TRUST / "trusted_root.json")]
    added = made.consumer(
        "pip-warden", "trust", "add", "acme-widgets", "--project", "acme/acme-widgets", *first, "--yes"
    )
    assert added.returncode == 0, added.stdout + added.stderr
    return made


def test_what_the_tutorial_published_is_installed(tutorial: Tutorial) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tutorial.home / "env")], check=True)
    verified = tutorial.verify_release("1.0.0")
    python = str(tutorial.home / "env" / "bin" / "python")
    installed = tutorial.consumer("safe-install", "--python", python, "acme-widgets")
    imported = tutorial.run(python, "-c", "import acme_widgets; print(acme_widgets.__name__)")

    assert (verified.returncode, installed.returncode, imported.stdout) == (0, 0, "acme_widgets\n"), (
        verified.stdout + verified.stderr + installed.stdout + installed.stderr
    )
    assert "@refs/heads/main" in (tutorial.home / "pytrust.toml").read_text(encoding="utf-8")


WHEEL, SDIST = "acme_widgets-{}-py3-none-any.whl", "acme_widgets-{}.tar.gz"
ITEMS = tuple(f"{file}{end}" for file, end in product((WHEEL, SDIST), ("", ".sig", ".crt")))


def test_t01_t02_every_single_item_of_another_release_is_refused(tutorial: Tutorial) -> None:
    """Both releases are honest and by one identity; and what is signed of the wheel is not good for the sdist either."""
    tutorial.release(VERSIONS[1])
    good = {
        name: _item(tutorial, name)
        for name in (item.format(version) for item in ITEMS for version in VERSIONS)
    }
    swaps = [(item.format(to), item.format(of)) for item in ITEMS for to, of in (VERSIONS, VERSIONS[::-1])]
    swaps += [(f"{WHEEL}{end}".format("1.0.0"), f"{SDIST}{end}".format("1.0.0")) for end in (".sig", ".crt")]
    swaps += [(of, to) for to, of in swaps[-2:]]
    found = {}
    for to, of in swaps:
        _put(tutorial, to, good[of])
        done = tutorial.verify_release(_version(to), "--format", "json")
        found[to, of] = (done.returncode, _codes(done.stdout))
        _put(tutorial, to, good[to])

    # A file of another release betrays itself by its metadata, before any signature is looked at.
    expected = {
        (to, of): "no-log-entry" if to.endswith((".sig", ".crt")) else "version-inside-differs"
        for to, of in swaps
    }
    assert found == {swap: (1, [code]) for swap, code in expected.items()}
    assert [tutorial.verify_release(version).returncode for version in VERSIONS] == [0, 0]


def _codes(printed: str) -> list[str]:
    files = json.loads(printed)["files"]
    return [file["refused"]["code"] for file in files if "refused" in file]


def _version(name: str) -> str:
    return name.split("-")[1].partition(".tar.gz")[0]


def _item(tutorial: Tutorial, name: str) -> bytes:
    if name.endswith((".sig", ".crt")):
        return tutorial.gitlab.evidence(tutorial.project, name)
    return (tutorial.home / _version(name) / "dist" / name).read_bytes()


def _put(tutorial: Tutorial, name: str, data: bytes) -> None:
    if name.endswith((".sig", ".crt")):
        tutorial.gitlab.replace_evidence(tutorial.project, name, data)
    else:
        tutorial.gitlab.tamper(tutorial.project, name, data=data, keep_claimed_hash=False)
