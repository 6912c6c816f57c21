"""A lock is found by its name, read from a regular file of a bounded size, and never anything but read."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreign import BINARIES, MARK, TOML_SPELLINGS, paths
from locks.test_cases import CASES, NAMES, case_of, told
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.locks import text as lock_text
from pip_warden.locks.read import find_locks, read_lock

LOCKS = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt", "some.lock", "some.toml")
REAL = {
    name: (case_of(name)["file"], (CASES / name / case_of(name)["file"]).read_text(encoding="utf-8"))
    for name in NAMES
    if "lock" in case_of(name)
}
TOML = {name: found for name, found in REAL.items() if not name.startswith("requirements")}
SLOW = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(directory: Path, name: str, raw: bytes | str) -> str:
    """Read a lock, or end with the one error that is allowed; return what can be written of either."""
    path = directory / name
    path.write_bytes(raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw)
    try:
        return escape_text(told(read_lock(path)), 10**6)
    except UsageError as err:
        (err.message + err.hint).encode("utf-8")
        return err.code


def code(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_lock(path)
    assert str(path) in caught.value.message
    return caught.value.code


def test_the_locks_of_a_directory_are_found_by_name(tmp_path: Path) -> None:
    for name in (
        "poetry.lock",
        "pylock.dev.toml",
        "pylock.toml",
        "pdm.lock",
        "PDM.lock",
        "pylock.a.b.toml",
        "UV.LOCK",
    ):
        (tmp_path / name).touch()
    (tmp_path / "uv.lock").symlink_to("gone")
    (tmp_path / "requirements.txt").touch()

    found = [path.name for path in find_locks(tmp_path)]

    assert found == ["pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "pylock.dev.toml"]
    assert code(tmp_path / "uv.lock") == "bad-lock-file"
    with pytest.raises(UsageError) as caught:
        find_locks(tmp_path / "gone")
    assert caught.value.code == "bad-lock-file"


def test_only_a_regular_file_of_a_bounded_size_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, directory, large = tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "uv.lock"
    os.mkfifo(pipe)
    directory.mkdir()
    large.write_text("version = 1\n", encoding="utf-8")

    assert code(pipe) == code(directory) == code(tmp_path / "c.toml") == "bad-lock-file"
    assert read_lock(large).releases == ()
    monkeypatch.setattr(lock_text, "LARGEST_LOCK", len("version = 1"))
    assert code(large) == "bad-lock-file"


def test_pdm_leaves_the_local_part_of_a_version_out(tmp_path: Path) -> None:
    names = ("a-1.0+cpu-py3-none-any.whl", "a-1.0-py3-none-any.whl", "a-1.1+cpu-py3-none-any.whl")
    files = ", ".join(f'{{file = "{name}", hash = "sha256:{at:064}"}}' for at, name in enumerate(names))
    lock = tmp_path / "pdm.lock"
    lock.write_text(
        f'[metadata]\nlock_version = "4.5.1"\n[[package]]\nname = "a"\nversion = "1.0"\nfiles = [{files}]\n'
    )
    bare, local = read_lock(lock).releases
    assert [(str(each.version), len(each.files), len(each.lacking)) for each in (bare, local)] == [
        ("1.0", 1, 1),
        ("1.0+cpu", 1, 0),
    ]


def test_where_a_package_stands_is_not_guessed(tmp_path: Path) -> None:
    """A string may hold what looks like a package's header: then no line is told."""
    package = '[[package]]\nname = "acme"\nversion = "1"\nsource = { registry = "https://example.com" }\n'
    path = tmp_path / "uv.lock"

    path.write_text(f"version = 1\n{package}", encoding="utf-8")
    assert read_lock(path).releases[0].where == f"{path} (line 2)"

    path.write_text(f'version = 1\nx = """\n[[package]]\n"""\n{package}', encoding="utf-8")
    assert read_lock(path).releases[0].where == f"{path} (package 1)"


UV_TWICE = """version = 1
[[package]]
name = "acme"
version = "1.0"
source = { registry = "https://a.example" }
[[package.wheels]]
filename = "acme-1.0-py3-none-any.whl"
path = "acme-1.0-2-py3-none-any.whl"
url = "https://a.example/acme-1.0-1-py3-none-any.whl"
hash = "sha256:HASH"
"""
PYLOCK_TWICE = """lock-version = "1.0"
created-by = "a"
[[packages]]
name = "acme"
version = "1.0"
[[packages.wheels]]
path = "a/acme-1.0-1-py3-none-any.whl"
url = "https://a.example/acme-1.0-2-py3-none-any.whl"
hashes = { sha256 = "HASH" }
"""


