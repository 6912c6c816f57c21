"""``docs/self-managed.md`` and its files say the same. `interop.test_self_managed` runs them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "self-managed"
PAGE = (ROOT / "docs" / "self-managed.md").read_text(encoding="utf-8")
SCRIPT = (EXAMPLE / "sigstore.sh").read_text(encoding="utf-8")
TEMPLATES = sorted(
    path.name
    for path in EXAMPLE.iterdir()
    if path.name not in {"settings", "sigstore.sh", "sigstore@.service"}
)


def _text(name: str) -> str:
    return (EXAMPLE / name).read_text(encoding="utf-8")


def test_it_is_a_page() -> None:
    assert len(PAGE.splitlines()) <= 250


def test_it_shows_the_files_as_they_are() -> None:
    shown = re.findall(r"<!-- examples/self-managed/(\S+) -->\n```\w*\n(.*?)```\n", PAGE, re.DOTALL)
    whole = [name for name, text in shown if text == _text(name)]
    begun = [name for name, text in shown if _text(name).startswith(f"{text}\n# What listens")]

    assert (whole, begun) == (["fulcio.yaml"], ["settings"])
    assert len(shown) == 2


def test_it_names_every_file() -> None:
    named = set(re.findall(r"examples/self-managed/([\w.@-]+)", PAGE))

    assert {path.name for path in EXAMPLE.iterdir()} == named


def test_its_programs_are_those_that_are_tested() -> None:
    built = tomllib.loads((ROOT / "tests" / "interop" / "stack" / "tools.toml").read_text(encoding="utf-8"))[
        "go"
    ]
    named = dict(re.findall(r"^\| `([\w-]+)` \| `(\S+@v\S+)` \|$", PAGE, re.MULTILINE))

    assert len(named) == 9
    assert named.items() <= built.items()
    assert set(re.findall(r"\$BIN/([\w-]+)", SCRIPT)) == set(named)


def test_its_table_of_servers_is_what_can_be_served() -> None:
    table = PAGE.partition("| server |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    served = set(re.findall(r"^    ([\w-]+)\)$", SCRIPT, re.MULTILINE))

    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == served
    assert set(re.findall(r"sigstore\.sh serve ([\w-]+)", PAGE)) == served


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_value_of_a_file_is_a_setting_or_one_that_the_script_knows(name: str) -> None:
    settings = set(re.findall(r"^(\w+)=", _text("settings"), re.MULTILINE))
    ours = set(re.findall(r"\b([A-Z][A-Z0-9_]+)(?==)", SCRIPT))
    named = set(re.findall(r"\$\{?(\w+)", _text(name)))

    assert named <= settings | ours
    assert named


def test_no_password_is_an_argument() -> None:
    """Programs are given files, and servers start with an empty environment."""
    commands = re.sub(r"render\(\) \(.*?^\)", "", SCRIPT, flags=re.DOTALL | re.MULTILINE)

    assert "_PASSWORD" not in commands
    assert "exec env -i PATH=" in commands
    assert "umask 077" in SCRIPT
