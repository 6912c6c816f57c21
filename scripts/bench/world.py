"""The other end of `bench.served`: starts it, and gives its orders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

SCRIPTS = Path(__file__).resolve().parent.parent

Form = Literal["bundle", "detached"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Published packages.

    Attributes:
        root: The package that requires all the others.
        names: Every package.
        index: The index that lists them all, with credentials.
        trust_file: It pins them all.
    """

    root: str
    names: tuple[str, ...]
    index: str
    trust_file: str


class World:
    """A sandbox in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.where: dict[str, str] = self.ask("where")

    def ask(self, order: str, **arguments: object) -> Any:
        """Give an order and return the answer.

        Raises:
            SystemExit: The sandbox has ended; it has said why.
        """
        assert self._process.stdin is not None  # noqa: S101 -- opened by `started`
        assert self._process.stdout is not None  # noqa: S101 -- opened by `started`
        self._process.stdin.write(json.dumps([order, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the sandbox ended when it was asked to {order}")
        return json.loads(line)

    def release(self, count: int, *, form: Form = "bundle", sdists: bool = False, label: str = "") -> Release:
        """Publish a tree of so many packages."""
        label = label or f"{form[0]}{count}"
        return self._located(self.ask("release", label=label, count=count, form=form, sdists=sdists))

    def large(self, path: Path, evidence: Path) -> Release:
        """Publish a file that lies on the disk, with its bundle."""
        return self._located(self.ask("large", path=str(path), evidence=str(evidence)))

    def asked(self) -> int:
        """Return how many requests there were since this was last called."""
        return int(self.ask("asked"))

    def environment(self) -> dict[str, str]:
        """Return what a user of this GitLab has in the environment."""
        return {"GITLAB_URL": self.where["gitlab"], "GITLAB_TOKEN": self.where["token"]}

    def _located(self, made: dict[str, Any]) -> Release:
        parts = urlsplit(made["index"])
        index = f"{parts.scheme}://x:{self.where['token']}@{parts.netloc}{parts.path}"
        return Release(
            root=made["root"], names=tuple(made["names"]), index=index, trust_file=made["trust_file"]
        )


@contextmanager
def started(*, port: int = 0) -> Iterator[World]:
    """Start a sandbox, and end it; ``port`` is its GitLab's, 0 for any."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.served", str(port)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield World(process)
