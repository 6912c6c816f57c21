"""Real pip and real uv, with the loopback server as their only network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import loopback
from installers.fake_backend import FakeBackend, error, wheel
from ordinary import parametrized
from pip_warden.errors import RefusedError
from pip_warden.installer.environment import child_environment
from pip_warden.installer.gate_port import INDEX_URL
from pip_warden.installer.installed import Installed, read_report
from pip_warden.installer.pip import Child, command_line
from pip_warden.installer.python import Target, choose_target
from pip_warden.installer.reconcile import reconcile_directory, reconcile_report
from pip_warden.installer.server import Server
from pip_warden.names import ProjectName

UV = Path(sys.executable).with_name("uv")
OLD, NEW = "acme-1.0-py3-none-any.whl", "acme-2.0-py3-none-any.whl"


@dataclass
class Run:
    """The result of a run."""

    code: int
    lines: list[str]
    server: Server
    report: Path
    environment: Mapping[str, str]


@dataclass
class Bench:
    """A backend, a target, and what is needed to run an installer."""

    directory: Path
    backend: FakeBackend
    target: Target
    ours: dict[str, str]

    def pip(self, verb: str, *arguments: str) -> Run:
        report = self.directory / "report.json"
        command = command_line(
            self.target,
            "download" if verb == "download" else "install",
            arguments,
            report=report if verb == "install" else None,
        )
        return self._run(command, report, {})

    def uv(
        self, *arguments: str, uv_environment: dict[str, str] | None = None, cwd: Path | None = None
    ) -> Run:
        command = [
            str(UV),
            "pip",
            "install",
            "--python",
            str(self.target.executable),
            "--index-url",
            INDEX_URL,
        ]
        return self._run([*command, *arguments], self.directory / "none", uv_environment or {}, cwd)

    def _run(self, command: list[str], report: Path, more: dict[str, str], cwd: Path | None = None) -> Run:
        private = self.directory / "child"
        private.mkdir(exist_ok=True)
        child = Child()
        lines: list[str] = []
        with Server(self.backend, on_denial=child.end) as server:
            environment = child_environment(self.ours | more, proxy_url=server.proxy_url, private=private)
            code = child.run(command, environment, lines.append, cwd)
        return Run(code, lines, server, report, environment)

    def has(self, module: str = "acme") -> str:
        result = subprocess.run(
            [str(self.target.executable), "-I", "-c", f"import {module}; print({module}.VERSION)"],
            capture_output=True,
            text=True,
            check=False,
        )
        return result.stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    backend = FakeBackend(tmp_path / "backend")
    backend.directory.mkdir()
    return Bench(tmp_path, backend, choose_target(str(tmp_path / "venv"), {}, ""), {"PATH": os.defpath})


def _accepted(bench: Bench) -> frozenset[str]:
    return frozenset(
        listed.sha256 for name in ("acme", "beta") for listed in bench.backend.page(ProjectName(name))
    )


def _tree(bench: Bench) -> set[Path]:
    """List what can be installed into the target; uv keeps a lock of its own next to it."""
    return {path for folder in ("bin", "lib") for path in (bench.directory / "venv" / folder).rglob("*")}


def _items(run: Run) -> tuple[Installed, ...]:
    return read_report(run.report)


def test_pip_installs_with_dependencies(bench: Bench) -> None:
    bench.backend.add("acme", "1.0", "beta")
    bench.backend.add("beta", "3.0")
    run = bench.pip("install", "acme")

    assert run.code == 0, run.lines
    assert (bench.has(), bench.has("beta"), run.server.strays) == ("1.0", "3.0", ())
    reconcile_report(_items(run), _accepted(bench), frozenset())


def test_t32_pip_hashes_what_it_took_as_it_hashes_a_download(bench: Bench) -> None:
    """Whatever was put where it takes a file from has the digest of the page, or is not used."""
    bench.backend.add("acme", "1.0")
    bench.backend.handing = lambda path: path.write_bytes(wheel("acme", "1.0", "beta"))
    run = bench.pip("install", "acme")

    assert run.code != 0
    assert any("DO NOT MATCH THE HASHES" in line for line in run.lines), run.lines
    assert not bench.has()


def test_pip_downloads(bench: Bench) -> None:
    bench.backend.add("acme", "1.0")
    staging = bench.directory / "staging"
    run = bench.pip("download", "--dest", str(staging), "acme")

    assert run.code == 0, run.lines
    assert [file.name for file in reconcile_directory(staging, _accepted(bench))] == [OLD]
    assert not bench.has()


def test_uv_installs(bench: Bench) -> None:
    bench.backend.add("acme", "1.0", "beta")
    bench.backend.add("beta", "3.0")
    run = bench.uv("acme")

    assert run.code == 0, run.lines
    assert (bench.has(), bench.has("beta"), run.server.strays) == ("1.0", "3.0", ())


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_refused_release_is_not_replaced_by_an_older_one(bench: Bench, tool: str) -> None:
    bench.backend.add("acme", "1.0")
    bench.backend.add("acme", "2.0")
    bench.backend.errors[f"file {NEW}"] = error(RefusedError, "no-evidence")
    run = bench.pip("install", "acme") if tool == "pip" else bench.uv("acme")

    assert run.code != 0
    assert run.server.denial is not None
    assert not bench.has()
    assert f"file {OLD}" not in bench.backend.asked


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_t33_an_sdist_is_built_with_what_came_through_the_same_door(bench: Bench, tool: str) -> None:
    marker = bench.directory / "ran"
    bench.backend.add("builder", "1.0")
    bench.backend.add("beta", "3.0")
    digest = bench.backend.add_sdist("acme", "1.0", "beta", needs="builder", marker=marker)
    run = bench.pip("install", "acme") if tool == "pip" else bench.uv("acme")

    assert run.code == 0, run.lines
    assert (bench.has(), bench.has("beta"), bench.has("builder")) == ("1.0", "3.0", "")
    assert marker.exists()
    assert "file builder-1.0-py3-none-any.whl" in bench.backend.asked
    if tool == "pip":
        assert digest in {item.sha256 for item in _items(run)}
        reconcile_report(_items(run), _accepted(bench), frozenset())


@pytest.mark.parametrize("refused", ["acme-1.0.tar.gz", "builder-1.0-py3-none-any.whl"])
@parametrized(
    ("tool", "words"),
    [("pip", ()), ("pip", ("--dry-run",)), ("uv", ()), ("uv", ("--dry-run",))],
    ordinary={0, 2},
)
def test_t33_t34_nothing_runs_when_an_sdist_or_its_build_dependency_is_refused(
    bench: Bench, tool: str, words: tuple[str, ...], refused: str
) -> None:
    marker = bench.directory / "ran"
    bench.backend.add("builder", "1.0")
    bench.backend.add_sdist("acme", "1.0", needs="builder", marker=marker)
    bench.backend.errors[f"file {refused}"] = error(RefusedError, "no-evidence")
    before = _tree(bench)
    run = bench.pip("install", *words, "acme") if tool == "pip" else bench.uv(*words, "acme")

    assert run.code != 0
    assert run.server.denial is bench.backend.errors[f"file {refused}"]
    assert not marker.exists()
    assert _tree(bench) == before


@parametrized("tool", ["pip", "uv"], ordinary={0})
def test_t65_a_page_that_cannot_be_had_is_never_already_satisfied(bench: Bench, tool: str) -> None:
    bench.backend.add("acme", "1.0")
    assert bench.pip("install", "acme").code == 0
    for failure in (error(RefusedError, "foreign-index-page"), KeyError("ours")):
        bench.backend.errors["page acme"] = failure
        run = bench.pip("install", "-U", "acme") if tool == "pip" else bench.uv("-U", "acme")
        assert run.server.denial is not None
    assert bench.has() == "1.0"


@parametrized("tool", ["pip", "uv"], ordinary={0})
def test_t58_a_warm_cache_does_not_help(bench: Bench, tool: str) -> None:
    bench.backend.add("acme", "1.0")

    def install() -> Run:
        return bench.pip("install", "acme") if tool == "pip" else bench.uv("acme")

    assert install().code == 0
    subprocess.run(
        [str(UV), "pip", "uninstall", "--python", str(bench.target.executable), "acme"],
        check=True,
        capture_output=True,
    )
    bench.backend.errors[f"file {OLD}"] = error(RefusedError, "no-evidence")

    assert install().code != 0
    assert not bench.has()


@parametrized("tool", ["pip", "uv"], ordinary={0})
def test_t58_settings_of_the_user_do_not_help(bench: Bench, tool: str) -> None:
    links = bench.directory / "links"
    links.mkdir()
    (links / NEW).write_bytes(wheel("acme", "2.0"))
    project = bench.directory / "project"
    project.mkdir()
    (project / "uv.toml").write_text(f'find-links = ["{links}"]\nno-index = true\n')
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "p"\nversion = "1"\n[tool.uv.sources]\nacme = {{ path = "{links / NEW}" }}\n'
    )
    home = bench.directory / "home"
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").write_text(f'find-links = ["{links}"]\n')
    (home / ".config" / "pip").mkdir()
    (home / ".config" / "pip" / "pip.conf").write_text(f"[global]\nfind-links = {links}\n")
    bench.ours |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PIP_FIND_LINKS": str(links),
        "UV_FIND_LINKS": str(links),
        "UV_CONFIG_FILE": str(project / "uv.toml"),
    }
    bench.backend.add("acme", "1.0")
    run = bench.pip("install", "acme") if tool == "pip" else bench.uv("acme", cwd=project)

    assert run.code == 0, run.lines
    assert bench.has() == "1.0"


@parametrized("tool", ["pip", "uv"], ordinary={0})
def test_t57_another_loopback_port_is_out_of_reach(bench: Bench, tool: str) -> None:
    with loopback.serve() as evil:
        evil.routes["/beta-9.0-py3-none-any.whl"] = loopback.Answer(body=wheel("beta", "9.0"))
        bench.backend.add("acme", "1.0", f"beta @ {evil.url}/beta-9.0-py3-none-any.whl")
        run = bench.pip("install", "acme") if tool == "pip" else bench.uv("acme")

        assert run.code != 0
        assert evil.asked == []
        # uv refuses a dependency's URL by itself; a direct request for it gets to the server as pip's does.
        if tool == "uv":
            run = bench.uv(f"beta @ {evil.url}/beta-9.0-py3-none-any.whl")
        assert run.server.strays
        assert evil.asked == []
    assert not bench.has("beta")


def test_t57_a_local_reference_in_a_wheel_is_detected(bench: Bench) -> None:
    hidden = bench.directory / "beta-9.0-py3-none-any.whl"
    hidden.write_bytes(wheel("beta", "9.0"))
    bench.backend.add("acme", "1.0", f"beta @ {hidden.as_uri()}")
    run = bench.pip("install", "--dry-run", "acme")

    assert run.code == 0, run.lines
    with pytest.raises(RefusedError) as caught:
        reconcile_report(_items(run), _accepted(bench), frozenset())
    assert caught.value.code == "not-through-gate"


@parametrized("tool", ["pip", "uv"], ordinary={0})
def test_t57_a_local_reference_made_while_building_is_detected_or_refused(bench: Bench, tool: str) -> None:
    """What pip follows is detected; uv accepts no URL from a dependency."""
    hidden = bench.directory / "beta-9.0-py3-none-any.whl"
    hidden.write_bytes(wheel("beta", "9.0"))
    bench.backend.add("builder", "1.0")
    reference = f"beta @ {hidden.as_uri()}"
    bench.backend.add_sdist("acme", "1.0", reference, needs="builder", marker=bench.directory / "ran")
    run = bench.pip("install", "acme") if tool == "pip" else bench.uv("acme")

    if tool == "uv":
        assert run.code != 0
        assert not bench.has("beta")
        return
    assert run.code == 0, run.lines
    with pytest.raises(RefusedError) as caught:
        reconcile_report(_items(run), _accepted(bench), frozenset())
    assert caught.value.code == "not-through-gate"
    assert "beta 9.0" in caught.value.message


def test_t34_a_denied_file_never_reaches_the_child(bench: Bench) -> None:
    """Only what was handed over can be built."""
    bench.backend.add("acme", "1.0")
    bench.backend.errors[f"file {OLD}"] = error(RefusedError, "no-evidence")
    run = bench.pip("install", "--dry-run", "acme")

    assert run.code != 0
    assert not [path for path in (bench.directory / "child").rglob("*") if path.suffix in {".whl", ".py"}]


def test_the_password_is_not_on_the_command_line_and_not_shown(bench: Bench) -> None:
    bench.backend.add("acme", "1.0")
    run = bench.pip("install", "-vv", "acme")
    password = run.environment["HTTP_PROXY"].split(":")[2].partition("@")[0]

    assert run.code == 0
    assert not any(password in line for line in run.lines)
