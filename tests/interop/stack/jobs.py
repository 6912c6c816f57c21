"""Jobs that run in parallel: each reports its start and its end, and the first failure ends the others."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path


class JobError(Exception):
    """A job failed; its output is in the message."""


class Commands:
    """The commands of all jobs, so that those still running can be ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[subprocess.Popen[str], bool] = {}
        self._over = False

    def run(
        self, *words: str, cwd: Path, environment: Mapping[str, str] | None = None, patient: bool = False
    ) -> str:
        """Run a command and return what it wrote to standard output.

        Args:
            words: The command.
            cwd: Where it runs.
            environment: Added to the environment.
            patient: Wait for it instead of ending it when another job fails: for steps that must complete.

        Raises:
            JobError: It failed, it does not exist, or another job has failed before.
        """
        with self._lock:
            if self._over:
                raise JobError("ended, since another failed")
            try:
                process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except FileNotFoundError as err:
                raise JobError(f"{words[0]} is needed and is not on PATH") from err
            self._running[process] = patient
        out, said = process.communicate()
        with self._lock:
            del self._running[process]
        if process.returncode:
            how = f"ended with {process.returncode}"
            raise JobError(f"{' '.join(words)} {how}:\n{out}{said}".rstrip())
        return out

    def end(self) -> None:
        """Let no further command begin, and end the running ones, with all their children."""
        with self._lock:
            self._over = True
            for process, patient in self._running.items():
                if not patient:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGTERM)


Job = Callable[[Commands], None]


def side_by_side(jobs: Mapping[str, Job]) -> None:
    """Run all jobs at once and return when all are done.

    Raises:
        JobError: One failed, which the message names. The others have ended too, completed or not.
    """
    began = time.monotonic()
    commands = Commands()
    with ThreadPoolExecutor(len(jobs)) as pool:
        try:
            for over in as_completed([pool.submit(_do, name, job, commands) for name, job in jobs.items()]):
                over.result()
        finally:
            commands.end()
    tell("all", f"{len(jobs)} done in {time.monotonic() - began:.0f} s")


def tell(name: str, text: str) -> None:
    """Print one line of a job."""
    sys.stderr.write(f"{name}: {text}\n")  # in one write: other jobs write too
    sys.stderr.flush()


def _do(name: str, job: Job, commands: Commands) -> None:
    began = time.monotonic()
    tell(name, "begins")
    try:
        job(commands)
    except JobError as err:
        tell(name, f"not done, after {time.monotonic() - began:.0f} s")
        raise JobError(f"{name}: {err}") from err
    tell(name, f"done in {time.monotonic() - began:.0f} s")
