"""``pip-warden trust add``: see who publishes a package, and pin that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    format_option,
    mirror_option,
    trust_option,
    typed_command,
)
from pip_warden.cli.edited import print_edited
from pip_warden.cli.examples import examples
from pip_warden.cli.pinning import open_task, path_to_write

if TYPE_CHECKING:
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
@format_option
@connection_options
@color_option
def command(
    *,
    names: tuple[str, ...],
    trust: Path | None,
    source: str | None,
    project: str | None,
    group: str | None,
    identity: str | None,
    issuer: str | None,
    by_hash: bool,
    expires: datetime | None,
    requirements: tuple[Path, ...],
    yes: bool,
    **options: Any,
) -> int:
    """Show who signed the newest release of NAME, ask, and pin that signer.

    The first call makes pytrust.toml: give it --source with the URL of your GitLab (or of a simple index
    such as https://pypi.org/simple). In a tag ref the version becomes {version}: each has its own tag.
    """
    from pip_warden.first_use.task import PinRequest

    wanted = PinRequest(
        names=names,
        source=source,
        project=project,
        group=group,
        identity=identity,
        issuer=issuer,
        build_triggers=options["build_triggers"],
        from_history=options["from_history"],
        by_hash=by_hash,
        reason=options["reason"],
        expires=expires and expires.date(),
        requirements=requirements,
        trusted_root=options["trusted_root"],
        yes=yes,
        typed=typed_command(),
    )
    return _add(wanted, path_to_write(trust), options)


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
    return _written(draft, person, mirrors)


def _written(draft: Draft, person: TerminalPrompt, mirrors: dict[str, str]) -> int:
    person.clear()
    person.show(draft.write(person))
    return print_edited("trust add", draft, person, mirrors=mirrors)


def _mirrors(draft: Draft, source: Source, settings: Settings, person: TerminalPrompt) -> dict[str, str]:
    """Return this machine's mirrors by source, and name the one that is used."""
    from pip_warden.session.mirrors import mirrors_of

    mirrors = mirrors_of(draft.trust().sources, settings)
    if source.name in mirrors:
        person.note(f"pages and files of {source.name} come from the mirror {mirrors[source.name]}")
    return mirrors
