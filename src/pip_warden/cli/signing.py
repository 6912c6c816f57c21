"""What ``sign`` and ``attest`` share: the token, the trust config, and how the outcome is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pip_warden.cli.output import Console
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden._sigstore.sign import Signatory
    from pip_warden.publish.sign import Signed

F = TypeVar("F", bound=Callable[..., object])


def signing_options(function: F) -> F:
    """Add the options of commands that sign."""
    options = [
        click.option(
            "--identity-token",
            metavar="TOKEN",
            help="The OIDC identity token; else SIGSTORE_ID_TOKEN (safer: argv is visible).",
        ),
        click.option(
            "--trust-config",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A Sigstore client trust config; else the public-good instance.",
        ),
        click.option(
            "--output-directory",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where evidence is written; else next to each file.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace evidence that is there."),
        click.option("--quiet", "-q", count=True, help="Only warnings; twice: only errors."),
        click.option("--debug", is_flag=True, help="Show where a bug happened."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@contextmanager
def open_signatory(
    identity_token: str | None, trust_config: Path | None, console: Console
) -> Iterator[Signatory]:
    """Find and read the token, say what will be pinned, and exchange it for a certificate."""
    from pip_warden._sigstore.sign import signatory
    from pip_warden.publish.token import find_token, read_token

    token = find_token(identity_token, os.environ)
    claimed = read_token(token, now=datetime.now(UTC), is_public_good=trust_config is None)
    for line in claimed.in_words().splitlines():
        console.note(line)
    with signatory(token, read_trust_config(trust_config)) as by:
        yield by


def read_trust_config(path: Path | None) -> bytes | None:
    """Return the content of ``--trust-config``; None where it is not given, for the public-good instance.

    Raises:
        UsageError: ``no-such-file``.
    """
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as err:
        raise UsageError(
            "no-such-file", f"expected a Sigstore client trust config in {path}, found none readable"
        ) from err


def tell(command: str, signed: list[Signed], output_format: str, console: Console) -> None:
    """Print what was signed; quiet prints it only as JSON."""
    if output_format == "json":
        files = [
            {
                "file": item.path.name,
                "evidence": [path.name for path in item.written],
                "subject": item.proved.claims.subjects[0],
                "issuer": item.proved.claims.issuer,
                "log_index": item.proved.log_index,
            }
            for item in signed
        ]
        print(json.dumps({"schema_version": 1, "command": command, "exit_code": 0, "files": files}, indent=2))
        return
    if console.quiet:
        return
    for item in signed:
        names = ", ".join(escape_text(path.name) for path in item.written)
        print_block(f"{escape_text(item.path.name)}: {names} (log index {item.proved.log_index})")
