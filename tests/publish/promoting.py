"""A release in a staging project, pinned for the release project, and the command that promotes it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Any

from documents import described
from pip_warden.sandbox import Project
from publish.conftest import Publisher, pin_text

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SDIST = "acme_widgets-1.0.tar.gz"


def pin(publisher: Publisher, require: str = "") -> None:
    """Write the release project's trust file."""
    text = pin_text(publisher, "acme/release", project_id=publisher.project.id, require=require)
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")


def words(publisher: Publisher, *more: str) -> tuple[str, ...]:
    """Spell the command."""
    options = ("--from", "acme", "--from-project", "acme/acme-widgets", "--to", "acme")
    cache = str(publisher.directory / "promotion-cache")
    return ("pip-warden", "promote", "acme-widgets==1.0", *options, "--cache-dir", cache, *more)


def promote(publisher: Publisher, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Promote 1.0 from the staging project to the release project."""
    changes = {"GITLAB_TOKEN": publisher.sandbox.token(scopes=("api",))} | changes
    return publisher.run(*words(publisher, "--format", "json", *more), **changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Promoted:
    """How a promotion ended.

    Attributes:
        code: Exit code.
        document: What it printed.
    """

    code: int
    document: dict[str, Any]

    @property
    def left(self) -> dict[str, str]:
        """The code of each piece of evidence that was not carried, by its label."""
        return {item["evidence"]: item["code"] for item in self.document["not_carried"]}

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each upload, by its name."""
        return {upload["name"]: upload["outcome"] for upload in self.document["uploads"]}


def promoted(publisher: Publisher, *more: str, **changes: str) -> Promoted:
    """Promote, and read what is printed."""
    result = promote(publisher, *more, **changes)
    assert result.stdout, result.stderr
    return Promoted(code=result.returncode, document=described(result.stdout))


def names(project: Project) -> list[str]:
    """Return the name of every row of a project's registries."""
    return sorted(file.name for package in project.record.packages for file in package.files)
