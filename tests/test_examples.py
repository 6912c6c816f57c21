"""The examples work: trust files load, the library script runs, the example package builds reproducibly."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pip_warden.sandbox import Sandbox
from pip_warden.trust.file import load
from pip_warden.trust.roots import PinnedRoots

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("name", ["publisher", "consumer", "promotion"])
def test_the_trust_files_of_the_examples_are_valid(name: str) -> None:
    trust = load(EXAMPLES / name / "pytrust.toml", check_owner=False)
    PinnedRoots(trust.roots).load_all()

    assert len(trust.entries) == 1


def _build(directory: Path, out: Path, **changes: str) -> dict[str, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SOURCE_DATE_EPOCH": "1763596800",
        "PACKAGE_VERSION": "1.0.0",
    } | changes
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(directory)]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


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
        sandbox.write_trust(tmp_path)
        digest = hashlib.sha256((tmp_path / "trusted_root.json").read_bytes()).hexdigest()
        text = (EXAMPLES / "publisher" / "pytrust.toml").read_text(encoding="utf-8")
        pinned = load(EXAMPLES / "publisher" / "pytrust.toml", check_owner=False).roots[0].sha256.hex
        text = text.replace(pinned, digest).replace(
            "https://gitlab.com/acme", f"https://{sandbox.gitlab_url[7:]}/acme"
        )
        text = text.replace("https://gitlab.com", sandbox.issuer).partition("  [package.require]")[0]
        (tmp_path / "pytrust.toml").write_text(text, encoding="utf-8")
    script = [sys.executable, str(EXAMPLES / "library" / "judge_a_file.py"), wheel.name]
    result = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout.partition(":")[0]) == (0, "accepted"), (
        result.stdout + result.stderr
    )
