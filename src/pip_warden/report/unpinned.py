"""The names that the trust file does not know: one table, and one command that pins them."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.display import escape_text
from pip_warden.report.layout import Layout
from pip_warden.report.model import Report
from pip_warden.trust.suggest import pin_by_hash, pin_by_identity
from pip_warden.verdict.model import Refused

_LONGEST_COMMAND = 1_000_000


def unpinned_names(report: Report, layout: Layout) -> Iterator[str]:
    """Yield the table of a report's unpinned names and the command that pins them.

    Args:
        report: The report; it has such names.
        layout: How it is laid out.
    """
    yield ""
    rows = [(escape_text(name.project), escape_text(name.wanted_by)) for name in report.unpinned]
    yield from layout.table(("not in the trust file", "wanted by"), rows)
    meant = mistaken(report)
    names = [escape_text(name.project) for name in report.unpinned if name.project not in meant]
    if not names:
        return
    yield ""
    yield from layout.line("Pin them; this shows who publishes each one, and asks:")
    yield from _choices(pin_by_identity(names, report.sources, report.trust_file), layout)
    yield from layout.line("For what is not signed:")
    release = f"{names[0] if len(names) == 1 else 'NAME'}==VERSION"
    yield from _choices(pin_by_hash(release, report.sources, report.trust_file), layout)


def mistaken(report: Report) -> set[str]:
    """Return the unpinned names that are close to pinned ones: no command to copy pins them."""
    return {
        line.subject
        for line in report.lines
        if isinstance(line.verdict, Refused) and line.code == "not-pinned" and line.verdict.fault.meant
    }


def _choices(commands: list[str], layout: Layout) -> Iterator[str]:
    """Set commands of which one is to be typed below each other."""
    for number, command in enumerate(commands):
        if number:
            yield from layout.line("or")
        # The path of a trust file may contain anything.
        yield from layout.command(escape_text(command, _LONGEST_COMMAND))
