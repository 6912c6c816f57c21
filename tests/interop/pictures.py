"""Takes the pictures of the HTML report in `docs/images`: ``PYTHONPATH=tests python -m interop.pictures``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from interop.browser import browser
from pip_warden.report import html
from telling import everything

_INTO = Path(__file__).parents[2] / "docs" / "images"
_WHOLE = everything()
_ACCEPTED = replace(_WHOLE, exit_code=0, lines=_WHOLE.lines[:2], unpinned=(), warnings=())
_PICTURES = (
    ("report-refused", _WHOLE, 800, "light", 900),
    ("report-accepted", _ACCEPTED, 800, "dark", 1080),
    ("report-narrow", _WHOLE, 400, "light", 900),
)
"""Name, report, width, colour scheme and height."""

_FIRST_FILE = "document.querySelector('details').open = true"


def main() -> None:
    """Take all of them."""
    _INTO.mkdir(exist_ok=True)
    with TemporaryDirectory() as directory, browser() as started:
        page = Path(directory) / "report.html"
        for name, report, width, scheme, height in _PICTURES:
            page.write_text(html.render(report), encoding="utf-8")
            started.open(page, width=width, scheme=scheme)
            started.tell(_FIRST_FILE)
            (_INTO / f"{name}.png").write_bytes(started.picture(height))


if __name__ == "__main__":
    main()
