"""The README is correct: its commands are run as they stand there, in order, in a fresh home and environment.

What a reader has is replaced by what a test has: GitLab, Sigstore and pypi.org by the sandbox, whose address
and token are put in; the repository by this one, and the index by a directory of wheels. Nothing else is.
"""

from __future__ import annotations

import hashlib
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

import wheelhouse
from pip_warden.sandbox import Sandbox
from pip_warden.sandbox.example import fill

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL, GITLAB_COM, OWN_SIGSTORE, NO_SIGSTORE, SANDBOX, SECOND_TERMINAL = re.findall(
    r"```sh\n(.*?)```", README, re.DOTALL
)
ACTIVATE = ". ~/env/bin/activate"
REPOSITORY = "https://gitlab.com/pip-warden/pip-warden"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Somebody who has a machine with Python and git on it.

    Attributes:
        home: The home directory, in which they begin.
        environment: The environment of their shell.
    """

    home: Path
    environment: dict[str, str]

    def types(self, script: str, *, where: Path | None = None, **more: str) -> None:
        """Type a block of commands into a shell, and answer yes to whatever is asked."""
        ours, theirs = pty.openpty()
        os.write(ours, b"y\n" * 4)
        try:
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=where or self.home,
                env=self.environment | more,
                stdin=theirs,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"

    @property
    def installed(self) -> set[str]:
        """What the environment that the README makes holds."""
        return {
            path.name for path in self.home.glob("env/lib/python*/site-packages/acme_*") if path.suffix == ""
        }


def _reader(place: Path) -> Reader:
    """Return somebody whose repository is this one and whose index is a directory of wheels."""
    wheels, tools, home = (place / name for name in ("wheels", "bin", "home"))
    for directory in (wheels, tools, home):
        directory.mkdir()
    wheelhouse.fill(wheels, ROOT / "pyproject.toml", ["publish", "sandbox"])
    python = tools / "python3"
    python.write_text(f'#!/bin/sh\nexec "{getattr(sys, "_base_executable", sys.executable)}" "$@"\n')
    python.chmod(0o755)
    return Reader(
        home=home,
        environment={
            "PATH": f"{tools}:{os.defpath}",
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{_repository(place)}.insteadOf",
            "GIT_CONFIG_VALUE_0": REPOSITORY,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_NO_COMPILE": "1",
        },
    )


def _repository(place: Path) -> Path:
    """Make a git repository of what is needed to build this project."""
    made = place / "repository"
    (made / "src").mkdir(parents=True)
    names = ["pyproject.toml", "README.md", "LICENSE"]
    for name in names:
        (made / name).write_bytes((ROOT / name).read_bytes())
    for path in sorted((ROOT / "src").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = made / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "all of it"]):
        subprocess.run(["git", *words], cwd=made, check=True, capture_output=True)
    return made


@pytest.mark.interop  # a minute, for which it has a core to itself
@pytest.mark.timeout(900)
def test_every_command_from_top_to_bottom(tmp_path: Path) -> None:
    """One test, since each step needs those before it, and the first takes the longest."""
    reader = _reader(tmp_path)
    reader.types(INSTALL)
    with Sandbox() as sandbox:
        token = fill(sandbox).token
        for number, block in enumerate((GITLAB_COM, OWN_SIGSTORE, NO_SIGSTORE)):
            project = tmp_path / f"project{number}"
            project.mkdir()
            if block == OWN_SIGSTORE:
                sandbox.write_trust(project)
            elif block == GITLAB_COM:
                _pin_root(sandbox, project)
            _installs_gears(reader, project, _theirs(block, sandbox, token), GITLAB_URL=sandbox.gitlab_url)
        _another_index(reader, sandbox, tmp_path)
    _sandbox_and_second_terminal(reader)
    for command in re.findall(r"`(pip install [^`]*COMMIT'?)`", README):
        named = command.replace("COMMIT", "$(git -C pip-warden rev-parse HEAD)").replace("'", '"')
        reader.types(f"{ACTIVATE}\n{named}\npip-warden --version")


def _installs_gears(reader: Reader, project: Path, script: str, **environment: str) -> None:
    """Type what installs acme-gears, see that it does, and take it away again."""
    reader.types(f"{ACTIVATE}\n{script}", where=project, **environment)
    assert reader.installed == {"acme_gears"}, script
    assert (project / "pytrust.toml").exists()
    reader.types(f"{ACTIVATE}\npip uninstall -q -y acme-gears")
    assert reader.installed == set()


def _theirs(block: str, sandbox: Sandbox, token: str) -> str:
    """Return a block with the sandbox's address and token in it: a reader puts their own in."""
    hosts = re.sub(r"https://gitlab\.(example\.)?com", sandbox.gitlab_url, block)
    return hosts.replace("GITLAB_TOKEN=…", f"GITLAB_TOKEN={token}")


