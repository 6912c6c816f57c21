"""Runs the sandbox as a process of its own, until a signal ends it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from pip_warden.sandbox.world import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType


def run_forever(
    *,
    ready: Callable[[Sandbox], None],
    ports: Mapping[str, int] | None = None,
    tls: bool = False,
    relative_url: str = "",
    stop: threading.Event | None = None,
) -> None:
    """Run a sandbox until SIGINT, SIGTERM or the event.

    Args:
        ready: Called once all origins respond; may fill the sandbox, and print its URLs.
        ports: Fixed ports by origin (see `pip_warden.sandbox.world.ORIGINS`); any free port for the others.
        tls: Whether GitLab and its storage are https.
        relative_url: Path under which GitLab is installed.
        stop: Ends it from another thread. Signals are handled only if this runs in the main thread.

    Raises:
        SandboxError: A port is taken, or a server ended by itself.
    """
    ended = stop or threading.Event()
    with Sandbox(relative_url=relative_url, tls=tls, ports=ports) as sandbox:
        restore = _listen(ended) if threading.current_thread() is threading.main_thread() else {}
        try:
            ready(sandbox)
            ended.wait()
        finally:
            for number, handler in restore.items():
                signal.signal(number, handler)


def _listen(ended: threading.Event) -> dict[int, Callable[[int, FrameType | None], object] | int | None]:
    """Let signals end the run and return the previous handlers."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    return {number: signal.signal(number, lambda _number, _frame: ended.set()) for number in numbers}
