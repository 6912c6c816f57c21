"""What each tool is known to do: cases are files with a command, the files of a project and what is found."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pip_warden.tools.known import recognise

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.toml"))
PINNED = ("https://pypi.org/simple/", "https://gitlab.example")


def case_of(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_a_command(name: str, tmp_path: Path) -> None:
    case = case_of(name)
    root = tmp_path / "top" / "project"
    root.mkdir(parents=True)
    for file, text in case["files"].items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    environ = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", **case.get("environ", {})}
    tool = recognise(
        case["command"],
        environ=environ,
        directory=root / case.get("directory", "."),
        index_urls=PINNED,
        private=tmp_path / "private",
    )
    assert tool is not None

    def plain(value: object) -> str:
        text = str(value).replace(str(tmp_path / "home"), "HOME")
        return text.replace(f"{root}/", "/").replace(str(root), "/")

    told = {
        adds: [plain(f"{item.what} at {item.where}") for item in tool.elsewhere if item.adds_source is adds]
        for adds in (True, False)
    }
    assert sorted(told[True]) == sorted(case.get("refused", []))
    assert sorted(told[False]) == sorted(case.get("said", []))
    assert sorted(map(plain, tool.local)) == sorted(case["local"])
    if "environments" in case:
        assert sorted(map(plain, tool.environments)) == sorted(case["environments"])
    if "locks" in case:
        assert sorted(map(plain, tool.locks)) == sorted(case["locks"])
