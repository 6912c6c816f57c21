"""The one module that runs pip."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Literal, cast

from pip_warden.errors import InstallerError
from pip_warden.handoff.lines import lines_of
from pip_warden.handoff.python import Target, pip_runner
from pip_warden.handoff.server import HOST, INDEX_URL

_TIMEOUT = "1800"
"""Seconds pip waits for the first byte: it comes after the verdict."""

_GUARDED = Path(__file__).with_name("guarded_pip.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One item of pip's installation report (pip documentation, "Installation report").

    Attributes:
        name: Project name as its metadata spells it.
        version: Version.
        sha256: Digest of the archive, ``""`` for a directory.
        directory: ``file:`` URL of a local project, ``""`` for an archive.
        requires_dist: Its requirements.
    """

    name: str
    version: str
    sha256: str
    directory: str
    requires_dist: tuple[str, ...] = field(default=())


class Child:
    """A pip that is running, in a process group of its own, so that it can be ended with everything it started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        cwd: Path | None,
    ) -> int:
        """Run a command to its end, telling each line it prints, of bounded length and as it came, and return its exit code.

        Whatever leaves this method early (Ctrl-C, a listener whose reader has gone) ends the command first.
        """
        with self._lock:
            if self._ended:
                return -signal.SIGTERM
            try:
                self._process = subprocess.Popen(  # noqa: S603 -- our own pip in the user's interpreter
                    list(command),
                    env=dict(environment),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as err:
                raise InstallerError(
                    "pip-failed", f"expected to start {command[0]}, found {err.strerror}"
                ) from err
        with self._process as process:
            # What outlives pip is ended with it: it would hold the pipe open, and go on after the verdicts are told.
            threading.Thread(target=_end_with, args=(process,), name="installer-end", daemon=True).start()
            try:
                for line in lines_of(cast("BufferedReader", process.stdout)):
                    on_line(line)
                return process.wait()
            finally:
                # It has a session of its own, so Ctrl-C reaches us alone: it would go on to install what nobody compares with the verdicts any more.
                if process.poll() is None:
                    _kill_group(process)

    def end(self) -> None:
        """End it and everything it started; called at a denial, so that it cannot turn to anything else."""
        with self._lock:
            self._ended = True
            process = self._process
        if process is not None and process.poll() is None:
            _kill_group(process)


def _end_with(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # The group has the number of its first process, which stays taken while the group has members. macOS forbids to signal zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def command_line(
    target: Target, verb: Literal["install", "download"], arguments: Sequence[str], *, report: Path | None
) -> list[str]:
    """Build pip's command line. The proxy's password is in the environment, never here."""
    fixed = [
        "--isolated",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--index-url",
        INDEX_URL,
        "--trusted-host",
        HOST,
        "--retries",
        "0",
        "--timeout",
        _TIMEOUT,
        # Else a second pip, which nobody has wrapped, installs what builds need.
        "--use-feature",
        "inprocess-build-deps",
    ]
    reporting = ["--report", str(report)] if report is not None else []
    guarded = [str(_GUARDED), str(pip_runner().parent.parent), HOST]
    return [str(target.executable), "-I", *guarded, verb, *fixed, *reporting, *arguments]


def read_report(path: Path) -> tuple[Installed, ...]:
    """Read pip's installation report.

    Raises:
        InstallerError: ``pip-failed``: there is none, or it is not one.
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8"))["install"]
        return tuple(_installed(item) for item in items)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InstallerError("pip-failed", f"expected pip's report, found {type(err).__name__}") from err


def _installed(item: dict[str, dict[str, dict[str, dict[str, str]]]]) -> Installed:
    download, metadata = item["download_info"], item["metadata"]
    archive = download.get("archive_info") or {}
    is_directory = "dir_info" in download
    return Installed(
        name=str(metadata["name"]),
        version=str(metadata["version"]),
        sha256="" if is_directory else str((archive.get("hashes") or {}).get("sha256", "")),
        directory=str(download["url"]) if is_directory else "",
        requires_dist=tuple(str(text) for text in metadata.get("requires_dist", ())),
    )
