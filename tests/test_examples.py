"""The examples work: trust files load, the library script runs, the example package builds reproducibly."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pip_warden.sandbox import Job, Sandbox
from pip_warden.trust.file import load
from pip_warden.trust.roots import PinnedRoots

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["publisher", "consumer", "promotion", "image"])
def test_the_trust_files_of_the_examples_are_valid(name: str) -> None:
    trust = load(EXAMPLES / name / "pytrust.toml", check_owner=False)
    PinnedRoots(trust.roots).load_all()

    assert len(trust.entries) == 1


def test_an_image_is_pinned_alike_where_it_is_built_and_where_it_is_released() -> None:
    """So that what is promoted is what the gate let pass."""
    released, built = load(EXAMPLES / "image" / "pytrust.toml", check_owner=False).images

    assert (str(released.repository), str(built.repository)) == (
        "registry.gitlab.com/acme/app",
        "registry.gitlab.com/acme/app/build",
    )
    assert (released.identities, released.require) == (built.identities, built.require)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageBuild:
    """The step of the example's Containerfile that installs, on this machine."""

    directory: Path
    sandbox: Sandbox
    job: Job

    def run(self) -> subprocess.CompletedProcess[str]:
        text = (EXAMPLES / "image" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")
        (step,) = re.findall(r"^RUN --mount=type=secret,id=job-token (.*)$", text, re.MULTILINE)
        places = {
            "/run/secrets/": f"{self.directory}/secrets/",
            "/gate/bin/": f"{Path(sys.executable).parent}/",
            " /app": f" {self.directory}/app",
        }
        for there, here in places.items():
            assert there in step
            step = step.replace(there, here)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.directory / "home"),
            "CI_API_V4_URL": self.job.variables()["CI_API_V4_URL"],
        }
        return subprocess.run(
            ["sh", "-c", step],
            cwd=self.directory / "build",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def image_build(tmp_path: Path) -> Iterator[ImageBuild]:
    """A registry with a signed release, and what the Containerfile copies."""
    with Sandbox() as sandbox:
        wheels, app = sandbox.project("acme/acme-widgets"), sandbox.project("acme/app")
        wheels.allow_job_tokens(app)
        sandbox.publish(wheels, [sandbox.wheel("acme-widgets", "1.0")], forms=("bundle", "slsa-bundle"))
        job = sandbox.job(app, tag="v1.0.0")
        for name in ("build", "secrets", "home"):
            (tmp_path / name).mkdir()
        (tmp_path / "secrets" / "job-token").write_text(job.job_token, encoding="utf-8")
        shutil.copy(EXAMPLES / "image" / "requirements.txt", tmp_path / "build")
        _pinned("image", tmp_path / "build", sandbox)
        yield ImageBuild(directory=tmp_path, sandbox=sandbox, job=job)


@pytest.mark.interop
def test_the_containerfile_installs_through_the_gate_and_keeps_no_token(image_build: ImageBuild) -> None:
    built = image_build.run()
    kept = [path for path in image_build.directory.rglob("*") if path.is_file() and not path.is_symlink()]
    holding = [path.name for path in kept if image_build.job.job_token.encode() in path.read_bytes()]

    assert built.returncode == 0, built.stderr
    assert list((image_build.directory / "app").rglob("site-packages/acme_widgets-1.0.dist-info"))
    assert not list((image_build.directory / "app").rglob("site-packages/pip"))
    assert holding == ["job-token"]
    assert image_build.job.job_token not in built.stdout + built.stderr


@pytest.mark.interop
def test_a_wheel_that_nobody_signed_fails_the_build_of_the_image(image_build: ImageBuild) -> None:
    sandbox = image_build.sandbox
    sandbox.publish(sandbox.project("acme/acme-widgets"), [sandbox.wheel("acme-widgets", "2.0")], forms=())
    built = image_build.run()

    assert (built.returncode, "[no-evidence]" in built.stderr) == (1, True), built.stdout + built.stderr


def test_the_image_names_every_file_that_it_copies() -> None:
    text = (EXAMPLES / "image" / "Containerfile").read_text(encoding="utf-8")
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for name in line.split()
    ]

    assert all((EXAMPLES / "image" / name).is_file() for name in copied)
    assert "job-token" not in re.sub(r"RUN --mount=type=secret.*?\n\n", "", text, flags=re.DOTALL)


def _pinned(example: str, directory: Path, sandbox: Sandbox) -> None:
    """Write an example's trust file, pointed at the sandbox."""
    sandbox.write_trust(directory)
    digest = hashlib.sha256((directory / "trusted_root.json").read_bytes()).hexdigest()
    path = EXAMPLES / example / "pytrust.toml"
    text = path.read_text(encoding="utf-8").replace(load(path, check_owner=False).roots[0].sha256.hex, digest)
    text = text.replace("https://gitlab.com/acme", f"https://{sandbox.gitlab_url[7:]}/acme")
    text = text.replace("https://gitlab.com", sandbox.issuer)
    (directory / "pytrust.toml").write_text(
        text.replace("registry.gitlab.com", sandbox.registry_host), encoding="utf-8"
    )


def _build(directory: Path, out: Path, **changes: str) -> dict[str, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SOURCE_DATE_EPOCH": "1763596800",
        "PACKAGE_VERSION": "1.0.0",
    } | changes
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(directory)]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


@pytest.mark.interop
def test_two_builds_of_the_example_give_the_same_bytes(tmp_path: Path) -> None:
    trees = [tmp_path / "first", tmp_path / "second"]
    for tree in trees:
        shutil.copytree(EXAMPLES / "publisher", tree)
    os.utime(trees[1] / "pyproject.toml", (1, 1))
    first, second = (_build(tree, tree / "dist") for tree in trees)

    assert first == second
    assert set(first) == {"acme_widgets-1.0.0-py3-none-any.whl", "acme_widgets-1.0.0.tar.gz"}


def test_version_and_homepage_come_from_the_pipeline(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "publisher", tmp_path / "p")
    built = _build(
        tmp_path / "p",
        tmp_path / "dist",
        PACKAGE_VERSION="2.1",
        CI_PROJECT_URL="https://gitlab.example.com/a/b",
    )
    wheel = next(name for name in built if name.endswith(".whl"))
    with zipfile.ZipFile(tmp_path / "dist" / wheel) as archive:
        metadata = archive.read("acme_widgets-2.1.dist-info/METADATA").decode()

    assert wheel == "acme_widgets-2.1-py3-none-any.whl"
    assert "https://gitlab.example.com/a/b" in metadata


def test_the_library_script_judges_a_file(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/acme-widgets")
        wheel = sandbox.wheel("acme-widgets", "1.0")
        evidence = sandbox.sign(wheel, sandbox.job(project, tag="v1.0"))
        for name, content in {wheel.name: wheel.data, **evidence}.items():
            (tmp_path / name).write_bytes(content)
        _pinned("publisher", tmp_path, sandbox)
        path = tmp_path / "pytrust.toml"
        text = path.read_text(encoding="utf-8").partition("  [package.require]")[0]
        path.write_text(text, encoding="utf-8")
    script = [sys.executable, str(EXAMPLES / "library" / "judge_a_file.py"), wheel.name]
    result = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout.partition(":")[0]) == (0, "accepted"), (
        result.stdout + result.stderr
    )
