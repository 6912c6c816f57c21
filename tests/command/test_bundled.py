"""What new environments get without any network is known by the Pythons that may make one."""

from __future__ import annotations

from pathlib import Path

import archives
from pip_warden.command.bundled import brought_along
from pip_warden.command.model import CommandRequest


def with_seed(prefix: Path) -> Path:
    """Make something like an environment that has virtualenv; return its Python."""
    embed = prefix / "lib/python3.11/site-packages/virtualenv/seed/wheels/embed"
    embed.mkdir(parents=True)
    (embed / archives.WHEEL_NAME).write_bytes(archives.wheel())
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python3").touch(mode=0o755)
    return prefix / "bin" / "python3"


def test_the_wheels_of_pythons_on_the_path_and_of_the_commands_own(tmp_path: Path) -> None:
    of_path, of_tool, of_base = (with_seed(tmp_path / name) for name in ("path", "tool", "base"))
    with_seed(tmp_path / "other")
    linked = tmp_path / "venv" / "bin" / "python3.12"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(of_base)
    tool = of_tool.with_name("solve")
    tool.write_text(f"#!{of_tool}\n", encoding="utf-8")
    tool.chmod(0o755)
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "solve").symlink_to(tool)
    path = f"{of_path.parent}:{linked.parent}:{tmp_path / 'programs'}"

    found = brought_along(CommandRequest(words=("solve",), directory=tmp_path), {"PATH": path})

    ours = {each.path for each in found if each.path.is_relative_to(tmp_path)}
    assert {each.relative_to(tmp_path).parts[0] for each in ours} == {"path", "tool", "base"}
    assert len(ours) == 3


def test_a_command_that_is_not_there_brings_nothing(tmp_path: Path) -> None:
    found = brought_along(CommandRequest(words=("gone",), directory=tmp_path), {"PATH": str(tmp_path)})

    assert not [each for each in found if each.path.is_relative_to(tmp_path)]
