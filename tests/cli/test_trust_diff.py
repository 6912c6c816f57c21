"""``trust diff``: what changed since a revision; git is asked for nothing but a file."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Said, typed

ROOT = Path(__file__).parents[1] / "data" / "real" / "trusted_root.public-good.json"
PINNED = """version = 1
[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
[[package]]
name = "idna"
source = "pypi"
version = "3.20"
reason = "reviewed"
[package.sha256]
"idna-3.20-py3-none-any.whl" = "DIGEST"
""".replace("DIGEST", "a" * 64)
MORE = """[[package]]
name = "attrs"
source = "pypi"
version = "1.0"
reason = "reviewed"
sha256 = { "attrs-1.0.tar.gz" = "DIGEST" }
""".replace("DIGEST", "b" * 64)
REVOKED = '[[revoked]]\nname = "idna"\nversion = "3.19"\nreason = "stolen"\n'


def git(directory: Path, *words: str) -> None:
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, *words], cwd=directory, check=True, capture_output=True)


def commit(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text)
    git(directory, "add", "-A")
    git(directory, "commit", "-m", "x")


@pytest.fixture
def repository(alone: Path) -> Path:
    """The working directory is a repository, with a trust file in its only commit."""
    git(alone, "init", "-b", "main")
    commit(alone, pytrust=PINNED)
    return alone


def effects(said: Said) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["subject"], each["effect"]) for each in said.json["changes"]]


def as_json(*words: str) -> Said:
    return typed("trust", "diff", *words, "--format", "json")


def test_nothing_changed(repository: Path) -> None:
    said = typed("trust", "diff")
    assert (said.code, said.out.count("\n")) == (0, 1)
    assert said.out.startswith(f"{repository / 'pytrust.toml'} since HEAD (")
    assert said.out.endswith("): the same\n")


def test_t51_what_is_widened_comes_first_and_is_exit_code_1(repository: Path) -> None:
    (repository / "pytrust.toml").write_text(PINNED + MORE + REVOKED)
    said = typed("trust", "diff")
    assert said.code == 1
    assert said.out.splitlines()[0].endswith(": 1 widened, 1 narrowed")
    assert said.out.splitlines()[1].startswith(
        "  widened   attrs 1.0: 1 file may be installed by digest, from "
    )
    assert said.out.splitlines()[2] == "  narrowed  idna 3.19: is refused whatever else is said: stolen"
    data = as_json()
    assert (data.code, data.json["exit_code"], data.json["command"]) == (1, 1, "trust diff")
    assert effects(data) == [
        ("exemption-added", "attrs 1.0", "widened"),
        ("revocation-added", "idna 3.19", "narrowed"),
    ]


def test_what_narrows_is_exit_code_0(repository: Path) -> None:
    (repository / "pytrust.toml").write_text(PINNED + REVOKED)
    assert as_json().code == 0
    git(repository, "commit", "-am", "x")
    (repository / "pytrust.toml").write_text(PINNED)
    assert (as_json().code, as_json("HEAD~1").code, as_json("main^").code) == (1, 0, 0)


def test_a_file_in_place_of_a_revision(repository: Path) -> None:
    (repository / "before.toml").write_text(PINNED + MORE)
    said = as_json("--from", "before.toml")
    assert (said.code, effects(said)) == (0, [("exemption-removed", "attrs 1.0", "narrowed")])
    assert said.json["since"] == "before.toml"
    assert as_json("--from", "none.toml").json["error"]["code"] == "no-trust-file"
    assert as_json("main", "--from", "before.toml").json["error"]["code"] == "usage"


def test_t51_a_file_that_is_new_is_widened(repository: Path) -> None:
    git(repository, "rm", "pytrust.toml")
    git(repository, "commit", "-m", "x")
    (repository / "pytrust.toml").write_text("version = 1\n")
    said = as_json()
    assert (said.code, effects(said)) == (1, [("file-new", "the trust file", "widened")])


@pytest.mark.parametrize(
    "old",
    ["version = 2\n", "nonsense", PINNED.replace("reason =", "raeson ="), "\xff\x00"],
    ids=["of a newer version", "no TOML", "misspelled", "no text"],
)
def test_t51_a_file_that_was_invalid_is_widened_and_said(repository: Path, old: str) -> None:
    (repository / "pytrust.toml").write_bytes(old.encode("latin-1"))
    git(repository, "commit", "-am", "x")
    (repository / "pytrust.toml").write_text(PINNED)
    said = as_json()
    assert said.code == 1
    assert effects(said)[0] == ("file-was-invalid", "the trust file", "widened")
    assert ("exemption-added", "idna 3.20", "widened") in effects(said)
    assert said.json["changes"][0]["words"].startswith("what it was is no trust file, so all of it is new: ")


def test_t51_a_file_that_became_a_link_is_compared_with_what_it_was(repository: Path) -> None:
    """The file that it leads to may have been committed long ago, under a name that nobody looked at."""
    commit(repository, other=PINNED + MORE)
    (repository / "pytrust.toml").unlink()
    (repository / "pytrust.toml").symlink_to("other.toml")
    assert effects(as_json()) == [("exemption-added", "attrs 1.0", "widened")]
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    assert as_json().code == 0, "a link is followed within the revision"
    assert as_json("HEAD~1").code == 1


def test_t51_a_directory_that_became_a_link_is_compared_with_what_it_was(repository: Path) -> None:
    for name, text in (("here", PINNED), ("there", PINNED + MORE)):
        (repository / name).mkdir()
        (repository / name / "pytrust.toml").write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    (repository / "here" / "pytrust.toml").unlink()
    (repository / "here").rmdir()
    (repository / "here").symlink_to("there")
    assert as_json("--trust", "here/pytrust.toml").code == 1
    assert as_json("--trust", "there/pytrust.toml").code == 0
    other = as_json("--trust", "here/../there/pytrust.toml")
    assert other.code == 0
    (repository / "out").mkdir()
    (repository / "out" / "up").symlink_to(repository / "there")
    (repository / "out" / "pytrust.toml").write_text(PINNED)
    said = as_json("--trust", "out/up/../pytrust.toml")
    assert said.json["error"]["code"] == "no-repository", "what .. means depends on who reads it"


def test_a_link_out_of_the_repository_is_no_trust_file_of_the_revision(repository: Path) -> None:
    elsewhere = repository.parent / "elsewhere.toml"
    elsewhere.write_text(PINNED)
    (repository / "pytrust.toml").unlink()
    (repository / "pytrust.toml").symlink_to(elsewhere)
    git(repository, "commit", "-am", "x")
    assert effects(as_json())[0] == ("file-was-invalid", "the trust file", "widened")


@pytest.mark.parametrize(
    "revision",
    [
        "--output=/tmp/x",
        "-h",
        "nowhere",
        "",
        "a\nb",
        "a\0b",
        "HEAD:pytrust.toml",
        "--upload-pack=touch ran",
        "@{u}",
    ],
)
def test_what_is_no_revision_is_no_option_either(repository: Path, revision: str) -> None:
    before = sorted(repository.rglob("*"))
    said = typed("trust", "diff", "--format", "json", "--", revision)
    assert (said.code, said.json["error"]["code"]) == (2, "no-such-revision")
    assert sorted(repository.rglob("*")) == before


def test_a_repository_without_a_commit(alone: Path) -> None:
    git(alone, "init")
    (alone / "pytrust.toml").write_text(PINNED)
    assert as_json().json["error"]["code"] == "no-such-revision"


def test_no_repository_and_no_git(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "pytrust.toml").write_text(PINNED)
    said = as_json()
    assert (said.code, said.json["error"]["code"]) == (2, "no-repository")
    assert "--from FILE" in said.json["error"]["hint"]
    (alone / "empty").mkdir()
    monkeypatch.setenv("PATH", str(alone / "empty"))
    assert as_json().json["error"]["code"] == "git-needed"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else_is_not_read(repository: Path) -> None:
    for path in (repository, repository / ".git"):
        os.chown(path, 4242, -1)
    said = as_json()
    assert (said.code, said.json["error"]["code"]) == (2, "no-repository")
    assert "another user" in said.json["error"]["message"]
    assert as_json("--from", "pytrust.toml").code == 0


def test_t52_no_variable_names_another_repository_or_object(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook of git, or where somebody else sets variables of a job."""
    other = repository.parent / "other"
    other.mkdir()
    git(other, "init", "-b", "main")
    commit(other, pytrust=PINNED + MORE)
    (repository / "pytrust.toml").write_text(PINNED + MORE)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    assert as_json().code == 1


def test_t51_a_replaced_object_is_not_used(repository: Path) -> None:
    old = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True).strip()
    commit(repository, pytrust=PINNED + MORE)
    git(repository, "replace", old, "HEAD")
    assert as_json("HEAD~1").code == 1