@pytest.mark.parametrize(("name", "text"), [("uv.lock", UV_TWICE), ("pylock.toml", PYLOCK_TWICE)])
def test_a_file_is_named_as_its_tool_names_it(tmp_path: Path, name: str, text: str) -> None:
    """Where a lock names a file twice, another name would be of a file that the tool never takes."""
    path = tmp_path / name
    path.write_text(text.replace("HASH", "a" * 64), encoding="utf-8")
    (release,) = read_lock(path).releases
    assert [file.name.filename for file in release.files] == ["acme-1.0-1-py3-none-any.whl"]


@pytest.mark.parametrize("name", TOML)
def test_every_package_is_told_of_whatever_its_order(name: str, tmp_path: Path) -> None:
    file, content = TOML[name]
    document = tomllib.loads(content)
    key = "packages" if "packages" in document else "package"
    wanted = {package["name"] for package in document[key]}

    lock = read_lock(CASES / name / file)
    document[key].reverse()
    (tmp_path / file).write_text(tomlkit.dumps(document), encoding="utf-8")
    reversed_ = read_lock(tmp_path / file)

    assert {r.project for r in lock.releases} | {d.project for d in lock.direct} == wanted
    assert [(r.project, r.version, r.index, r.files, r.lacking) for r in lock.releases] == [
        (r.project, r.version, r.index, r.files, r.lacking) for r in reversed_.releases
    ]
    assert [(d.project, d.location, d.digests) for d in lock.direct] == [
        (d.project, d.location, d.digests) for d in reversed_.direct
    ]


@SLOW
@given(st.sampled_from(LOCKS), st.binary(max_size=300) | st.sampled_from(BINARIES))
def test_bytes_that_are_nothing(tmp_path: Path, name: str, raw: bytes) -> None:
    assert read(tmp_path, name, raw)


_COMMON = ("package", "packages", "version", "lock-version", "created-by", "metadata", "name", "source")
_OF_FILES = ("registry", "git", "wheels", "sdist", "files", "file", "hash", "hashes", "url", "path", "sha256")
KEYS = st.sampled_from(_COMMON + _OF_FILES)
KNOWN: dict[str, dict[str, object]] = {
    "uv.lock": {"version": 1},
    "poetry.lock": {"metadata": {"lock-version": "2.1"}},
    "pdm.lock": {"metadata": {"lock_version": "4.5.1"}},
}
VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@SLOW
@given(st.sampled_from(LOCKS), st.dictionaries(KEYS, VALUES, max_size=6), st.data())
def test_toml_of_any_shape(
    tmp_path: Path, name: str, document: dict[str, object], data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        document.update(KNOWN.get(name, {"lock-version": "1.0", "created-by": "x"}))

    assert read(tmp_path, name, tomlkit.dumps(document))


@SLOW
@given(st.sampled_from(sorted(TOML)), st.sampled_from(TOML_SPELLINGS), st.data())
def test_anything_in_the_place_of_any_value_of_a_lock(
    tmp_path: Path, name: str, spelling: str, data: st.DataObject
) -> None:
    file, content = TOML[name]
    document = tomllib.loads(content)
    way = data.draw(st.sampled_from([way for way in paths(document) if way]))
    place = document
    for step in way[:-1]:
        place = place[step]  # type: ignore[index]
    place[way[-1]] = MARK.strip("\x00")  # type: ignore[index]

    assert read(tmp_path, file, tomlkit.dumps(document).replace(f'"{MARK.strip(chr(0))}"', spelling))


@SLOW
@given(st.sampled_from(sorted(REAL)), st.data())
def test_a_lock_with_a_part_cut_out_or_put_in(tmp_path: Path, name: str, data: st.DataObject) -> None:
    file, content = REAL[name]
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    put = data.draw(
        st.text(max_size=4) | st.sampled_from([content[first:last] * 2, "\n", '"', "[[package]]\n"])
    )

    assert read(tmp_path, file, content[:first] + put + content[last:])
