"""What is asked of a run of any command, and what it works with."""

from __future__ import annotations

from pathlib import Path

from pip_warden.gate import Gate
from pip_warden.report.ledger import Ledger
from pip_warden.session.parts import SessionParts
from pip_warden.tools.model import Tool
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass


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


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRun:
    """What one run of a command works with.

    Attributes:
        session: What it works with.
        request: What is to be done.
        tool: What is known of the command; None where nothing is.
        gate: The gate.
        ledger: The results of the run.
        workspace: A private directory of this run.
        output: The descriptor that takes the command's standard output.
    """

    session: SessionParts
    request: CommandRequest
    tool: Tool | None
    gate: Gate
    ledger: Ledger
    workspace: Path
    output: int

    @property
    def trust(self) -> TrustFile:
        """The trust file."""
        return self.session.trust

    @property
    def private(self) -> Path:
        """The command's own private directory."""
        return self.workspace / "child"

    @property
    def local(self) -> tuple[Path, ...]:
        """Directories of the user's own projects."""
        return self.tool.local if self.tool is not None else (self.request.directory,)
