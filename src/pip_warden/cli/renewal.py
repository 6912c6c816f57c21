"""``pip-warden trust update NAME --expires YYYY-MM-DD``: what is pinned by hash stays so for longer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pip_warden.cli.common import load_trust
from pip_warden.cli.edited import edited_by, print_pins
from pip_warden.display import escape_text
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.trust.editing.terms import Terms
    from pip_warden.trust.model import HashEntry

_OTHERS = ("locks", "requirements", "latest", "cool_down", "keep")


def renew(names: tuple[str, ...], trust: Path | None, options: Mapping[str, Any], *, yes: bool) -> int:
    """Show what is renewed, ask, write it, and return the exit code; nothing is fetched or moved.

    Raises:
        UsageError: ``usage``, ``expires-past``, ``not-in-trust-file``, ``yes-needed``.
        RefusedError: ``declined``.
    """
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import settings_of
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.upkeep.renewal import check_terms, draft_renewal, exemptions_of
    from pip_warden.names import parse_name_or_release
    from pip_warden.report.edited import report_of
    from pip_warden.session.settings import today
    from pip_warden.trust.editing.terms import Terms

    if any(options[name] for name in _OTHERS):
        raise UsageError(
            "usage",
            "expected --expires and --reason with names alone, found what moves releases, too",
            hint="Renew first, then move: two commands.",
        )
    wanted, day = [parse_name_or_release(name) for name in names], today(settings_of(options))
    expires = options["expires"]
    terms = Terms(expires=expires and expires.date(), reason=(options["reason"] or "").strip())
    check_terms(wanted, terms, day)
    loaded, person = load_trust(trust), TerminalPrompt.of(options)
    draft = Draft(loaded.path)
    entries = exemptions_of(draft.trust(), wanted)
    for entry in entries:
        person.show(_told(entry, terms, day))
    if not yes and any(terms.of(entry) != entry for entry in entries):
        person.confirm("Is a hash still enough for this?")
    draft_renewal(draft, entries, terms)
    person.show(draft.write(person))
    edited = edited_by("trust update", draft, person)
    return print_pins(edited, report_of(edited), person, options["reports"])


def _told(entry: HashEntry, terms: Terms, day: date) -> str:
    from pip_warden.report.summary import counted

    new = terms.of(entry)
    over = " (over)" if entry.is_over(day) else ""
    lines = [f"{entry.project} {entry.version}  by hash, {counted(len(entry.files), 'file', 'files')}"]
    if new.expires != entry.expires:
        lines.append(f"  until   {new.expires}, was {entry.expires or 'without an end'}{over}")
    if new.reason == entry.reason:
        lines.append(f"  reason  {escape_text(entry.reason, 2000)}")
    else:
        lines.append(f"  reason  {escape_text(new.reason, 2000)}, was {escape_text(entry.reason, 2000)}")
    return "\n".join(lines)
