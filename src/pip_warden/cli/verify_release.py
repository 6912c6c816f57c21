"""``pip-warden verify-release``: every file of a release, straight from its registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    demand_options,
    demanding,
    load_trust,
    mirror_option,
    print_report,
    successes_option,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.reports import report_options
from pip_warden.names import parse_release

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports


@click.command("verify-release", epilog=examples("pip-warden verify-release acme-widgets==1.0"))
@click.argument("release", metavar="NAME==VERSION")
@trust_option
@demand_options
@successes_option
@report_options
@mirror_option
@connection_options
@color_option
def command(
    *,
    release: str,
    trust: Path | None,
    show_successes: bool,
    reports: Reports,
    **options: Any,
) -> int:
    """Verify every wheel and sdist of NAME==VERSION as a consumer would meet them.

    This is what the consumer_verification stage of a pipeline runs.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import open_session, settings_of
    from pip_warden.verify import verify_release

    project, version = parse_release(release)
    trusted = demanding(load_trust(trust), options)
    console = Console.of(options)
    with open_session(trusted, settings_of(options), console) as session:
        report = verify_release(session, project, version)
    return print_report(replace(report, with_successes=show_successes), reports, console)
