"""``pip-warden trust explain``: who may publish a package, in words."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import layout_of, text_columns
from pip_warden.display import escape_text

_WIDEST_PROSE = 100
"""Columns: longer lines are hard to read."""


@click.command("explain", epilog=examples("pip-warden trust explain acme-widgets"))
@click.argument("name")
@trust_option
@format_option
@color_option
def command(*, name: str, trust: Path | None, output_format: str) -> None:
    """Say in words who may publish NAME, from where, what is required, exempt and revoked."""
    from pip_warden.names import parse_project_name
    from pip_warden.session.mirrors import mirrored, mirrors_of
    from pip_warden.session.settings import Settings, today
    from pip_warden.trust.explained import explained
    from pip_warden.trust.suggest import not_in_trust_file

    loaded, project = load_trust(trust), parse_project_name(name)
    if project not in {*loaded.projects, *(each.project for each in loaded.revoked)}:
        raise not_in_trust_file(project, loaded)
    settings = Settings.from_environment()
    here = mirrored(loaded, mirrors_of(loaded.sources, settings))
    sections = explained(project, here, today(settings))
    if output_format == "json":
        document = {
            "schema_version": 1,
            "command": "trust explain",
            "exit_code": 0,
            "trust_file": str(loaded.path),
            "package": project,
            "sections": {section.key: list(section.lines) for section in sections},
        }
        print(json.dumps(document, indent=2))
        return
    layout = layout_of(sys.stdout)
    prose = replace(layout, width=min(_WIDEST_PROSE, text_columns(sys.stdout)))
    print("\n".join(layout.line((project, "strong"), f"  by {escape_text(str(loaded.path), 500)}")))
    for section in sections:
        print("\n".join(["", *layout.line((section.title, "strong"))]))
        for line in section.lines:
            print("\n".join(prose.line(f"* {escape_text(line, 2000)}", indent=2, hang=4)))
