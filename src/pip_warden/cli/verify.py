"""``pip-warden verify``: local wheels and sdists."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    demand_options,
    demanding,
    print_report,
    successes_option,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.named_signer import signer_options, trust_of
from pip_warden.cli.reports import report_options

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "verify",
    epilog=examples(
        "pip-warden verify dist/*.whl",
        "pip-warden verify acme-1.0.tar.gz --bundle acme-1.0.sigstore.json",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@trust_option
@click.option("--bundle", type=_FILE, help="A Sigstore bundle of any version, or a PEP 740 attestation.")
@click.option("--signature", type=_FILE, help="A detached signature (with --certificate).")
@click.option("--certificate", type=_FILE, help="Its certificate: PEM, base64 of PEM, or DER.")
@signer_options
@demand_options
@successes_option
@report_options
@connection_options
@color_option
def command(
    *,
    files: tuple[Path, ...],
    trust: Path | None,
    bundle: Path | None,
    signature: Path | None,
    certificate: Path | None,
    show_successes: bool,
    reports: Reports,
    **options: Any,
) -> int:
    """Verify each FILE: a wheel or sdist with its evidence next to it, or named by an option.

    Who must have signed it is what the trust file pins for its project, or --certificate-identity with
    --certificate-oidc-issuer.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import open_session, settings_of
    from pip_warden.trust.command_line import command_line_trust
    from pip_warden.verify import NamedEvidence, files_to_verify, verify_files

    files = files_to_verify(files)
    given = NamedEvidence(bundle=bundle, signature=signature, certificate=certificate)
    trusted = demanding(trust_of(trust, options, partial(command_line_trust, files)), options)
    console = Console.of(options)
    with open_session(trusted, settings_of(options), console) as session:
        report = verify_files(session, files, given=given)
    return print_report(replace(report, with_successes=show_successes), reports, console)
