"""The publisher's half of ``pip-warden sandbox``: a project to build, a job's environment, what to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.digests import digest_of_file

if TYPE_CHECKING:
    from pip_warden.report.layout import Layout
    from pip_warden.sandbox.world import Sandbox

_TOKEN_LIVES = timedelta(days=1)
"""Longer than in a real job, where it lives as long as the job may run: a person has coffee."""

_STAGING, _RELEASE = "acme/bolts", "acme/released-bolts"
_RELEASED_IMAGES = f"{_STAGING}/released"


def write_job(sandbox: Sandbox, directory: Path, shared: Mapping[str, str]) -> Path:
    """Write a project to build, a job's environment to be sourced, and the trust file of a promotion.

    Args:
        sandbox: The sandbox, which gets the job's project with an unsigned image, and one to promote to.
        directory: Where they are written, next to the trusted root.
        shared: Variables that the environment has, too.

    Returns:
        The file to be sourced.
    """
    from pip_warden.sandbox.buildable import VERSION, write_source

    write_source(directory)
    expires = int((sandbox.clock.now() + _TOKEN_LIVES).timestamp())
    project = sandbox.project(_STAGING)
    job = sandbox.job(project, tag=f"v{VERSION}", exp=expires)
    sandbox.push_image(project, sandbox.image({"app": b"of acme/bolts"}), VERSION)
    sandbox.project(_RELEASE)
    (directory / "promotion.toml").write_text(_promotion(sandbox, directory, job.san), encoding="utf-8")
    return write_secret(directory / "job", {**shared, **job.variables()})


def write_secret(path: Path, variables: Mapping[str, str]) -> Path:
    """Write variables, to be sourced by a shell, into a new file that only its owner may read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def commands(directory: Path) -> Iterator[str]:
    """Yield what a publisher types, one command each.

    Args:
        directory: Where :func:`write_job` wrote.
    """
    from pip_warden.sandbox.buildable import NAME, VERSION

    config, source, built = (typed(directory / name) for name in ("trust_config.json", NAME, "dist"))
    own = f"--trust-config {config}"
    signed = f"{own} {built}/*.whl"
    yield f". {typed(directory / 'job')}"
    yield f"pip wheel --no-deps --wheel-dir {built} {source}"
    yield f"pip-warden sign {signed}"
    yield f"pip-warden attest {signed}"
    yield f"pip-warden publish {signed}"
    trust = f"--trust {typed(directory / 'promotion.toml')}"
    where = f"--from acme --from-project {_STAGING} --to acme"
    yield f"pip-warden promote {NAME}=={VERSION} {trust} {own} {where}"
    yield f"pip-warden verify-release {NAME}=={VERSION} {trust}"
    image, released = f'"$CI_REGISTRY_IMAGE:{VERSION}"', f'"$CI_REGISTRY/{_RELEASED_IMAGES}:{VERSION}"'
    yield f"pip-warden image sign {own} {image}"
    yield f"pip-warden image promote {trust} --to {released} {image}"
    yield f"pip-warden image verify {trust} {released}"


def introduction(directory: Path, layout: Layout) -> Iterator[str]:
    """Yield the lines that say what a publisher types."""
    from pip_warden.cli.extras import has_extra

    yield ""
    needs = "" if has_extra("publish") else ", after pip install 'pip-warden[publish]'"
    yield from layout.line(
        f"As the job of a publisher, in a terminal of its own, in this directory{needs} (build, sign, say "
        "how it was built, publish to a staging project, judge and promote to another; then an image):"
    )
    yield ""
    for command in commands(directory):
        yield from layout.command(command)


def typed(path: Path) -> str:
    """Return a path quoted for a shell, and with a slash: without one, ``.`` looks a file up in PATH."""
    text = str(path)
    return shlex.quote(text if "/" in text else f"./{text}")


def _promotion(sandbox: Sandbox, directory: Path, subject: str) -> str:
    from pip_warden.sandbox.buildable import NAME, VERSION

    pattern = f"@refs/tags/v{VERSION}"
    return f"""# What consumers of {_RELEASE} trust; promotion judges by it before it copies.
version = 1

[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{digest_of_file(directory / "trusted_root.json")}"
issuers = ["{sandbox.issuer}"]

[source.acme]
type = "gitlab"
url = "{sandbox.gitlab_url}"

[[package]]
name = "{NAME}"
source = "acme"
project = "{_RELEASE}"

  [[package.identity]]
  issuer = "{sandbox.issuer}"
  subject = "{subject.replace(pattern, "@refs/tags/v{version}")}"

[[image]]
repository = "{sandbox.registry_host}/{_RELEASED_IMAGES}"

  [[image.identity]]
  issuer = "{sandbox.issuer}"
  subject = "{subject.replace(pattern, "@refs/tags/v{tag}")}"
"""
