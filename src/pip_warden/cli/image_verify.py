"""``pip-warden image verify``: an image, or an index of images, in its registry."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    demand_options,
    demanding,
    load_trust_if_any,
    print_report,
    registry_options,
    successes_option,
    trust_option,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.named_signer import signer_options, trust_of
from pip_warden.cli.reports import report_options

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports
    from pip_warden.image.verify import ImageVerification
    from pip_warden.strict_json import JSONValue


def _taken_away(ctx: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """Remove the digest of an earlier run, before anything can fail: nobody shall use it after a refusal."""
    if path is not None and not ctx.resilient_parsing:
        from pip_warden.image.digest_file import take_away

        take_away(path)
    return path


@click.command(
    "verify",
    short_help="Verify an image by who signed it.",
    epilog=examples(
        "pip-warden image verify registry.example.com/app:1.0 --output-digest digest",
        "pip-warden image verify registry.example.com/app:1.0 --platform linux/arm64",
    ),
)
@click.argument("reference", metavar="REF")
@trust_option
@signer_options
@demand_options
@click.option("--platform", metavar="OS/ARCH[/VARIANT]", help="Judge what this platform gets of an index.")
@click.option(
    "--recursive", is_flag=True, help="Demand good evidence of each image that an index lists, too."
)
@click.option(
    "--output-digest",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_taken_away,
    is_eager=True,
    metavar="FILE",
    help="Write the digest to use there, if accepted; else there is no FILE.",
)
@successes_option
@report_options
@registry_options
@color_option
def command(
    *,
    reference: str,
    trust: Path | None,
    platform: str | None,
    recursive: bool,
    output_digest: Path | None,
    show_successes: bool,
    reports: Reports,
    **options: Any,
) -> int:
    """Verify the image REF: REPOSITORY:TAG, REPOSITORY@DIGEST, or both.

    A tag is looked up once. Use the digest that is printed in the end, since a tag can be moved.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import settings_of
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.image.digest_file import write_digest
    from pip_warden.image.verify import verify_image
    from pip_warden.oci.names import parse_image
    from pip_warden.session.images import open_images
    from pip_warden.trust.command_line import command_line_image_trust
    from pip_warden.trust.roots import PinnedRoots

    image = parse_image(reference)
    realms, made = _realms(trust, options), partial(command_line_image_trust, image.repository)
    trusted = demanding(trust_of(trust, options, made), options)
    console = Console.of(options)
    with open_images(trusted, settings_of(options), console, named=realms, hold=deferring_signals) as parts:
        found = verify_image(
            parts, trusted, PinnedRoots(trusted.roots), image, platform=platform, is_recursive=recursive
        )
    if output_digest is not None and found.use is not None and found.use.digest is not None:
        write_digest(output_digest, found.use.digest)
    report = replace(found.report, with_successes=show_successes)
    code = print_report(report, reports, console, more=_more(found))
    if found.use is not None and reports.is_text and not console.quiet:
        print(f"use {found.use}")
    return code


def _realms(trust: Path | None, options: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the realms of a trust file that is named, or whose root is used, beside a named signer."""
    is_used = options["identity"] is not None and (trust is not None or options["trusted_root"] is None)
    found = load_trust_if_any(trust) if is_used else None
    return {} if found is None else found.realms


def _more(found: ImageVerification) -> dict[str, JSONValue]:
    """Return what JSON tells besides: what to use, and what was named."""
    from pip_warden.oci.names import spelled

    named = found.named
    digest = None if found.use is None or found.use.digest is None else spelled(found.use.digest)
    listed = () if named is None else named.manifests
    return {
        "use": None if found.use is None else str(found.use),
        "digest": digest,
        "index": spelled(named.digest) if named is not None and named.is_index else None,
        "media_type": None if named is None else named.media_type,
        "platforms": [{"platform": each.platform, "digest": spelled(each.digest)} for each in listed],
    }
