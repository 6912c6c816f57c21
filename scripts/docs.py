"""Writes the generated documentation; with ``--check`` fails where it is stale.

* ``docs/codes.md`` from the catalogue of codes;
* ``docs/report.schema.json`` from the types of what is printed as JSON;
* the blocks between ``<!-- help: COMMAND -->`` and ``<!-- /help -->`` in Markdown files, from
  ``COMMAND --help``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from pip_warden.explain import Explanation, catalogue
from pip_warden.report.schema import report_schema

ROOT = Path(__file__).resolve().parent.parent
HELP = re.compile(r"(<!-- help: ([a-z -]+) -->\n```text\n)(.*?)(```\n<!-- /help -->)", re.DOTALL)
STEPS = [
    "pin",
    "origin",
    "name",
    "archive",
    "digest",
    "evidence",
    "signature",
    "subject",
    "identity",
    "policy",
]
INTRO = (
    "# Codes\n"
    "\n"
    "Every refusal and error has a stable code. `pip-warden explain CODE` says the same as this page, "
    "which is written by `make fix`.\n"
    "A refusal carries the number of the step that said no; see [architecture](architecture.md).\n"
)


def main() -> int:
    """Write or check everything; return 1 where a check found a stale file."""
    check = "--check" in sys.argv[1:]
    schema = json.dumps(report_schema(), indent=2) + "\n"
    wanted = {ROOT / "docs/codes.md": codes_page(), ROOT / "docs/report.schema.json": schema}
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if page.exists() and page not in wanted:
            wanted[page] = HELP.sub(_help_block, page.read_text(encoding="utf-8"))
    stale = [
        page for page, text in wanted.items() if not page.exists() or page.read_text(encoding="utf-8") != text
    ]
    for page in stale:
        print(f"{'stale' if check else 'written'}: {page.relative_to(ROOT)}")
        if not check:
            page.write_text(wanted[page], encoding="utf-8")
    if check and stale:
        print("`make fix` writes them anew.")
    return 1 if check and stale else 0


def codes_page() -> str:
    """Render the catalogue: refusals by step, then errors by room."""
    entries = list(catalogue().values())
    parts = [INTRO]
    for number, name in enumerate(STEPS, start=1):
        of_step = [entry for entry in entries if entry.step == number]
        if of_step:
            parts.append(f"## Step {number}: {name}\n")
            parts += [_section(entry) for entry in of_step]
    parts.append("## Errors\n")
    parts += [_section(entry) for entry in entries if entry.step is None]
    return "\n".join(parts)


def _section(entry: Explanation) -> str:
    exit_code = "" if entry.step is not None else f" (exit code {entry.exit_code})"
    return (
        f"### `{entry.code}`\n\n"
        f"**{entry.title}**{exit_code}. {entry.meaning}\n\n"
        f"*What to do:* {entry.remedy}\n"
    )


def _help_block(match: re.Match[str]) -> str:
    words = match[2].split()
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    command = [str(Path(sys.executable).parent / words[0]), *words[1:], "--help"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return f"{match[1]}{text.rstrip()}\n{match[4]}"


if __name__ == "__main__":
    sys.exit(main())
