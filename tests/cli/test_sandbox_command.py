"""What ``pip-warden sandbox`` prints and writes; tests/test_readme.py types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pip_warden.cli.sandbox import _introduction, _write_environment
from pip_warden.cli.sandbox_job import typed
from pip_warden.report.layout import Layout
from pip_warden.sandbox import Sandbox


@pytest.mark.parametrize(
    ("path", "spelled"),
    [("sandbox/env", "sandbox/env"), ("env", "./env"), ("my box/env", "'my box/env'"), ("/a/env", "/a/env")],
)
def test_a_file_is_named_as_a_shell_reads_it(path: str, spelled: str) -> None:
    assert typed(Path(path)) == spelled


def test_the_file_to_be_sourced_is_for_its_owner_alone(sandbox: Sandbox, alone: Path) -> None:
    path = alone / "env"
    path.write_text("of an earlier run")
    path.chmod(0o644)

    _write_environment(sandbox, path, empty=True)

    assert path.stat().st_mode & 0o777 == 0o600
    url, token = path.read_text().splitlines()
    assert url == f"export GITLAB_URL={sandbox.gitlab_url}"
    assert token.startswith("export GITLAB_TOKEN=")


def test_a_jobs_environment_is_for_its_owner_alone_and_apart(sandbox: Sandbox, alone: Path) -> None:
    """What a consumer types must not be taken for a job's."""
    sandbox.write_trust(alone)
    shared = _write_environment(sandbox, alone / "env", empty=False)
    job = alone / "job"

    assert job.stat().st_mode & 0o777 == 0o600
    assert "SIGSTORE_ID_TOKEN=" in job.read_text()
    # By its names: a token is random, and may hold any two letters.
    names = [line.partition("=")[0] for line in shared.read_text().splitlines()]
    assert names == ["export GITLAB_URL", "export GITLAB_TOKEN"]
    values = subprocess.run(
        ["sh", "-c", f'. {job}; printf %s "$CI_RUNNER_TAGS"'], capture_output=True, text=True, check=True
    )
    assert values.stdout == "[]"


def _shell(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-e", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.interop
@pytest.mark.timeout(300)
def test_the_publishers_commands_run_as_printed(alone: Path) -> None:
    """Build, sign, attest, publish and promote, typed into a shell in a fresh home."""
    (alone / "home").mkdir()
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    environment = {"PATH": path, "HOME": str(alone / "home")}
    with subprocess.Popen(
        ["pip-warden", "sandbox"], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        try:
            printed = "".join(iter(running.stdout.readline, "Ctrl-C ends it.\n"))
            commands = printed.partition("As the job of a publisher")[2].partition(":\n\n")[2].rstrip()
            again = commands.replace(" sign ", " sign --format json ")
            said = [
                _shell(script, environment) for script in (commands, again.partition("pip-warden publish")[0])
            ]
        finally:
            os.killpg(running.pid, signal.SIGINT)

    words = [line.split()[:2] for line in commands.splitlines()]
    typed_words = [" ".join(each) for each in words if each[0] == "pip-warden"]
    assert typed_words == [
        f"pip-warden {each}"
        for each in ("sign", "attest", "publish", "promote", "verify-release", "image", "image", "image")
    ]
    assert "use 127.0.0.1:" in said[0], "the promoted image is what is judged in the end"
    assert '"kept": [\n        "acme_bolts-1.0' in said[1], "the build makes the same bytes again"


def test_an_earlier_trust_file_is_spoken_of(sandbox: Sandbox, alone: Path) -> None:
    def said() -> str:
        places = Path("sandbox/trusted_root.json"), Path("sandbox/env")
        return "\n".join(_introduction(sandbox, *places, Layout(), empty=True))

    before = said()
    (alone / "pytrust.toml").touch()
    trust = said()
    (alone / "sandbox/dist").mkdir(parents=True)

    assert "pytrust.toml" not in before
    assert "First remove the pytrust.toml that is here" in trust
    assert "First remove the pytrust.toml and the sandbox/dist that is here" in said()
    assert "trust add" not in said()
