"""T32 to T35: changes between verdict and installation, code that runs before a verdict, and empty runs."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.installer.python import Target, marker_environment
from pip_warden.sandbox import File, Project
from pip_warden.sandbox.faults import Hold
from pip_warden.sandbox.packages import backend_source

LONGEST_WAIT = 60.0


def unsigned_sdist(user: User) -> tuple[Project, File, Path]:
    """Publish an sdist without evidence, whose backend leaves a mark when it is imported."""
    project, marker = user.project(), user.home / "ran"
    user.pin(project)
    sdist = user.sdist(project, marker=marker)
    user.sandbox.publish(project, [sdist], forms=())
    return project, sdist, marker


@parametrized(
    "words",
    [
        (),
        ("--dry-run",),
        ("--download", "files"),
        ("--no-binary", ":all:", "--no-build-isolation", "--no-deps"),
    ],
    ordinary={0, 3},
)
def test_t33_t34_backend_of_a_refused_sdist_never_runs(user: User, words: tuple[str, ...]) -> None:
    project, sdist, marker = unsigned_sdist(user)
    user.refused(*words, project.record.name, code="no-evidence", files=[sdist])
    assert not marker.exists()
    assert not (user.home / "files").exists()


def test_t34_no_binary_turns_from_a_good_wheel_to_a_bad_sdist(user: User) -> None:
    project, sdist, marker = unsigned_sdist(user)
    user.sandbox.publish(project, [user.wheel(project)])
    user.refused("--no-binary", ":all:", project.record.name, code="no-evidence", files=[sdist])
    assert not marker.exists()
    assert user.install(project.record.name).code == 0
    assert not marker.exists()


def build_dependency(user: User, needed: Project, marker: Path) -> File:
    """A wheel that is another package's build backend."""
    module = f"{needed.record.name}_backend.py"
    return user.wheel(needed, files={module: backend_source("replaced", "1.0", marker=marker)})


@parametrized("why", ["no-evidence", "not-pinned", "bad-signature"], ordinary={0})
def test_t33_refused_build_dependency_never_runs(user: User, why: str) -> None:
    needed, project, marker = user.project(), user.project(), user.home / "ran"
    user.pin(project)
    wheel = build_dependency(user, needed, marker)
    user.sandbox.publish(needed, [wheel], forms=() if why == "no-evidence" else ("bundle",))
    if why != "not-pinned":
        user.pin(needed)
    if why == "bad-signature":
        bad = user.wheel(needed, files={f"{needed.record.name}_backend.py": f"open({str(marker)!r}, 'w')\n"})
        user.sandbox.tamper(needed, wheel.name, data=bad.data, keep_claimed_hash=False)
        wheel = bad
    sdist = user.sdist(project, build_requires=(needed.record.name,), backend=f"{needed.record.name}_backend")
    user.sandbox.publish(project, [sdist])
    result = user.refused(project.record.name, code=why, files=[wheel])
    assert not marker.exists()
    if why == "not-pinned":
        assert [name["project"] for name in result.document["unpinned"]] == [needed.record.name]


def test_sdist_with_a_build_dependency_through_the_gate(user: User) -> None:
    needed, project, marker = user.project(), user.project(), user.home / "ran"
    user.pin(needed)
    user.pin(project)
    backend = f"{needed.record.name}_backend"
    source = backend_source(project.record.name, "1.0", marker=marker)
    user.sandbox.publish(needed, [user.wheel(needed, files={f"{backend}.py": source})])
    sdist = user.sdist(project, build_requires=(needed.record.name,), backend=backend)
    user.sandbox.publish(project, [sdist])
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert result.accepted == {sdist.name, f"{needed.record.name}-1.0-py3-none-any.whl"}
    assert "build_wheel" in marker.read_text()


def test_every_unpinned_name_is_listed_at_once(user: User) -> None:
    """Dependencies and build dependencies of accepted files, so that one edit of the trust file is enough."""
    project = user.project()
    user.pin(project)
    sdist = user.sdist(
        project, requires=("first-unpinned>=1",), build_requires=("second-unpinned", "third-unpinned")
    )
    user.sandbox.publish(project, [sdist])
    result = user.refused(project.record.name, code="not-pinned")
    found = {name["project"] for name in result.document["unpinned"]}
    assert found == {"first-unpinned", "second-unpinned", "third-unpinned"}


def test_every_unpinned_name_of_the_command_line_is_listed_at_once(user: User) -> None:
    project = user.published()
    result = user.refused("none-such", project.record.name, "nor-this", code="not-pinned")
    assert {name["project"] for name in result.document["unpinned"]} == {"none-such", "nor-this"}
    assert result.outcome(project.record.name) == "not_judged"