def _pin_root(sandbox: Sandbox, project: Path) -> None:
    """Pin the sandbox's root beforehand: that of the public-good Sigstore knows no sandbox."""
    root = sandbox.write_trust(project)
    digest = hashlib.sha256(root.read_bytes()).hexdigest()
    (project / "pytrust.toml").write_text(
        f'version = 1\n\n[sigstore]\ntrusted-root = "{root.name}"\ntrusted-root-sha256 = "{digest}"\n'
        f'issuers = ["{sandbox.issuer}"]\n'
    )


def _another_index(reader: Reader, sandbox: Sandbox, place: Path) -> None:
    """Type what sentences name: ``--source`` of another index, ``-r requirements.txt --hash``."""
    project = place / "another"
    project.mkdir()
    wheel = sandbox.wheel("acme-gears", "3.0")
    sandbox.upstream.add("acme-gears", [wheel])
    (project / "requirements.txt").write_text(f"acme-gears==3.0 --hash=sha256:{wheel.sha256}\n")
    assert "`--source https://pypi.org/simple`" in README
    assert "`-r requirements.txt --hash`" in README.replace("\n", " ")
    words = f"-r requirements.txt --hash --reason reviewed --source {sandbox.pypi_url}"
    _installs_gears(reader, project, f"pip-warden trust add {words}\nsafe-install -r requirements.txt")


def _sandbox_and_second_terminal(reader: Reader) -> None:
    with subprocess.Popen(
        ["bash", "-e", "-c", f"{ACTIVATE}\n{SANDBOX}"],
        cwd=reader.home,
        env=reader.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as first:
        try:
            assert first.stdout is not None
            printed = ""
            for line in first.stdout:
                printed += line
                if "Ctrl-C" in line:
                    break
            told = re.findall(r":\n\n((?:  .*\n)+)", printed)
            assert len(told) == 2, printed
            typed, published = (re.sub("^  ", "", block, flags=re.MULTILINE) for block in told)
            reader.types(f"{ACTIVATE}\n{typed}")
            reader.types(f"{ACTIVATE}\npip install -q 'pip-warden[publish]'\n{published}")
        finally:
            os.killpg(first.pid, signal.SIGINT)
        first.communicate(timeout=60)
    assert typed == SECOND_TERMINAL
    assert reader.installed == {"acme_gears", "acme_widgets"}


def test_it_is_short_and_asks_first() -> None:
    lines = README.splitlines()
    headings = [line for line in lines if line.startswith("## ")]

    assert len(lines) <= 110
    assert headings[0] == "## Which GitLab have you?"
    assert len(re.findall(r"`pip install pip-warden`", README)) == 1  # the warning


def test_no_pipeline_installs_what_a_stranger_may_have_registered() -> None:
    """The name is not on the public index, so whatever is installed names the repository."""
    globs = ("templates/*.yml", "examples/*/.gitlab-ci.yml", "examples/*/Containerfile")
    pipelines = [path for glob in globs for path in ROOT.glob(glob)]
    installs = [
        command
        for path in pipelines
        for command in re.findall(r"pip install [^\n]*", path.read_text(encoding="utf-8"))
    ]

    ours = [command for command in installs if "$WARDEN_CHECKOUT" not in command]
    pinned = f"git+{REPOSITORY}@v{version('pip-warden')}"

    assert len(installs) == 13
    assert [command for command in ours if f'{pinned}"' not in command and f"{pinned} " not in command] == []


def test_it_names_every_command() -> None:
    from click import Context

    from pip_warden.cli.tree import pip_warden

    listed = set(re.findall(r"(?:`?pip-warden |`)([a-z]+(?:-[a-z]+)?)\b", README))

    assert set(pip_warden.list_commands(Context(pip_warden))) <= listed


def test_the_makefile_has_what_is_named() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert set(re.findall(r"`make ([a-z-]+)`", README)) == {"demo", "test"}
    assert {"demo", "test", "check", "interop", "bench"} <= set(targets)


def test_every_relative_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_the_tool_is_named_for_what_it_runs() -> None:
    """CONTRIBUTING names commands that exist."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert all(f"\n{target}:" in makefile for target in re.findall(r"`make (\w+)`", text))
