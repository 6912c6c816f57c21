"""What holds of every update: a diff shows what changed alone, and a second one changes nothing."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from cli.terminal import typed
from pip_warden.errors import RefusedError
from pip_warden.first_use.upkeep.exempted import kept
from pip_warden.first_use.upkeep.latest import newest_settled
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName, parse_artifact_name
from pip_warden.sandbox import File, Sandbox

HEAD = '# ours\nversion = 1\n\n[source.pypi]\ntype = "simple"\nurl = "{url}"\nhash-reason = "unsigned"\n'
NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


class Index:
    """Packages of two files each, with their trust file and their requirements."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.upstream.simple_url
        self.files: dict[tuple[str, str], list[File]] = {}
        self._sandbox = sandbox

    def publish(self, name: str, version: str) -> None:
        files = [self._sandbox.wheel(name, version), self._sandbox.sdist(name, version)]
        self._sandbox.upstream.add(name, files, uploaded=datetime.now(UTC) - timedelta(days=30))
        self.files[name, version] = files

    def pins(self, pinned: dict[str, list[str]]) -> str:
        text = HEAD.format(url=self.url)
        for name, versions in pinned.items():
            if versions:
                text += (
                    f'\n# why {name}\n[[package]]\nname = "{name}"\nsource = "pypi"\n\n  [package.sha256]\n'
                )
            for version in versions:
                text += "".join(f'  "{f.name}" = "{f.sha256}"\n' for f in self.files[name, version])
        return text

    def requirements(self, needs: dict[str, str]) -> str:
        lines = []
        for name, version in needs.items():
            hashes = "".join(f" --hash=sha256:{file.sha256}" for file in self.files[name, version])
            lines.append(f"{name}=={version}{hashes}\n")
        return "".join(lines)


@pytest.fixture(scope="module")
def index(sandbox: Sandbox) -> Index:
    index = Index(sandbox)
    for name in ("walnut", "pecan", "hazel"):
        for version in ("1.0", "1.1", "2.0", "2.1"):
            index.publish(name, version)
    return index


def update(home: Path, pins: str, requirements: str, *options: str) -> str:
    (home / "pytrust.toml").write_text(pins, encoding="utf-8")
    (home / "requirements.txt").write_text(requirements, encoding="utf-8")
    said = typed("trust", "update", "--yes", "--hash-only", "-r", "requirements.txt", *options)
    assert said.code == 0, said.err
    return (home / "pytrust.toml").read_text(encoding="utf-8")


def test_a_bump_of_thirty_packages_is_a_diff_of_as_many_lines_as_files(home: Path, index: Index) -> None:
    names = [f"bump-{number:02}" for number in range(30)]
    for name in names:
        for version in ("3.20", "3.21"):
            index.publish(name, version)
    before = index.pins({name: ["3.20"] for name in names})

    after = update(home, before, index.requirements(dict.fromkeys(names, "3.21")))

    changed = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]
    assert sum(line.startswith("+") for line in changed) == 60
    assert sum(line.startswith("-") for line in changed) == 60
    assert after == index.pins({name: ["3.21"] for name in names})


