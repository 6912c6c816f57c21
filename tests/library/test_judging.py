"""A program judges files: what is accepted, refused, and not decided."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pip_warden
from library.signed import Signed, refused
from pip_warden import Accepted, Settings, UndecidedError, UsageError


def test_the_trust_file_is_found_as_the_commands_find_it(
    signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (signed.home / ".git").mkdir()
    monkeypatch.chdir(signed.home / "dist")
    assert pip_warden.load_trust() == signed.trust
    (signed.home / "dist" / ".git").mkdir()
    with pytest.raises(UsageError) as caught:
        pip_warden.load_trust()

    assert (caught.value.code, caught.value.exit_code) == ("no-trust-file", 2)


def test_whose_the_trust_file_is(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    path = signed.home / "pytrust.toml"
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    owned = path.stat().st_uid != 0
    if not owned:  # root's files are anybody's
        os.chown(path, 1234, -1)
    for given in (None, path):
        with pytest.raises(UsageError) as caught:
            pip_warden.load_trust(given)
        assert (caught.value.code, caught.value.exit_code) == ("trust-file-owner", 2)
        assert "check_owner=False" in caught.value.hint

    assert pip_warden.load_trust(path, check_owner=False).path == path


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("hurdle = 1", "hurdle"),
        ("[source.acme]\ntype='gitlab'\nurl='https://x.example'\nhurdle=1", "source.acme.hurdle"),
        ("version = 2", "version"),
    ],
)
def test_a_newer_trust_file_says_what_it_needs(tmp_path: Path, line: str, path: str) -> None:
    file = tmp_path / "pytrust.toml"
    file.write_text(line if path == "version" else f"version = 1\n{line}\n")
    with pytest.raises(UsageError) as caught:
        pip_warden.load_trust(file)
    faults: Any = caught.value

    assert (caught.value.code, caught.value.exit_code) == ("trust-file-invalid", 2)
    assert "needs a newer pip-warden" in dict(faults.faults)[path]


@pytest.mark.parametrize("trust", [True, False])
def test_a_file_with_its_evidence_is_accepted(signed: Signed, trust: bool) -> None:
    """As a path or a string; nothing is kept, and nothing is left."""
    before = sorted(signed.home.rglob("*"))
    verdict = pip_warden.judge_file(signed.path, trust=signed.trust if trust else None)

    assert isinstance(verdict, Accepted)
    assert verdict.artifact.digest.hex == signed.wheel.sha256
    assert "//.gitlab-ci.yml@refs/tags/v1.0" in verdict.signer
    assert not verdict.artifact.path.exists()
    assert sorted(signed.home.rglob("*")) == before
    assert isinstance(pip_warden.judge_file(str(signed.path)), Accepted)


def test_no_home_directory_is_needed(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")

    assert isinstance(pip_warden.judge_file(signed.path, trust=signed.trust), Accepted)


def test_a_verdict_and_a_report_have_no_truth_value(signed: Signed) -> None:
    verdict = pip_warden.judge_file(signed.path)
    other = pip_warden.judge_file(signed.path, evidence=[])
    with pip_warden.open_session(signed.trust, settings=Settings(offline=True)) as session:
        report = session.judge_release("acme-widgets", "1.0")
    for value in (verdict, other, report):
        with pytest.raises(TypeError, match="no truth value"):
            bool(value)


GARBAGE: dict[str, tuple[list[bytes], str]] = {
    "none": ([], "no-evidence"),
    "empty": ([b""], "empty-evidence"),
    "a web page": ([b"<html>sign in</html>"], "evidence-is-web-page"),
    "no JSON": ([b"\xff\xfe"], "bad-bundle"),
    "another object": ([b"{}"], "bad-bundle"),
    "a provenance without attestations": ([b'{"attestation_bundles": [], "version": 1}'], "no-attestations"),
    "a huge one": ([b" " * (9 << 20)], "evidence-too-large"),
    "too many": ([b"{}"] * 100, "bad-bundle"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_evidence_that_is_none(signed: Signed, name: str) -> None:
    """Given evidence is the only evidence: what lies next to the file is not looked at."""
    evidence, code = GARBAGE[name]

    assert refused(pip_warden.judge_file(signed.path, evidence=evidence)) == code


def test_only_so_much_evidence_is_looked_at(signed: Signed) -> None:
    """An endless iterable ends."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"{}"

    verdict = pip_warden.judge_file(signed.path, evidence=endless())

    assert refused(verdict) == "bad-bundle"
    assert [item.code for item in verdict.bad_items][-1] == "too-much-evidence"