def test_t51_a_tag_does_not_stand_for_the_branch_of_its_name(repository: Path) -> None:
    """The tag is taken, and git says so unheard: whoever pushes tags would choose what was before."""
    old = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True).strip()
    git(repository, "update-ref", "refs/remotes/origin/main", old)
    commit(repository, pytrust=PINNED + MORE)
    assert as_json("origin/main").code == 1
    for name in ("origin/main", "refs/remotes/origin/main", "HEAD", old, old[:12]):
        git(repository, "update-ref", f"refs/tags/{name}", "HEAD")
    git(repository, "config", "core.warnAmbiguousRefs", "false")
    for name in ("origin/main", "origin/main~0", old[:12]):
        said = as_json(name)
        assert (said.code, said.json["error"]["code"]) == (2, "no-such-revision"), name
        assert "a name of several" in said.json["error"]["message"]
    for name in ("refs/remotes/origin/main", old, "HEAD~1"):
        assert (as_json(name).code, effects(as_json(name))) == (
            1,
            [("exemption-added", "attrs 1.0", "widened")],
        )
    assert as_json("HEAD").code == 0


@pytest.mark.parametrize("work_tree", [".", ".."])
def test_t51_a_committed_directory_is_no_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch, work_tree: str
) -> None:
    """What is laid out as a repository is one to git: its branches are anybody's files."""
    below = repository / "below"
    below.mkdir()
    (below / "pytrust.toml").write_text(PINNED)
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    (below / "pytrust.toml").write_text(PINNED + MORE)
    git(below, "clone", "--bare", "..", "made")
    for path in (below / "made").iterdir():
        path.rename(below / path.name)
    for name in ("pytrust.toml", "below/pytrust.toml"):
        git(
            below,
            "--git-dir=.",
            "--work-tree=.",
            "update-index",
            "--add",
            "--cacheinfo",
            f"100644,{_blob(below)},{name}",
        )
    git(below, "--git-dir=.", "--work-tree=.", "commit", "-m", "x")
    for key, value in (("core.bare", "false"), ("core.worktree", work_tree)):
        git(below, "config", "--file", "config", key, value)
    monkeypatch.chdir(below)
    said = as_json()
    if work_tree == ".":
        assert (said.code, said.json["error"]["code"]) == (2, "no-repository")
        assert "one without a .git" in said.json["error"]["message"]
    else:
        assert (said.code, effects(said)) == (1, [("exemption-added", "attrs 1.0", "widened")])
    monkeypatch.chdir(repository)
    assert as_json("--trust", "below/pytrust.toml").code == 1


