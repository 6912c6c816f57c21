"""What locks and requirements files say together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.errors import UsageError
from pip_warden.first_use.needs import needs_of

ONE, TWO = "1" * 64, "2" * 64


def pylock(path: Path, *packages: tuple[str, str, str], index: str = "") -> Path:
    """Write a lock with one wheel of each package: name, version and digest."""
    lines = ['lock-version = "1.0"', 'created-by = "test"']
    for name, version, sha256 in packages:
        file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        lines += ["[[packages]]", f'name = "{name}"', f'version = "{version}"']
        lines += [f'index = "{index}"'] if index else []
        lines += ["[[packages.wheels]]", f'name = "{file}"', f'url = "https://files.example/{file}"']
        lines += [f'hashes = {{ sha256 = "{sha256}" }}']
    if not packages:
        lines.append("packages = []")
    path.write_text("\n".join(lines) + "\n")
    return path


def code_of(error: pytest.ExceptionInfo[UsageError]) -> str:
    return error.value.code


def test_a_project_s_only_lock_is_found(tmp_path: Path) -> None:
    lock = pylock(tmp_path / "pylock.toml", ("acme", "1.0", ONE), ("acme", "2.0", TWO), ("zoo", "1.0", ONE))
    found = needs_of(directory=tmp_path)
    assert found.paths == (lock,)
    assert [(str(need.project), [*map(str, need.versions)]) for need in found.projects] == [
        ("acme", ["1.0", "2.0"]),
        ("zoo", ["1.0"]),
    ]
    (release,) = found.projects[1].releases
    assert [(file.name.filename, file.sha256.hex) for file in release.files] == [
        ("zoo-1.0-py3-none-any.whl", ONE)
    ]
    assert "pylock.toml" in release.where[0]


def test_no_lock_and_two_locks_are_asked_about(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(UsageError) as error:
            needs_of(directory=tmp_path)
        assert code_of(error) == "lock-needed"
        pylock(tmp_path / "pylock.toml", ("acme", "1.0", ONE))
        pylock(tmp_path / "pylock.dev.toml", ("acme", "1.0", ONE))


def test_t05_an_empty_lock_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        needs_of([pylock(tmp_path / "pylock.toml")])
    assert code_of(error) == "nothing-to-pin"
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    with pytest.raises(UsageError) as error:
        needs_of((), [tmp_path / "requirements.txt"])
    assert code_of(error) == "nothing-to-pin"


def test_a_lock_and_requirements_are_put_together(tmp_path: Path) -> None:
    lock = pylock(tmp_path / "pylock.toml", ("acme", "1.0", ONE), index="https://pypi.org/simple")
    (tmp_path / "requirements.txt").write_text(f"acme==1.0 --hash=sha256:{TWO}\n")
    (need,) = needs_of([lock], [tmp_path / "requirements.txt"]).projects
    (release,) = need.releases
    assert {digest.hex for digest in release.all_digests} == {ONE, TWO}
    assert release.indexes == ("https://pypi.org/simple", None)
    assert len(release.where) == 2


def test_two_locks_that_disagree_are_refused(tmp_path: Path) -> None:
    locks = [
        pylock(tmp_path / "pylock.toml", ("acme", "1.0", ONE)),
        pylock(tmp_path / "pylock.dev.toml", ("acme", "1.0", TWO)),
    ]
    with pytest.raises(UsageError) as error:
        needs_of(locks)
    assert code_of(error) == "lock-contradiction"
