"""Every code that the transport and the index raise is explained, with the exit code of its class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pip_warden
from pip_warden.explain import catalogue

ROOT = Path(pip_warden.__file__).parent
RAISED = re.compile(
    r'(Usage|Network|Registry|Credentials|Undecided)Error\(\s*"([a-z-]+)"'
    r'|code, hint = \(?\s*"([a-z-]+)"|code = "([a-z-]+)"'
)


@pytest.mark.parametrize("room", ["transport", "index"])
def test_every_code_is_explained(room: str) -> None:
    known = catalogue()
    raised: dict[str, str] = {}
    for file in (ROOT / room).glob("*.py"):
        for match in RAISED.finditer(file.read_text(encoding="utf-8")):
            raised[match[2] or match[3] or match[4]] = match[1] or "Credentials"

    assert {code for code, entry in known.items() if entry.room == room} == set(raised)
    for code, kind in raised.items():
        assert known[code].exit_code == (2 if kind == "Usage" else 3), code
