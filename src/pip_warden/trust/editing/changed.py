"""What every edit of a trust file ends with: the text is validated, and only what was meant has changed.

TOML can be written in ways (tables out of order, arrays as values) that an editor may understand wrongly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from pip_warden.errors import TrustFileError, UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.arrays import uneditable
from pip_warden.trust.editing.statements import end_of_line
from pip_warden.trust.file import parse
from pip_warden.trust.model import Entry, HashEntry, Identity, TrustFile
from pip_warden.trust.suggest import nothing_to_change


def appended(text: str, block: str, before: TrustFile) -> str:
    """Append a table after a blank line; all that was there stays as it is.

    Raises:
        UsageError: ``trust-file-uneditable``.
        TrustFileError: The result is not a valid trust file.
    """
    added = with_block(text, block)
    after = _parsed(added, before.path)
    old, new = (
        {*trust.roots, *trust.sources, *trust.entries, *trust.images, *trust.revoked}
        for trust in (before, after)
    )
    if not old < new:
        raise uneditable(before.path)
    return added


def with_block(text: str, block: str) -> str:
    """Return a text with a table after a blank line; its lines end as the others do."""
    end = end_of_line(text)
    last = "" if text.endswith("\n") else end
    return f"{text}{last}{end}" + block.replace("\n", end)


def checked_as(text: str, expected: TrustFile) -> str:
    """Check that an edited text means exactly what it should; only the order of files and entries is free.

    Raises:
        UsageError: ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file.
    """
    after = _parsed(text, expected.path)
    if _compared(after) != _compared(expected):
        raise uneditable(expected.path)
    return text


def conflict(
    what: str, expected: str, found: str, change: str = "change the trust file by hand"
) -> UsageError:
    """Return the error for a pin that says something else than the one that is there."""
    return UsageError(
        "pin-conflict",
        f"expected {what} as the trust file has it ({expected}), found {found}",
        hint=f"A pin is never replaced silently: review why it differs, then {change}.",
    )


def another_signer(what: str, old: tuple[Identity, ...], new: tuple[Identity, ...]) -> UsageError:
    """Return the error for a pin by identity that says something else than the one that is there."""
    signers = ", ".join(identity.subject.text for identity in old)
    return conflict(what, signers, new[0].subject.text)


def changed_meanwhile(path: Path) -> UsageError:
    """Return the error for a trust file that is not as it was when a command began."""
    return UsageError(
        "trust-file-changed",
        f"expected {path} as it was when this command began, found it changed",
        hint="The other change is kept. Run the command again.",
    )


def absent(what: str) -> UsageError:
    """Return the error for what should be changed and is not there."""
    return UsageError(
        "not-in-trust-file",
        f"expected the {what} in the trust file, found none",
        hint="`pip-warden trust list` shows what is pinned.",
    )


def absent_pin(what: str, project: ProjectName, trust: TrustFile) -> UsageError:
    """Return the error for a pin that is not there; where none of the name is, with the names it may mean."""
    return absent(what) if trust.entries_of(project) else nothing_to_change(project, trust)


def _parsed(text: str, path: Path) -> TrustFile:
    """Read an edited text; one that is no TOML was not so before, so it is no fault of the user's file."""
    try:
        return parse(text, path)
    except TrustFileError as err:
        if err.code == "trust-file-not-toml":
            raise uneditable(path) from err
        raise


def _compared(trust: TrustFile) -> tuple[object, ...]:
    entries = Counter(map(_with_sorted_files, trust.entries))
    return trust.roots, trust.sources, trust.revoked, entries, Counter(trust.images)


def _with_sorted_files(entry: Entry) -> Entry:
    return replace(entry, files=tuple(sorted(entry.files))) if isinstance(entry, HashEntry) else entry
