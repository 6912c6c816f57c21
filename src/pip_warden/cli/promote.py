"""``pip-warden promote``: judge a release as its consumers would, then copy it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    demand_options,
    demanding,
    format_option,
    load_trust,
    print_report,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.output import Console
from pip_warden.cli.session import open_session, settings_of
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.names import ProjectName, parse_release

if TYPE_CHECKING:
    from pip_warden.promote import Plan
    from pip_warden.publish.registry import Destination
    from pip_warden.trust.model import TrustFile


@click.command(
    "promote",
    epilog=examples(
        "pip-warden promote acme-widgets==1.0 \\\n    --from staging --to production --min-age 3"
    ),
)
@click.argument("release", metavar="NAME==VERSION")
@trust_option
@click.option(
    "--from", "from_source", required=True, metavar="SOURCE", help="The source it is judged and copied from."
)
@click.option("--from-project", metavar="PATH", help="The registry project there; else that of the pin.")
@click.option(
    "--to", "to_source", required=True, metavar="SOURCE", help="The source it is promoted to: the pin's own."
)
@click.option(
    "--min-age",
    type=click.FloatRange(min=0),
    default=0,
    metavar="DAYS",
    help="How long ago it must have been signed.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    type=click.Choice(["provenance"]),
    help="What the trust file need not demand.",
)
@click.option("--dry-run", is_flag=True, help="Judge, and say what would be uploaded.")
@demand_options
@format_option
@connection_options
@color_option
def command(*, release: str, trust: Path | None, **options: Any) -> int:
    """Promote NAME==VERSION: judge every file with the trust file, as a consumer would, and only then copy.

    Evidence and files are copied byte for byte. A verification summary (SLSA) is written next to them. The
    same command can be run again after any failure.
    """
    from pip_warden.promote import promote, trust_from
    from pip_warden.publish.registry import Registry

    need_extra("publish", "promote")
    options["require_provenance"] |= "provenance" in options["required"]
    trusted = demanding(load_trust(trust), options)
    plan = _plan(release, trusted, options)
    trust_from(trusted, plan)  # whether it can be promoted at all is said first
    dry_run, output_format = bool(options["dry_run"]), str(options["output_format"])
    console = Console.of(options)
    with open_session(trusted, settings_of(options), console) as session:
        destination = _destination(trusted, plan, str(options["to_source"]))
        registry = Registry(session.transport, destination, dry_run=dry_run, reporter=console)
        report, uploads = promote(session, plan, registry, dry_run=dry_run)
    console.clear()
    if output_format == "text" and not console.quiet:
        print_block("".join(f"{upload.outcome}: {escape_text(upload.name)}\n" for upload in uploads))
    return print_report(replace(report, command="promote"), output_format, console)


def _plan(release: str, trusted: TrustFile, options: dict[str, Any]) -> Plan:
    from pip_warden.promote import Plan

    project, version = parse_release(release)
    return Plan(
        project=project,
        version=version,
        from_source=str(options["from_source"]),
        from_registry=_registry(trusted, options, project),
        min_age=timedelta(days=float(str(options["min_age"]))),
        now=datetime.now(UTC),
    )


def _registry(trusted: TrustFile, options: dict[str, Any], project: ProjectName) -> str:
    entries = trusted.entries_of(project)
    found = options["from_project"] or (entries[0].registry if entries else None)
    if not found:
        raise UsageError(
            "not-promotable",
            f"expected {project} in {trusted.path.name}, or --from-project PATH, found neither",
        )
    return str(found)


def _destination(trusted: TrustFile, plan: Plan, to_source: str) -> Destination:
    """Return where it is promoted to: the source and registry project of the pin itself."""
    from pip_warden.publish.registry import Destination

    entry = trusted.entry_for(plan.project, plan.version)
    if entry is None or entry.source != to_source or entry.registry is None:
        pinned = entry.source if entry is not None else "none"
        raise UsageError(
            "not-promotable", f"expected --to to name the pin's own source, {pinned}, found {to_source!r}"
        )
    source = trusted.source(entry.source)
    template = (getattr(entry, "evidence", ()) or source.evidence)[0]
    return Destination(instance=source.url, project=entry.registry, path=entry.registry, evidence=template)
