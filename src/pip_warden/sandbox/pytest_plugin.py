"""Fixtures for tests of your own: an embedded GitLab and Sigstore, and a project with a signed release.

A ``conftest.py`` asks for them; installing pip-warden puts nothing into anybody's pytest::

    pytest_plugins = ["pip_warden.sandbox.pytest_plugin"]

Every test has a sandbox of its own, so that none sees what another did to it. ``docs/sandbox.md`` shows both
fixtures in use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pip_warden.sandbox.handles import Project
    from pip_warden.sandbox.packages import File
    from pip_warden.sandbox.world import Sandbox

__all__ = ["SignedProject", "gitlab_sandbox", "signed_project"]

_NEEDED = ("python_multipart", "starlette", "uvicorn")
_MISSING = (
    "expected the extra `sandbox`, which the fixtures of pip_warden.sandbox.pytest_plugin need, "
    "found no {}: `pip install 'pip-warden[sandbox]'` installs it."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedProject:
    """A project of the sandbox with a signed release, and what a consumer of it has.

    Attributes:
        sandbox: The sandbox that it is in.
        project: The project, ``acme/acme-widgets``.
        name: The package's name, ``acme-widgets``.
        version: The release, ``1.0``.
        files: Its wheel and its sdist, as published.
        directory: The consumer's directory; nobody else's files are in it.
        trust_file: ``pytrust.toml`` there; it pins the package to the pipelines of the project's tags.
        trusted_root: ``trusted_root.json`` there: the sandbox's Sigstore.
        token: A token that may read the project.
    """

    sandbox: Sandbox
    project: Project
    name: str
    version: str
    files: tuple[File, ...]
    directory: Path
    trust_file: Path
    trusted_root: Path
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that pip-warden reads: the GitLab, the token for it, and an empty cache."""
        return {
            "GITLAB_URL": self.sandbox.gitlab_url,
            "GITLAB_TOKEN": self.token,
            "PIP_WARDEN_CACHE_DIR": str(self.directory / "cache"),
        }


@pytest.fixture
def gitlab_sandbox() -> Iterator[Sandbox]:
    """An empty GitLab, Sigstore and stand-in for pypi.org on loopback, for this test alone."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        pytest.fail(_MISSING.format(" and no ".join(missing)), pytrace=False)
    from pip_warden.sandbox.world import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def signed_project(gitlab_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> SignedProject:
    """A project in `gitlab_sandbox` that has published acme-widgets 1.0, signed by its tag pipeline."""
    name, version = "acme-widgets", "1.0"
    project = gitlab_sandbox.project(f"acme/{name}")
    files = (gitlab_sandbox.wheel(name, version), gitlab_sandbox.sdist(name, version))
    gitlab_sandbox.publish(project, files)
    directory = tmp_path_factory.mktemp("consumer")
    root = gitlab_sandbox.write_trust(directory)
    trust_file = directory / "pytrust.toml"
    trust_file.write_text(_trust_file(gitlab_sandbox, project, name, root), encoding="utf-8")
    return SignedProject(
        sandbox=gitlab_sandbox,
        project=project,
        name=name,
        version=version,
        files=files,
        directory=directory,
        trust_file=trust_file,
        trusted_root=root,
        token=gitlab_sandbox.token(scopes=("read_api",)),
    )


def _trust_file(sandbox: Sandbox, project: Project, name: str, root: Path) -> str:
    """Return a trust file that pins a package to the tag pipelines of a project."""
    repository = project.url.partition("://")[2]
    digest = hashlib.sha256(root.read_bytes()).hexdigest()
    return f"""version = 1

[sigstore]
trusted-root = "{root.name}"
trusted-root-sha256 = "{digest}"
issuers = ["{sandbox.issuer}"]

[source.gitlab]
type = "gitlab"
url = "{sandbox.gitlab_url}"

[[package]]
name = "{name}"
source = "gitlab"
project = "{project.path}"

  [[package.identity]]
  issuer = "{sandbox.issuer}"
  subject = "https://{repository}//.gitlab-ci.yml@refs/tags/v{{version}}"
"""
