"""What is asked of a run of any command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRequest:
    """A command that is to have the gate as its only network.

    Attributes:
        words: The command line; never empty.
        directory: Where it runs.
        strict: What was not compared, and every warning, is a refusal.
        pass_env: Names of environment variables that it may see besides the harmless ones.
        isolate_network: Run it in a network namespace that has nothing but the gate.
    """

    words: tuple[str, ...]
    directory: Path
    strict: bool = False
    pass_env: tuple[str, ...] = ()
    isolate_network: bool = False