def test_t51_a_directory_that_became_a_submodule_is_widened(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its branches are of another repository, which whoever made the change may have chosen."""
    other = repository.parent / "other"
    other.mkdir()
    git(other, "init", "-b", "main")
    commit(other, pytrust=PINNED + MORE)
    (repository / "below").mkdir()
    (repository / "below" / "pytrust.toml").write_text(PINNED)
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    git(repository, "rm", "-r", "below")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(other), "below")
    git(repository, "commit", "-m", "x")
    monkeypatch.chdir(repository / "below")
    said = as_json("refs/remotes/origin/main")
    assert (said.code, effects(said)) == (1, [("file-in-submodule", "the trust file", "widened")])
    monkeypatch.chdir(repository)
    said = as_json("HEAD~1", "--trust", "below/pytrust.toml")
    assert (said.code, effects(said)) == (1, [("exemption-added", "attrs 1.0", "widened")])


def _blob(directory: Path) -> str:
    words = ("git", "--git-dir=.", "hash-object", "-w", "pytrust.toml")
    return subprocess.check_output(words, cwd=directory, text=True).strip()


def test_from_a_directory_below_and_from_outside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "below").mkdir()
    monkeypatch.chdir(repository / "below")
    assert as_json().code == 0
    monkeypatch.chdir(repository.parent)
    (repository.parent / "linked").symlink_to(repository)
    assert as_json("--trust", "home/pytrust.toml").code == 0
    assert as_json("--trust", "linked/pytrust.toml").code == 0
    (repository / "pytrust.toml").write_text(PINNED + MORE)
    assert as_json("--trust", "linked/pytrust.toml").code == 1


def test_t68_what_is_told_is_escaped(repository: Path) -> None:
    (repository / "pytrust.toml").write_text(PINNED.replace('"reviewed"', '"re\\u001b[31mvie\\u202ewed"'))
    said = typed("trust", "diff")
    assert (said.code, "\x1b" in said.out, "\u202e" in said.out) == (0, False, False)
    assert "neutral   idna 3.20: reason was reviewed, is re\\u001b[31m" in said.out


def test_a_root_that_is_not_the_pinned_one_is_told(repository: Path) -> None:
    root = '[sigstore]\ntrusted-root = "root.json"\nissuers = ["https://a.example"]\n'
    digest = f'trusted-root-sha256 = "{"c" * 64}"\n'
    commit(repository, pytrust=PINNED.replace("[source.pypi]", root + digest + "[source.pypi]"))
    said = as_json()
    assert (said.code, effects(said)) == (0, [("root-unusable", "trusted root", "neutral")])
    changed = (repository / "pytrust.toml").read_text().replace("c" * 64, "d" * 64)
    (repository / "pytrust.toml").write_text(changed)
    assert effects(as_json())[0] == ("root-digest", "trusted root", "widened")


def _with_root(repository: Path, root: dict[str, Any]) -> None:
    """Write a trusted root, and a trust file that pins it."""
    raw = json.dumps(root).encode()
    (repository / "root.json").write_bytes(raw)
    pin = '[sigstore]\ntrusted-root = "root.json"\nissuers = ["https://a.example"]\n'
    digest = f'trusted-root-sha256 = "{hashlib.sha256(raw).hexdigest()}"\n'
    (repository / "pytrust.toml").write_text(PINNED.replace("[source.pypi]", pin + digest + "[source.pypi]"))


def test_what_a_trusted_root_of_another_digest_adds_and_takes_away_is_told(repository: Path) -> None:
    whole = json.loads(ROOT.read_bytes())
    fewer = whole | {"tlogs": whole["tlogs"][:-1]}
    _with_root(repository, fewer)
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    assert as_json().json["changes"] == []
    _with_root(repository, whole)
    said = as_json()
    assert [(kind, effect) for kind, _, effect in effects(said)] == [
        ("root-digest", "widened"),
        ("root-content", "widened"),
    ]
    assert "it has more: transparency log " in said.json["changes"][1]["words"]
    git(repository, "commit", "-am", "x")
    _with_root(repository, fewer)
    assert [(kind, effect) for kind, _, effect in effects(as_json())] == [
        ("root-digest", "widened"),
        ("root-content", "narrowed"),
    ]
    (repository / "root.json").write_text("{}")
    assert ("root-unusable", "trusted root", "neutral") in effects(as_json())


def test_what_is_valid_again_and_what_cannot_be_compared_is_widened(repository: Path) -> None:
    whole = json.loads(ROOT.read_bytes())
    first, *rest = whole["tlogs"]
    ended = {"start": first["publicKey"]["validFor"]["start"], "end": "2024-01-01T00:00:00Z"}
    closed = first | {"publicKey": first["publicKey"] | {"validFor": ended}}
    for before, told in (
        ({"tlogs": [closed, *rest]}, "valid again: "),
        ({"tlogs": 1}, "cannot be compared: "),
    ):
        _with_root(repository, whole | before)
        git(repository, "add", "-A")
        git(repository, "commit", "-m", "x")
        _with_root(repository, whole)
        said = as_json()
        assert {(kind, effect) for kind, _, effect in effects(said)} == {
            ("root-digest", "widened"),
            ("root-content", "widened"),
        }
        assert any(told in each["words"] for each in said.json["changes"]), said.out
