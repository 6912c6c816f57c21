"""docs/installers.md is correct: its commands are run as they stand there, in order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import COMMANDS, typed
from flow.user import User

PAGE = (Path(__file__).parents[2] / "docs" / "installers.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.interop
def test_the_commands_of_the_page(user: User) -> None:
    project = user.sandbox.project("acme/acme-widgets", visibility="private")
    user.sandbox.publish(project, [user.wheel(project)])
    user.pin(project)
    index = f"{user.sandbox.gitlab_url}/api/v4/projects/{project.record.id}/packages/pypi/simple"
    (user.home / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.10"\n'
        f'[[tool.uv.index]]\nurl = "{index}"\ndefault = true\n'
    )
    tools = Path(sys.executable).parent
    user.patch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    locks = []
    for line in BLOCK.splitlines():
        name, *words = shlex.split(line)
        if name in COMMANDS:
            said = typed(*words, command=COMMANDS[name], name=name)
            assert said.code == 0, f"{line}\n{said.err}"
        else:
            subprocess.run([shutil.which(name) or name, *words], check=True, capture_output=True)
        locks.append((user.home / "uv.lock").read_bytes())

    assert len(locks) > 5
    assert len(set(locks)) == 1, "what stands in a lock stays as it is"
    assert index.encode() in locks[0]
