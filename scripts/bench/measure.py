"""What a command costs: wall and CPU time, and the memory of all of its processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_POLL_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command, complete with its environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path


Tool = Callable[[Path], Command]
"""Makes a command that works in an empty directory of its own, which is also its user's home."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one tool took.

    Attributes:
        wall: Seconds, one figure for each run.
        cpu: Seconds of user and system time of all processes, one figure for each run.
        tree_mb: The most memory that all processes had together, in a run of its own: shared pages count
            once. None where it was not measured.
        own_mb: The most that the first process had by itself.
        requests: How many requests it sent; None where they were not counted.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    tree_mb: float | None = None
    own_mb: float | None = None
    requests: int | None = None


def in_turn(
    tools: Mapping[str, Tool], *, repeat: int, asked: Callable[[], int] | None = None
) -> dict[str, Taken]:
    """Run every tool, A B C A B C …, after a run of each that warms caches.

    Memory is polled, and requests are counted, in that first run alone: it costs time.

    Args:
        tools: The tools by name.
        repeat: How often each is measured.
        asked: Returns how many requests there were since it was last called.
    """
    taken: dict[str, Taken] = {}
    for name, tool in tools.items():
        if asked is not None:
            asked()
        _, peak = _ran(tool, polled=True)
        counted = None if asked is None else asked()
        taken[name] = Taken(tree_mb=peak.tree, own_mb=peak.own, requests=counted)
    for _ in range(repeat):
        for name, tool in tools.items():
            (wall, cpu), _ = _ran(tool, polled=False)
            taken[name].wall.append(round(wall, 4))
            taken[name].cpu.append(round(cpu, 4))
    return taken


def run_once(tool: Tool) -> None:
    """Run a tool without measuring it."""
    _ran(tool, polled=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Peak:
    tree: float | None = None
    own: float | None = None


def _ran(tool: Tool, *, polled: bool) -> tuple[tuple[float, float], _Peak]:
    place = Path(tempfile.mkdtemp(prefix="bench-run-"))
    try:
        return _measured(tool(place), place, polled=polled)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _measured(command: Command, place: Path, *, polled: bool) -> tuple[tuple[float, float], _Peak]:
    with (place / "said").open("w+b") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            cwd=command.directory,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        watch = _Watch(process.pid) if polled else None
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            raise
        finally:
            peak = watch.ended() if watch is not None else _Peak()
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise SystemExit(f"{text}\n{' '.join(command.words)} ended with {process.returncode}")
    return (wall, used.ru_utime + used.ru_stime), peak


class _Watch:
    """Polls the memory of a process and everything that it started, in a thread, until `ended`.

    The kernel's own figure (``ru_maxrss``) is no use: it counts what the parent had when it forked.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._tree = self._own = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def ended(self) -> _Peak:
        """Return the peaks, in megabytes."""
        self._over.set()
        self._thread.join()
        return _Peak(tree=round(self._tree / 1024, 1), own=round(self._own / 1024, 1))

    def _poll(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self._own = max(self._own, _kilobytes(self._pid, "status", "VmHWM:"))
            self._tree = max(
                self._tree, sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in _with_children(self._pid))
            )


def _kilobytes(pid: int, file: str, key: str) -> int:
    """Return a figure of a process; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = (line.split()[1] for line in text.splitlines() if line.startswith(key))
    return int(next(found, "0"))


def _with_children(pid: int) -> list[int]:
    """Return a process and its descendants, as far as they still have their parents."""
    below: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            below.setdefault(_parent(int(entry)), []).append(int(entry))
    found = [pid]
    for each in found:
        found += below.get(each, [])
    return found


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
