"""Cases are directories: a README with the reason, and a case.toml with what is judged and the expected code.

Files are named relative to ``tests/data/real``; a case may change one of them. A new case needs no new code.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import samples
from pip_warden._sigstore.root import load_root
from pip_warden.artifact.receive import copy_local
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.pep740 import read_attestation, read_provenance
from pip_warden.trust.file import parse
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted, Verdict

CASES = Path(__file__).parent / "cases"
REAL = Path(__file__).parent / "data" / "real"
_READERS: dict[str, Callable[[str, bytes], tuple[Item | BadItem, ...]]] = {
    "attestation": lambda label, raw: (read_attestation(label, raw),),
    "bundle": lambda label, raw: (read_bundle(label, raw),),
    "provenance": read_provenance,
}
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def _changed(raw: bytes, changes: list[dict[str, Any]]) -> bytes:
    """Change a JSON document: each change names a path and a value, or ``drop``."""
    document = json.loads(raw)
    for change in changes:
        *parents, last = change["path"].split(".")
        place = document
        for key in parents:
            place = place[int(key) if key.isdigit() else key]
        key = int(last) if last.isdigit() else last
        if change.get("drop"):
            del place[key]
        else:
            place[key] = change["value"]
    return json.dumps(document).encode()


def _evidence(case: dict[str, Any]) -> tuple[Item | BadItem, ...]:
    items: list[Item | BadItem] = []
    for entry in case.get("evidence", []):
        raw = _changed((REAL / entry["file"]).read_bytes(), entry.get("change", []))
        items += _READERS[entry.get("as", "attestation")](entry["file"], raw)
    return tuple(items)


def _judge(case: dict[str, Any], directory: Path) -> Verdict:
    source = REAL / case["artifact"]
    local = directory / case.get("called", case["artifact"])
    local.write_bytes(source.read_bytes())
    private = directory / "private"
    private.mkdir(mode=0o700)
    artifact = copy_local(local, private)
    trust = parse(case["trust"], Path("/nowhere/pytrust.toml"))
    root = load_root(
        _changed((REAL / "trusted_root.public-good.json").read_bytes(), case.get("root-change", []))
    )
    roots = {pin.name: root for pin in trust.roots}
    today = case.get("today", samples.TODAY)
    return judge(artifact, _evidence(case), trust=trust, roots=roots, today=today)


@pytest.mark.parametrize("name", NAMES)
def test_the_case_has_the_verdict_it_expects(name: str, tmp_path: Path) -> None:
    case = tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))
    verdict = _judge(case, tmp_path)

    found = "accepted" if isinstance(verdict, Accepted) else f"{int(verdict.step)} {verdict.code}"
    assert found == case["expect"], verdict


@pytest.mark.parametrize("name", NAMES)
def test_the_case_says_why(name: str) -> None:
    assert len((CASES / name / "README.md").read_text(encoding="utf-8")) > 40


def test_there_are_cases_that_are_accepted_and_cases_for_the_later_steps() -> None:
    expected = {
        tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))["expect"].partition(" ")[0]
        for name in NAMES
    }

    assert {"accepted", "1", "5", "6", "7", "8", "9", "10"} <= expected