def test_a_hash_pin_needs_no_evidence(signed: Signed) -> None:
    text = (signed.home / "pytrust.toml").read_text().partition("  [[package.identity]]")[0]
    for digest in (signed.wheel.sha256, "0" * 64):
        pin = f'version = "1.0"\nreason = "reviewed"\nsha256 = {{ "{signed.wheel.name}" = "{digest}" }}\n'
        (signed.home / "pytrust.toml").write_text(text + pin)
        verdict = pip_warden.judge_file(signed.path, evidence=[])
        assert isinstance(verdict, Accepted) is (digest == signed.wheel.sha256), verdict
        if isinstance(verdict, Accepted):
            assert verdict.signer == "pinned by hash: reviewed"
        else:
            assert verdict.step == 5


def test_evidence_of_another_file_is_refused(signed: Signed) -> None:
    other = signed.sandbox.wheel("acme-widgets", "1.0", files={"other.py": ""})
    signed.path.write_bytes(other.data)

    assert refused(pip_warden.judge_file(signed.path, evidence=[signed.bundle])) == "bad-signature"


def test_a_bad_piece_does_not_hide_a_good_one(signed: Signed) -> None:
    verdict = pip_warden.judge_file(signed.path, evidence=[b"", signed.bundle])

    assert isinstance(verdict, Accepted)
    assert [item.code for item in verdict.bad_items] == ["empty-evidence"]


def test_evidence_is_read_no_further_than_to_the_first_good_piece(signed: Signed) -> None:
    seen = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"", signed.bundle, b"never"):
            seen.append(piece)
            yield piece

    given = pieces()
    assert isinstance(pip_warden.judge_file(signed.path, evidence=given), Accepted)
    assert seen == [b"", signed.bundle]


def test_a_generator_speaks_once(signed: Signed) -> None:
    """What it has left is all that the second file gets."""
    given = iter([signed.bundle])

    assert isinstance(pip_warden.judge_file(signed.path, evidence=given), Accepted)
    assert refused(pip_warden.judge_file(signed.path, evidence=given)) == "no-evidence"


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), OSError("x"), StopIteration(), KeyboardInterrupt()]
)
def test_evidence_that_raises_is_no_verdict(signed: Signed, error: BaseException) -> None:
    class Broken:
        def __iter__(self) -> Iterator[bytes]:
            raise error

    def later() -> Iterator[bytes]:
        yield b""
        raise error

    for evidence in (Broken(), later()):
        with pytest.raises(RuntimeError if isinstance(error, StopIteration) else type(error)):
            pip_warden.judge_file(signed.path, evidence=evidence)


@pytest.mark.parametrize("trust", ["pytrust.toml", Path("pytrust.toml"), 3])
def test_a_trust_file_that_was_not_read_is_a_mistake(signed: Signed, trust: Any) -> None:
    with pytest.raises(TypeError, match=r"load_trust\(path\) reads one"):
        pip_warden.judge_file(signed.path, trust=trust)
    with (
        pytest.raises(TypeError, match=r"load_trust\(path\) reads one"),
        pip_warden.open_session(trust),
    ):
        pass


@pytest.mark.parametrize("evidence", [b"{}", "{}", ["{}"], [3], [None], [bytearray(b"{}")], 3])
def test_evidence_of_another_type_is_a_mistake(signed: Signed, evidence: Any) -> None:
    with pytest.raises(TypeError):
        pip_warden.judge_file(signed.path, evidence=evidence)


def _nothing(path: Path) -> None:
    path.unlink()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


STRANGE = (_nothing, _directory, _pipe, _device, _loop)


@pytest.mark.parametrize("make", STRANGE)
def test_what_is_no_file_is_a_clear_error(signed: Signed, make: Callable[[Path], None]) -> None:
    """It does not hang either: nobody writes to the pipe."""
    make(signed.path)
    with pytest.raises(UsageError) as caught:
        pip_warden.judge_file(signed.path)

    assert (caught.value.code, caught.value.exit_code) == ("no-such-file", 2)


