"""What a pip has around it: its interpreter, its place on the network, a directory and an environment.

All of it is known before the trust file was read, so that pip can be started then: it needs nothing of ours
for its first quarter of a second, and we need as long to load what it will ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pip_warden.installer.environment import child_environment
from pip_warden.installer.gate_port import GatePort
from pip_warden.installer.pip import Child, guarded_pip
from pip_warden.installer.python import Target
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """The surroundings of one pip.

    Attributes:
        target: The Python.
        place: Where it will find its index.
        child: Runs it.
        workspace: A private directory of this run.
        environment: All of its environment, with the password.
    """

    target: Target
    place: GatePort = field(hash=False)
    child: Child = field(hash=False)
    workspace: Path
    environment: Mapping[str, str] = field(hash=False, repr=False)

    def begin(self) -> None:
        """Start pip, which waits to be told what it is to do, and does nothing until then.

        Raises:
            OSError: It cannot be started.
        """
        self.child.begin(guarded_pip(self.target), self.environment)


@contextmanager
def open_surroundings(
    target: Target, environ: Mapping[str, str], *, workspace: Path, pass_env: tuple[str, ...] = ()
) -> Iterator[Surroundings]:
    """Make the surroundings of a pip. At the end nothing of it is left running.

    Args:
        target: The Python.
        environ: Our own environment.
        workspace: An empty private directory.
        pass_env: Names that the user wants passed on.

    Raises:
        UsageError: ``secret-variable``: as for :func:`~pip_warden.installer.environment.child_environment`.
    """
    private = workspace / "child"
    private.mkdir(mode=0o700)
    place, child = GatePort(), Child()
    try:
        environment = child_environment(
            environ, proxy_url=place.proxy_url, private=private, pass_env=pass_env
        )
        child.keep_open(place.fileno())
        yield Surroundings(
            target=target, place=place, child=child, workspace=workspace, environment=environment
        )
    finally:
        child.close()
        place.close()
