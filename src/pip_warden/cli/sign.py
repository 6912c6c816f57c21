"""``pip-warden sign``: sign files with the job's identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.signing import Access, open_signatory, signing_options, tell


@click.command(
    "sign",
    epilog=examples("pip-warden sign dist/*", "pip-warden sign dist/* --trust-config trust_config.json"),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--detached", is_flag=True, help="Also FILE.sig and FILE.crt (needs a Rekor v1 log).")
@click.option(
    "--crt-format", type=click.Choice(["pem", "base64"]), default="pem", help="How FILE.crt is written."
)
@format_option
@signing_options
@color_option
def command(
    *,
    files: tuple[Path, ...],
    detached: bool,
    crt_format: Literal["pem", "base64"],
    output_format: str,
    output_directory: Path | None,
    overwrite: bool,
    quiet: int,
    debug: bool,  # noqa: ARG001 -- read by cli.run
    **access: Any,
) -> None:
    """Sign each FILE without a key: the job's ID token is exchanged for a short-lived certificate.

    One certificate serves all files. Writes FILE.sigstore.json, verified before it is written. A
    self-managed GitLab needs a Sigstore of its own (--trust-config): the public one knows four GitLabs.
    Images are signed by `pip-warden image sign`.
    """
    from pip_warden.cli.output import Console
    from pip_warden.publish.sign import files_to_sign, sign_files

    paths = files_to_sign(files)
    console = Console(quiet=quiet)
    with open_signatory(Access(**access), console) as (by, claimed):
        signed = sign_files(
            paths,
            by,
            directory=output_directory,
            detached=detached,
            crt_format=crt_format,
            overwrite=overwrite,
            claimed=claimed,
        )
    tell("sign", signed, output_format, console)
