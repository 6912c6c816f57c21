"""``pip-warden sandbox``: an embedded GitLab and Sigstore on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.sandbox_job import introduction, typed, write_job, write_secret
from pip_warden.cli.style import layout_of
from pip_warden.disk import is_full
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.report.layout import Layout
    from pip_warden.sandbox.world import Sandbox
    from pip_warden.strict_json import JSONValue


@click.command("sandbox", epilog=examples("pip-warden sandbox --port 8080"))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of GitLab; any free one by default."
)
@click.option("--empty", is_flag=True, help="Start without the example packages.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("sandbox"),
    show_default=True,
    help="Where env, job, trusted_root.json, signing_config.json, trust_config.json, promotion.toml and a "
    "project to build are written.",
)
@click.option(
    "--dump",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the whole state there when it ends.",
)
@format_option
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
@color_option
def command(
    *,
    port: int,
    empty: bool,
    directory: Path,
    dump: Path | None,
    output_format: str,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Run an embedded GitLab and Sigstore on loopback until interrupted.

    It has projects, PyPI, generic and container registries, tokens, ID tokens, a certificate authority, logs
    and time stamps; everything in it is forgotten when it ends. Nothing else is needed to try pip-warden.
    """
    need_extra("sandbox", "sandbox")
    from pip_warden.sandbox.errors import SandboxError
    from pip_warden.sandbox.serve import run_forever

    seen: list[Sandbox] = []

    def ready(sandbox: Sandbox) -> None:
        seen.append(sandbox)
        with _writing(directory, "--directory"):
            root = sandbox.write_trust(directory)
            environment = _write_environment(sandbox, directory / "env", empty=empty)
        told = _document if output_format == "json" else _text
        print(told(sandbox, root, environment, empty=empty), flush=True)

    for place, option in ((directory, "--directory"), (dump, "--dump")):
        if place is not None:
            with _writing(place, option):
                place.mkdir(parents=True, exist_ok=True)
    try:
        run_forever(ready=ready, ports={"gitlab": port} if port else None)
    except SandboxError as err:
        raise UsageError("sandbox-failed", str(err), hint="Choose another --port, or none.") from err
    if dump is not None and seen:
        with _writing(dump, "--dump"):
            seen[0].dump(dump)
        print(f"state written to {dump}", file=sys.stderr)


@contextmanager
def _writing(place: Path, option: str) -> Iterator[None]:
    """Convert the failures of writing into a directory of the user's; those of a full disk pass.

    Raises:
        UsageError: ``sandbox-failed``.
    """
    try:
        yield
    except OSError as err:
        if is_full(err):
            raise
        raise UsageError(
            "sandbox-failed",
            f"expected to write to {place}, found: {err.strerror or type(err).__name__}",
            hint=f"Name a directory that can be written with {option}.",
        ) from err


def _write_environment(sandbox: Sandbox, path: Path, *, empty: bool) -> Path:
    """Fill the sandbox; write its URL, a token and a job, which differ in every run, to be sourced."""
    from pip_warden.sandbox.example import fill

    token = sandbox.token(scopes=("api",)) if empty else fill(sandbox).token
    shared = {"GITLAB_URL": sandbox.gitlab_url, "GITLAB_TOKEN": token}
    if not empty:
        write_job(sandbox, path.parent, shared)
    return write_secret(path, shared)


def _document(sandbox: Sandbox, root: Path, environment: Path, *, empty: bool) -> str:
    """Return where everything is, once it responds; secrets are only in the files."""
    from pip_warden.report.document import document

    told: dict[str, JSONValue] = {
        "gitlab_url": sandbox.gitlab_url,
        "registry": sandbox.registry_host,
        "pypi_url": sandbox.pypi_url,
        "fulcio_url": sandbox.fulcio_url,
        "rekor_url": sandbox.rekor_url,
        "timestamps_url": sandbox.tsa_url,
        "login_url": sandbox.people.issuer,
        "trusted_root": str(root),
        "environment": str(environment),
        "job": None if empty else str(environment.parent / "job"),
    }
    return document("sandbox", told)


def _text(sandbox: Sandbox, root: Path, environment: Path, *, empty: bool) -> str:
    return "\n".join(_introduction(sandbox, root, environment, layout_of(sys.stdout), empty=empty))


def _introduction(
    sandbox: Sandbox, root: Path, environment: Path, layout: Layout, *, empty: bool
) -> Iterator[str]:
    yield from layout.block(
        f"GitLab      {sandbox.gitlab_url}\n"
        f"Images      {sandbox.registry_host} (the container registry)\n"
        f"pypi.org    {sandbox.pypi_url} (a stand-in)\n"
        f"Fulcio      {sandbox.fulcio_url}\n"
        f"Rekor       {sandbox.rekor_url}\n"
        f"Timestamps  {sandbox.tsa_url}\n"
        f"Log in      {sandbox.people.issuer} (anybody, as {sandbox.people.mail})\n"
        f"Trust root  {root}\n"
        "\n"
        "In another terminal, in this directory:\n"
    )
    yield ""
    yield from layout.command(f". {typed(environment)}")
    if not empty:
        first = f'--source "$GITLAB_URL" --trusted-root {typed(root)}'
        yield from layout.command(f"pip-warden trust add acme-gears {first} --project acme/gears")
        yield from layout.command("pip-warden trust add acme-widgets --project acme/widgets")
        yield from layout.command("safe-install acme-widgets")
        yield from introduction(environment.parent, layout)
    earlier = [path for path in (Path("pytrust.toml"), environment.parent / "dist") if path.exists()]
    if earlier:
        yield ""
        yield from layout.line(
            f"First remove the {' and the '.join(map(str, earlier))} that is here, if it is an earlier "
            "sandbox's: the keys are new."
        )
    yield from ("", "Ctrl-C ends it.")
