"""Starts, stops and inspects services: each in its own session, with a pid file, and a log that is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interop.stack.places import LOGS, PIDS

_START, _STOP, _LOOK = 90.0, 20.0, 0.05


class StackError(Exception):
    """A service did not start or did not end."""


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A server.

    Attributes:
        name: Its name, and that of its log.
        command: What to run; made when it starts, since it may need results of earlier services.
        ready: Returns whether it responds.
        before: Done before it starts.
        after: Done once it responds, whether or not this call started it; must do nothing the second time.
        environment: Added to the environment.
    """

    name: str
    command: Callable[[], Sequence[str]]
    ready: Callable[[], bool]
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    environment: dict[str, str] = field(default_factory=dict)


def start(service: Service) -> bool:
    """Start a service unless it runs, and wait until it responds; returns whether it was started.

    Raises:
        StackError: It ended, or did not respond in time (the last lines of its log are in the message), or
            something else responds in its place.
    """
    started = pid_of(service.name) is None
    if started:
        if service.ready():
            raise StackError(f"something else answers where {service.name} should")
        service.before()
        _spawn(service)
    _wait(lambda: service.ready() or pid_of(service.name) is None, _START)
    if pid_of(service.name) is None or not service.ready():
        raise StackError(
            f"{service.name} does not answer; the end of {log_of(service.name)}:\n{_tail(service.name)}"
        )
    service.after()
    return started


def stop(name: str) -> bool:
    """End a service, gently and then not; returns whether it ran.

    Raises:
        StackError: It survived.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = pid_of(name)
        if pid is None:
            break
        os.killpg(pid, number)
        _wait(lambda: pid_of(name) is None, _STOP)
    else:
        raise StackError(f"{name} does not end")
    known = (PIDS / name).exists()
    (PIDS / name).unlink(missing_ok=True)
    return known


def pid_of(name: str) -> int | None:
    """Return the process of a service; None when it does not run, or its pid was reused."""
    try:
        pid, since = (PIDS / name).read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _since(int(pid)) == since else None


def log_of(name: str) -> Path:
    """Return the log of a service."""
    return LOGS / f"{name}.log"


def _spawn(service: Service) -> None:
    for directory in (PIDS, LOGS):
        directory.mkdir(parents=True, exist_ok=True)
    with log_of(service.name).open("ab") as log:
        process = subprocess.Popen(
            list(service.command()),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | service.environment,
            start_new_session=True,
        )
    (PIDS / service.name).write_text(f"{process.pid} {_since(process.pid)}", encoding="ascii")
    threading.Thread(target=process.wait, daemon=True).start()  # reaps it, should it end before we do


def _since(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22); None for none.

    A process that ended and was not reaped counts as none.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _wait(done: Callable[[], bool], seconds: float) -> None:
    """Poll until the condition holds or the time is over; other processes do not signal readiness."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(_LOOK)


def _tail(name: str) -> str:
    return "\n".join(log_of(name).read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
