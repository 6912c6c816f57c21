"""The formats that a report is told in, by name; each is a module, imported where it is asked for."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pip_warden.measures import Measured
    from pip_warden.report.model import Report
    from pip_warden.strict_json import JSONValue

PRINTED = ("text", "json", "junit", "sarif", "markdown")
"""What can be printed."""

FORMATS = (*PRINTED, "html")
"""What can be written to a file: a page is for a browser."""

_BEGINS = re.compile(
    rb"pip-warden: "
    rb'|\{\s*"schema_version":\s*\d+,\s*"(command|tool)"'
    rb"|(<\?xml[^>]*>\s*)?<testsuites?\b"
    rb'|\{\s*("\$schema":\s*"[^"]*sarif|"version":\s*"2\.1\.0")'
    rb"|## `pip-warden [a-z -]+`: "
    rb"|<!doctype html>",
    re.IGNORECASE,
)
"""How a report in each of the formats begins, in their order above."""


def is_report(begins: bytes) -> bool:
    """Return whether a file that begins so is a report of ours, in any format, and may be replaced by one.

    Args:
        begins: Its first kilobyte at least: a page names us behind its policy.
    """
    return _BEGINS.match(begins) is not None and b"pip-warden" in begins


def render(
    report: Report, name: str, measured: Measured | None = None, more: Mapping[str, JSONValue] | None = None
) -> str:
    """Render a report, ending without a newline; an error that ended a run is a report with nothing but it.

    Args:
        report: The report.
        name: The format, one of :data:`FORMATS`.
        measured: What the run has cost, which JSON tells; None where nobody measured it.
        more: What JSON tells besides, by key.

    Raises:
        ValueError: There is no such format.
    """
    if name == "text":
        from pip_warden.report import text

        return f"pip-warden: {report.command}\n\n{text.done(report)}{text.render(report)}".rstrip("\n")
    if name == "json":
        from pip_warden.report import json

        return json.render(report, measured, more)
    if name not in FORMATS:
        raise ValueError(f"no format of a report: {name!r}")
    rendered: str = importlib.import_module(f"pip_warden.report.{name}").render(report)
    return rendered.rstrip("\n")
