"""A user who types pip-warden's commands against a sandbox and answers its questions."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from documents import described
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.cli.tree import pip_warden
from pip_warden.sandbox import File, Job, Project, Sandbox

_NUMBERS = itertools.count(1)


class Terminal(io.StringIO):
    """A standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """How a command ended.

    Attributes:
        code: Exit code.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the JSON document it must be, with nothing that the schema does not describe."""
        return described(self.out)

    def __contains__(self, text: str) -> bool:
        return text in self.out + self.err


COMMANDS: dict[str, click.Command] = {"pip-warden": pip_warden, "safe-install": safe_install}


def typed(
    *words: str,
    answers: str | Terminal | None = None,
    command: click.Command = pip_warden,
    name: str = "pip-warden",
) -> Said:
    """Type a command; without answers, standard input is not a terminal."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(answers) if isinstance(answers, str) else answers
    keyboard, before = terminal or io.StringIO(), sys.stdin
    sys.stdin = keyboard
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(command, name, list(words))
    finally:
        sys.stdin = before
    return Said(code=code, out=out.getvalue(), err=err.getvalue())


def typed_in(
    directory: Path, environment: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    """Type a command line in another directory, with nothing in the environment but this; nobody answers it.

    It ends as the script would. What the script alone does, before and after the command, needs the script.
    """
    name, *rest = words
    with pytest.MonkeyPatch.context() as patch:
        for each in list(os.environ):
            patch.delenv(each)
        for each, value in environment.items():
            patch.setenv(each, value)
        patch.chdir(directory)
        said = typed(*rest, command=COMMANDS[name], name=name)
    return subprocess.CompletedProcess(words, said.code, said.out, said.err)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user with a project directory.

    Attributes:
        sandbox: The sandbox with the registries.
        home: The project directory; there is no trust file in it yet.
        root: The sandbox's trusted root, in another directory.
        patch: Sets the environment.
    """

    sandbox: Sandbox
    home: Path
    root: Path
    patch: pytest.MonkeyPatch

    @property
    def file(self) -> Path:
        """The trust file, whether it exists or not."""
        return self.home / "pytrust.toml"

    def use_token(self, token: str | None) -> None:
        """Set GITLAB_TOKEN, or unset it."""
        self.patch.setenv("GITLAB_URL", self.sandbox.gitlab_url)
        if token is None:
            self.patch.delenv("GITLAB_TOKEN", raising=False)
        else:
            self.patch.setenv("GITLAB_TOKEN", token)

    def project(self, **options: Any) -> Project:
        """Return a project of an unused name, which is close to no other: each digit is in it twice."""
        return self.sandbox.project(f"acme/kit{str(next(_NUMBERS)) * 2}", **options)

    def published(self, *versions: str, job: Job | None = None, project: Project | None = None) -> Project:
        """Publish signed wheels of a project's package."""
        project = project or self.project()
        wheels: list[File] = [
            self.sandbox.wheel(project.record.name, version) for version in versions or ("1.0",)
        ]
        self.sandbox.publish(project, wheels, job=job)
        return project

    def add(
        self,
        project: Project | str,
        *words: str,
        answers: str | Terminal | None = None,
        to: Project | None = None,
    ) -> Said:
        """Type ``trust add`` for a project's package, as on first use."""
        name = project if isinstance(project, str) else project.record.name
        place = to or project
        where = () if isinstance(place, str) else ("--project", place.path)
        root = () if self.file.exists() else ("--trusted-root", str(self.root))
        source = ("--source", self.sandbox.gitlab_url) if not self.file.exists() else ()
        return typed("trust", "add", name, *source, *where, *root, *words, answers=answers)

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Check that nothing in the project directory changes."""
        before = self.snapshot()
        yield
        assert self.snapshot() == before

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the project directory."""
        return {str(p.relative_to(self.home)): p.read_bytes() for p in self.home.rglob("*") if p.is_file()}