VERSIONS = st.lists(st.sampled_from(["1.0", "1.1", "2.0", "2.1"]), unique=True).map(
    lambda versions: sorted(versions, key=Version)
)
NAMES = st.sampled_from(["walnut", "pecan", "hazel"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pinned=st.dictionaries(NAMES, VERSIONS, min_size=1),
    needs=st.dictionaries(NAMES, VERSIONS.filter(len), min_size=1),
    keep=st.integers(min_value=0, max_value=2),
)
def test_update_twice_changes_nothing(
    home: Path, index: Index, pinned: dict[str, list[str]], needs: dict[str, list[str]], keep: int
) -> None:
    before = index.pins(pinned).replace('"\n  "', '"  # looked at\n  "')  # all of a table but its last line
    options = ["--keep", str(keep)]
    for name, versions in needs.items():
        for version in versions:  # a file may not ask for two versions of a name
            (home / f"{name}-{version}.txt").write_text(index.requirements({name: version}))
            options += ["-r", f"{name}-{version}.txt"]
    name, (version, *_) = next(iter(needs.items()))

    once = update(home, before, index.requirements({name: version}), *options)

    assert update(home, once, index.requirements({name: version}), *options) == once
    found = {package["name"]: package["sha256"] for package in tomllib.loads(once).get("package", [])}
    for name, versions in pinned.items():
        wanted = needs.get(name, []) if versions else []
        older = [v for v in versions if v not in wanted and (not wanted or Version(v) < Version(wanted[-1]))]
        stay = {*wanted, *older[len(older) - min(keep, len(older)) :]}
        assert found.get(name, {}) == {f.name: f.sha256 for v in stay for f in index.files[name, v]}
        for line in before.splitlines():
            is_of_one_that_stays = any(f'"{f.name}"' in line for v in stay for f in index.files[name, v])
            assert line in once.splitlines() or not is_of_one_that_stays
    assert all(f"# why {name}\n" in once for name in needs if pinned.get(name))


def candidate(version: str, age: timedelta | None, **changes: object) -> Candidate:
    made = Candidate(
        project=ProjectName("walnut"),
        name=parse_artifact_name(f"walnut-{version}-py3-none-any.whl"),
        source="pypi",
        page_url="https://pypi.example/simple/walnut/",
        url=f"https://pypi.example/walnut-{version}-py3-none-any.whl",
        claimed_upload_time=None if age is None else NOW - age,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def newest(*candidates: Candidate, than: str = "1.0", cool_down: timedelta = WEEK) -> str | None:
    found = newest_settled(candidates, newer_than=Version(than), now=NOW, cool_down=cool_down)
    return None if found is None else str(found)


def test_a_release_has_settled_when_all_its_files_have_been_there_for_the_whole_time() -> None:
    second = timedelta(seconds=1)
    late = replace(candidate("2.0", WEEK - second), name=parse_artifact_name("walnut-2.0.tar.gz"))

    assert newest(candidate("2.0", WEEK)) == "2.0"
    assert newest(candidate("2.0", WEEK - second)) is None
    assert newest(candidate("2.0", 9 * WEEK), late) is None
    assert newest(candidate("2.0", -WEEK)) is None  # an index that is ahead of its time
    assert newest(candidate("1.5", WEEK), candidate("2.0", second)) == "1.5"


def test_what_is_no_final_release_is_not_the_newest() -> None:
    for version in ("2.0a1", "2.0rc1", "2.0.dev3"):
        assert newest(candidate(version, WEEK)) is None
    assert newest(candidate("2.0.post1", WEEK)) == "2.0.post1"
    assert newest(candidate("1!0.1", WEEK)) == "1!0.1"
    assert newest(candidate("0.9", WEEK)) is None


def test_a_page_that_does_not_say_when_is_refused_unless_nobody_asks() -> None:
    with pytest.raises(RefusedError) as caught:
        newest(candidate("2.0", None))
    assert caught.value.code == "no-upload-time"
    assert newest(candidate("2.0", None), cool_down=timedelta()) == "2.0"
    assert newest(candidate("1.0", None)) is None


def test_older_releases_stay_from_the_newest_on() -> None:
    one, two, three, four = map(Version, ("1", "2", "3", "4"))

    assert kept((one, two, three, four), {three}, 1) == [two]
    assert kept((one, two, three, four), {three}, 5) == [two, one]
    assert kept((one, two), set(), 1) == [two]
    assert kept((one, two), {two}, 0) == []


def test_a_file_that_was_changed_meanwhile_is_left_alone(
    home: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits the file while the index is asked."""
    from pip_warden.first_use.upkeep import update as module

    before, looked = index.pins({"walnut": ["1.0"]}), module.moves

    def moves(*given: object) -> object:
        (home / "pytrust.toml").write_text(before + "# mine\n", encoding="utf-8")
        return looked(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "moves", moves)
    (home / "pytrust.toml").write_text(before, encoding="utf-8")
    (home / "requirements.txt").write_text(index.requirements({"walnut": "2.0"}), encoding="utf-8")

    said = typed("trust", "update", "--yes", "--hash-only", "-r", "requirements.txt")

    assert (said.code, "[trust-file-changed]" in said.err) == (2, True)
    assert (home / "pytrust.toml").read_text(encoding="utf-8") == before + "# mine\n"


@pytest.mark.parametrize("command", ["update", "prune"])
def test_a_directory_s_lock_does_not_speak_for_all_below_the_trust_file(
    home: Path, index: Index, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A repository of two projects has one trust file: what the other one needs is in no lock here."""
    (home / ".git").mkdir()
    (home / "one").mkdir()
    before = index.pins({"walnut": ["1.0"], "pecan": ["1.0"]})
    (home / "pytrust.toml").write_text(before, encoding="utf-8")
    lock = f'[[package]]\nname = "walnut"\nversion = "1.0"\nsource = {{ registry = "{index.url}" }}\n'
    (home / "one" / "uv.lock").write_text(f"version = 1\n{lock}", encoding="utf-8")
    monkeypatch.chdir(home / "one")

    said = typed("trust", command, "--yes", "--hash-only")

    assert (said.code, "[lock-needed]" in said.err) == (2, True), said.err
    assert (home / "pytrust.toml").read_text(encoding="utf-8") == before

    said = typed("trust", command, "--yes", "--hash-only", "--lock", "uv.lock")

    assert said.code == 0, said.err
    assert (home / "pytrust.toml").read_text(encoding="utf-8") == index.pins({"walnut": ["1.0"]})


def test_two_locks_together_say_what_is_needed(home: Path, index: Index) -> None:
    (home / "dev.txt").write_text(index.requirements({"pecan": "2.0"}), encoding="utf-8")
    pins = index.pins({"walnut": ["1.0"], "pecan": ["1.0"]})

    after = update(home, pins, index.requirements({"walnut": "2.0"}), "-r", "dev.txt")

    assert after == index.pins({"walnut": ["2.0"], "pecan": ["2.0"]})


def test_quiet_says_nothing_and_offline_asks_nobody(home: Path, index: Index) -> None:
    (home / "pytrust.toml").write_text(index.pins({"walnut": ["1.0"]}), encoding="utf-8")
    (home / "requirements.txt").write_text(index.requirements({"walnut": "2.0"}), encoding="utf-8")
    words = ("trust", "update", "--yes", "--hash-only", "-r", "requirements.txt")

    assert typed(*words, "--offline").code == 3
    said = typed(*words, "-q")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_prune_of_what_a_gitlab_publishes_finds_evidence_there(
    home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence of a GitLab's package is searched for by the file's digest, so the file is fetched."""
    root = File(name="root", data=sandbox.write_trust(home).read_bytes())
    monkeypatch.setenv("GITLAB_URL", sandbox.gitlab_url)
    monkeypatch.setenv("GITLAB_TOKEN", sandbox.token(scopes=("api",)))
    pins = (
        f'version = 1\n\n[sigstore]\ntrusted-root = "trusted_root.json"\n'
        f'trusted-root-sha256 = "{root.sha256}"\n'
        f'issuers = ["{sandbox.issuer}"]\n\n[source.gitlab]\ntype = "gitlab"\nurl = "{sandbox.gitlab_url}"\n'
    )
    for name in ("almond", "cashew"):
        file = sandbox.wheel(name, "1.0")
        sandbox.publish(
            sandbox.project(f"acme/{name}"), [file], forms=("bundle",) if name == "almond" else ()
        )
        pins += (
            f'\n[[package]]\nname = "{name}"\nsource = "gitlab"\nproject = "acme/{name}"\nreason = "old"\n'
            f'\n  [package.sha256]\n  "{file.name}" = "{file.sha256}"\n'
        )
    (home / "pytrust.toml").write_text(pins, encoding="utf-8")

    said = typed("trust", "prune", "--yes")
    assert said.code == 0, said.err
    assert "there is evidence now for almond 1.0" in said
    assert "cashew" not in said

    said = typed("trust", "prune", answers="y\n")
    assert said.code == 0, said.err
    packages = tomllib.loads((home / "pytrust.toml").read_text(encoding="utf-8"))["package"]
    assert [(each["name"], "identity" in each) for each in packages] == [("cashew", False), ("almond", True)]
