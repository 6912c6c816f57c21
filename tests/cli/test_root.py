"""``root update`` replaces the root and its digest together, and nothing unasked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REAL = Path(__file__).parent.parent / "data" / "real" / "trusted_root.public-good.json"
TOOL = str(Path(sys.executable).parent / "pip-warden")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    raw = REAL.read_bytes()
    (tmp_path / "root.json").write_bytes(raw)
    (tmp_path / "new.json").write_bytes(raw.rstrip() + b"\n\n")
    (tmp_path / "pytrust.toml").write_text(
        f"""# who may publish what
version = 1
[sigstore]
trusted-root = "root.json"
trusted-root-sha256 = "{hashlib.sha256(raw).hexdigest()}"
issuers = ["https://gitlab.com"]
""",
        encoding="utf-8",
    )
    return tmp_path


def _run(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    return subprocess.run(
        [TOOL, *words],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_new_root_is_pinned_after_a_yes_and_comments_stay(directory: Path) -> None:
    result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")

    assert result.returncode == 0, result.stderr
    assert (directory / "root.json").read_bytes() == (directory / "new.json").read_bytes()
    assert (directory / "pytrust.toml").read_text(encoding="utf-8").startswith("# who may publish what")
    assert _run(directory, "trust", "check").returncode == 0
    assert "is current" in _run(directory, "root", "update", "--trusted-root", "new.json").stdout


def test_t16_what_of_a_root_is_left_out_is_said(directory: Path) -> None:
    """A key of tomorrow breaks nothing; but whoever pins the root, or checks it, is told of it."""
    root = json.loads(REAL.read_bytes())
    root["tlogs"].append(root["tlogs"][0] | {"hashAlgorithm": "SHA9"})
    (directory / "new.json").write_text(json.dumps(root), encoding="utf-8")
    before = _run(directory, "trust", "check")
    updated = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")
    after = _run(directory, "trust", "check")
    document = json.loads(_run(directory, "trust", "check", "--format", "json").stdout)

    assert (before.returncode, updated.returncode, after.returncode) == (0, 0, 0)
    said = f"left out: tlogs[{len(root['tlogs']) - 1}]"
    assert [said in result.stdout for result in (before, updated, after)] == [False, True, True]
    assert [len(entry["left_out"]) for entry in document["trusted_roots"]] == [1]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("--trusted-root", "new.json"), "yes-needed", 2),
        (("--trusted-root", "none.json"), "no-such-file", 2),
        (("--trusted-root", "pytrust.toml", "--yes"), "bad-trusted-root", 3),
        (("--trusted-root", "new.json", "--sigstore", "other", "--yes"), "not-in-trust-file", 2),
    ],
)
def test_nothing_changes_otherwise(
    directory: Path, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    before = (directory / "pytrust.toml").read_bytes(), (directory / "root.json").read_bytes()
    result = _run(directory, "root", "update", *words)

    assert (result.returncode, f"[{code}]" in result.stderr) == (exit_code, True), result.stderr
    assert ((directory / "pytrust.toml").read_bytes(), (directory / "root.json").read_bytes()) == before
