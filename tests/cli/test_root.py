"""``root update`` replaces the root and its digest together, and nothing without asking."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from _sigstore import samples
from cli.terminal import typed, typed_in
from documents import described
from pip_warden.trust.editing import edit

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
    return typed_in(directory, {"HOME": str(directory)}, "pip-warden", *words)


def test_a_new_root_is_pinned_after_a_yes_and_comments_stay(directory: Path) -> None:
    result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")

    assert result.returncode == 0, result.stderr
    assert (directory / "root.json").read_bytes() == (directory / "new.json").read_bytes()
    assert (directory / "pytrust.toml").read_text(encoding="utf-8").startswith("# who may publish what")
    assert _run(directory, "trust", "check").returncode == 0
    assert "is current" in _run(directory, "root", "update", "--trusted-root", "new.json").stdout


def test_what_was_replaced_is_told_as_data_and_asked_elsewhere(directory: Path) -> None:
    words = ("root", "update", "--trusted-root", "new.json", "--format", "json")
    before, after = (
        hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in ("root.json", "new.json")
    )

    asked = _run(directory, *words)
    assert described(asked.stdout)["error"]["code"] == "yes-needed"
    assert f"new  sha256 {after}" in asked.stderr
    told = described(_run(directory, *words, "--yes").stdout)
    again = described(_run(directory, *words).stdout)

    assert (told["is_written"], told["before"], told["after"]) == (True, before, after)
    assert (told["sigstore"], told["losses"]) == ("default", [])
    assert (again["is_written"], again["before"], again["after"]) == (False, after, after)


def test_ends_of_lines_stay_as_they_are(directory: Path) -> None:
    trust = directory / "pytrust.toml"
    trust.write_bytes(trust.read_bytes().replace(b"\n", b"\r\n"))

    assert _run(directory, "root", "update", "--trusted-root", "new.json", "--yes").returncode == 0
    assert trust.read_bytes().count(b"\r\n") == trust.read_bytes().count(b"\n") == 6


def test_what_was_changed_while_a_person_was_asked_is_not_overwritten(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another digest than the one that was shown would be replaced, or a pin that somebody has just added."""
    monkeypatch.chdir(directory)
    trust, root = directory / "pytrust.toml", (directory / "root.json").read_bytes()
    other = trust.read_text(encoding="utf-8").replace("trusted-root-sha256", '"trusted-root-sha256"')
    other = other.replace(hashlib.sha256(root).hexdigest(), "a" * 64)

    def asked(**_: object) -> None:
        trust.write_text(other, encoding="utf-8")

    monkeypatch.setattr("pip_warden.cli.root._confirm", asked)
    said = typed("root", "update", "--trusted-root", "new.json")

    assert (said.code, "error[trust-file-changed]" in said.err) == (2, True), said.err
    assert (trust.read_text(encoding="utf-8"), (directory / "root.json").read_bytes()) == (other, root)


def test_nothing_is_pinned_while_another_command_writes(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit, "_LONGEST_WAIT", 0.0)
    before = _state(directory)
    with edit.alone(directory / "pytrust.toml"):
        result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")
    assert (result.returncode, "[trust-file-changed]" in result.stderr) == (2, True), result.stderr
    assert _state(directory) == before


