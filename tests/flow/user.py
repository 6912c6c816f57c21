"""A user with project directory, trust file, environment and cache, who types commands against a sandbox."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import click
import pytest

from documents import described
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.cli.verify_release import command as verify_release
from pip_warden.sandbox import File, Project, Sandbox
from pip_warden.sandbox.signing import EvidenceForm

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How a command ended.

    Attributes:
        code: Exit code.
        document: What ``--format json`` printed.
        output: Everything printed, on both streams.
    """

    code: int
    document: dict[str, Any]
    output: str

    @property
    def codes(self) -> set[str]:
        """Every refusal code, code of an undecided file, and the code of the error that ended the run."""
        found = {
            line[key]["code"]
            for line in self.document.get("files", ())
            for key in ("refused", "undecided")
            if key in line
        }
        error = self.document.get("error")
        return found | ({error["code"]} if error else set())

    def outcome(self, name: str) -> str:
        """Return the outcome of the line about a file, project or path."""
        return next(str(line["outcome"]) for line in self.document["files"] if line["file"] == name)

    def line(self, name: str) -> dict[str, Any]:
        """Return the line about a file, project or path."""
        return next(line for line in self.document["files"] if line["file"] == name)

    @property
    def accepted(self) -> set[str]:
        """Names of every accepted file."""
        return {line["file"] for line in self.document["files"] if line["outcome"] == "accepted"}


@dataclass(kw_only=True)
class User:
    """A user; the working directory and the environment are the test's own.

    Attributes:
        sandbox: The sandbox with the registries.
        home: The project directory, and HOME.
        patch: Sets the environment.
        target: An environment without pip.
        token: A token that may read everything.
    """

    sandbox: Sandbox
    home: Path
    patch: pytest.MonkeyPatch
    target: Path
    token: str
    root: Path = field(init=False)
    blocks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.sandbox.write_trust(self.home)
        self.patch.chdir(self.home)
        for name, value in {
            "HOME": self.home,
            "PIP_WARDEN_CACHE_DIR": self.cache,
            "GITLAB_URL": self.sandbox.gitlab_url,
            "GITLAB_TOKEN": self.token,
        }.items():
            self.patch.setenv(name, str(value))
        digest = hashlib.sha256(self.root.read_bytes()).hexdigest()
        self.blocks = [
            "version = 1",
            (
                f'[sigstore]\ntrusted-root = "{self.root.name}"\ntrusted-root-sha256 = "{digest}"\n'
                f'issuers = ["{self.sandbox.issuer}"]'
            ),
            f'[source.acme]\ntype = "gitlab"\nurl = "{self.sandbox.gitlab_url}"',
            f'[source.pypi]\ntype = "simple"\nurl = "{self.sandbox.pypi_url}"',
        ]
        self._write()

    @property
    def cache(self) -> Path:
        """The cache directory."""
        return self.home / "cache"

    def project(self, *, visibility: str = "private") -> Project:
        """Return a project of an unused name; its last segment is a package's name."""
        return self.sandbox.project(f"acme/pkg{next(_NUMBERS)}", visibility=visibility)

    def wheel(self, project: Project, version: str = "1.0", **options: Any) -> File:
        """Build a wheel of the package that a project publishes."""
        return self.sandbox.wheel(project.record.name, version, **options)

    def sdist(self, project: Project, version: str = "1.0", **options: Any) -> File:
        """Build an sdist of the package that a project publishes."""
        return self.sandbox.sdist(project.record.name, version, **options)

    def published(
        self,
        *versions: str,
        forms: Sequence[EvidenceForm] = ("bundle",),
        pinned: bool = True,
        **options: Any,
    ) -> Project:
        """Publish signed wheels of a new package and pin it."""
        project = self.project()
        wheels = [self.wheel(project, version, **options) for version in versions or ("1.0",)]
        self.sandbox.publish(project, wheels, forms=forms)
        if pinned:
            self.pin(project)
        return project

    def pin(
        self,
        project: Project,
        *,
        name: str | None = None,
        subject: str | None = None,
        issuer: str | None = None,
        extra: str = "",
    ) -> None:
        """Pin a GitLab package: by default to the tag pipelines of the project of its name."""
        default = f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}"
        self.write(
            f'[[package]]\nname = "{name or project.record.name}"\n'
            f'source = "acme"\nproject = "{project.path}"\n'
            f'  [[package.identity]]\n  issuer = "{issuer or self.sandbox.issuer}"\n'
            f'  subject = "{subject or default}"\n{extra}'
        )

    def pin_hash(
        self, file: File, *, name: str, source: str = "pypi", project: Project | None = None
    ) -> None:
        """Pin one file of one version by its digest."""
        registry = f'project = "{project.path}"\n' if project is not None else ""
        self.write(
            f'[[package]]\nname = "{name}"\nsource = "{source}"\n{registry}version = "{file.version}"\n'
            f'reason = "reviewed"\nsha256 = {{ "{file.name}" = "{file.sha256}" }}'
        )

    def write(self, block: str) -> None:
        """Add a table to the trust file."""
        self.blocks.append(block)
        self._write()

    def install(self, *words: str) -> Run:
        """Run safe-install into the target."""
        return self.type("--python", str(self.target), *words)

    def type(self, *words: str, command: click.Command = safe_install, name: str = "safe-install") -> Run:
        """Run a command, by default safe-install."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(command, name, ["--format", "json", *words])
        return Run(code=code, document=described(out.getvalue()), output=out.getvalue() + err.getvalue())

    def refused(self, *words: str, code: str, exit_code: int = 1, files: Sequence[File] = ()) -> Run:
        """Run safe-install: it must refuse for one reason, install nothing and keep none of these files."""
        before = self.snapshot()
        result = self.install(*words)
        assert (result.code, code in result.codes) == (exit_code, True), result.output
        assert self.snapshot() == before
        self._keeps_none(files)
        return result

    def judge(self, project: Project, version: str = "1.0", *words: str) -> Run:
        """Judge every file of a release as an installation of it does, but without a pip."""
        release = f"{project.record.name}=={version}"
        return self.type(*words, release, command=verify_release, name="pip-warden verify-release")

    def judged_bad(
        self,
        project: Project,
        version: str = "1.0",
        *,
        code: str,
        exit_code: int = 1,
        files: Sequence[File] = (),
    ) -> Run:
        """Judge a release: it must be refused for one reason, and none of these files be kept."""
        result = self.judge(project, version)
        assert (result.code, code in result.codes) == (exit_code, True), result.output
        self._keeps_none(files)
        return result

    def installed(self) -> dict[str, str]:
        """Versions of the target's distributions, by name."""
        return {found.name: found.version for found in distributions(path=[str(self.site)])}

    @property
    def site(self) -> Path:
        """The target's site-packages."""
        return next(self.target.glob("lib/python*/site-packages"))

    def snapshot(self) -> dict[str, str]:
        """Every file of the target and its digest: stronger than a list of distributions."""
        return {
            str(path.relative_to(self.target)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.target.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def keeps(self, name: str, sha256: str) -> bool:
        """Return whether the vault holds a file under its digest, or any file with its bytes."""
        files = [path for path in self.cache.rglob("*") if path.is_file()]
        return any(path.name == name and sha256 in str(path) for path in files) or any(
            hashlib.sha256(path.read_bytes()).hexdigest() == sha256 for path in files
        )

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def _keeps_none(self, files: Sequence[File]) -> None:
        for file in files:
            assert not self.keeps(file.name, file.sha256), f"the vault keeps {file.name}"

    def _write(self) -> None:
        (self.home / "pytrust.toml").write_text("\n\n".join(self.blocks) + "\n")
