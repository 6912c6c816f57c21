"""Each lock is read into one value, or refused: cases are directories with the file and what is expected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pip_warden.errors import UsageError
from pip_warden.locks.model import Conditions, DirectReference, Lock, LockedRelease
from pip_warden.locks.read import read_lock

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def case_of(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / name / "case.toml").read_text(encoding="utf-8"))


def told(lock: Lock) -> str:
    """Return every field of a lock in lines."""
    lines = [f"{lock.format.value} {lock.path} python {lock.requires_python or 'any'}"]
    lines += [f"environment {marker}" for marker in lock.environments]
    for release in lock.releases:
        lines += _of_release(release)
    for reference in lock.direct:
        lines += _of_reference(reference)
    return "\n".join(lines) + "\n"


def _of_release(release: LockedRelease) -> Iterator[str]:
    yield f"{release.project} {release.version} from {release.index} at {release.where}"
    for file in release.files:
        yield f"  {file.name} {file.sha256.hex[:8]} size {file.size} url {file.url} path {file.path}"
    yield from (f"  digest {digest}" for digest in sorted(value.hex[:8] for value in release.digests))
    yield from (f"  lacking {item.filename or 'all'}: {item.why}" for item in release.lacking)
    yield from _of_conditions(release.conditions)


def _of_reference(reference: DirectReference) -> Iterator[str]:
    kind = f"{reference.kind.value}{' editable' if reference.is_editable else ''}"
    yield f"{reference.project} {reference.version} is {kind} {reference.location} at {reference.where}"
    yield from (f"  digest {digest}" for digest in sorted(value.hex[:8] for value in reference.digests))
    yield from _of_conditions(reference.conditions)


def _of_conditions(conditions: Conditions) -> Iterator[str]:
    for name in ("markers", "groups", "extras"):
        if value := getattr(conditions, name):
            yield f"  {name} {' | '.join(value)}"


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_is_read_as_the_case_expects(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(name)
    monkeypatch.chdir(CASES / name)

    if "lock" in case:
        found = told(read_lock(Path(case["file"])))
        assert found == case["lock"]
        assert "hunter2" not in found
        return
    with pytest.raises(UsageError) as caught:
        read_lock(Path(case["file"]))

    assert caught.value.code == case["code"]
    assert case["found"] in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_the_cases_say_why_and_cover_every_code() -> None:
    cases = [case_of(name) for name in NAMES]

    assert all(len(case["why"]) > 20 for case in cases)
    assert {"bad-lock-file", "unknown-lock-format", "lock-version", "lock-contradiction"} <= {
        case.get("code") for case in cases
    }


def test_three_formats_of_one_project_name_the_same_bytes() -> None:
    """One tool, uv, wrote all three, for the same platforms."""

    def digests(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
        monkeypatch.chdir(CASES / name)
        lock = read_lock(Path(case_of(name)["file"]))
        return {
            f"{r.project}=={r.version}": {d.hex for d in r.digests} | {f.sha256.hex for f in r.files}
            for r in lock.releases
        }

    with pytest.MonkeyPatch.context() as patch:
        first, *others = [digests(name, patch) for name in ("uv", "pylock-by-uv", "requirements")]

    assert len(first) == 4
    assert all(first.values())
    assert others == [first, first]
