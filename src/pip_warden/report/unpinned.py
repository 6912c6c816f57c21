"""The names that the trust file does not know: one table, and one command that pins them."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.display import shown
from pip_warden.report.layout import Layout
from pip_warden.report.model import Report


def unpinned_names(report: Report, layout: Layout) -> Iterator[str]:
    """Yield the table of a report's unpinned names and the command that pins them.

    Args:
        report: The report; it has such names.
        layout: How it is laid out.
    """
    yield ""
    rows = [(shown(name.project), shown(name.wanted_by)) for name in report.unpinned]
    yield from layout.table(("not in the trust file", "wanted by"), rows)
    yield ""
    yield from layout.line("Pin them; this shows who publishes each one, and asks:")
    names = (shown(name.project) for name in report.unpinned)
    source = report.only_source or "SOURCE"
    yield from layout.command(["pip-warden", "trust", "add", *names, "--source", source])
    yield from layout.line(
        "For a GitLab source add --group GROUP; for what nobody signs write NAME==VERSION and add"
        " --hash --reason '…'."
    )