def test_t32_file_in_the_registry_changes_after_the_verdict(user: User) -> None:
    """Fetched once: the judged bytes are installed, whatever the registry serves afterwards."""
    slow, project = user.published(), user.published()
    hold = Hold()
    user.sandbox.fault(hold, f"{slow.record.name}-1.0-py3", origin="gitlab")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(user.install, project.record.name, slow.record.name)
        assert hold.reached.wait(LONGEST_WAIT)
        wait_until(lambda: user.keeps(user.wheel(project).name, user.wheel(project).sha256))
        evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "evil\n"})
        user.sandbox.tamper(project, evil.name, data=evil.data, keep_claimed_hash=False)
        hold.until.set()
        result = running.result(LONGEST_WAIT)
    assert result.code == 0, result.output
    assert "evil" not in (user.site / project.record.name / "__init__.py").read_text()


@parametrized("how", ["changed", "link"], ordinary={0})
def test_t32_place_in_the_vault_is_taken_before_the_verdict(user: User, how: str) -> None:
    """An attacker who can write to the cache puts other bytes at the path of the judged file."""
    project = user.published()
    good = user.wheel(project)
    evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "evil\n"})
    hold = Hold()
    user.sandbox.fault(hold, f"files/{good.sha256}", origin="gitlab")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(user.install, project.record.name)
        assert hold.reached.wait(LONGEST_WAIT)
        poison(user, good, evil, how)
        hold.until.set()
        result = running.result(LONGEST_WAIT)
    assert result.code == 0, result.output
    assert "evil" not in (user.site / project.record.name / "__init__.py").read_text()


def poison(user: User, good: File, evil: File, how: str) -> None:
    """Put other bytes at a file's present or future path in the vault."""
    place = user.cache / "v1" / good.sha256[:2] / good.sha256
    place.mkdir(parents=True, exist_ok=True)
    path = place / good.name
    path.unlink(missing_ok=True)
    if how == "link":
        (user.home / "evil.whl").write_bytes(evil.data)
        path.symlink_to(user.home / "evil.whl")
    else:
        path.write_bytes(evil.data)


@parametrized("how", ["changed", "link"], ordinary={0})
def test_t32_poisoned_vault_is_judged_again_and_mended(user: User, how: str) -> None:
    project = user.published()
    good = user.wheel(project)
    evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "evil\n"})
    assert user.judge(project).code == 0
    assert user.keeps(good.name, good.sha256)
    poison(user, good, evil, how)
    user.sandbox.clear_requests()
    result = user.install(project.record.name)
    assert result.code == 0, result.output
    assert any(good.name in request.path for request in user.sandbox.requests), "it was fetched again"
    assert "evil" not in (user.site / project.record.name / "__init__.py").read_text()
    assert user.keeps(good.name, good.sha256)


@parametrized("how", ["changed", "link"], ordinary={0})
def test_t32_poisoned_vault_offline_cannot_decide(user: User, how: str) -> None:
    project = user.published()
    good = user.wheel(project)
    evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "evil\n"})
    assert user.judge(project).code == 0
    assert user.keeps(good.name, good.sha256)
    poison(user, good, evil, how)
    user.refused("--offline", project.record.name, code="offline", exit_code=3)


def test_t32_evil_file_in_the_vault_under_its_own_digest_is_judged(user: User) -> None:
    """An attacker who can write to the cache can add a whole file by its digest; the registry can list it."""
    project = user.published()
    good = user.wheel(project)
    evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "evil\n"})
    assert user.judge(project).code == 0
    evidence = next(user.cache.rglob("evidence.json")).read_bytes()
    place = user.cache / "v1" / evil.sha256[:2] / evil.sha256
    place.mkdir(parents=True)
    (place / evil.name).write_bytes(evil.data)
    (place / "evidence.json").write_bytes(evidence)
    user.sandbox.tamper(project, good.name, data=evil.data, keep_claimed_hash=False)
    before = user.snapshot()
    result = user.install(project.record.name)
    assert (result.code, "bad-signature" in result.codes) == (1, True), result.output
    assert user.snapshot() == before


def test_t32_private_directory_is_private(user: User) -> None:
    """While pip runs, only the owner can enter the run's directory, and it holds no link."""
    project = user.published()
    user.patch.setenv("TMPDIR", str(user.home))
    user.patch.setattr(tempfile, "tempdir", str(user.home))
    hold = Hold()
    user.sandbox.fault(hold, f"{project.record.name}-1.0-py3", origin="gitlab")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(user.install, project.record.name)
        assert hold.reached.wait(LONGEST_WAIT)
        workspaces = list(user.home.glob("pip-warden-*"))
        modes = [path.stat().st_mode & 0o777 for path in workspaces]
        hold.until.set()
        assert running.result(LONGEST_WAIT).code == 0
    assert set(modes) == {0o700}
    assert not any(path.exists() for path in workspaces)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-r", "empty.txt"),
        ("-r", "comments.txt"),
        ("-c", "comments.txt"),
        ("--download", "files"),
        ("--download", "files", "-r", "empty.txt"),
        ("--dry-run",),
        ("--offline",),
    ],
)
def test_t35_nothing_is_never_success(user: User, words: tuple[str, ...]) -> None:
    (user.home / "empty.txt").write_text("")
    (user.home / "comments.txt").write_text("# nothing\n\n   \n")
    user.refused(*words, code="nothing-to-install", exit_code=2)
    assert not (user.home / "files").exists()


