"""The outcome of a run: never a fall-back, never 0 for an undecided file, and every notable fact reported."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Action, Answer, Reset, Truncate, html_error, server_error


@parametrized(
    ("beside", "fault"),
    [("older", "refused"), ("older", "no-evidence"), ("sdist", "no-evidence"), ("sdist", "changed")],
    ordinary={0, 3},
)
def test_a_refused_file_is_replaced_by_nothing(user: User, fault: str, beside: str) -> None:
    """The newest release is bad; neither a good older one, nor a good sdist of it, was requested."""
    project, marker = user.project(), user.home / "ran"
    user.pin(project)
    wheel = user.wheel(project, "2.0")
    if beside == "older":
        user.sandbox.publish(project, [user.wheel(project, "1.0")])
    else:
        user.sandbox.publish(project, [user.sdist(project, "2.0", marker=marker)])
    job = user.sandbox.job(project, tag="v9.9") if fault == "refused" else None
    user.sandbox.publish(project, [wheel], job=job, forms=() if fault == "no-evidence" else ("bundle",))
    if fault == "changed":
        wheel = user.wheel(project, "2.0", files={"evil.py": ""})
        user.sandbox.tamper(project, wheel.name, data=wheel.data, keep_claimed_hash=False)
    codes = {"refused": "identity-mismatch", "no-evidence": "no-evidence", "changed": "bad-signature"}
    result = user.refused(project.record.name, code=codes[fault], files=[wheel])
    assert result.accepted == set()
    assert not marker.exists()


def test_a_refused_dependency_refuses_the_run(user: User) -> None:
    bad = user.published(forms=())
    project = user.published(requires=(bad.record.name,))
    user.refused(project.record.name, code="no-evidence", files=[user.wheel(bad)])


FAULTS: dict[str, tuple[Action, str]] = {
    "403": (Answer(status=403), ""),
    "404": (Answer(status=404), ""),
    "500": (server_error(), "server-error"),
    "502": (html_error(), "server-error"),
    "reset": (Reset(), "unreachable"),
}


def test_t65_upgrade_with_a_page_that_cannot_be_had(user: User) -> None:
    """Pip itself says "already satisfied" and exits 0."""
    project = user.published("1.0")
    assert user.install(project.record.name).code == 0
    user.sandbox.publish(project, [user.wheel(project, "2.0")])
    before = user.snapshot()
    for action, code in (FAULTS[name] for name in ("404", "500", "reset")):
        user.sandbox.fault(action, f"pypi/simple/{project.record.name}", times=None)
        result = user.install("--retries", "0", "-U", project.record.name)
        assert result.code == 3, result.output
        assert not code or code in result.codes, result.output
        assert user.snapshot() == before
        assert user.installed() == {project.record.name: "1.0"}
        user.sandbox.faults.clear()


WHOLE = {("file", "403"), ("file", "truncated"), ("evidence", "404"), ("evidence", "500")}
"""What a whole installation meets: pip must not take such an answer of ours for something to go round."""


@pytest.mark.parametrize("fault", [*FAULTS, "truncated"])
@pytest.mark.parametrize("what", ["file", "evidence"])
def test_file_or_evidence_that_cannot_be_had(user: User, what: str, fault: str) -> None:
    project = user.published()
    wheel = user.wheel(project)
    path = f"files/{wheel.sha256}/{wheel.name}" if what == "file" else f"generic/{project.record.name}/"
    action = Truncate(keep=10) if fault == "truncated" else FAULTS[fault][0]
    user.sandbox.fault(action, path, times=None)
    before = user.snapshot()
    if (what, fault) in WHOLE:
        result = user.install("--retries", "0", project.record.name)
    else:
        result = user.judge(project, "1.0", "--retries", "0")
    if (what, fault) == ("evidence", "404"):
        assert (result.code, result.codes) == (1, {"no-evidence"}), (
            "the page was readable, so a 404 is an absence"
        )
    else:
        assert result.code == 3, result.output
    assert user.snapshot() == before
    assert not user.keeps(wheel.name, wheel.sha256)


def test_present_packages_are_named_and_strict_refuses_them(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    assert user.install(needed.record.name).code == 0
    next(user.site.glob("*.dist-info/pip-warden.json")).unlink()  # as whatever else installs it leaves none
    result = user.install(project.record.name)
    assert result.code == 0, result.output
    assert result.outcome(f"{needed.record.name} 1.0") == "present_not_verified"
    again = user.install("--strict", project.record.name)
    assert again.code == 1, again.output
    assert again.outcome(f"{project.record.name} 1.0") == "verified_earlier_unchanged"
    assert again.outcome(f"{needed.record.name} 1.0") == "present_not_verified"


def test_t59_hidden_newer_release_is_named_and_strict_refuses_it(user: User) -> None:
    project = user.published("1.0", "2.0")
    newest = user.wheel(project, "2.0")
    page = (
        f'<!DOCTYPE html><a href="{project.pypi_url}/files/{newest.sha256}/{newest.name}'
        f'#sha256={newest.sha256}" data-yanked="no">{newest.name}</a>'
    )
    old = user.wheel(project, "1.0")
    page += f'<a href="{project.pypi_url}/files/{old.sha256}/{old.name}#sha256={old.sha256}">{old.name}</a>'
    answer = Answer(status=200, body=page.encode(), headers=(("content-type", "text/html"),))
    user.sandbox.fault(answer, f"pypi/simple/{project.record.name}", times=None)
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert any("2.0" in warning and "yanked" in warning for warning in result.document["warnings"])
    strict = user.install("--strict", "--dry-run", "--force-reinstall", project.record.name)
    assert strict.code == 1, strict.output


def test_t60_revoked_digest_is_refused_though_in_the_vault(user: User) -> None:
    project = user.published()
    wheel = user.wheel(project)
    assert user.judge(project).code == 0
    assert user.keeps(wheel.name, wheel.sha256)
    user.write(f'[[revoked]]\nsha256 = "{wheel.sha256}"\nreason = "backdoored"')
    user.judged_bad(project, code="revoked")
    user.refused("--offline", project.record.name, code="revoked")


def public(user: User, *, evidence: bool = False) -> Project:
    """Publish a package on the stand-in for pypi.org, built by a GitLab pipeline."""
    project = user.project()
    wheel = user.wheel(project)
    attestation = {}
    if evidence:
        made = user.sandbox.sign(wheel, user.sandbox.job(project, tag="v1.0"), ("pep740",))
        attestation = {wheel.name: list(made.values())}
    user.sandbox.upstream.add(project.record.name, [wheel], provenance=attestation)
    return project


def pin_public(user: User, project: Project) -> None:
    subject = f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}"
    user.write(
        f'[[package]]\nname = "{project.record.name}"\nsource = "pypi"\n  [[package.identity]]\n'
        f'  issuer = "{user.sandbox.issuer}"\n  subject = "{subject}"'
    )


def test_hash_pinned_package_of_a_simple_source(user: User) -> None:
    project = public(user)
    user.pin_hash(user.wheel(project), name=project.record.name)
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert result.line(user.wheel(project).name)["accepted"] == {"basis": "hash", "reason": "reviewed"}


def test_an_exemption_that_has_ended_fetches_nothing_and_gives_nothing_out_of_the_vault(user: User) -> None:
    project = public(user)
    wheel, listed = user.wheel(project), "sha256 = {"
    user.pin_hash(wheel, name=project.record.name)
    assert user.judge(project).code == 0
    assert user.keeps(wheel.name, wheel.sha256)
    user.blocks[-1] = user.blocks[-1].replace(listed, f"expires = 2020-02-29\n{listed}")
    user.write("")
    user.sandbox.clear_requests()

    user.refused("--cache-dir", str(user.home / "empty"), project.record.name, code="exemption-expired")
    asked = [request.path for request in user.sandbox.requests]
    user.refused("--offline", project.record.name, code="exemption-expired")

    assert asked
    assert not [path for path in asked if path.endswith(".whl")]


def test_hash_pinned_package_with_other_bytes(user: User) -> None:
    project = public(user)
    user.pin_hash(user.wheel(project), name=project.record.name)
    evil = user.wheel(project, files={"evil.py": ""})
    listed = user.sandbox.upstream.file(evil.name)
    listed.data, listed.claimed_sha256 = evil.data, evil.sha256
    user.judged_bad(project, code="pinned-digest-differs", files=[evil])


def test_newer_release_than_the_hash_pinned_one_is_not_offered(user: User) -> None:
    project = public(user)
    user.pin_hash(user.wheel(project), name=project.record.name)
    user.sandbox.upstream.add(project.record.name, [user.wheel(project, "2.0")])
    assert user.install(project.record.name).code == 0
    assert user.installed() == {project.record.name: "1.0"}


def test_identity_pinned_package_of_a_simple_source_with_provenance(user: User) -> None:
    project = public(user, evidence=True)
    pin_public(user, project)
    user.sandbox.clear_requests()
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert all(user.token not in str(request) for request in user.sandbox.requests)


def test_t23_identity_pinned_package_of_a_simple_source_without_provenance(user: User) -> None:
    project = public(user)
    pin_public(user, project)
    user.judged_bad(project, code="no-evidence", files=[user.wheel(project)])


def local_wheel(user: User, project: Project, *, evidence: bool) -> Path:
    wheel = user.wheel(project)
    path = user.home / wheel.name
    path.write_bytes(wheel.data)
    if evidence:
        for name, data in user.sandbox.sign(wheel, user.sandbox.job(project, tag="v1.0")).items():
            (user.home / name).write_bytes(data)
    return path


def test_local_wheel_with_its_evidence_beside_it(user: User) -> None:
    project = user.project()
    user.pin(project)
    path = local_wheel(user, project, evidence=True)
    result = user.install(str(path))
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert result.outcome(path.name) == "accepted"


@pytest.mark.parametrize("fault", ["no-evidence", "bad-signature", "not-pinned"])
def test_local_wheel_that_is_refused(user: User, fault: str) -> None:
    project = user.project()
    if fault != "not-pinned":
        user.pin(project)
    path = local_wheel(user, project, evidence=fault != "no-evidence")
    if fault == "bad-signature":
        path.write_bytes(user.wheel(project, files={"evil.py": ""}).data)
    user.refused(path.name, code=fault)


@pytest.mark.parametrize(
    ("words", "where", "reference"),
    [
        ((".",), "dependencies", "x @ https://example.com/x.whl"),
        ((".",), "requires", "x @ file:///tmp/x-1.0-py3-none-any.whl"),
        (("-e", "."), "dependencies", "x @ file:///tmp/x-1.0-py3-none-any.whl"),
        (("-e", "."), "requires", "x @ https://example.com/x.whl"),
    ],
)
def test_t57_local_project_with_a_direct_reference(
    user: User, words: tuple[str, ...], where: str, reference: str
) -> None:
    (user.home / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{reference if where == "requires" else "hatchling"}"]\n'
        'build-backend = "x"\n'
        '[project]\nname = "mine"\nversion = "1"\n'
        f'dependencies = ["{reference if where == "dependencies" else "y"}"]\n'
    )
    user.refused(*words, code="direct-reference")


def test_t57_wheel_with_a_direct_reference(user: User) -> None:
    project = user.published(requires=("x @ file:///tmp/x-1.0-py3-none-any.whl",))
    user.refused(project.record.name, code="direct-reference", files=[user.wheel(project)])


def test_local_project_is_named_local(user: User) -> None:
    needed = user.published()
    mine = user.home / "mine"
    sdist = user.sandbox.sdist("mine", "1.0", requires=(needed.record.name,))
    (user.home / "mine.tar.gz").write_bytes(sdist.data)
    with tarfile.open(user.home / "mine.tar.gz") as archive:
        archive.extractall(user.home, filter="data")
    (user.home / "mine-1.0").rename(mine)
    result = user.install("./mine")
    assert (result.code, set(user.installed())) == (0, {"mine", needed.record.name}), result.output
    assert result.outcome(str(mine)) == "local"


def test_only_what_a_package_depends_on(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    result = user.install("--only-deps", f"{project.record.name}>=1; python_version > '3'")
    assert (result.code, set(user.installed())) == (0, {needed.record.name}), result.output


@pytest.mark.interop
def test_two_runs_share_one_cache(user: User) -> None:
    """Two runs at once, as jobs of one runner: each installs, and the cache is good afterwards."""
    needed = [user.published() for _ in range(3)]
    project = user.published(requires=tuple(item.record.name for item in needed))
    script = Path(sys.executable).parent / "safe-install"

    def install(number: int) -> subprocess.CompletedProcess[str]:
        target = user.home / f"target{number}"
        words = [str(script), "--python", str(user.target), "--target", str(target), project.record.name]
        return subprocess.run(words, env=dict(os.environ), capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(install, range(2)))
    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert not list(user.cache.rglob(".draft-*"))
    user.sandbox.clear_requests()
    assert user.install("--offline", project.record.name).code == 0
    assert user.sandbox.requests == ()


def test_download_keeps_wheel_and_sdist(user: User) -> None:
    project = user.published()
    user.sandbox.publish(project, [user.sdist(project)])
    result = user.install("--download", "files", "--with-sdist", project.record.name)
    assert result.code == 0, result.output
    kept = {path.name for path in (user.home / "files").iterdir()}
    assert kept == {user.wheel(project).name, user.sdist(project).name}
    assert user.installed() == {}


def test_download_of_a_bad_sdist_beside_a_good_wheel_keeps_neither(user: User) -> None:
    project = user.published()
    user.sandbox.publish(project, [user.sdist(project)], forms=())
    user.refused("--download", "files", "--with-sdist", project.record.name, code="no-evidence")
    assert not (user.home / "files").exists()
