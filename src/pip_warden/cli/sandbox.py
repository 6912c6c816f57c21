"""``pip-warden sandbox``: an embedded GitLab and Sigstore on this machine."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.extras import need_extra
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
    help="Where env, trusted_root.json, signing_config.json and trust_config.json are written.",
)
@click.option(
    "--dump",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the whole state there when it ends.",
)
def command(*, port: int, empty: bool, directory: Path, dump: Path | None) -> None:
    """Run an embedded GitLab and Sigstore on loopback until interrupted.

    It has projects, PyPI and generic registries, tokens, ID tokens, a certificate authority, logs and time stamps; everything in it is
    forgotten when it ends. Nothing else is needed to try pip-warden.
    """
    from pip_warden.sandbox.errors import SandboxError
    from pip_warden.sandbox.example import fill
    from pip_warden.sandbox.serve import run_forever

    need_extra("sandbox", "sandbox")
    seen: list[Sandbox] = []

    def ready(sandbox: Sandbox) -> None:
        seen.append(sandbox)
        directory.mkdir(parents=True, exist_ok=True)
        root = sandbox.write_trust(directory)
        token = sandbox.token(scopes=("api",)) if empty else fill(sandbox).token
        environment = _write_environment(sandbox, token, directory / "env")
        print(_introduction(sandbox, root, environment, empty=empty), flush=True)

    try:
        run_forever(ready=ready, ports={"gitlab": port} if port else None)
    except SandboxError as err:
        raise UsageError("sandbox-failed", str(err), hint="Choose another --port, or none.") from err
    if dump is not None and seen:
        seen[0].dump(dump)
        print(f"state written to {dump}", file=sys.stderr)


def _write_environment(sandbox: Sandbox, token: str, path: Path) -> Path:
    """Write a file to be sourced with this GitLab's URL and a token, which differ in every run."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(
        f"export GITLAB_URL={sandbox.gitlab_url}\nexport GITLAB_TOKEN={token}\n", encoding="utf-8"
    )
    return path


def _introduction(sandbox: Sandbox, root: Path, environment: Path, *, empty: bool) -> str:
    lines = [
        f"GitLab     {sandbox.gitlab_url}",
        f"pypi.org   {sandbox.pypi_url}  (a stand-in)",
        f"Fulcio     {sandbox.fulcio_url}",
        f"Rekor      {sandbox.rekor_url}",
        f"Timestamps {sandbox.tsa_url}",
        f"Trust root {root}",
        "",
        "In another terminal, in this directory:",
        "",
        f"  . {_typed(environment)}",
    ]
    if not empty:
        first = f'--source "$GITLAB_URL" --trusted-root {_typed(root)}'
        lines += [
            f"  pip-warden trust add acme-gears {first} --project acme/gears",
            "  pip-warden trust add acme-widgets --project acme/widgets",
            "  safe-install acme-widgets",
        ]
    if Path("pytrust.toml").exists():
        lines += [
            "",
            "First remove the pytrust.toml that is here, if it is an earlier sandbox's: the keys are new.",
        ]
    return "\n".join([*lines, "", "Ctrl-C ends it."])


def _typed(path: Path) -> str:
    """Return a path quoted for a shell, and with a slash: without one, ``.`` looks a file up in PATH."""
    text = str(path)
    return shlex.quote(text if "/" in text else f"./{text}")
