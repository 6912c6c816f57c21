"""``pip-warden trust sync``: pin all that a project needs."""

from __future__ import annotations

from dataclasses import replace
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
from pip_warden.cli.needs import mirrors_told, need_options, needs_from, tell_direct, urls_of
from pip_warden.cli.pinning import open_task, path_to_write
from pip_warden.cli.reports import report_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.needs import Need
    from pip_warden.first_use.sync.outcome import SyncOutcome
    from pip_warden.first_use.sync.wishes import Places, Wish
    from pip_warden.first_use.task import PinRequest, Task
    from pip_warden.installer.wanted import Wanted
    from pip_warden.session.settings import Settings
    from pip_warden.trust.model import Source


@click.command(
    "sync",
    epilog=examples(
        "pip-warden trust sync --source https://pypi.org/simple \\\n    --reason 'not signed; locked'",
        "pip-warden trust sync --lock pylock.toml --yes",
    ),
)
@click.argument(
    "project",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="[PROJECT]",
)
@trust_option
@need_options
@click.option(
    "--source", metavar="NAME|URL", help="Where packages come from whose index the lock does not name."
)
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Resolve this extra of PROJECT, too.")
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Resolve this dependency group, too (PEP 735)."
)
@click.option("--python", metavar="PATH", help="Resolve for this interpreter or virtual environment.")
@click.option("--hash-only", is_flag=True, help="Ask for no evidence; pin every file by digest.")
@click.option("--reason", default="", help="Why a hash is enough; else hash-reason of the source.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The last day (UTC) on which a new hash is enough.",
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
def command(
    *,
    project: Path | None,
    trust: Path | None,
    source: str | None,
    reason: str,
    expires: datetime | None,
    trusted_root: Path | None,
    yes: bool,
    **options: Any,
) -> int:
    """Pin all that a project needs and the trust file does not have, as its lock says.

    A package is pinned by who signs it where there is evidence, else by the hashes of the files that the lock
    names, for all platforms. One table shows it, one question is asked. What is pinned already stays. What no
    lock names is resolved once, for this Python, from the metadata of wheels: nothing is built or run.
    """
    from pip_warden.errors import UsageError
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.task import PinRequest

    if project is not None and (options["locks"] or options["requirements"]):
        raise UsageError("usage", "expected PROJECT, or files with --lock and -r, found both")
    wanted = PinRequest(
        names=(),
        source=source,
        reason=reason,
        expires=expires and expires.date(),
        requirements=options["requirements"],
        trusted_root=trusted_root,
        yes=yes,
        typed=typed_command(),
    )
    return _sync(wanted, project, Draft(path_to_write(trust)), options)


def _sync(wanted: PinRequest, project: Path | None, draft: Draft, options: dict[str, Any]) -> int:
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import settings_of

    person = TerminalPrompt.of(options)
    _add_source(draft, wanted)
    settings = settings_of(options)
    places, mirrors = _places(draft, wanted, settings, person)
    with open_task(wanted, draft, places.sources, mirrors, settings, person) as task:
        needs = _needs(task, places, project, options, settings.environ)
        found = _pinned(task, places, needs, person, is_hash_only=options["hash_only"])
    edited = edited_by(
        "trust sync",
        draft,
        person,
        why=found.why,
        refused=[(each.project, each.error) for each in found.unlucky],
        mirrors=mirrors,
    )
    return print_pins(edited, found.report(person.warnings), person, options["reports"], found.error)


def _pinned(
    task: Task, places: Places, needs: Sequence[Need], person: TerminalPrompt, *, is_hash_only: bool
) -> SyncOutcome:
    """Pin what is not pinned, write it, and return what that came to, whatever ended it."""
    from pip_warden.errors import WardenError
    from pip_warden.first_use.sync.outcome import SyncOutcome
    from pip_warden.first_use.sync.run import Sync

    wishes = _wishes(task, places, needs)
    found = SyncOutcome(needs=needs, trust=task.draft.before(), wishes=wishes)
    sync = Sync(task=task, is_hash_only=is_hash_only)
    try:
        pins = sync.pin(wishes) if wishes else []
        person.clear()
        if pins:
            person.show(task.draft.write(person))
    except WardenError as err:
        person.clear()
        return replace(found, unlucky=tuple(sync.unlucky), error=err)
    return replace(found, trust=task.draft.trust(), pins=pins)


def _wishes(task: Task, places: Places, needs: Sequence[Need]) -> tuple[Wish, ...]:
    """Return what is to be pinned, and say how much is already."""
    from pip_warden.first_use.sync.wishes import ended, wishes_of

    trust, person = task.draft.trust(), task.person
    wishes = wishes_of(needs, trust, places)
    total = sum(len(need.releases) for need in needs)
    pinned = total - sum(len(wish.releases) for wish in wishes)
    person.clear()
    for line in ended(needs, trust, task.today):
        person.warning(line)
    if not wishes:
        person.show(f"nothing to do: {_releases(total)} pinned already")
    elif pinned:
        person.note(f"{_releases(pinned)} pinned already")
    return wishes


def _needs(
    task: Task,
    places: Places,
    project: Path | None,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
) -> tuple[Need, ...]:
    """Return what is needed: as the files say, or resolved where they say no versions."""
    from pip_warden.first_use.sync.discovery import WAY_OUT, Discovery
    from pip_warden.first_use.sync.wishes import place_of

    wanted = _unlocked(places, project, options)
    if wanted is None:
        return needs_from(options, places.sources, task.person, project).projects
    for note in wanted.notes:
        task.person.note(note)
    for path in (*(file.path for file in wanted.files), *(project.path for project in wanted.projects)):
        tell_direct(str(path), task.person)
    trust = task.trust()
    discovery = Discovery(
        observer=task.first_use(),
        transport=task.transport,
        place=lambda project: place_of(project, trust, places),
        python=options["python"],
        environ=environ,
    )
    found = discovery.resolve(wanted)
    for named in found.unresolved:
        task.person.warning(f"unresolved, and not pinned: {named.requirement} has no wheel. {WAY_OUT}")
    return found.projects


def _unlocked(places: Places, project: Path | None, options: Mapping[str, Any]) -> Wanted | None:
    """Return what is to be resolved; None where files say all there is to know."""
    from pip_warden.errors import UsageError
    from pip_warden.first_use.sync.project import Choice
    from pip_warden.first_use.sync.wanted import unlocked

    choice = Choice(extras=options["extras"], groups=options["groups"])
    found = None
    if not options["locks"]:
        found = unlocked(options["requirements"], project, urls_of(places.sources), choice)
    elif choice != Choice():
        raise UsageError("usage", "expected --extra and --group without --lock, found both")
    if found is None and options["python"] is not None:
        raise UsageError(
            "usage",
            "expected --python with something to resolve, found files that say every version",
            hint="They are pinned as they are, for all of their platforms.",
        )
    return found


def _add_source(draft: Draft, wanted: PinRequest) -> None:
    """Add the source that is named, with the reason, which then need not be said of each package."""
    from pip_warden.first_use.source import choose_source

    if wanted.source is None:
        return
    known = draft.trust().sources
    source = choose_source(wanted.source, known, gitlab=False)
    if source not in known:
        source = replace(source, hash_reason=wanted.reason.strip())
    draft.add_source(source)


def _places(
    draft: Draft, wanted: PinRequest, settings: Settings, person: TerminalPrompt
) -> tuple[Places, Mapping[str, str]]:
    """Return where packages may come from, and this machine's mirrors by source."""
    from pip_warden.first_use.source import choose_source
    from pip_warden.first_use.sync.wishes import Places
    from pip_warden.session.mirrors import mirrored

    trust = draft.trust()
    mirrors = mirrors_told(trust.sources, settings, person)
    sources: tuple[Source, ...] = mirrored(trust, mirrors).sources
    is_named = wanted.source is not None
    is_clear = is_named or len(sources) < 2  # of none it says what to do
    default = choose_source(wanted.source, sources, gitlab=False) if is_clear else None
    return Places(sources=sources, default=default, is_named=is_named), mirrors


def _releases(number: int) -> str:
    return "1 release is" if number == 1 else f"{number} releases are"