@pytest.mark.parametrize("make", STRANGE[1:])
def test_evidence_that_is_no_file_is_a_clear_error(signed: Signed, make: Callable[[Path], None]) -> None:
    make(signed.path.with_name(f"{signed.wheel.name}.sigstore.json"))
    with pytest.raises(UsageError) as caught:
        pip_warden.judge_file(signed.path)

    assert (caught.value.code, caught.value.exit_code) == ("unreadable-evidence", 2)


@pytest.mark.parametrize("make", STRANGE)
def test_a_trusted_root_that_is_no_file_is_undecided(signed: Signed, make: Callable[[Path], None]) -> None:
    trust = signed.trust
    make(signed.home / "trusted_root.json")
    with pytest.raises(UndecidedError) as caught:
        pip_warden.judge_file(signed.path, trust=trust)

    assert (caught.value.code, caught.value.exit_code) == ("trusted-root-missing", 3)


@pytest.mark.parametrize(
    "name", ["x.txt", "", "\0.whl", "a\0/acme_widgets-1.0-py3-none-any.whl", "n" * 300 + ".whl"]
)
def test_names_that_no_wheel_has(signed: Signed, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        pip_warden.judge_file(signed.home / "dist" / name)

    assert caught.value.code in {"invalid-filename", "no-such-file"}


def test_another_name_is_another_claim(signed: Signed) -> None:
    """A link is judged by its own name, and by the evidence next to it."""
    link = signed.home / "acme_widgets-2.0-py3-none-any.whl"
    link.symlink_to(signed.path)
    same = signed.home / signed.wheel.name
    same.symlink_to(signed.path)

    assert refused(pip_warden.judge_file(link, evidence=[signed.bundle])) == "version-inside-differs"
    assert refused(pip_warden.judge_file(same)) == "no-evidence"
    assert isinstance(pip_warden.judge_file(same, evidence=[signed.bundle]), Accepted)


@pytest.mark.parametrize("place", ["the file", "a link to it"])
def test_t32_bytes_exchanged_meanwhile_are_not_those_that_are_accepted(signed: Signed, place: str) -> None:
    """The file is exchanged before its evidence is read: the verdict is about the first, and says so."""
    path = signed.path
    if place == "a link to it":
        path = signed.home / signed.wheel.name
        path.symlink_to(signed.path)
    evil = signed.sandbox.wheel("acme-widgets", "1.0", files={"evil.py": ""})

    def swapping() -> Iterator[bytes]:
        path.unlink()
        path.write_bytes(evil.data)
        yield signed.bundle

    with pip_warden.open_session(
        signed.trust, settings=Settings(offline=True, environ=os.environ)
    ) as session:
        verdict = session.judge_file(path, evidence=swapping())
        assert isinstance(verdict, Accepted)
        assert verdict.artifact.digest.hex == signed.wheel.sha256
        assert verdict.artifact.path.read_bytes() == signed.wheel.data
        assert path.read_bytes() == evil.data
        assert refused(session.judge_file(path, evidence=[signed.bundle])) == "bad-signature"


def test_t32_bytes_exchanged_the_other_way_round_are_refused(signed: Signed) -> None:
    good = signed.path.read_bytes()
    evil = signed.sandbox.wheel("acme-widgets", "1.0", files={"evil.py": ""})
    signed.path.write_bytes(evil.data)

    def swapping() -> Iterator[bytes]:
        signed.path.write_bytes(good)
        yield signed.bundle

    assert refused(pip_warden.judge_file(signed.path, evidence=swapping())) == "bad-signature"


def test_a_detached_signature_is_not_decided_offline(signed: Signed) -> None:
    project = signed.sandbox.project("acme/widgets")
    pair = signed.sandbox.sign(signed.wheel, signed.sandbox.job(project, tag="v1.0"), forms=("detached",))
    signed.path.with_name(f"{signed.wheel.name}.sigstore.json").unlink()
    for name, content in pair.items():
        (signed.path.parent / name).write_bytes(content)
    with pytest.raises(UndecidedError) as caught:
        pip_warden.judge_file(signed.path)
    assert (caught.value.code, caught.value.exit_code) == ("log-lookup-offline", 3)

    with pip_warden.open_session(signed.trust, settings=Settings.from_environment()) as session:
        assert isinstance(session.judge_file(signed.path), Accepted)
