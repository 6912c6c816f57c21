"""What is known of a tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """A setting of a project, or a word of the command line, that leads past the gate.

    Attributes:
        what: The setting, and where it leads, as people are to read it; already escaped.
        where: File and line, or ``the command line``.
        adds_source: Whether packages could come from there: such a run is refused. Else it is only said.
    """

    what: str
    where: str
    adds_source: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A command that installs packages.

    Attributes:
        name: What it is called in reports: ``"uv sync"``.
        environment: Variables that it is given besides those of every command; they win.
        environments: Directories in which its environments lie: an environment itself, or a directory of
            environments. They need not exist.
        locks: Lock files that it may write; they need not exist.
        elsewhere: What leads past the gate.
        local: Directories of the user's own projects, which it may install from.
    """

    name: str
    environment: Mapping[str, str] = field(hash=False)
    environments: tuple[Path, ...] = ()
    locks: tuple[Path, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    local: tuple[Path, ...] = ()
