"""The README is correct: its commands are run, on the sandbox that it tells a reader to start."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pip_warden.sandbox import Sandbox
from pip_warden.sandbox.example import fill

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def _blocks() -> list[list[str]]:
    """Return the commands of each shell block, without comments."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        lines = [re.sub(r"\s+# .*", "", line).strip() for line in block.splitlines()]
        found.append([line for line in lines if line and not line.startswith("#")])
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert _blocks()[0] == ["make demo", "make test"]
    assert {"demo", "test", "check", "interop", "bench"} <= set(targets)


def test_the_first_verified_install_works_as_written(sandbox: Sandbox, tmp_path: Path) -> None:
    example = fill(sandbox)
    sandbox.upstream.add("idna", [sandbox.wheel("idna", "3.20")])
    sandbox.write_trust(tmp_path)
    (tmp_path / "requirements.txt").write_text("acme-widgets==1.0\n", encoding="utf-8")
    target = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "VIRTUAL_ENV": str(target)}
    export, *commands = _blocks()[2]

    assert export == "export GITLAB_URL=https://gitlab.example.com GITLAB_TOKEN=…"
    environment |= {"GITLAB_URL": sandbox.gitlab_url, "GITLAB_TOKEN": example.token}
    for command in commands:
        real = command.replace("https://gitlab.example.com", sandbox.gitlab_url).replace(
            "https://pypi.org/simple", sandbox.pypi_url
        )
        words = shlex.split(real)
        if words[:3] == ["pip-warden", "trust", "add"]:
            words += ["--yes"]  # the reader answers; the sandbox's root stands in for the public-good one
            words += ["--trusted-root", "trusted_root.json"] if "acme-gears" in words else []
        result = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, (command, result.stdout, result.stderr)
    assert "acme_widgets" in {path.name for path in (target / "lib").rglob("acme_widgets")}


def test_the_sandbox_command_prints_what_the_reader_types_next(tmp_path: Path) -> None:
    assert _blocks()[1] == ["pip install pip-warden", "pip-warden sandbox"]
    with subprocess.Popen(
        [str(BIN / "pip-warden"), "sandbox"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if "Ctrl-C" in line:
                break
        process.terminate()
        process.communicate(timeout=60)
    typed = [line for line in lines if line.startswith(("export", "pip-warden", "safe-install"))]

    assert [line.split()[0] for line in typed] == ["export", "pip-warden", "pip-warden", "safe-install"]
    assert (tmp_path / "sandbox" / "trusted_root.json").exists()


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
