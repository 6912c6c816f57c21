"""GitLab's tutorial, literally: its jobs with cosign 2.2.3, real Fulcio and Rekor v1, the sandbox's GitLab.

Then we verify, and check what the tutorial's own jobs let pass.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from configparser import ConfigParser
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from string import Template

import pytest

from interop.stack.places import BIN, TRUST
from interop.tutorial import (
    BEFORE,
    CONSUMER_VERIFICATION,
    PRIVATE,
    PUBLISH,
    PUBLISH_SIGNATURES,
    SIGN,
    VARIABLES,
    VERIFY,
    here,
)
from pip_warden.sandbox import Job, Project, Sandbox

pytestmark = pytest.mark.interop

VENV = Path(sys.executable).parent
VERSIONS = ("1.0.0", "1.1.0")
WHEEL, SDIST = "acme_widgets-{}-py3-none-any.whl", "acme_widgets-{}.tar.gz"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tutorial:
    """A project with releases published by the tutorial's jobs, and a consumer who pinned its identity."""

    gitlab: Sandbox
    project: Project
    home: Path

    def release(self, version: str) -> None:
        """Run the jobs for a release, on the default branch as the tutorial does."""
        dist = self.checkout(version) / "dist"
        dist.mkdir(parents=True)
        for file in (
            self.gitlab.wheel(self.project.record.name, version),
            self.gitlab.sdist(self.project.record.name, version),
        ):
            (dist / file.name).write_bytes(file.data)
        for script in (SIGN, VERIFY, PUBLISH, PUBLISH_SIGNATURES):
            done = self.job(script, version)
            assert done.returncode == 0, done.stdout + done.stderr

    def checkout(self, version: str) -> Path:
        """Return the directory in which the jobs of a release run."""
        return self.home / version

    def job(
        self, script: str, version: str, *, cwd: Path | None = None, job: Job | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the tutorial like a runner (``set -eo pipefail``): a job on the default branch."""
        where = cwd or self.checkout(version)
        given = (job or self.gitlab.job(self.project)).variables() | {"CI_PROJECT_DIR": str(where)}
        for name, value in (VARIABLES | {"PACKAGE_VERSION": version}).items():
            given[name] = Template(here(value)).substitute(given)
        words = ("bash", "-eo", "pipefail", "-c", BEFORE + here(script))
        return self.run(*words, cwd=where, **PRIVATE, **given)

    def consumer_verification(
        self, version: str = VERSIONS[0]
    ) -> tuple[subprocess.CompletedProcess[str], Path]:
        """Run that job in a checkout of its own, and return its path."""
        where = Path(tempfile.mkdtemp(dir=self.home))
        return self.job(CONSUMER_VERIFICATION, version, cwd=where), where

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

    def download(self) -> subprocess.CompletedProcess[str]:
        """Do the work of `consumer_verification` with our own command."""
        words = ("safe-install", "--download", str(self.home / "ours"), "--with-sdist", "--no-deps")
        return self.consumer(*words, "acme-widgets==1.0.0")

    def verify_release(self, version: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Verify a release from the registry, with an empty cache."""
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


def test_verify_publish_and_consumer_verification_pass_as_they_stand(tutorial: Tutorial) -> None:
    verified = tutorial.job(VERIFY, "1.0.0")
    consumed, where = tutorial.consumer_verification()
    pypirc = ConfigParser()
    pypirc.read(tutorial.home / ".pypirc", encoding="utf-8")

    assert (verified.returncode, consumed.returncode) == (0, 0), consumed.stdout + consumed.stderr
    assert (verified.stderr.count("Verified OK"), consumed.stderr.count("Verified OK")) == (2, 2)
    assert sorted(file.name for file in (where / "pkg").iterdir()) == [
        WHEEL.format("1.0.0"),
        SDIST.format("1.0.0"),
    ]
    assert dict(pypirc["gitlab"]).keys() == {"repository", "username", "password"}
    assert pypirc["gitlab"]["repository"] == tutorial.project.pypi_url


@pytest.mark.parametrize("end", [".sig", ".crt"])
def test_its_jobs_refuse_the_signature_or_certificate_of_another_file(tutorial: Tutorial, end: str) -> None:
    wheel, sdist = WHEEL.format("1.0.0"), SDIST.format("1.0.0")
    dist = tutorial.checkout("1.0.0") / "dist"
    (dist / f"{wheel}{end}").write_bytes((dist / f"{sdist}{end}").read_bytes())
    _put(tutorial, f"{wheel}{end}", _item(tutorial, f"{sdist}{end}"))
    verified = tutorial.job(VERIFY, "1.0.0")
    consumed, _ = tutorial.consumer_verification()

    assert (verified.returncode, consumed.returncode) == (1, 1)
    assert f"Verification failed for {wheel}\n" in verified.stdout
    assert "Verification failed for one or more packages\n" in consumed.stdout


# What the tutorial's jobs let pass


def test_its_verify_job_passes_over_a_dist_without_files_and_ours_does_not(tutorial: Tutorial) -> None:
    empty = tutorial.checkout("nothing")
    (empty / "dist").mkdir(parents=True)
    theirs = tutorial.job(VERIFY, "1.0.0", cwd=empty)
    trust = ("--trust", str(tutorial.home / "pytrust.toml"))
    ours = tutorial.consumer("pip-warden", "verify", *trust, f"{empty}/dist/*.whl", f"{empty}/dist/*.tar.gz")

    assert (theirs.returncode, theirs.stdout) == (0, "")
    assert (ours.returncode, "[no-such-file]" in ours.stderr) == (2, True), ours.stdout + ours.stderr


def test_it_builds_an_sdist_before_it_looks_at_its_signature_and_we_do_not(tutorial: Tutorial) -> None:
    """Whoever can write to the registry, but not sign, can run code in the consumer's job.

    Pip builds metadata to download an sdist.
    """
    ran = tutorial.home / "ran"
    other = tutorial.gitlab.sdist("acme-widgets", "1.0.0", marker=ran)
    tutorial.gitlab.tamper(tutorial.project, other.name, data=other.data, keep_claimed_hash=False)
    ours = tutorial.download()
    ran_by_us = ran.exists()
    theirs, _ = tutorial.consumer_verification()

    assert (ours.returncode, ran_by_us) == (1, False), ours.stdout + ours.stderr
    assert (theirs.returncode, ran.exists()) == (1, True), theirs.stdout + theirs.stderr


def test_it_passes_over_an_archive_that_is_neither_whl_nor_tar_gz_and_we_do_not(tutorial: Tutorial) -> None:
    """An unsigned file is downloaded, built, and kept in ``pkg`` with verified ones, and the job is green."""
    sdist = SDIST.format("1.0.0")
    data = _as_zip(_item(tutorial, sdist))
    tutorial.gitlab.delete_file(tutorial.project, sdist)
    name = sdist.replace(".tar.gz", ".zip")
    tutorial.gitlab.put_files(
        tutorial.project, [replace(tutorial.gitlab.sdist("acme-widgets", "1.0.0"), name=name, data=data)]
    )
    theirs, where = tutorial.consumer_verification()
    ours = tutorial.download()

    assert (theirs.returncode, (where / "pkg" / name).exists()) == (0, True), theirs.stdout + theirs.stderr
    assert ours.returncode != 0, ours.stdout + ours.stderr
    assert not (tutorial.home / "ours" / name).exists()


def test_it_passes_over_wheels_for_other_machines_and_we_do_not(tutorial: Tutorial) -> None:
    wheel = tutorial.gitlab.wheel("acme-widgets", "1.0.0", tag="py3-none-win_amd64")
    tutorial.gitlab.put_files(tutorial.project, [wheel])
    theirs, _ = tutorial.consumer_verification()
    ours = tutorial.verify_release("1.0.0", "--format", "json")

    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    assert (ours.returncode, _codes(ours.stdout)) == (1, ["no-evidence"])


def test_it_takes_another_project_of_that_path_for_it_and_we_do_not(tutorial: Tutorial) -> None:
    """A deleted project, recreated by another user, has the same path and branch, and so the same subject.

    Only its number differs.
    """
    taken = tutorial.gitlab.job(tutorial.project, project_id=str(tutorial.project.id + 1))
    checkout = tutorial.checkout("1.0.0")
    wheel = tutorial.gitlab.wheel(
        "acme-widgets", "1.0.0", files={"acme_widgets/__init__.py": "evil = True\n"}
    )
    (checkout / "dist" / wheel.name).write_bytes(wheel.data)
    signed = tutorial.job(SIGN, "1.0.0", job=taken)
    for end in ("", ".sig", ".crt"):
        _put(tutorial, f"{wheel.name}{end}", (checkout / "dist" / f"{wheel.name}{end}").read_bytes())
    theirs, _ = tutorial.consumer_verification()
    ours = tutorial.verify_release("1.0.0", "--format", "json")

    assert signed.returncode == 0, signed.stdout + signed.stderr
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    assert (ours.returncode, _codes(ours.stdout)) == (1, ["project-id-mismatch"])


def _as_zip(tar_gz: bytes) -> bytes:
    """Return an sdist with the same members as a zip archive, which pip accepts too."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(tar_gz)) as members, zipfile.ZipFile(made, "w") as archive:
        for member in members:
            content = members.extractfile(member)
            if content is not None:
                archive.writestr(member.name, content.read())
    return made.getvalue()


# And with our commands


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


ITEMS = tuple(f"{file}{end}" for file, end in product((WHEEL, SDIST), ("", ".sig", ".crt")))


def test_t01_t02_every_single_item_of_another_release_is_refused(tutorial: Tutorial) -> None:
    """Both releases are honest and by one identity; and the wheel's signature is not valid for the sdist."""
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

    # A file of another release is recognised by its metadata, before any signature is checked.
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
