"""``pip-warden promote``: judge a release as its consumers would, then copy it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    demand_options,
    demanding,
    load_trust,
    print_report,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.output import Console
from pip_warden.cli.reports import report_options
from pip_warden.cli.session import open_session, settings_of
from pip_warden.cli.style import print_block
from pip_warden.cli.verifier import policy_of, signer_of, typed_demands
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.evidence.names import is_kind
from pip_warden.names import ProjectName, parse_release

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports
    from pip_warden.promote.plan import Plan, Policy
    from pip_warden.promote.run import Promotion
    from pip_warden.publish.registry import Destination
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.model import TrustFile
    from pip_warden.verdict.model import ItemRefusal

_MOST_TOLD = 20
"""Pieces that are not carried and are told as text: anybody with push rights can add hundreds of them."""


class _Days(click.FloatRange):
    """A number of days that can be compared: "not a number" is within every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; a usage error where it is none."""
        days = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is not a number of days.", param, ctx) if isnan(days) else days


min_age_option = click.option(
    "--min-age",
    type=_Days(min=0, max=36500),
    default=0,
    metavar="DAYS",
    help="How long ago it must have been signed.",
)


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
@min_age_option
@click.option(
    "--require",
    "required",
    multiple=True,
    type=click.Choice(["provenance"]),
    help="What the trust file need not demand.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="NAME",
    help="A further kind of evidence that must be carried (FILE.NAME.sigstore.json); else all that are good.",
)
@click.option(
    "--trust-config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Whose Sigstore signs the summary, where SIGSTORE_ID_TOKEN is set; else the public-good instance.",
)
@click.option("--policy-uri", metavar="URI", help="Where others find the trust file; in CI known by itself.")
@click.option("--dry-run", is_flag=True, help="Judge, and say what would be uploaded.")
@demand_options
@report_options
@connection_options
@color_option
def command(*, release: str, trust: Path | None, reports: Reports, **options: Any) -> int:
    """Promote NAME==VERSION: judge every file with the trust file, as a consumer would, and only then copy.

    Files and the evidence that is good are copied byte for byte; evidence that is not stays where it is. A
    verification summary (SLSA) is put next to them, signed where SIGSTORE_ID_TOKEN is set. The same command
    can be run again after any failure.
    """
    from pip_warden.promote.plan import as_gitlab_spells, trust_from
    from pip_warden.promote.run import promote

    need_extra("publish", "promote")
    typed = typed_demands(options)
    options["require_provenance"] |= "provenance" in options["required"]
    trusted = demanding(load_trust(trust), options)
    console = Console.of(options)
    plan = _plan(release, trusted, options, console, policy_of(trusted, options["policy_uri"], typed))
    trust_from(trusted, plan)  # whether it can be promoted at all is said first
    destination = _destination(trusted, plan, str(options["to_source"]))
    with open_session(trusted, settings_of(options), console) as session:
        plan = as_gitlab_spells(session.transport, trusted, plan)
        promotion = promote(session, plan, destination, dry_run=bool(options["dry_run"]))
    console.clear()
    return _tell(promotion, plan, reports, console)


def _tell(promotion: Promotion, plan: Plan, reports: Reports, console: Console) -> int:
    """Print what was uploaded, what was not carried and why, and the last verification."""
    from pip_warden.report import text

    kept = [f"{name} stays: the target has other evidence of the same signer" for name in promotion.kept]
    warnings = (*promotion.report.warnings, *not_carried(promotion.left), *kept, *promotion.notes)
    done: tuple[tuple[str, str], ...] = tuple((upload.outcome, upload.name) for upload in promotion.uploads)
    if promotion.report.exit_code and not done:  # what is accepted in it would look as if it had been
        done = (("not copied", f"{plan.project} {plan.version}"),)
    report = replace(promotion.report, command="promote", warnings=warnings, done=done)
    if reports.is_text and not console.quiet:
        print_block(text.done(report))
    return print_report(report, reports, console, more=_document(promotion, plan))


def not_carried(left: Sequence[ItemRefusal]) -> list[str]:
    """Say of each piece of evidence that stays why it does; of many of them, how many more there are."""
    told = [
        f"not carried: {item.label} [{item.code}] expected {item.failure.fault.expected}, "
        f"found {item.failure.fault.found}"
        for item in left[:_MOST_TOLD]
    ]
    if len(left) > _MOST_TOLD:
        told.append(f"not carried: {len(left) - _MOST_TOLD} more; --format json tells each")
    return told


def _document(promotion: Promotion, plan: Plan) -> dict[str, JSONValue]:
    """Return what JSON tells besides the last verification."""
    from pip_warden.report.json import item_value

    return {
        "uploads": [
            {"name": u.name, "kind": u.kind, "outcome": u.outcome.replace(" ", "_"), "url": u.where}
            for u in promotion.uploads
        ],
        "not_carried": [item_value(item) for item in promotion.left],
        "kept": list(promotion.kept),
        "summary_signed_by": None if plan.signer is None else plan.signer.claimed_subject,
    }


def _plan(
    release: str, trusted: TrustFile, options: dict[str, Any], console: Console, policy: Policy
) -> Plan:
    from pip_warden.promote.plan import Plan

    project, version = parse_release(release)
    return Plan(
        project=project,
        version=version,
        from_source=str(options["from_source"]),
        from_registry=_registry(trusted, options, project),
        min_age=timedelta(days=float(str(options["min_age"]))),
        now=datetime.now(UTC),
        policy=policy,
        kinds=_kinds(options["kinds"]),
        signer=signer_of(options["trust_config"], console),
    )


def _kinds(named: tuple[str, ...]) -> tuple[str, ...]:
    """Read each ``--kind``.

    Raises:
        UsageError: ``bad-kind``.
    """
    for kind in named:
        if not is_kind(kind) or kind == "vsa":
            raise UsageError(
                "bad-kind",
                "expected --kind with the short name that `attest --kind` was given, "
                f"found {escape_text(kind, 80)!r}",
                hint="Of FILE.sbom.sigstore.json it is sbom. A summary (vsa) is made anew for each target.",
            )
    return tuple(dict.fromkeys(named))


def _registry(trusted: TrustFile, options: dict[str, Any], project: ProjectName) -> str:
    entries = trusted.entries_of(project)
    if options["from_project"]:
        return _path(str(options["from_project"]))
    found = entries[0].registry if entries else None
    if not found:
        raise UsageError(
            "not-promotable",
            f"expected {project} in {trusted.path.name}, or --from-project PATH, found neither",
        )
    return str(found)


def _path(named: str) -> str:
    """Read ``--from-project``: a project's path, or its number."""
    from pip_warden.trust.locations import parse_registry

    path = named.strip("/")
    return path if path.isascii() and path.isdecimal() else parse_registry(path)


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
