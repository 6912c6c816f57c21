"""``pip-warden trust prune``: take out what nothing needs, and replace exemptions by who signs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import connection_options, format_option, mirror_option, trust_option
from pip_warden.cli.edited import edited_by, print_edited
from pip_warden.cli.examples import examples
from pip_warden.cli.needs import need_options, needs_from
from pip_warden.cli.upkeep import check_named, open_upkeep, table_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.needs import Needs
    from pip_warden.first_use.upkeep.opened import Upkeep
    from pip_warden.first_use.upkeep.prune import Offer, Removal
    from pip_warden.names import ProjectName


@click.command("prune", epilog=examples("pip-warden trust prune --lock uv.lock"))
@trust_option
@need_options
@click.option("--hash-only", is_flag=True, help="Do not ask whether there is evidence by now.")
@click.option("--yes", "-y", is_flag=True, help="Remove without asking; nothing is replaced then.")
@mirror_option
@format_option
@connection_options
@color_option
def command(*, trust: Path | None, hash_only: bool, yes: bool, **options: Any) -> int:
    """Take out pins that nothing needs and exemptions that have ended.

    Exemptions for which there is evidence by now are offered to be replaced by who signed it. Without a lock
    or requirements, nothing is said of what is needed.
    """
    with open_upkeep(trust, options) as (upkeep, person):
        why = _prune(upkeep, person, _needs(upkeep, options), asks=not hash_only, yes=yes)
        edited = edited_by("trust prune", upkeep.draft, person, why=why, mirrors=upkeep.mirrors)
        return print_edited(edited, person)


def _needs(upkeep: Upkeep, options: dict[str, Any]) -> Needs | None:
    from pip_warden.locks.read import find_locks

    if not (options["locks"] or options["requirements"] or find_locks(Path())):
        upkeep.person.note("there is no lock here, so nothing is known of what is needed")
        return None
    check_named(upkeep.draft.path, options)
    return needs_from(options, upkeep.trust().sources, upkeep.person)


def _prune(
    upkeep: Upkeep, person: TerminalPrompt, needs: Needs | None, *, asks: bool, yes: bool
) -> dict[tuple[ProjectName, Version | None], str]:
    """Show what may go, ask, write it, and return why each goes."""
    from pip_warden.first_use.upkeep.prune import draft_removals, offers, removals

    offered = offers(upkeep, needs) if asks else ()
    person.clear()
    kept = {(offer.package.project, version) for offer in offered for version in offer.versions if not yes}
    found = removals(upkeep.draft.trust(), needs, upkeep.today)
    chosen = [each for each in found if (each.project, each.version) not in kept]
    if chosen:
        person.show(
            table_text(("package", "release", "why"), [_row(each) for each in chosen], person.shown_on)
        )
        if not yes:
            person.confirm(f"Remove {'these pins' if len(chosen) > 1 else 'this pin'}?")
        draft_removals(upkeep, chosen)
    replaced = _replaced(upkeep, offered, yes=yes)
    if chosen or replaced:
        person.show(upkeep.draft.write(person))
        person.show("`pip-warden trust diff` says what that means")
    elif not offered:
        person.show(f"nothing to prune in {upkeep.draft.path}")
    why: dict[tuple[ProjectName, Version | None], str] = {
        (offer.package.project, version): "a pinned signer decides from then on"
        for offer in offered
        for version in offer.versions
    }
    return why | {(each.project, each.version): each.why for each in chosen}


def _replaced(upkeep: Upkeep, offered: Sequence[Offer], *, yes: bool) -> bool:
    """Offer to replace exemptions, and return whether one is replaced."""
    from pip_warden.first_use.upkeep.prune import replace_by_identity

    is_replaced = False
    for offer in offered:
        project = offer.package.project
        versions = ", ".join(map(str, offer.versions))
        if yes:
            upkeep.person.warning(
                f"there is evidence now for {project} {versions}, pinned by hash; "
                "without --yes, who signed it is shown, and can be pinned instead"
            )
            continue
        upkeep.person.show(f"{project} {versions} is pinned by hash, and there is evidence for it now")
        is_replaced |= replace_by_identity(upkeep, offer)
    return is_replaced


def _row(removal: Removal) -> list[str]:
    return [str(removal.project), str(removal.version or "every pin"), removal.why]
