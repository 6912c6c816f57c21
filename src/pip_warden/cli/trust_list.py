"""``pip-warden trust list``: what is pinned, one line a package or a repository of images."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import layout_of, print_block
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.overview import PinnedImage, PinnedPackage

_HEADINGS = ("package", "pinned by", "who or what", "trigger", "since", "until", "source")
_USUAL = ("push",)
"""What is required where a pin says nothing, so the table says nothing."""
_GAP = 2
"""Columns between two of a table."""


@click.command("list", epilog=examples("pip-warden trust list"))
@trust_option
@format_option
@color_option
def command(*, trust: Path | None, output_format: str) -> None:
    """List every package and image: who may publish it or which releases are pinned, and until when."""
    from pip_warden.session.mirrors import mirrors_of
    from pip_warden.session.settings import Settings, utc_now
    from pip_warden.trust.overview import pinned_images, pinned_packages

    loaded = load_trust(trust)
    packages, images, today = pinned_packages(loaded), pinned_images(loaded), utc_now().date()
    mirrors = mirrors_of(loaded.sources, Settings.from_environment())
    if output_format == "json":
        from pip_warden.report.document import document

        told: dict[str, JSONValue] = {
            "trust_file": str(loaded.path),
            "packages": [_as_json(package, today) for package in packages],
            "images": [_image_as_json(image) for image in images],
            "mirrors": [{"source": name, "url": url} for name, url in mirrors.items()],
        }
        print(document("trust list", told))
        return
    rows = [_row(package, today) for package in packages] + [_image_row(image) for image in images]
    if rows:
        _print_text(rows)
    else:
        print_block(f"{loaded.path} pins nothing")
    for name, url in mirrors.items():
        print_block(f"{name}: here, pages and files come from the mirror {escape_text(url, 500)}")


def _print_text(rows: list[list[str]]) -> None:
    layout = layout_of(sys.stdout)
    told = [n for n in range(len(_HEADINGS)) if any(row[n] for row in rows)]
    headings, *cells = ([row[n] for n in told] for row in (_HEADINGS, *rows))
    needed = sum(_GAP + max(map(len, column)) for column in zip(headings, *cells, strict=True))
    # A subject that is folded in a narrow column cannot be read.
    if layout.width is None or layout.width >= needed:
        for line in layout.table(headings, cells, indent=0):
            print(line)
        return
    for project, how, what, *rest in rows:
        print_block(f"{project}  by {how}\n  {what}")
        for heading, value in zip(_HEADINGS[3:], rest, strict=True):
            if value:
                print_block(f"  {heading}  {value}")


def _row(package: PinnedPackage, today: date) -> list[str]:
    what = package.signers or tuple(map(str, package.releases))
    over = " (over)" if _is_over(package, today) else ""
    return [
        str(package.project),
        "hash" if package.is_by_hash else "identity",
        ", ".join(escape_text(each, 2000) for each in what),
        _triggers(package.triggers),
        str(package.since or ""),
        f"{package.until}{over}" if package.until else "",
        package.source,
    ]


def _image_row(image: PinnedImage) -> list[str]:
    return [
        str(image.repository),
        "identity",
        ", ".join(escape_text(each, 2000) for each in image.signers),
        _triggers(image.triggers),
        str(image.since or ""),
        str(image.until or ""),
        "",
    ]


def _triggers(triggers: tuple[str, ...]) -> str:
    return "" if triggers == _USUAL else ", ".join(triggers)


def _is_over(package: PinnedPackage, today: date) -> bool:
    """Return whether an exemption has ended: what a signer signed before his last day stays good."""
    return package.is_by_hash and package.until is not None and package.until < today


def _as_json(package: PinnedPackage, today: date) -> dict[str, JSONValue]:
    shape: dict[str, JSONValue] = {"project": package.project, "source": package.source}
    if package.is_by_hash:
        return shape | {
            "kind": "hash",
            "versions": [str(release) for release in package.releases],
            "reason": package.reason,
            "expires": _day(package.until),
            "expired": _is_over(package, today),
        }
    return shape | _signers(package)


def _image_as_json(image: PinnedImage) -> dict[str, JSONValue]:
    return {"repository": str(image.repository)} | _signers(image)


def _signers(pinned: PinnedPackage | PinnedImage) -> dict[str, JSONValue]:
    return {
        "kind": "identity",
        "subjects": list(pinned.signers),
        "build_trigger": list(pinned.triggers),
        "not_before": _day(pinned.since),
        "not_after": _day(pinned.until),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
