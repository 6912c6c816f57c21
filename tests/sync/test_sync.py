"""``trust sync`` over a GitLab, and over random projects: what it writes once, it leaves alone ever after."""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from pip_warden.names import parse_project_name
from pip_warden.sandbox import Sandbox
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry
from sync.test_sync_scenarios import Stage, publish

TRUST = """version = 1

[sigstore]
trusted-root = "{root}"
trusted-root-sha256 = "{sha256}"
issuers = ["{issuer}"]

[source.gitlab]
type = "gitlab"
url = "{gitlab}"

[source.pypi]
type = "simple"
url = "{pypi}"
evidence = "{integrity}"
hash-reason = "not signed; locked"
"""
KINDS = ["whl", "tar.gz", "cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-macosx_11_0_arm64"]


def with_sources(sandbox: Sandbox, home: Path) -> Stage:
    """Return a stage with a trust file that has a GitLab and a simple index as sources, and no package."""
    root = sandbox.write_trust(home)
    (home / "pytrust.toml").write_text(
        TRUST.format(
            root=root,
            sha256=hashlib.sha256(root.read_bytes()).hexdigest(),
            issuer=sandbox.issuer,
            gitlab=sandbox.gitlab_url,
            pypi=sandbox.upstream.simple_url,
            integrity=sandbox.upstream.integrity_url,
        )
    )
    return Stage(sandbox=sandbox, home=home, words={})


@pytest.fixture
def stage(sandbox: Sandbox, home: Path) -> Iterator[Stage]:
    yield with_sources(sandbox, home)
    sandbox.faults.clear()


def packages_of(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((stage.home / "pytrust.toml").read_text()).get("package", [])
    return found


def lock_line(name: str, version: str, file: str, sha256: str, index: str) -> str:
    key = "packages.sdist" if file.endswith(".tar.gz") else "packages.wheels"
    head = f"[{key}]" if file.endswith(".tar.gz") else f"[[{key}]]"
    return (
        f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\nindex = "{index}"\n'
        f'{head}\nname = "{file}"\nurl = "https://x.example/{file}"\nhashes = {{ sha256 = "{sha256}" }}\n'
    )


@pytest.mark.parametrize("forms", [("bundle",), ()])
def test_a_gitlab_project_s_index_chooses_the_gitlab(stage: Stage, forms: tuple[str, ...]) -> None:
    box, name = stage.sandbox, f"gears-{'signed' if forms else 'plain'}"
    project, file = box.project(f"acme/{name}", visibility="public"), box.wheel(name, "1.0")
    box.publish(project, [file], forms=forms)  # type: ignore[arg-type]
    index = f"{box.gitlab_url}/api/v4/projects/{project.id}/packages/pypi/simple"
    lock = stage.home / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n' + lock_line(name, "1.0", file.name, file.sha256, index)
    )
    code, said = stage.run(["trust", "sync", "--reason", "reviewed"], "y\n")
    assert code == 0, said
    (package,) = packages_of(stage)
    assert (package["source"], str(package["project"])) == ("gitlab", str(project.id))
    assert ("identity" in package, "sha256" in package) == (bool(forms), not forms)
    code, said = stage.run(["trust", "sync"], None)
    assert (code, "nothing to do" in said) == (0, True), said


@pytest.mark.parametrize("seed", range(12))
def test_sync_twice_changes_nothing(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a test's, not a secret
    scenario, packages = f"random{seed}", list[dict[str, Any]]()
    for short in chance.sample(["apple", "quince", "cherry", "mulberry", "grape"], chance.randint(1, 5)):
        for version in chance.sample(["0.9", "1.0", "2.0rc1", "10.0", "1!3.0"], chance.randint(1, 3)):
            kinds = chance.sample(KINDS, chance.randint(1, len(KINDS)))
            signed = chance.choice([[], kinds, kinds[:1]])
            packages.append({"name": short, "version": version, "files": kinds, "signed": signed})
    words = publish(stage.sandbox, scenario, packages)
    wanted = chance.sample(packages, chance.randint(1, len(packages)))
    lines = []
    for each in wanted:
        some = chance.sample(each["files"], chance.randint(0, len(each["files"])))
        release = f"{each['name']} {each['version']}"
        hashes = [f"--hash=sha256:{words[f'{release} {kind} sha256']}" for kind in some]
        lines.append(" ".join([f"{words[each['name']]}=={each['version']}", *hashes]))
    files = []
    for number, line in enumerate(lines):  # one release each: a file may not ask for two versions of a name
        (stage.home / f"r{number}.txt").write_text(f"{line}\n")
        files += ["-r", f"r{number}.txt"]
    options = chance.choice([[], ["--hash-only"]])

    code, said = stage.run(["trust", "sync", "--source", "pypi", *files, *options], "y\n")
    assert code == 0, said
    text = (stage.home / "pytrust.toml").read_text()
    trust = parse(text, stage.home / "pytrust.toml")
    for each in wanted:
        assert trust.entry_for(parse_project_name(words[each["name"]]), Version(each["version"])) is not None
    if options:
        assert all(isinstance(entry, HashEntry) for entry in trust.entries)

    stage.sandbox.clear_requests()
    code, said = stage.run(["trust", "sync", "--source", "pypi", *files, *options], None)
    assert (code, "nothing to do" in said) == (0, True), said
    assert (stage.home / "pytrust.toml").read_text() == text
    assert not stage.sandbox.requests
