"""``pip-warden sandbox``: an embedded GitLab and Sigstore on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.extras import need_extra
from pip_warden.disk import is_full
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.sandbox.world import Sandbox


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of GitLab; any free one by default."
)
@click.option("--empty", is_flag=True, help="Start without the example packages.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("sandbox"),
    show_default=True,
    help="Where trusted_root.json, signing_config.json and trust_config.json are written.",
)
@click.option(
    "--dump",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the whole state there when it ends.",
)
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
def command(
    *,
    port: int,
    empty: bool,
    directory: Path,
    dump: Path | None,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Run an embedded GitLab and Sigstore on loopback until interrupted.

    It has projects, PyPI and generic registries, tokens, ID tokens, a certificate authority, logs and time stamps; everything in it is
    forgotten when it ends. Nothing else is needed to try pip-warden.
    """
    from pip_warden.sandbox.errors import SandboxError
    from pip_warden.sandbox.serve import run_forever

    need_extra("sandbox", "sandbox")
    seen: list[Sandbox] = []

    def ready(sandbox: Sandbox) -> None:
        seen.append(sandbox)
        with _writing(directory, "--directory"):
            root = sandbox.write_trust(directory)
        print(_introduction(sandbox, root, empty=empty), flush=True)

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


def _introduction(sandbox: Sandbox, root: Path, *, empty: bool) -> str:
    from pip_warden.sandbox.example import fill

    token = sandbox.token(scopes=("api",)) if empty else fill(sandbox).token
    lines = [
        f"GitLab     {sandbox.gitlab_url}",
        f"pypi.org   {sandbox.pypi_url}  (a stand-in)",
        f"Fulcio     {sandbox.fulcio_url}",
        f"Rekor      {sandbox.rekor_url}",
        f"Timestamps {sandbox.tsa_url}",
        f"Trust root {root}",
        "",
        "In another terminal:",
        "",
        f"  export GITLAB_URL={sandbox.gitlab_url} GITLAB_TOKEN={token}",
    ]
    if not empty:
        first = f"--source {sandbox.gitlab_url} --trusted-root {root}"
        lines += [
            f"  pip-warden trust add acme-gears --project acme/gears {first}",
            "  pip-warden trust add acme-widgets --project acme/widgets",
            "  safe-install acme-widgets",
        ]
    return "\n".join([*lines, "", "Ctrl-C ends it."])
