"""Signing again: what is there and good stays, what is missing is made, other evidence is not replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from documents import described
from pip_warden.errors import UsageError
from pip_warden.publish.sign import sign_files
from publish.conftest import Publisher, signing
from publish.test_killed import _killed_at
from publish.test_side_by_side import CERTIFICATE, LOG, asked, bundles, put


def _snapshot(publisher: Publisher) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in publisher.dist.iterdir()}


def _asked(publisher: Publisher) -> tuple[int, int]:
    counted = asked(publisher, CERTIFICATE), asked(publisher, LOG)
    publisher.sandbox.clear_requests()
    return counted


def test_signing_again_keeps_everything_and_asks_nobody(publisher: Publisher) -> None:
    files = put(publisher, 3)
    assert publisher.sign(*files).returncode == 0
    before = _snapshot(publisher)
    publisher.sandbox.clear_requests()
    again = publisher.sign("--format", "json", *files)

    assert again.returncode == 0, again.stderr
    assert publisher.sandbox.requests == ()
    assert _snapshot(publisher) == before
    told = described(again.stdout)["files"]
    assert [each["kept"] for each in told] == [[f"{Path(file).name}.sigstore.json"] for file in files]
    said = "file00-1.0.tar.gz: file00-1.0.tar.gz.sigstore.json (already signed, log index"
    assert said in publisher.sign(*files).stdout


def test_what_is_missing_is_made_and_told_in_order(publisher: Publisher) -> None:
    files = put(publisher, 5)
    assert publisher.sign(files[1], files[3]).returncode == 0
    before = _snapshot(publisher)
    publisher.sandbox.clear_requests()
    result = publisher.sign(*files)

    assert result.returncode == 0, result.stderr
    assert _asked(publisher) == (1, 3)
    assert bundles(publisher) == files
    assert before.items() <= _snapshot(publisher).items()
    assert ["already signed" in line for line in result.stdout.splitlines()] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_killed_in_the_middle_it_is_completed_by_the_same_command(publisher: Publisher) -> None:
    files = put(publisher, 20)
    assert publisher.sign(*files[:6]).returncode == 0
    words = ["pip-warden", "sign", "--trust-config", "trust_config.json", *files]
    _killed_at(publisher, ("POST", LOG), words, publisher.environment())
    done, before = bundles(publisher), _snapshot(publisher)
    result = publisher.sign(*files)

    assert 6 <= len(done) < 20
    assert result.returncode == 0, result.stderr
    assert bundles(publisher) == files
    assert before.items() <= _snapshot(publisher).items()
    assert ["already signed" in line for line in result.stdout.splitlines()] == [
        file in done for file in files
    ]


def test_overwrite_signs_all_anew(publisher: Publisher) -> None:
    files = put(publisher, 2)
    assert publisher.sign(*files).returncode == 0
    before = _snapshot(publisher)
    publisher.sandbox.clear_requests()
    assert publisher.sign("--overwrite", *files).returncode == 0

    assert _asked(publisher) == (1, 2)
    after = _snapshot(publisher)
    assert [name for name in after if name.endswith(".json") and after[name] == before[name]] == []


def _other_bytes(publisher: Publisher) -> Publisher:
    (publisher.dist / "file01-1.0.tar.gz").write_bytes(b"rebuilt")
    return publisher


def _other_tag(publisher: Publisher) -> Publisher:
    return replace(publisher, job=publisher.sandbox.job(publisher.project, tag="v1.1"))


def _other_commit(publisher: Publisher) -> Publisher:
    return replace(publisher, job=publisher.sandbox.job(publisher.project, tag="v1.0", sha="e" * 40))


def _other_project_id(publisher: Publisher) -> Publisher:
    return replace(publisher, job=publisher.sandbox.job(publisher.project, tag="v1.0", project_id="9"))


def _other_root(publisher: Publisher) -> Publisher:
    for what in ("ca", "rekor", "ct", "tsa"):
        publisher.sandbox.rotate(what, forget=True)
    publisher.sandbox.write_trust(publisher.directory)
    return publisher


def _statement(publisher: Publisher) -> Publisher:
    assert publisher.attest("dist/file01-1.0.tar.gz").returncode == 0
    bundle = publisher.dist / "file01-1.0.tar.gz.sigstore.json"
    bundle.with_name("file01-1.0.tar.gz.slsa.sigstore.json").replace(bundle)
    for path in publisher.dist.glob("file01-1.0.tar.gz.*.*"):
        if path.name != "file01-1.0.tar.gz.sigstore.json":
            path.unlink()
    return publisher


def _pipe(publisher: Publisher) -> Publisher:
    (publisher.dist / "file01-1.0.tar.gz.sigstore.json").unlink()
    os.mkfifo(publisher.dist / "file01-1.0.tar.gz.sigstore.json")
    return publisher


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_other_bytes, "bad-signature"),
        (_other_tag, "@refs/tags/v1.0"),
        (_other_commit, "source-digest"),
        (_other_project_id, "project-id"),
        (_other_root, "file01-1.0.tar.gz.sigstore.json"),
        (_statement, "a statement, not a signature"),
        (_pipe, "no regular file"),
    ],
)
def test_other_evidence_is_named_and_nothing_is_logged(
    publisher: Publisher, change: Callable[[Publisher], Publisher], told: str
) -> None:
    files = put(publisher, 3)
    assert publisher.sign(files[1]).returncode == 0
    now = change(publisher)
    publisher.sandbox.clear_requests()
    result = now.sign(*files)

    assert result.returncode == 2
    assert "[evidence-exists]" in result.stderr
    assert "dist/file01-1.0.tar.gz.sigstore.json" in result.stderr
    assert told in result.stderr
    assert "--overwrite" in result.stderr
    assert publisher.sandbox.requests == ()
    assert not (publisher.dist / "file00-1.0.tar.gz.sigstore.json").exists()


def test_no_more_than_a_few_are_named(publisher: Publisher) -> None:
    files = put(publisher, 9)
    for file in files:
        (publisher.directory / f"{file}.sigstore.json").write_bytes(b"{}")
    result = publisher.sign(*files)

    assert result.returncode == 2
    assert "file02" in result.stderr
    assert "file03" not in result.stderr
    assert "6 more" in result.stderr


def test_evidence_without_the_stamp_that_belongs_to_it_is_other_evidence(publisher: Publisher) -> None:
    files = put(publisher, 1)
    (config := publisher.directory / "trust_config.json").write_text(json.dumps(_without_tsa(config)))
    assert publisher.sign(*files).returncode == 0
    publisher.sandbox.write_trust(publisher.directory)
    result = publisher.sign(*files)
    allowed = publisher.sign("--allow-no-timestamp", *files)

    assert result.returncode == 2
    assert "0 time stamps of 1" in result.stderr
    assert allowed.returncode == 0, allowed.stderr
    assert "already signed" in allowed.stdout


def test_a_pair_that_is_missing_is_made_from_its_bundle(publisher: Publisher) -> None:
    """The bundle is written first."""
    files = put(publisher, 1)
    assert publisher.sign("--detached", *files).returncode == 0
    before = _snapshot(publisher)
    (publisher.dist / "file00-1.0.tar.gz.crt").unlink()
    publisher.sandbox.clear_requests()
    result = publisher.sign("--detached", *files)

    assert result.returncode == 0, result.stderr
    assert _asked(publisher) == (0, 0)
    assert _snapshot(publisher) == before


@pytest.mark.parametrize("name", ["file00-1.0.tar.gz.crt", "file00-1.0.tar.gz.sig"])
def test_a_pair_that_is_not_its_bundles_is_other_evidence(publisher: Publisher, name: str) -> None:
    files = put(publisher, 1)
    assert publisher.sign("--detached", *files).returncode == 0
    (publisher.dist / name).write_bytes(b"other")
    other = publisher.sign("--detached", *files)
    (publisher.dist / "file00-1.0.tar.gz.sigstore.json").unlink()
    alone = publisher.sign("--detached", *files)

    assert (other.returncode, alone.returncode) == (2, 2)
    assert f"{name} (another content" in other.stderr
    assert "without file00-1.0.tar.gz.sigstore.json" in alone.stderr


def test_without_a_token_to_compare_with_nothing_is_kept(publisher: Publisher) -> None:
    files = [publisher.directory / file for file in put(publisher, 1)]
    with signing(publisher) as by:
        sign_files(files, by)
        with pytest.raises(UsageError) as caught:
            sign_files(files, by)

    assert caught.value.code == "evidence-exists"
    assert "cannot be compared with a token" in caught.value.message


def test_attesting_again_in_the_same_job_keeps_everything(publisher: Publisher) -> None:
    files = put(publisher, 2)
    words = ["--annotation", "a=b", *files]
    variables = publisher.job.variables()
    assert publisher.attest(*words, **variables).returncode == 0
    before = _snapshot(publisher)
    (publisher.dist / "file01-1.0.tar.gz.slsa.attestation").unlink()
    publisher.sandbox.clear_requests()
    again = publisher.attest(*words, **variables)

    assert again.returncode == 0, again.stderr
    assert publisher.sandbox.requests == ()
    assert _snapshot(publisher) == before


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["--annotation", "a=c"], {}),
        ([], {"CI_JOB_ID": "99", "CI_JOB_URL": "{project}/-/jobs/99"}),
        ([], {"CI_COMMIT_SHA": "e" * 40}),
    ],
)
def test_a_statement_that_says_something_else_is_other_evidence(
    publisher: Publisher, words: list[str], changes: dict[str, str]
) -> None:
    files = put(publisher, 1)
    variables = publisher.job.variables()
    changes = {name: value.format(project=variables["CI_PROJECT_URL"]) for name, value in changes.items()}
    assert publisher.attest("--annotation", "a=b", *files, **variables).returncode == 0
    publisher.sandbox.clear_requests()
    result = publisher.attest(*(words or ["--annotation", "a=b"]), *files, **(variables | changes))

    assert result.returncode == 2
    assert "says something else" in result.stderr
    assert publisher.sandbox.requests == ()


def _without_tsa(config: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads(config.read_bytes())
    signing = document["signingConfig"]
    assert isinstance(signing, dict)
    signing["tsaUrls"] = []
    return document
