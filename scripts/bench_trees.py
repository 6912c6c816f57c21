"""Compares the CPU time of a wheels-only run in two work trees, child processes included.

::

    git worktree add ../before COMMIT
    python scripts/bench_trees.py ../before .

The runs alternate: before, after, before, after. Seven pairs, medians, with an empty and with a warm vault;
both trees run in this environment.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from bench import prepared

PAIRS = 7
_RUN = (
    "import sys; sys.path.insert(0, {source!r}); "
    "from pip_warden.cli import safe_install_main; safe_install_main()"
)


def main() -> None:
    """Measure and print."""
    trees = [Path(word).resolve() for word in sys.argv[1:3]]
    with prepared() as (_, _, directory, environment):
        for vault in ("empty", "warm"):
            before, after = _compared(trees, directory, environment, is_warm=vault == "warm")
            print(f"{vault} vault: {before:.2f} s before, {after:.2f} s after, ratio {after / before:.2f}")


def _compared(
    trees: list[Path], directory: Path, environment: dict[str, str], *, is_warm: bool
) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(PAIRS + 1):
        for side, tree in zip(times, trees, strict=True):
            with tempfile.TemporaryDirectory(dir=directory) as target:
                vault = directory / "vault" if is_warm else Path(target, "vault")
                words = ["--quiet", "--cache-dir", str(vault), "--target", f"{target}/target", "acme-widgets"]
                # The first pair warms the caches of both.
                cost = _cost(tree, words, directory, environment)
                if number:
                    side.append(cost)
    return statistics.median(times[0]), statistics.median(times[1])


def _cost(tree: Path, words: list[str], directory: Path, environment: dict[str, str]) -> float:
    """Run and return the CPU seconds of the run and of every child that it waited for."""
    code = _RUN.format(source=str(tree / "src"))
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", code, "--trust", str(directory / "pytrust.toml"), *words],
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"a run in {tree} failed")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