NEVER = "python_version < '3'"


@parametrized("where", ["here", "file", "both"], ordinary={2})
def test_b18_markers_that_rule_everything_out(user: User, where: str) -> None:
    """Nothing is requested here, so nothing would be judged: pinned or not, installed or on no index."""
    project = user.published()
    assert user.judge(project).code == 0
    lines = [
        f"{project.record.name}; {NEVER}",
        f"unpinned>=2; {NEVER} or sys_platform == 'cpm'",
        "x; extra == 'y'",
    ]
    (user.home / "r.txt").write_text("\n".join(lines) + "\n")
    asked = {"here": tuple(lines), "file": ("-r", "r.txt"), "both": (lines[0], "-r", "r.txt")}[where]
    user.sandbox.clear_requests()
    others = (("--download", "files"), ("--dry-run",), ("--offline",), ("--strict",))
    for words in ((), *(others if where == "both" else ())):
        result = user.refused(*words, *asked, code="nothing-to-install", exit_code=2)
        assert lines[0].replace("'", '"') in result.document["error"]["message"]
        assert user.sandbox.requests == ()
        assert not (user.home / "files").exists()


@pytest.mark.interop
def test_b18_what_is_present_and_not_wanted_here_is_no_success(user: User) -> None:
    project = user.published()
    assert user.install(project.record.name).code == 0
    user.refused(f"{project.record.name}; {NEVER}", code="nothing-to-install", exit_code=2)
    again = user.install(project.record.name)
    assert (again.code, again.outcome(f"{project.record.name} 1.0")) == (0, "verified_earlier_unchanged")
    true = user.install(f"{project.record.name}; python_version > '3'", f"unpinned; {NEVER}")
    assert (true.code, true.codes) == (1, {"not-pinned"}), "a name is asked for all the same"


@pytest.mark.interop
def test_b18_one_marker_that_holds_is_enough(user: User) -> None:
    first, second = user.published(), user.published()
    result = user.install(f"{first.record.name}; {NEVER}", f"{second.record.name}; python_version > '3'")
    assert (result.code, user.installed()) == (0, {second.record.name: "1.0"}), result.output


def test_b18_markers_mean_the_python_that_is_installed_into(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target claims another Python than ours, but runs ours: neither succeeds with nothing done."""
    project = user.published()
    asked: list[Path] = []

    def other(target: Target) -> dict[str, str]:
        asked.append(target.executable)
        return {**marker_environment(target), "python_version": "3.99"}

    monkeypatch.setattr("pip_warden.install.run.marker_environment", other)
    name = project.record.name
    before = user.refused(f"{name}; python_version != '3.99'", code="nothing-to-install", exit_code=2)
    after = user.refused(f"{name}; python_version == '3.99'", code="nothing-to-install", exit_code=2)
    assert asked == [user.target / "bin" / "python"] * 2
    assert ["Ignoring" in run.output for run in (before, after)] == [False, True], (
        "pip ran the second time only"
    )


@pytest.mark.parametrize(
    ("where", "marker"),
    [
        ("requirement", "os_name ~= 'x'"),
        ("requirement", "python_version ~= '3'"),
        ("requirement", "extras == 'x'"),
        ("requirement", "'x' in dependency_groups"),
        ("constraint", "'x' in dependency_groups"),
        ("constraint", "os_name ~= 'x'"),
        ("build constraint", "python_version ~= '3'"),
        ("beside one that holds", "extras == 'x'"),
    ],
)
def test_b18_markers_that_nobody_can_evaluate(user: User, marker: str, where: str) -> None:
    project = user.published()
    name = project.record.name
    (user.home / "c.txt").write_text(f"{name}; {marker}\n")
    words = {
        "requirement": (f"{name}; {marker}",),
        "constraint": (name, "-c", "c.txt"),
        "build constraint": (name, "--build-constraint", "c.txt"),
        "beside one that holds": (name, "-r", "c.txt"),
    }[where]
    result = user.refused(*words, code="bad-requirement", exit_code=2)
    assert marker.replace("'", '"') in result.document["error"]["message"]


@pytest.mark.parametrize("word", ["*.whl", "dist/*", "missing.whl", "./missing", ""])
def test_t35_glob_without_a_match(user: User, word: str) -> None:
    result = user.install(word)
    assert (result.code, result.codes) == (2, {"bad-requirement"}), result.output


def test_t35_page_without_files(user: User) -> None:
    project = user.published()
    user.sandbox.delete_file(project, user.wheel(project).name)
    user.refused(project.record.name, code="page-missing", exit_code=3)


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(LONGEST_WAIT / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("it never came to that")
