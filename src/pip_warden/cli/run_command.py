"""``pip-warden run``: any command, with the gate as its only network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    load_trust,
    mirror_option,
    print_report,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.reports import report_options

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports


@click.command(
    "run",
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "pip-warden run -- uv sync --locked",
        "pip-warden run -- poetry add acme-widgets",
        "pip-warden run --strict --isolate-network -- pip install -r pylock.toml",
    )
    + "\n\n\b\nExit codes: 0 the command succeeded, and all that it got was accepted;\n"
    "  1 refused, or something came past the gate; 2 usage, or no such command;\n"
    "  3 could not decide; 4 the command failed; 70 a bug.",
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@trust_option
@click.option("--strict", is_flag=True, help="What was not compared, and every warning, is a refusal too.")
@click.option(
    "--isolate-network", is_flag=True, help="Give it a network that has nothing but the gate (Linux)."
)
@click.option("--pass-env", multiple=True, metavar="NAME", help="Let it see this variable.")
@report_options
@connection_options
@mirror_option
@color_option
def command(
    *,
    words: tuple[str, ...],
    trust: Path | None,
    strict: bool,
    isolate_network: bool,
    pass_env: tuple[str, ...],
    reports: Reports,
    **options: Any,
) -> int:
    """Run COMMAND with the gate as its only network: its own installer, its own lock files.

    Pages and files of pinned sources are answered under their own URLs, each file verified first. Any other
    address is refused. What lock files gained and environments have is compared afterwards.

    COMMAND keeps its input and output; the report goes to standard error. With another --format than text the
    report has standard output, and COMMAND's goes to standard error.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import open_session, settings_of
    from pip_warden.command.model import CommandRequest
    from pip_warden.command.run import run_command

    request = CommandRequest(
        words=words,
        directory=Path.cwd(),
        strict=strict,
        pass_env=pass_env,
        isolate_network=isolate_network,
    )
    console = Console.of(options, live=False)
    with open_session(load_trust(trust), settings_of(options), console) as session:
        sys.stdout.flush()
        report = run_command(session, request, output=1 if reports.is_text else 2)
    return print_report(report, reports, console, apart=True)
