"""The benchmark works at all, and its page says what its results say; nothing asserts a time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
TOOLS = ("safe-install", "pip")


@pytest.mark.interop  # what it measures is slow by its nature
def test_it_installs_with_each_tool_and_writes_what_it_found(tmp_path: Path) -> None:
    _page(tmp_path, "packages", "vault and form", "targets", "machine")
    one = ("--packages=1", "--delay=0", "--vault=warm", "--repeat=1", "--beside=pip")
    said = _bench("--only=install", *one, f"--write={tmp_path}")
    results = _results(tmp_path)
    ((name, row),) = results["install"].items()
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")

    assert name == "1 package, 0 ms, warm, bundle"
    assert tuple(row["tools"]) == TOOLS
    for taken in row["tools"].values():
        assert [len(taken[key]) for key in ("wall", "cpu")] == [1, 1]
        assert min(*taken["wall"], *taken["cpu"], taken["tree_mb"], taken["own_mb"]) > 0
    assert all(taken["requests"] > 0 for taken in row["tools"].values())
    assert name in said
    assert f"| {name} | safe-install |" in page
    assert re.search(r"^\| 1 package, 0 ms: wall, to pip's, warm \| ≤ 1\.6 \| [0-9.]+ \|", page, re.MULTILINE)
    assert "Not measured here." in page


@pytest.mark.interop
def test_it_judges_without_a_registry() -> None:
    said = _bench("--only=verdicts", "--repeat=1")

    assert all(
        re.search(rf"^  {tool} +wall [0-9]", said, re.MULTILINE) for tool in ("pip-warden", "sigstore-python")
    )


def test_results_are_merged_and_drawn_and_the_last_column_is_kept(tmp_path: Path) -> None:
    _page(tmp_path, "packages", "large")
    by_hand = "| 20 packages, 40 ms: wall, to pip's, cold | old | old | old | the import of `a | b` |"
    with (tmp_path / "performance.md").open("a", encoding="utf-8") as page:
        page.write(f"<!-- measured: targets -->\n| head |\n| --- |\n{by_hand}\n<!-- end -->\n")
    rows = {f"{count} packages, 40 ms, cold, bundle": _row(count) for count in (20, 60)}
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "results.json").write_text(json.dumps({"install": rows}), encoding="utf-8")
    _bench("--only=none", f"--write={tmp_path}")
    written = (tmp_path / "performance.md").read_text(encoding="utf-8")
    drawing = (tmp_path / "performance" / "packages.svg").read_text(encoding="utf-8")
    shown = re.findall(r"<text [^>]*>([^<]+)</text>", drawing)

    assert "![Packages, 40 ms, cold: wall time](performance/packages.svg)" in written
    assert (
        "| 20 packages, 40 ms: wall, to pip's, cold | ≤ 0.75 | 0.50 | met | the import of `a | b` |"
        in written
    )
    assert {"20", "60", *TOOLS} <= set(shown)
    assert not (tmp_path / "performance" / "large.svg").exists()


def test_the_page_says_what_the_results_say(tmp_path: Path) -> None:
    kept = PAGE.parent / "performance"
    shutil.copy(PAGE, tmp_path)
    if kept.exists():
        shutil.copytree(kept, tmp_path / "performance")
    _bench("--only=none", f"--write={tmp_path}")
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "performance").glob("*.svg")}

    assert (tmp_path / PAGE.name).read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    assert drawn == {path.name: path.read_bytes() for path in kept.glob("*.svg")}


def _page(directory: Path, *names: str) -> None:
    blocks = "".join(f"<!-- measured: {name} -->\n<!-- end -->\n" for name in names)
    (directory / "performance.md").write_text(blocks, encoding="utf-8")


def _row(count: int) -> dict[str, Any]:
    tools = {"safe-install": {"wall": [1.0, 2.0], "cpu": [1.0, 1.0]}, "pip": {"wall": [3.0], "cpu": [1.0]}}
    return {"facts": {"packages": count}, "tools": tools}


def _results(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "performance" / "results.json").read_bytes())
    return found


def _bench(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bench", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