def test_a_root_that_was_pinned_meanwhile_is_not_replaced(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, trust = edit._lock, directory / "pytrust.toml"
    other = trust.read_bytes().replace(b"gitlab.com", b"gitlab.org")

    def changing(descriptor: int, path: Path) -> None:
        lock(descriptor, path)
        trust.write_bytes(other)

    monkeypatch.setattr(edit, "_lock", changing)
    result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")
    assert (result.returncode, "[trust-file-changed]" in result.stderr) == (2, True), result.stderr
    assert trust.read_bytes() == other
    assert (directory / "root.json").read_bytes() == REAL.read_bytes()


def test_t16_what_of_a_root_is_left_out_is_said(directory: Path) -> None:
    """An unknown key of the future breaks nothing; but pinning or checking the root reports it."""
    root = json.loads(REAL.read_bytes())
    root["tlogs"].append(root["tlogs"][0] | {"hashAlgorithm": "SHA9"})
    (directory / "new.json").write_text(json.dumps(root), encoding="utf-8")
    before = _run(directory, "trust", "check")
    updated = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")
    after = _run(directory, "trust", "check")
    document = described(_run(directory, "trust", "check", "--format", "json").stdout)

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


def _edit(directory: Path, name: str, **parts: object) -> None:
    (directory / name).write_text(json.dumps(json.loads(REAL.read_bytes()) | parts), encoding="utf-8")


def _state(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_b15_a_link_planted_beside_the_root_is_not_written_through(directory: Path) -> None:
    """Whoever wrote the checkout can put any file there, under any predictable name."""
    (directory / "victim").write_text("precious")
    (directory / ".root.json.new").symlink_to("victim")
    result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes")

    assert result.returncode == 0, result.stderr
    assert (directory / "victim").read_text() == "precious"
    assert not (directory / "root.json").is_symlink()
    assert (directory / "root.json").read_bytes() == (directory / "new.json").read_bytes()
    names = {path.name for path in directory.iterdir()}
    assert names == {"victim", ".root.json.new", "root.json", "new.json", "pytrust.toml"}


def test_b15_a_root_that_cannot_be_written_is_no_bug(directory: Path) -> None:
    before = _state(directory)
    ended = subprocess.run(
        [
            "bash",
            "-c",
            'ulimit -f 0; exec "$@"',
            "bash",
            TOOL,
            "root",
            "update",
            "--trusted-root",
            "new.json",
            "--yes",
        ],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, "[trust-file-unwritable]" in ended.stderr) == (2, True), ended.stderr
    assert _state(directory) == before


def test_b15_a_root_that_drops_something_needs_a_word_of_its_own(directory: Path) -> None:
    logs = json.loads(REAL.read_bytes())["tlogs"]
    _edit(directory, "new.json", tlogs=logs[:1])
    before = _state(directory)
    words = ("root", "update", "--trusted-root", "new.json", "--yes")
    refused = _run(directory, *words)

    assert (refused.returncode, "[trusted-root-removal]" in refused.stderr) == (1, True), refused.stderr
    assert "removed: transparency log https://log2025-1.rekor.sigstore.dev (key " in refused.stderr
    assert _state(directory) == before
    allowed = _run(directory, *words, "--allow-removal")
    assert allowed.returncode == 0, allowed.stderr
    assert "\n  removed: transparency log https://log2025-1.rekor.sigstore.dev (key " in allowed.stdout
    assert (directory / "root.json").read_bytes() == (directory / "new.json").read_bytes()
    assert _run(directory, "trust", "check").returncode == 0


def test_b15_a_root_that_makes_a_key_valid_again_needs_a_word_of_its_own(directory: Path) -> None:
    authorities = json.loads(REAL.read_bytes())["certificateAuthorities"]
    del authorities[0]["validFor"]["end"]
    _edit(directory, "new.json", certificateAuthorities=authorities)
    before = _state(directory)
    words = ("root", "update", "--trusted-root", "new.json", "--yes")
    refused = _run(directory, *words)

    assert (refused.returncode, "[trusted-root-removal]" in refused.stderr) == (1, True), refused.stderr
    assert "valid again: certificate authority CN=sigstore,O=sigstore.dev" in refused.stderr
    assert _state(directory) == before
    allowed = _run(directory, *words, "--allow-removal")
    assert (allowed.returncode, "valid again: certificate authority" in allowed.stdout) == (0, True)


@pytest.mark.parametrize("allow", [(), ("--allow-removal",)])
@pytest.mark.parametrize("spoiled", ["missing", "changed"])
def test_b15_what_cannot_be_compared_is_not_replaced_unasked(
    directory: Path, spoiled: str, allow: tuple[str, ...]
) -> None:
    if spoiled == "missing":
        (directory / "root.json").unlink()
    else:
        (directory / "root.json").write_bytes(b"{}")
    before = _state(directory)
    result = _run(directory, "root", "update", "--trusted-root", "new.json", "--yes", *allow)

    if allow:
        assert (result.returncode, "cannot be compared" in result.stdout) == (0, True), result.stderr
        assert _run(directory, "trust", "check").returncode == 0
    else:
        code = "trusted-root-missing" if spoiled == "missing" else "trusted-root-digest"
        assert (result.returncode, f"[{code}]" in result.stderr) == (3, True), result.stderr
        assert _state(directory) == before


@pytest.fixture
def private(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trust file that pins the root of a private instance; the public one can be fetched."""
    raw = json.dumps(samples.service().trusted_root()).encode()
    (directory / "root.json").write_bytes(raw)
    file = directory / "pytrust.toml"
    pinned = hashlib.sha256(REAL.read_bytes()).hexdigest()
    file.write_text(file.read_text().replace(pinned, hashlib.sha256(raw).hexdigest()))
    monkeypatch.setattr("pip_warden._sigstore.tuf.fetch_public_good_root", REAL.read_bytes)
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.parametrize("allow", [(), ("--allow-removal",)])
@pytest.mark.parametrize("name", ["default", "ours"])
def test_b15_the_public_root_does_not_replace_a_private_one(
    private: Path, allow: tuple[str, ...], name: str
) -> None:
    if name != "default":
        file = private / "pytrust.toml"
        file.write_text(file.read_text().replace("[sigstore]", f"[sigstore.{name}]"))
    before = _state(private)
    said = typed("root", "update", "--yes", "--sigstore", name, *allow)

    assert (said.code, "error[other-trusted-root]" in said.err) == (1, True), said.err
    named = "" if name == "default" else f" --sigstore {name}"
    assert f"`pip-warden root update{named} --trusted-root FILE`" in said.err
    assert _state(private) == before


def test_b15_a_move_to_another_instance_is_spelled_out(private: Path) -> None:
    (private / "public.json").write_bytes(REAL.read_bytes())
    words = ("root", "update", "--yes", "--trusted-root", "public.json")
    said = typed(*words)

    assert (said.code, "error[trusted-root-removal]" in said.err) == (1, True), said.err
    assert typed(*words, "--allow-removal").code == 0
    assert (private / "root.json").read_bytes() == REAL.read_bytes()


def test_b15_nor_one_that_cannot_be_looked_at(private: Path) -> None:
    (private / "root.json").write_bytes(b"{}")
    said = typed("root", "update", "--yes", "--allow-removal")

    assert (said.code, "error[trusted-root-digest]" in said.err) == (3, True), said.err


def test_b15_the_public_root_replaces_an_older_one(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = json.loads(REAL.read_bytes())
    newer = real | {"tlogs": [*real["tlogs"], *samples.service().trusted_root()["tlogs"]]}
    raw = json.dumps(newer).encode()
    monkeypatch.setattr("pip_warden._sigstore.tuf.fetch_public_good_root", lambda: raw)
    monkeypatch.chdir(directory)
    said = typed("root", "update", "--yes")

    assert said.code == 0, said.err
    assert (directory / "root.json").read_bytes() == raw
