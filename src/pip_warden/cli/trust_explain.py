"""``pip-warden trust explain``: who may publish a package, in words."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import layout_of, text_columns
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.explained import Section
    from pip_warden.trust.model import TrustFile

_WIDEST_PROSE = 100
"""Columns: longer lines are hard to read."""


@click.command("explain", epilog=examples("pip-warden trust explain acme-widgets"))
@click.argument("name")
@trust_option
@format_option
@color_option
def command(*, name: str, trust: Path | None, output_format: str) -> None:
    """Say in words who may publish NAME, from where, what is required, exempt and revoked.

    What has a slash is a repository of images: registry.example.com/acme/app.
    """
    loaded = load_trust(trust)
    kind, of = ("image", _image) if "/" in name else ("package", _package)
    subject, sections = of(name, loaded)
    if output_format == "json":
        from pip_warden.report.document import document

        told: dict[str, JSONValue] = {
            "trust_file": str(loaded.path),
            kind: subject,
            "sections": {section.key: list(section.lines) for section in sections},
        }
        print(document("trust explain", told))
        return
    layout = layout_of(sys.stdout)
    prose = replace(layout, width=min(_WIDEST_PROSE, text_columns(sys.stdout)))
    print("\n".join(layout.line((subject, "strong"), f"  by {escape_text(str(loaded.path), 500)}")))
    for section in sections:
        print("\n".join(["", *layout.line((section.title, "strong"))]))
        for line in section.lines:
            print("\n".join(prose.line(f"* {escape_text(line, 2000)}", indent=2, hang=4)))


def _package(name: str, trust: TrustFile) -> tuple[str, tuple[Section, ...]]:
    from pip_warden.names import parse_project_name
    from pip_warden.session.mirrors import mirrored, mirrors_of
    from pip_warden.session.settings import Settings, today
    from pip_warden.trust.explained import explained
    from pip_warden.trust.suggest import not_in_trust_file

    project = parse_project_name(name)
    if project not in {*trust.projects, *(each.project for each in trust.revoked)}:
        raise not_in_trust_file(project, trust)
    settings = Settings.from_environment()
    here = mirrored(trust, mirrors_of(trust.sources, settings))
    return project, explained(project, here, today(settings))


def _image(name: str, trust: TrustFile) -> tuple[str, tuple[Section, ...]]:
    from pip_warden.oci.names import parse_repository
    from pip_warden.trust.explained import explained_image
    from pip_warden.trust.suggest import image_not_in_trust_file

    repository = parse_repository(name)
    entry = trust.image_entry(repository)
    if entry is None:
        raise image_not_in_trust_file(repository, trust)
    return str(repository), explained_image(entry, trust)
