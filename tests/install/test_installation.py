"""A run of the installer with a fake gate and a fake pip: what is checked after pip."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import samples
from pip_warden.digests import digest_of
from pip_warden.gate import Guess
from pip_warden.install.request import PreparedRequest, Run
from pip_warden.install.run import perform
from pip_warden.install.unsaid import asked_places
from pip_warden.installer.pip import command_line
from pip_warden.installer.python import Target
from pip_warden.installer.wanted import LocalFile, NamedRequirement, Wanted
from pip_warden.names import ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Place, Report, line_of
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, PinnedByHash, Step

WHEEL = b"the wheel"
OTHER = b"another wheel"
HIDDEN = "acme_widgets-2.0-py3-none-any.whl"
PIP = """#!{python} -I
import json, pathlib, sys
words = sys.argv[1:]
if "--report" in words:
    pathlib.Path(words[words.index("--report") + 1]).write_text({report!r})
if "--dest" in words:
    pathlib.Path(words[words.index("--dest") + 1], {name!r}).write_bytes({content!r})
sys.exit({code})
"""


@dataclass
class Accepting:
    """A gate that has accepted one wheel, of which the index hides a newer release."""

    ledger: Ledger = field(default_factory=Ledger)

    def require_pinned(self, projects: dict[ProjectName, str]) -> None:
        assert set(projects) == {samples.PROJECT}
        accepted = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed"))
        self.ledger.record(line_of(accepted, source="acme"))

    def warm_up(self) -> None:
        pass

    def look_ahead(self, guesses: tuple[Guess, ...]) -> None:
        assert guesses == ()

    def listing(self, project: ProjectName) -> Listing:
        assert project == samples.PROJECT
        return samples.listing(samples.candidate(), samples.candidate(HIDDEN, claimed_yanked="broken"))


@dataclass
class Bench:
    """Where a run happens."""

    directory: Path

    def run(
        self, *, content: bytes = WHEEL, code: int = 0, download: bool = False, dry_run: bool = True
    ) -> Report:
        """Run a pip that installs, or downloads, one wheel of these bytes."""
        item = {
            "download_info": {"url": "x", "archive_info": {"hashes": {"sha256": digest_of(content).hex}}},
            "metadata": {"name": "acme-widgets", "version": "1.0"},
        }
        python = self.directory / "python"
        report = json.dumps({"install": [item]})
        text = PIP.format(
            python=sys.executable, report=report, name=samples.WHEEL, content=content, code=code
        )
        python.write_text(text)
        python.chmod(0o755)
        origin = "-r requirements.txt (line 2)"
        wanted = NamedRequirement(requirement="acme-widgets", project=samples.PROJECT, origin=origin)
        prepared = PreparedRequest(
            wanted=Wanted(named=(wanted,)),
            target=target(python),
            dry_run=dry_run,
            download=self.directory / "files" if download else None,
        )
        workspace = self.directory / "run"
        workspace.mkdir()
        gate: Any = Accepting()
        run = Run(
            prepared=prepared,
            trust=samples.trust(),
            gate=gate,  # the part of a gate that is used here
            ledger=gate.ledger,
            environ={},
            workspace=workspace,
            find_entry=lambda _wanted: None,
        )
        return perform(run)


def target(python: Path) -> Target:
    return Target(executable=python, version="3.11", prefix="/nowhere", build="", why="a test")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _ended(report: Report) -> tuple[int, str]:
    return report.exit_code, report.error.code if report.error is not None else ""


def test_the_accepted_wheel_is_no_problem(bench: Bench) -> None:
    assert samples.DIGEST.hex == hashlib.sha256(WHEEL).hexdigest()
    assert _ended(bench.run()) == (0, "")


def test_a_report_says_where_what_was_asked_for(bench: Bench) -> None:
    assert bench.run().places == (
        ("acme-widgets", Place(path="requirements.txt", line=2, text="acme-widgets")),
    )


def test_a_requirement_is_told_before_a_constraint_and_of_several_the_first() -> None:
    def named(name: str, origin: str) -> NamedRequirement:
        return NamedRequirement(requirement=name, project=ProjectName(name), origin=origin)

    wanted = Wanted(
        named=(named("a", ""), named("b", "-r r.txt (line 1)"), named("b", "-r r.txt (line 5)")),
        constraints=(named("b", "-c c.txt (line 1)"), named("c", "-c c.txt (line 2)")),
        files=(
            LocalFile(path=Path("x") / samples.WHEEL, origin="-r r.txt (line 7)"),
            LocalFile(path=Path("no wheel.whl"), origin="-r r.txt (line 8)"),
        ),
    )

    assert asked_places(wanted) == (
        ("b", Place(path="r.txt", line=1, text="b")),
        ("c", Place(path="c.txt", line=2, text="c")),
        ("acme-widgets", Place(path="r.txt", line=7)),
        ("no", Place(path="r.txt", line=8)),
    )


def test_t57_what_pip_would_install_was_accepted(bench: Bench) -> None:
    assert _ended(bench.run(content=OTHER)) == (1, "not-through-gate")


def test_t57_what_was_refused_is_not_accepted_by_its_digest() -> None:
    accepted = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed"))
    refused = samples.refused("a.whl", Step.IDENTITY, "identity-mismatch")
    ledger = Ledger()
    ledger.record(line_of(accepted))
    ledger.record(line_of(refused, sha256=digest_of(OTHER).hex))

    assert ledger.accepted_digests() == {samples.DIGEST.hex}


def test_t57_pip_installs_nothing_without_asking(bench: Bench) -> None:
    assert _ended(bench.run(dry_run=False)) == (4, "unknown-pip")


@pytest.mark.parametrize("dry_run", [True, False])
def test_t57_what_pip_has_downloaded_was_accepted(bench: Bench, dry_run: bool) -> None:
    assert _ended(bench.run(content=OTHER, download=True, dry_run=dry_run)) == (1, "not-through-gate")
    assert not (bench.directory / "files").exists()


@pytest.mark.parametrize("download", [True, False])
def test_t57_a_pip_that_failed_has_done_nothing(bench: Bench, download: bool) -> None:
    assert _ended(bench.run(code=3, download=download)) == (4, "pip-failed")


@pytest.mark.parametrize("download", [True, False])
def test_t59_a_newer_release_that_the_index_hides_is_named(bench: Bench, download: bool) -> None:
    (warning,) = bench.run(download=download).warnings

    assert HIDDEN in warning
    assert "yanked (broken)" in warning


def test_t44_pip_runs_apart_from_everything_that_could_steer_it() -> None:
    """``-I`` excludes our directory, ``PYTHON…`` and the user site; pip's options its settings and cache."""
    command = command_line(target(Path("/python")), "install", ("acme",), report=None)

    assert command[:2] == ["/python", "-I"]
    assert {"--isolated", "--no-input", "--no-cache-dir", "--disable-pip-version-check"} <= set(command)
    assert command[command.index("--use-feature") + 1] == "inprocess-build-deps"
