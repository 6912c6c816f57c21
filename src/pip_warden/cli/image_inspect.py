"""``pip-warden image inspect``: what a registry says of an image, without proof."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust_if_any, registry_options, trust_option
from pip_warden.cli.examples import examples
from pip_warden.display import escape_text, without_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from pip_warden.image.inspect import ClaimedEvidence, InspectedImage
    from pip_warden.oci.manifest import Descriptor
    from pip_warden.report.layout import Layout
    from pip_warden.strict_json import JSONValue

_MOST_LISTED = 20
_TEXT = 300


@click.command(
    "inspect",
    short_help="Say what a registry claims of an image.",
    epilog=examples("pip-warden image inspect registry.example.com/acme/app:1.0"),
)
@click.argument("reference", metavar="REF")
@trust_option
@format_option
@registry_options
@color_option
def command(*, reference: str, trust: Path | None, output_format: str, **options: Any) -> int:
    """Say what the registry claims of the image REF, unverified: its platforms, and who claims to sign it.

    Nothing is proved by it; `pip-warden image verify` does that. A trust file is not needed.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import settings_of
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.cli.style import layout_of
    from pip_warden.image.inspect import inspect_image
    from pip_warden.oci.names import parse_image
    from pip_warden.session.images import open_images
    from pip_warden.trust.roots import PinnedRoots

    image = parse_image(reference)
    trusted = load_trust_if_any(trust)
    console = Console.of(options)
    with open_images(trusted, settings_of(options), console, hold=deferring_signals) as parts:
        roots = PinnedRoots(() if trusted is None else trusted.roots)
        found = inspect_image(parts, image, trusted, roots)
    console.clear()
    if output_format == "json":
        from pip_warden.report.document import document

        print(document("image inspect", _as_json(found)))
    else:
        print("\n".join(_text(found, layout_of(sys.stdout))))
    return 0


def _text(found: InspectedImage, layout: Layout) -> Iterator[str]:
    from pip_warden.oci.names import spelled

    manifest = found.manifest
    yield from layout.line(("UNVERIFIED", "unknown"), f": what the registry says of {found.name}")
    put = layout.labelled
    yield from put("digest      ", spelled(manifest.digest), indent=2)
    yield from put("media type  ", manifest.media_type, indent=2)
    yield from put("size        ", _size(found), indent=2)
    listed = [f"{each.platform or 'no platform'}  {spelled(each.digest)}" for each in manifest.manifests]
    noted = [f"{_short(key)} = {_short(value)}" for key, value in manifest.annotations.items()]
    for label, lines in (("platform    ", listed), ("annotation  ", noted)):
        for line in lines[:_MOST_LISTED]:
            yield from put(label, line, indent=2)
        if len(lines) > _MOST_LISTED:
            yield from put(label, f"and {len(lines) - _MOST_LISTED} more", indent=2)
    yield from layout.line("evidence" if found.evidence else "evidence    none", indent=2)
    for each in found.evidence:
        yield from _evidence(each, layout)
    yield from layout.line(f"To prove who signed it: `pip-warden image verify {found.name}`.")


def _evidence(found: ClaimedEvidence, layout: Layout) -> Iterator[str]:
    kind = f"  {_short(found.claimed_type)}" if found.claimed_type else ""
    yield from layout.line(f"{_short(found.label)}{kind}", indent=4)
    if found.claimed_subject is not None:
        who = f"{_short(found.claimed_subject, 2000)}, issuer {_short(found.claimed_issuer or '')}"
        yield from layout.labelled("claims to be signed by ", who, indent=6)
    if found.claimed_logged_at is not None:
        yield from layout.line(
            f"claims to be logged at {found.claimed_logged_at:%Y-%m-%d %H:%M} UTC", indent=6
        )
    for key, value in found.claimed_annotations[:_MOST_LISTED]:
        yield from layout.line(f"{_short(key)} = {_short(value)}", indent=6)
    if found.fault is not None:
        fault = found.fault
        text = f"expected {_short(fault.expected)}, found {_short(fault.found)}"
        yield from layout.labelled(("no evidence: ", "bad"), f"[{fault.code}] {text}", indent=6)


def _size(found: InspectedImage) -> str:
    from pip_warden.report.summary import counted

    manifest, layers = found.manifest, found.manifest.layers
    own = f"{len(manifest.content)} bytes"
    if manifest.is_index:
        return own
    return f"{own}; {counted(len(layers), 'layer', 'layers')} of {sum(each.size for each in layers)} bytes"


def _short(text: str, limit: int = _TEXT) -> str:
    return escape_text(without_credentials(text), limit)


def _as_json(found: InspectedImage) -> dict[str, JSONValue]:
    from pip_warden.cli.inspected import bare
    from pip_warden.oci.names import spelled

    manifest = found.manifest
    return {
        "verified": False,
        "image": str(found.name),
        "repository": str(found.name.repository),
        "tag": found.name.tag,
        "digest": spelled(manifest.digest),
        "media_type": manifest.media_type,
        "size": len(manifest.content),
        "layers": [_descriptor(each) for each in manifest.layers],
        "platforms": [{"platform": each.platform, **_descriptor(each)} for each in manifest.manifests],
        "annotations": bare(dict(manifest.annotations)),
        "evidence": [bare(_evidence_json(each)) for each in found.evidence],
    }


def _descriptor(of: Descriptor) -> dict[str, JSONValue]:
    from pip_warden.oci.names import spelled

    return {"digest": spelled(of.digest), "media_type": of.media_type, "size": of.size}


def _evidence_json(found: ClaimedEvidence) -> JSONValue:
    logged, fault = found.claimed_logged_at, found.fault
    return {
        "evidence": found.label,
        "form": found.form.value,
        "claimed_predicate_type": found.claimed_type,
        "claimed_subject": found.claimed_subject,
        "claimed_issuer": found.claimed_issuer,
        "claimed_annotations": dict(found.claimed_annotations),
        "claimed_logged_at": None if logged is None else logged.isoformat(),
        "fault": None
        if fault is None
        else {"code": fault.code, "expected": fault.expected, "found": fault.found},
    }
