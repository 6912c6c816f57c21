"""``pip-warden trust update``: move what is pinned by hash to the releases that are needed now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import connection_options, mirror_option, trust_option
from pip_warden.cli.edited import edited_by, print_pins
from pip_warden.cli.examples import examples
from pip_warden.cli.needs import need_options, needs_from
from pip_warden.cli.reports import report_options
from pip_warden.cli.upkeep import check_named, open_upkeep, table_text
from pip_warden.display import some_of
from pip_warden.errors import RefusedError, UsageError, WardenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pip_warden.cli.outputs import Reports
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.upkeep.opened import Upkeep
    from pip_warden.first_use.upkeep.update import Move, UpdateRequest

_COOL_DOWN = 7
"""Days."""
_NAMED = 5
"""How many names a line lists."""


@click.command(
    "update",
    epilog=examples(
        "pip-warden trust update --lock uv.lock",
        "pip-warden trust update idna --latest",
        "pip-warden trust update idna --expires 2027-06-30",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME…]")
@trust_option
@need_options
@click.option("--latest", is_flag=True, help="Move to the newest final releases, not to those of a lock.")
@click.option(
    "--cool-down",
    type=click.IntRange(0, 3650),
    metavar="DAYS",
    help=f"With --latest: how old every file must be by its index.  [default: {_COOL_DOWN}]",
)
@click.option(
    "--keep",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="Keep so many older releases of each.",
)
@click.option("--hash-only", is_flag=True, help="Do not ask whether there is evidence by now.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Renew NAME (or NAME==VERSION) as it is: its new last day (UTC).",
)
@click.option("--reason", help="Renew NAME as it is: why a hash is enough.")
@click.option("--yes", "-y", is_flag=True, help="Change the trust file without asking.")
@mirror_option
@report_options
@connection_options
@color_option
def command(*, names: tuple[str, ...], trust: Path | None, latest: bool, yes: bool, **options: Any) -> int:
    """Move exemptions (what is pinned by hash) to the versions that the lock or requirements name.

    What nothing needs any more is dropped; what is pinned by identity stays as it is. A file is pinned only
    where lock and index state the same digest. Without NAME, every exemption is looked at. With --expires or
    --reason nothing is moved: the exemptions of NAME stay as they are, on other terms.
    """
    from pip_warden.first_use.upkeep.update import moves

    _check_options(options, latest=latest)
    if options["expires"] is not None or options["reason"] is not None:
        from pip_warden.cli.renewal import renew

        return renew(names, trust, options | {"latest": latest}, yes=yes)
    with open_upkeep(trust, options) as (upkeep, person):
        request = _request(upkeep, names, options, latest=latest)
        found = moves(upkeep, request)
        person.clear()
        try:
            _update(upkeep, person, request, found, yes=yes)
        except WardenError as err:
            return _ended(upkeep, person, request, found, options["reports"], err)
        return _ended(upkeep, person, request, found, options["reports"])


def _check_options(options: dict[str, Any], *, latest: bool) -> None:
    if latest and (options["locks"] or options["requirements"]):
        raise UsageError("usage", "expected --latest, or a lock or requirements, found both")
    if options["cool_down"] is not None and not latest:
        raise UsageError("usage", "expected --cool-down together with --latest, found it alone")


def _request(
    upkeep: Upkeep, names: tuple[str, ...], options: dict[str, Any], *, latest: bool
) -> UpdateRequest:
    from datetime import timedelta

    from pip_warden.first_use.upkeep.update import UpdateRequest
    from pip_warden.names import parse_project_name

    if not latest:
        check_named(upkeep.draft.path, options)
    days = _COOL_DOWN if options["cool_down"] is None else options["cool_down"]
    return UpdateRequest(
        names=tuple(map(parse_project_name, names)),
        needs=None if latest else needs_from(options, upkeep.trust().sources, upkeep.person),
        cool_down=timedelta(days=days),
        keep=options["keep"],
        by_hash=options["hash_only"],
    )


def _update(
    upkeep: Upkeep, person: TerminalPrompt, request: UpdateRequest, found: Sequence[Move], *, yes: bool
) -> None:
    """Show what becomes of each package, ask, and write it."""
    refused = [move for move in found if move.refusal is not None]
    changed = [move for move in found if move.refusal is None and not move.is_idle]
    if changed:
        headings = ("package", "pinned", "will be", "files", "why")
        person.show(table_text(headings, [_row(move) for move in changed], person.shown_on))
    _tell_evidence(upkeep, changed)
    for move in refused:
        assert move.refusal is not None  # noqa: S101 -- chosen so
        person.warning(
            f"{move.package.project} stays as it is: {move.refusal.message}  [{move.refusal.code}]"
        )
    _tell_unpinned(upkeep, request)
    if refused and request.needs is not None:
        raise _as_a_whole(refused)
    if changed:
        if not yes:
            person.confirm(f"Change the pins of {_counted(changed)}?")
        upkeep.draft.replace_hashes({move.package.project: move.releases for move in changed})
        person.show(upkeep.draft.write(person))
        person.show("`pip-warden trust diff` says what that means")
    elif not refused:
        person.show(f"nothing to update: {_counted(found)} pinned by hash, as needed")


def _ended(
    upkeep: Upkeep,
    person: TerminalPrompt,
    request: UpdateRequest,
    found: Sequence[Move],
    reports: Reports,
    error: WardenError | None = None,
) -> int:
    """Tell what became of each package, and raise what ended the run."""
    from pip_warden.first_use.needs import places_of_needs
    from pip_warden.report.edited import report_of

    edited = edited_by(
        "trust update",
        upkeep.draft,
        person,
        why={(move.package.project, None): _why(move) for move in found},
        refused=[(move.package.project, move.refusal) for move in found if move.refusal is not None],
        mirrors=upkeep.mirrors,
    )
    report = report_of(
        edited, error, () if request.needs is None else places_of_needs(request.needs.projects)
    )
    return print_pins(edited, report, person, reports, error)


def _as_a_whole(refused: Sequence[Move]) -> WardenError:
    """Return the error of the first package: the lock needs all of them, so nothing is changed."""
    found = [move.refusal for move in refused if move.refusal is not None]
    first = min(found, key=lambda each: not isinstance(each, RefusedError))
    kind = RefusedError if isinstance(first, RefusedError) else UsageError
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return kind(first.code, f"{first.message}{more}", hint=f"The trust file is unchanged. {first.hint}")


def _row(move: Move) -> list[str]:
    before, after = move.package.releases, move.releases
    files = sum(len({*after[version]} - {*before.get(version, ())}) for version in move.new)
    return [
        str(move.package.project),
        ", ".join(map(str, before)),
        ", ".join(map(str, sorted(after))) or "nothing",
        f"{files} new" if files else "",
        _why(move),
    ]


def _why(move: Move) -> str:
    """Say where what is new is needed, or why releases go where nothing takes their place."""
    if move.new:
        return move.where or "the newest release"
    if move.package.is_signed:
        return "a pinned signer decides from then on"
    return "nothing needs the others" if move.releases else "nothing needs it"


def _counted(found: Sequence[Move]) -> str:
    from pip_warden.report.summary import counted

    return counted(len(found), "package", "packages")


def _tell_unpinned(upkeep: Upkeep, request: UpdateRequest) -> None:
    """Say what an install will refuse although all that is pinned is as needed."""
    names = () if request.needs is None or request.names else request.needs.unpinned(upkeep.draft.trust())
    if names:
        shown = some_of(names, _NAMED)
        upkeep.person.warning(f"needed and not pinned: {shown}; `pip-warden trust sync` pins that")


def _tell_evidence(upkeep: Upkeep, changed: Sequence[Move]) -> None:
    signed = [f"{move.package.project} {move.new[-1]}" for move in changed if move.evidence.is_there]
    if signed:
        upkeep.person.warning(
            f"there is evidence now for {', '.join(signed)}: "
            "`pip-warden trust prune` offers to pin who signs it"
        )
    unknown = [move for move in changed if move.evidence.unknown is not None]
    if unknown:
        names = ", ".join(str(move.package.project) for move in unknown)
        upkeep.person.warning(
            f"whether there is evidence by now could not be told of {names}: {unknown[0].evidence.unknown}"
        )
