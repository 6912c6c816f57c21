"""``pip-warden inspect``: what a file, a URL or a release says, without proof unless that is asked for."""

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
    from pip_warden.cli.output import Console
    from pip_warden.cli.outputs import Reports
    from pip_warden.inspection.model import Inspection


@click.command(
    "inspect",
    epilog=examples(
        "pip-warden inspect acme-1.0.tar.gz.sigstore.json",
        "pip-warden inspect acme-widgets==1.0 --verify",
    ),
)
@click.argument("what", metavar="FILE|URL|NAME==VERSION")
@trust_option
@click.option(
    "--verify", "verifying", is_flag=True, help="Verify it too: the trust file must pin its package."
)
@report_options
@mirror_option
@connection_options
@color_option
def command(*, what: str, trust: Path | None, verifying: bool, reports: Reports, **options: Any) -> int:
    """Say what a bundle, certificate, attestation, receipt, wheel, sdist or release says.

    All of it is headed UNVERIFIED, since anybody can have written it: nothing may rest on it. With --verify
    it is judged in the same call as `verify` and `verify-release` do, and what was proved is marked. Only
    then is there a report to be told otherwise than as text or JSON, or to be written to a file.
    """
    from pip_warden.cli.output import Console

    if not verifying and (reports.files or reports.output_format not in {"text", "json"}):
        raise _no_report()
    console = Console.of(options)
    found = _found(what, trust, options, console, verifying=verifying)
    console.clear()
    if reports.is_text:
        from pip_warden.cli.inspected import text
        from pip_warden.cli.style import layout_of

        print("\n".join(text(found, layout_of(sys.stdout))))
    more = _more(found)
    if found.report is not None:
        return print_report(found.report, reports, console, more=more)
    if not reports.is_text:
        from pip_warden.report.document import document

        print(document("inspect", more))
    return 0


def _no_report() -> click.UsageError:
    return click.UsageError(
        "--output, --html and formats but text and json are for what is judged: add --verify. "
        "What a file says of itself is no report."
    )


def _more(found: Inspection) -> dict[str, Any]:
    from pip_warden.cli.inspected import as_json

    return as_json(found)


def _found(
    what: str, trust: Path | None, options: dict[str, Any], console: Console, *, verifying: bool
) -> Inspection:
    from pip_warden.cli.session import open_session, open_workspace, settings_of
    from pip_warden.inspection.elsewhere import inspect_release
    from pip_warden.inspection.local import inspect_path
    from pip_warden.names import parse_release

    settings = settings_of(options)
    if "://" in what:
        return _from_url(what, options, console, verifying=verifying)
    if "==" in what and "/" not in what:  # a file of such a name is ./NAME
        project, version = parse_release(what)
        with open_session(load_trust(trust), settings, console) as session:
            return inspect_release(session, project, version, verifying=verifying)
    if not verifying:
        with open_workspace() as workspace:
            return inspect_path(Path(what), workspace)
    with open_session(load_trust(trust), settings, console) as session:
        return inspect_path(Path(what), session.workspace, session)


def _from_url(what: str, options: dict[str, Any], console: Console, *, verifying: bool) -> Inspection:
    from pip_warden.cli.session import open_workspace, settings_of
    from pip_warden.inspection.elsewhere import inspect_url
    from pip_warden.session.opening import open_transport

    if verifying:
        raise click.UsageError(
            "--verify takes a FILE or NAME==VERSION, not a URL: a pin says where files come from. "
            "Fetch it with its evidence, or name the release."
        )
    with open_workspace() as workspace, open_transport(settings_of(options), {}, console) as transport:
        return inspect_url(what, transport, workspace)
