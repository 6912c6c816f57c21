"""``pip-warden trust add``: see who publishes a package, and pin that; or pin who signs images."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    mirror_option,
    trust_option,
    typed_command,
)
from pip_warden.cli.edited import edited_by, print_pins
from pip_warden.cli.examples import examples
from pip_warden.cli.pinning import open_task, path_to_write
from pip_warden.cli.reports import report_options
from pip_warden.cli.trust_add_image import add_image, check_of_packages, image_options

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.task import PinRequest
    from pip_warden.session.settings import Settings
    from pip_warden.trust.model import Source


@click.command(
    "add",
    epilog=examples(
        "pip-warden trust add acme-widgets --source https://gitlab.com \\\n    --project acme/widgets",
        "pip-warden trust add idna==3.20 --source https://pypi.org/simple \\\n"
        '    --hash --reason "not signed; reviewed"',
        "pip-warden trust add --image registry.gitlab.com/acme/app:1.0",
    ),
)
@click.argument("names", nargs=-1, metavar="NAME[==VERSION]…")
@trust_option
@click.option("--source", metavar="NAME|URL", help="A source of the trust file, or the URL of a new one.")
@click.option(
    "--project", metavar="PATH", help="The GitLab project that publishes it: group/project, or its id."
)
@click.option(
    "--group", metavar="PATH", help="A GitLab group: ask it which project publishes it (needs GITLAB_TOKEN)."
)
@click.option(
    "--identity", "--certificate-identity", "--cert-identity", metavar="SUBJECT", help="Pin this signer."
)
@click.option(
    "--issuer", "--certificate-oidc-issuer", "--cert-oidc-issuer", metavar="URL", help="Its OIDC issuer."
)
@click.option(
    "--build-trigger",
    "build_triggers",
    multiple=True,
    metavar="TRIGGER",
    help="With --identity: what may start its pipeline; else what was seen.",
)
@image_options
@click.option(
    "--from-history",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Pin the strictest that the last N releases satisfy.",
)
@click.option(
    "--hash", "by_hash", is_flag=True, help="Pin every file of the release by digest: what, not who."
)
@click.option("--reason", default="", help="Why a hash is enough; else hash-reason of the source.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="With --hash: the last day (UTC) on which it is enough.",
)
@click.option(
    "-r",
    "--requirement",
    "requirements",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --hash: pin every name==version of a requirements file.",
)
@click.option(
    "--trusted-root",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Sigstore trusted root to pin; else that of the public-good instance, fetched once.",
)
@click.option("--yes", "-y", is_flag=True, help="Pin without asking, if nothing speaks against it.")
@mirror_option
@report_options
@connection_options
@color_option
def command(*, trust: Path | None, **options: Any) -> int:
    """Show who signed the newest release of NAME, ask, and pin that signer.

    The first call makes pytrust.toml: give it --source with the URL of your GitLab (or of a simple index
    such as https://pypi.org/simple). In a tag ref the version becomes {version}: each has its own tag.
    With --image, it is who signed that image, else the one of the highest version. A signer who is named
    for a repository without a tag is pinned without a look at its images.
    """
    if options["image"] is not None:
        return add_image(trust, options)
    check_of_packages(options)
    return _add(_request(options), path_to_write(trust), options)


def _request(options: dict[str, Any]) -> PinRequest:
    from pip_warden.first_use.task import PinRequest

    expires: datetime | None = options["expires"]
    names = {field.name for field in fields(PinRequest)} - {"expires", "typed"}
    return PinRequest(
        **{name: options[name] for name in names},
        expires=expires and expires.date(),
        typed=typed_command(),
    )


def _add(wanted: PinRequest, path: Path, options: dict[str, Any]) -> int:
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import settings_of
    from pip_warden.first_use.add import add_all, check_reason, check_wanted
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.source import choose_source

    check_wanted(wanted)
    person = TerminalPrompt.of(options)
    draft = Draft(path)
    check_reason(wanted, draft.trust().sources)
    is_gitlab = bool(wanted.project or wanted.group)
    source = choose_source(wanted.source, draft.trust().sources, gitlab=is_gitlab)
    check_reason(wanted, (source,))
    draft.add_source(source)
    settings = settings_of(options)
    mirrors = _mirrors(draft, source, settings, person)
    place = replace(source, mirror=mirrors.get(source.name))
    with open_task(wanted, draft, [place], mirrors, settings, person) as task:
        add_all(task)
    return _written(draft, person, mirrors, options["reports"])


def _written(draft: Draft, person: TerminalPrompt, mirrors: dict[str, str], reports: Reports) -> int:
    from pip_warden.report.edited import report_of

    person.clear()
    person.show(draft.write(person))
    edited = edited_by("trust add", draft, person, mirrors=mirrors)
    return print_pins(edited, report_of(edited), person, reports)


def _mirrors(draft: Draft, source: Source, settings: Settings, person: TerminalPrompt) -> dict[str, str]:
    """Return this machine's mirrors by source, and name the one that is used."""
    from pip_warden.session.mirrors import mirrors_of

    mirrors = mirrors_of(draft.trust().sources, settings)
    if source.name in mirrors:
        person.note(f"pages and files of {source.name} come from the mirror {mirrors[source.name]}")
    return mirrors
