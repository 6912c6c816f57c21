"""Measures signing on the real Sigstore of `tests/interop/stack`: ours, ``sigstore sign``, a loop of cosign.

``make interop`` or ``python -m interop.stack up`` has to have started the stack (in another work tree:
``INTEROP_CACHE=…/.cache``). All clients wait for the same servers, so wall time counts here, as a ratio
within one run: the programs sign as many files of the same size in turn, A B C A B C.

    PYTHONPATH=tests python scripts/bench_sign.py [--files 50] [--rounds 5] [--log v1] [--other PROGRAM]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interop.stack import supervisor
from interop.stack.places import BIN, STATE, TRUST, Port
from pip_warden.sandbox import Job, Sandbox

VENV = Path(sys.executable).parent
SIZE = 100_000
Words = list[str]
Program = Callable[[str, str, Sequence[str]], list[Words]]
"""Takes the log's configuration, an identity token and the files; returns the commands to run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """What one program took, a figure for each round, in seconds.

    Attributes:
        wall: From the first command to the end of the last.
        cpu: Of the program and its children; the servers' is in nobody's.
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


def pip_warden(program: str = str(VENV / "pip-warden")) -> Program:
    """Return ``pip-warden sign``; of another work tree's environment where its path is given."""

    def words(log: str, token: str, files: Sequence[str]) -> list[Words]:
        config = f"--trust-config={TRUST / log / 'trust_config.json'}"
        return [[program, "sign", config, f"--identity-token={token}", *files]]

    return words


def sigstore_python(log: str, token: str, files: Sequence[str]) -> list[Words]:
    """Return ``sigstore sign``."""
    config = ["--trust-config", str(TRUST / log / "trust_config.json")]
    return [[str(VENV / "sigstore"), *config, "sign", "--identity-token", token, *files]]


def cosign(log: str, token: str, files: Sequence[str]) -> list[Words]:
    """Return ``cosign sign-blob``, which takes one file, for each of them."""
    material = [f"--trusted-root={TRUST / log / 'trusted_root.json'}"]
    material.append(f"--signing-config={TRUST / log / 'signing_config.json'}")
    options = ["--yes", *material, f"--identity-token={token}"]
    return [[str(BIN / "cosign"), "sign-blob", *options, f"--bundle={name}.json", name] for name in files]


PROGRAMS: dict[str, Program] = {
    "pip-warden sign": pip_warden(),
    "sigstore sign": sigstore_python,
    "cosign sign-blob, in a loop": cosign,
}


def measure(
    log: str, files: int, rounds: int, programs: dict[str, Program] | None = None
) -> dict[str, Times]:
    """Sign new files with each program in turn, and return what each took.

    Args:
        log: ``v1`` or ``v2``.
        files: How many files; each of 100 kB.
        rounds: How often each program signs them.
        programs: By their names; all of `PROGRAMS` where None.

    Raises:
        SystemExit: The stack does not run, or a program failed.
    """
    programs = programs or PROGRAMS
    wall: dict[str, list[float]] = {name: [] for name in programs}
    cpu: dict[str, list[float]] = {name: [] for name in programs}
    with _job() as job:
        for _ in range(rounds):
            for name, program in programs.items():
                spent = _once(program, log, job, files)
                wall[name].append(spent[0])
                cpu[name].append(spent[1])
    return {name: Times(wall=tuple(wall[name]), cpu=tuple(cpu[name])) for name in programs}


@contextmanager
def _job() -> Iterator[Job]:
    """Yield a job of a GitLab that takes the place of the stack's, as the tests do."""
    if supervisor.pid_of("fulcio") is None:
        raise SystemExit("the stack does not run; `PYTHONPATH=tests python -m interop.stack up` starts it")
    with (STATE / "gitlab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        supervisor.stop("gitlab")
        with Sandbox(ports={"gitlab": Port.GITLAB.value}) as gitlab:
            yield gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")


def _once(program: Program, log: str, job: Job, files: int) -> tuple[float, float]:
    """Return wall and CPU time of signing once, in a directory and home of its own."""
    with tempfile.TemporaryDirectory() as name:
        names = [f"file{number}.bin" for number in range(files)]
        for each in names:
            (Path(name) / each).write_bytes(os.urandom(SIZE))
        commands = program(log, job.id_token(), names)
        environment = {"PATH": os.environ["PATH"], "HOME": name}
        start, spent = time.perf_counter(), 0.0
        for words in commands:
            spent += _run(words, name, environment)
        wall = time.perf_counter() - start
        written = [path for path in Path(name).iterdir() if path.suffix == ".json"]
        if len(written) != files:
            raise SystemExit(f"{commands[0][0]} wrote {len(written)} bundles for {files} files")
        return wall, spent


def _run(words: Words, directory: str, environment: dict[str, str]) -> float:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(words, cwd=directory, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{words[0]} failed:\n{said.read().decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print a table for each log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--log", choices=("v1", "v2"), action="append")
    parser.add_argument("--other", metavar="PROGRAM", help="a pip-warden of another environment")
    parser.add_argument("--no-cosign", action="store_true")
    asked = parser.parse_args()
    programs = dict(PROGRAMS)
    if asked.no_cosign or not shutil.which(BIN / "cosign"):
        del programs["cosign sign-blob, in a loop"]
    if asked.other:
        programs["the other pip-warden"] = pip_warden(asked.other)
    for log in asked.log or ("v1", "v2"):
        print(f"{asked.files} files, Rekor {log}, {asked.rounds} rounds")
        times = measure(log, asked.files, asked.rounds, programs)
        beside = statistics.median(times["sigstore sign"].wall)
        for name, each in times.items():
            median, low, high = statistics.median(each.wall), min(each.wall), max(each.wall)
            print(
                f"  {name:30} wall {median:6.2f} s ({low:.2f} to {high:.2f}), {median / beside:5.2f} of "
                f"sigstore sign; CPU {statistics.median(each.cpu):5.2f} s"
            )


if __name__ == "__main__":
    main()
