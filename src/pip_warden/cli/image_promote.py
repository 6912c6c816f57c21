"""``pip-warden image promote``: judge an image as its consumers would, then copy it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    demand_options,
    demanding,
    load_trust,
    print_report,
    registry_options,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.output import Console
from pip_warden.cli.promote import min_age_option, not_carried
from pip_warden.cli.reports import report_options
from pip_warden.cli.session import settings_of
from pip_warden.cli.signals import deferring_signals
from pip_warden.cli.style import print_block

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports
    from pip_warden.image.plan import ImagePlan
    from pip_warden.image.promote import ImagePromotion
    from pip_warden.strict_json import JSONValue


@click.command(
    "promote",
    short_help="Judge an image, then copy it.",
    epilog=examples(
        "pip-warden image promote registry.example.com/acme/staging/app:1.0 \\\n"
        "    --to registry.example.com/acme/production/app --min-age 3"
    ),
)
@click.argument("image", metavar="REF")
@click.option(
    "--to",
    required=True,
    metavar="REPOSITORY[:TAG]",
    help="Where it is promoted to; the trust file pins it. Without a tag, the image's own.",
)
@trust_option
@min_age_option
@click.option("--no-overwrite", is_flag=True, help="Refuse where the tag is of another image already.")
@click.option("--dry-run", is_flag=True, help="Judge, and say what would be copied.")
@demand_options
@report_options
@registry_options
@color_option
def command(*, image: str, to: str, trust: Path | None, **options: Any) -> int:
    """Promote REF: judge it by the pin of the repository that it goes to, and only then copy it.

    Layers, manifests and all evidence that is good are copied by digest; evidence that is not stays where
    it is. What was copied is judged again, and the tag is moved last. The same command can be run again after
    any failure.
    """
    from pip_warden.image.plan import read_plan
    from pip_warden.image.promote import consumer_of, promote_image
    from pip_warden.session.images import open_images

    plan = read_plan(
        image,
        to,
        now=datetime.now(UTC),
        min_age=timedelta(days=float(str(options["min_age"]))),
        overwrites=not options["no_overwrite"],
    )
    trusted = demanding(load_trust(trust), options)
    consumer_of(trusted, plan)  # whether it can be promoted at all is said first
    console = Console.of(options)
    with open_images(trusted, settings_of(options), console, hold=deferring_signals) as parts:
        promotion = promote_image(parts, trusted, plan, dry_run=bool(options["dry_run"]))
    console.clear()
    return _tell(promotion, plan, options, console)


def _tell(promotion: ImagePromotion, plan: ImagePlan, options: dict[str, Any], console: Console) -> int:
    """Print what was copied, what was not carried and why, and the last verification."""
    from pip_warden.report import text

    reports: Reports = options["reports"]
    warnings = (*promotion.report.warnings, *not_carried(promotion.left))
    placed = ((each.outcome, each.name) for each in promotion.placed)
    done = (*placed, *_tagged(promotion, plan, is_done=not options["dry_run"]))
    report = replace(promotion.report, warnings=warnings, done=done)
    if reports.is_text and not console.quiet:
        print_block(text.done(report))
    return print_report(report, reports, console, more=_document(promotion, plan))


def _tagged(promotion: ImagePromotion, plan: ImagePlan, *, is_done: bool) -> Iterator[tuple[str, str]]:
    """Yield what became of the tag; nothing where it was not to be moved."""
    from pip_warden.oci.names import spelled

    before, after = promotion.before, promotion.after
    if after is None:
        return
    if before == after:
        yield "already there", plan.named
        return
    was = "" if before is None else f", before of {spelled(before)}"
    yield "tagged" if is_done else "would be tagged", f"{plan.named}{was}"


def _document(promotion: ImagePromotion, plan: ImagePlan) -> dict[str, JSONValue]:
    """Return what JSON tells besides the last verification."""
    from pip_warden.oci.names import spelled
    from pip_warden.report.json import item_value

    return {
        "uploads": [
            {
                "name": each.name,
                "kind": each.kind,
                "outcome": each.outcome.replace(" ", "_"),
                "digest": spelled(each.digest),
            }
            for each in promotion.placed
        ],
        "not_carried": [item_value(item) for item in promotion.left],
        "tag": {
            "name": plan.named,
            "before": None if promotion.before is None else spelled(promotion.before),
            "after": None if promotion.after is None else spelled(promotion.after),
        },
    }
