"""Which of a command's arguments are files: wheels and sdists, each once; evidence goes with its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pip_warden.errors import UsageError
from pip_warden.evidence.arguments import artifacts_among
from pip_warden.publication.copies import files_to_publish
from pip_warden.publish.sign import files_to_sign
from pip_warden.verify import files_to_verify

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SDIST = "acme_widgets-1.0.tar.gz"
EVIDENCE = ("sigstore.json", "sig", "crt", "slsa.sigstore.json", "slsa.attestation", "x.y.sigstore")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    directory = tmp_path / "dist"
    directory.mkdir()
    for name in (WHEEL, SDIST, *(f"{WHEEL}.{suffix}" for suffix in EVIDENCE)):
        (directory / name).write_bytes(b"x")
    return directory


def among(*paths: Path) -> list[str]:
    return [path.name for path in artifacts_among(paths, nothing=UsageError("nothing", "nothing"))]


def refused(*paths: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        among(*paths)
    assert caught.value.exit_code == 2
    return caught.value


def test_all_of_a_directory_can_be_named(dist: Path) -> None:
    """In any order, as a shell lists it or not."""
    everything = sorted(dist.iterdir())

    assert among(*everything) == [WHEEL, SDIST]
    assert among(*reversed(everything)) == [SDIST, WHEEL]


@pytest.mark.parametrize("command", [files_to_sign, files_to_verify, files_to_publish])
def test_every_command_has_the_same_rule(command: object, dist: Path) -> None:
    assert callable(command)
    everything = sorted(dist.iterdir())
    assert [path.name for path in command(tuple(everything))] == [WHEEL, SDIST]
    notes = dist / "notes.txt"
    notes.write_bytes(b"x")
    for paths, code in (
        ((*everything, notes), "invalid-filename"),
        ((dist / f"{WHEEL}.sig",), "evidence-alone"),
        ((dist,), "no-such-file"),
    ):
        with pytest.raises(UsageError) as caught:
            command(paths)
        assert caught.value.code == code


@pytest.mark.parametrize("command", ["sign", "verify", "publish"])
def test_nothing_is_an_error_of_each_command(command: str) -> None:
    files = {"sign": files_to_sign, "verify": files_to_verify, "publish": files_to_publish}[command]
    with pytest.raises(UsageError) as caught:
        files(())
    assert caught.value.code == f"nothing-to-{command}"


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "build-info.json",
        "acme.whl",
        "acme_widgets-1.0.zip",
        "SHA256SUMS",
        "acme_widgets-1.0.tar",
    ],
)
def test_what_is_no_wheel_sdist_or_evidence_is_named(dist: Path, name: str) -> None:
    (dist / name).write_bytes(b"x")
    err = refused(*sorted(dist.iterdir()))

    assert (err.code, name in err.message) == ("invalid-filename", True)
    assert WHEEL not in err.message


def test_many_others_are_not_all_named(dist: Path) -> None:
    others = [dist / f"{number:02}.txt" for number in range(20)]
    for other in others:
        other.touch()
    message = refused(*others).message

    assert "07.txt and 12 more" in message


def test_a_name_that_would_control_a_terminal_is_escaped(dist: Path) -> None:
    other = dist / "no\x1b[2Jtes.txt"
    other.touch()
    stray = dist / "no\x1b[2Jtes.sig"
    stray.touch()

    assert "\x1b" not in refused(other).message
    assert "\x1b" not in refused(dist / WHEEL, stray).message


def test_a_directory_is_none(dist: Path) -> None:
    assert refused(dist).code == "no-such-file"
    (dist / f"{WHEEL}.publish.attestation").mkdir()
    assert refused(*sorted(dist.iterdir())).code == "no-such-file"


@pytest.mark.parametrize("name", [f"{SDIST}.sigstore.json", "other-1.0.tar.gz.sig", "stray.crt"])
def test_evidence_without_its_file_is_named(dist: Path, name: str) -> None:
    (dist / name).write_bytes(b"x")
    err = refused(dist / WHEEL, dist / name)

    assert (err.code, name in err.message) == ("evidence-alone", True)


def test_evidence_in_another_directory_is_not_its_files(dist: Path, tmp_path: Path) -> None:
    """What lies elsewhere would not be read."""
    elsewhere = tmp_path / f"{WHEEL}.sigstore.json"
    elsewhere.write_bytes(b"x")

    assert refused(dist / WHEEL, elsewhere).code == "evidence-alone"


def test_a_file_named_twice_is_one(dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(dist)
    monkeypatch.chdir(tmp_path)
    spellings = (Path("dist") / WHEEL, dist / WHEEL, Path("dist/../dist") / WHEEL, Path("link") / WHEEL)

    assert among(*spellings) == [WHEEL]
    assert among(Path("link") / f"{WHEEL}.sig", dist / WHEEL) == [WHEEL]


def test_two_files_of_a_name_are_two_and_cannot_both_be_published(dist: Path, tmp_path: Path) -> None:
    other = tmp_path / WHEEL
    other.write_bytes(b"y")

    spelled = tmp_path / WHEEL.replace("acme_widgets", "Acme.Widgets")
    spelled.write_bytes(b"y")

    assert among(dist / WHEEL, other) == [WHEEL, WHEEL]
    for second in (other, spelled):
        with pytest.raises(UsageError) as caught:
            files_to_publish([dist / WHEEL, second])
        assert caught.value.code == "name-twice"


def test_a_file_that_is_not_there_is_said_first(dist: Path) -> None:
    assert refused(dist / "*.whl").code == "no-such-file"
    assert refused(dist / WHEEL, dist / f"{WHEEL}.absent.sig").code == "no-such-file"
    os.unlink(dist / WHEEL)
    assert refused(dist / WHEEL).code == "no-such-file"
