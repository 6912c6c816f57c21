"""Publishing again: a retried job signs again, and what is published stays where it is as good."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ordinary import parametrized
from pip_warden.sandbox import Hold, Job
from publication.conftest import (
    SDIST,
    WHEEL,
    code,
    document,
    ok,
    publish,
    retried,
    rows,
    writes,
)
from publication.test_judged import changed, pin
from publish.conftest import Published, Publisher, publishing

SIGNED = "signed"
"""The directory of what was signed once for every test, by the number of the job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Twice:
    """A release that two jobs of one pipeline signed.

    Attributes:
        again: The second of them.
        unpublished: Where neither published it.
        published: Where the first one did.
    """

    again: Job
    unpublished: Published
    published: Published


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    with publishing(tmp_path_factory.mktemp("twice")) as publisher:
        again = retried(publisher)
        for job in (again, publisher):
            sign(job, detached=True)
            shutil.copytree(job.dist, job.directory / SIGNED / str(job.job.id))
        unpublished = Published.by(publisher)
        ok(publish(publisher))
        yield Twice(again=again.job, unpublished=unpublished, published=Published.by(publisher))


@pytest.fixture
def publisher(twice: Twice, tmp_path: Path) -> Publisher:
    return twice.unpublished.again(tmp_path)


@pytest.fixture
def again(twice: Twice, publisher: Publisher) -> Publisher:
    """The publisher's job, run again in the same directory."""
    return replace(publisher, job=twice.again)


def sign(publisher: Publisher, *files: str, detached: bool = False) -> None:
    """Sign and attest as a job does that begins with no evidence; what is signed already is put there."""
    files = files or tuple(publisher.files())
    for path in publisher.dist.iterdir():
        if path.suffix not in {".whl", ".gz"}:
            path.unlink()
    names, kept = [Path(file).name for file in files], publisher.directory / SIGNED / str(publisher.job.id)
    if kept.is_dir() and all(same(publisher.dist / name, kept / name) for name in names):
        of_these = tuple(f"{name}." for name in names)
        for path in kept.iterdir():
            if path.name.startswith(of_these) and (detached or path.suffix not in {".sig", ".crt"}):
                shutil.copy(path, publisher.dist)
        return
    ok(publisher.sign(*(["--detached"] if detached else []), *files))
    ok(publisher.attest(*files))


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def outcomes(said: dict[str, Any]) -> dict[str, str]:
    return {upload["name"]: upload["outcome"] for upload in said["uploads"]}


@parametrized("pinned", [True, False], ordinary={0})
@pytest.mark.parametrize("command", ["publish", "publish-evidence"])
def test_a_retried_job_that_signed_again_has_nothing_to_do(
    publisher: Publisher, again: Publisher, command: str, pinned: bool
) -> None:
    if pinned:
        pin(publisher, require='provenance = "https://slsa.dev/provenance/v1"')
    sign(publisher, detached=True)
    ok(publish(publisher))
    before = rows(publisher)
    sign(again, detached=True)
    publisher.sandbox.clear_requests()
    said = ok(again.run("pip-warden", command, *again.files()))

    lines = said.stdout.splitlines()
    assert f"already there, good: {WHEEL}.sigstore.json" in lines
    assert {line.partition(":")[0] for line in lines} <= {"already there", "already there, good"}
    assert (f"already there: {WHEEL}" in lines) is (command == "publish")
    assert (rows(publisher), writes(publisher)) == (before, [])


def test_each_state_is_named_in_json(publisher: Publisher, again: Publisher) -> None:
    sign(publisher)
    ok(publish(publisher, f"dist/{WHEEL}"))
    sign(again)
    said = outcomes(document(again))

    assert said[f"{WHEEL}.sigstore.json"] == said[f"{WHEEL}.slsa.attestation"] == "already_there_good"
    assert said[WHEEL] == "already_there"
    assert said[SDIST] == said[f"{SDIST}.sigstore.json"] == "uploaded"


@pytest.mark.parametrize(
    ("suffix", "source"),
    [
        ("sigstore.json", f"{SDIST}.sigstore.json"),
        ("slsa.sigstore.json", f"{WHEEL}.annotations.sigstore.json"),
        ("annotations.sigstore.json", f"{WHEEL}.slsa.sigstore.json"),
        ("slsa.sigstore.json", f"{WHEEL}.sigstore.json"),
        ("sigstore.json", f"{WHEEL}.slsa.sigstore.json"),
        ("slsa.attestation", f"{SDIST}.slsa.attestation"),
        ("sig", f"{SDIST}.sig"),
    ],
)
def test_what_says_something_else_under_the_name_is_an_error(
    twice: Twice, tmp_path: Path, suffix: str, source: str
) -> None:
    """Evidence of other bytes, a statement of another type, or a signature where a statement was."""
    publisher = twice.published.again(tmp_path)
    again = replace(publisher, job=twice.again)
    name = f"{WHEEL}.{suffix}"
    content = (publisher.dist / source).read_bytes()
    publisher.sandbox.replace_evidence(publisher.project, name, content, newer_row=True)
    sign(again, detached=True)
    publisher.sandbox.clear_requests()
    said = publish(again)

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert name in said.stderr or suffix == "sig"
    assert writes(publisher) == []
    assert document(again)["error"]["code"] == "other-content"


def test_a_certificate_that_is_not_the_signatures_is_an_error(publisher: Publisher, again: Publisher) -> None:
    sign(publisher, f"dist/{WHEEL}", detached=True)
    ok(publish(publisher, f"dist/{WHEEL}"))
    other = retried(publisher)
    sign(other, f"dist/{WHEEL}", detached=True)
    certificate = (publisher.dist / f"{WHEEL}.crt").read_bytes()
    publisher.sandbox.replace_evidence(publisher.project, f"{WHEEL}.crt", certificate, newer_row=True)
    sign(again, f"dist/{WHEEL}", detached=True)
    said = publish(again, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr


@pytest.mark.parametrize("content", [b"", b"x", b"{}", b"<html>", b"x" * (2 << 20)])
def test_what_is_no_evidence_under_the_name_is_an_error(publisher: Publisher, content: bytes) -> None:
    sign(publisher)
    publisher.sandbox.put_evidence(publisher.project, "1.0", {f"{WHEEL}.sigstore.json": content})
    publisher.sandbox.clear_requests()
    said = publish(publisher)

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert writes(publisher) == []


@pytest.mark.parametrize("pinned", [True, False])
def test_what_another_signer_published_under_the_name_is_an_error(publisher: Publisher, pinned: bool) -> None:
    """It is good for the same bytes, and not ours: of a branch, or of a project that was made anew."""
    if pinned:
        pin(publisher)
    theirs = publisher.sandbox.job(publisher.project)
    file = publisher.sandbox.wheel("acme-widgets", "1.0")
    publisher.sandbox.put_evidence(publisher.project, "1.0", publisher.sandbox.sign(file, theirs))
    sign(publisher)
    publisher.sandbox.clear_requests()
    said = publish(publisher)

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert writes(publisher) == []


def test_another_project_under_the_same_subject_is_another_signer(publisher: Publisher) -> None:
    """A path can be registered anew; the numeric id cannot."""
    theirs = publisher.sandbox.job(publisher.project, tag="v1.0", project_id="999999")
    file = publisher.sandbox.wheel("acme-widgets", "1.0")
    publisher.sandbox.put_evidence(publisher.project, "1.0", publisher.sandbox.sign(file, theirs))
    sign(publisher)
    said = publish(publisher)

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr


def test_what_does_not_meet_the_pin_any_more_does_not_stay(publisher: Publisher, again: Publisher) -> None:
    """The annotations there are good, of the same signer, and lack what consumers demand."""
    sign(publisher, f"dist/{WHEEL}")
    ok(publish(publisher, f"dist/{WHEEL}"))
    pin(publisher, require='annotations = { reviewed = "yes" }')
    sign(again, f"dist/{WHEEL}")
    ok(again.attest("--overwrite", "--annotation", "reviewed=yes", f"dist/{WHEEL}"))
    publisher.sandbox.clear_requests()
    said = publish(again, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert f"{WHEEL}.annotations.sigstore.json" in said.stderr
    assert writes(publisher) == []


def test_half_of_a_detached_signature_gets_its_other_half(publisher: Publisher, again: Publisher) -> None:
    """An upload ended between the two, and its job is gone with the other one: they speak for nothing."""
    sign(publisher, f"dist/{WHEEL}", detached=True)
    half = {f"{WHEEL}.crt": (publisher.dist / f"{WHEEL}.crt").read_bytes()}
    publisher.sandbox.put_evidence(publisher.project, "1.0", half)
    sign(again, f"dist/{WHEEL}", detached=True)
    ok(publish(again, f"dist/{WHEEL}"))

    for suffix in ("crt", "sig"):
        stored = publisher.sandbox.evidence(publisher.project, f"{WHEEL}.{suffix}")
        assert stored == (again.dist / f"{WHEEL}.{suffix}").read_bytes()


@pytest.mark.parametrize("command", ["publish", "publish-evidence"])
def test_other_bytes_under_a_taken_name_are_an_error_before_anything_is_uploaded(
    publisher: Publisher, again: Publisher, command: str
) -> None:
    sign(publisher)
    ok(publish(publisher, f"dist/{WHEEL}"))
    before = rows(publisher)
    changed(again)
    sign(again)
    publisher.sandbox.clear_requests()
    said = again.run("pip-warden", command, *again.files())

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert (rows(publisher), writes(publisher)) == (before, [])  # not even the sdist's evidence


def test_evidence_that_is_left_over_from_a_build_that_was_never_published_is_told_as_that(
    publisher: Publisher,
    again: Publisher,
) -> None:
    """The upload of the file failed, and it was built anew."""
    sign(publisher)
    ok(publisher.run("pip-warden", "publish-evidence", f"dist/{WHEEL}"))
    changed(again)
    sign(again)
    said = publish(again, f"dist/{WHEEL}")
    words = " ".join(said.stderr.split())

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr
    assert f"No file {WHEEL} is published" in words
    assert "delete it from the generic package acme-widgets 1.0." in words


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_skip_existing_says_plainly_what_was_not_published(
    publisher: Publisher, again: Publisher, option: tuple[str, ...]
) -> None:
    sign(publisher)
    ok(publish(publisher, f"dist/{WHEEL}"))
    changed(again)
    sign(again)
    publisher.sandbox.clear_requests()
    said = ok(publish(again, "--skip-existing", *option, *again.files()))

    assert f"not published: {WHEEL}" in said.stdout.splitlines()
    assert f"warning: {WHEEL} of this build was not published" in said.stderr
    assert not any(WHEEL in path for path in writes(publisher)), "no evidence of other bytes either"
    assert (SDIST in rows(publisher)) is (not option)
    assert outcomes(document(again, "--skip-existing", *again.files()))[WHEEL] == "not_published"
    assert "warning" in publish(again, "-q", "--skip-existing", *again.files()).stderr


def test_skip_existing_lets_no_bad_evidence_stay(publisher: Publisher) -> None:
    sign(publisher)
    publisher.sandbox.put_evidence(publisher.project, "1.0", {f"{WHEEL}.sigstore.json": b"{}"})
    said = publish(publisher, "--skip-existing", *publisher.files())

    assert (said.returncode, code(said)) == (1, "other-content"), said.stderr


def test_two_jobs_of_one_pipeline_publish_at_once(publisher: Publisher) -> None:
    """The second signs and publishes while the first one's upload is held."""
    sign(publisher)
    second = retried(publisher)
    second = replace(second, directory=publisher.directory / "second")
    shutil.copytree(publisher.dist, second.dist)
    publisher.sandbox.write_trust(second.directory)
    sign(second)
    hold = Hold(until=threading.Event(), reached=threading.Event())
    publisher.sandbox.fault(hold, f"{WHEEL}.sigstore.json", method="PUT")
    done: list[tuple[int, str]] = []

    def first() -> None:
        said = publish(publisher.apart())
        done.append((said.returncode, said.stderr))

    thread = threading.Thread(target=first)
    thread.start()
    assert hold.reached.wait(timeout=60)
    ok(publish(second))
    hold.until.set()
    thread.join(timeout=60)

    assert [exit_code for exit_code, _ in done] == [0], done
    assert {WHEEL, SDIST} <= set(rows(publisher))
    publisher.sandbox.clear_requests()
    ok(publish(retried(publisher)))
    assert writes(publisher) == []


def test_other_bytes_in_another_spelling_that_come_meanwhile_are_seen(publisher: Publisher) -> None:
    """The registry takes both, and consumers would refuse the release."""
    sign(publisher, f"dist/{WHEEL}")
    hold = Hold(until=threading.Event(), reached=threading.Event())
    publisher.sandbox.fault(hold, f"{WHEEL}.sigstore.json", method="PUT")
    done: list[tuple[int, str]] = []

    def first() -> None:
        said = publish(publisher.apart(), f"dist/{WHEEL}")
        done.append((said.returncode, code(said).partition("\n")[0]))

    thread = threading.Thread(target=first)
    thread.start()
    assert hold.reached.wait(timeout=60)
    evil = publisher.sandbox.wheel("acme-widgets", "1.0", files={"acme_widgets/__init__.py": "x = 1\n"})
    publisher.sandbox.put_files(publisher.project, [replace(evil, name=WHEEL.replace("acme_", "Acme."))])
    hold.until.set()
    thread.join(timeout=60)

    assert done == [(1, "other-content")]
    assert WHEEL not in rows(publisher)


def test_where_a_name_may_be_given_once_the_faster_job_wins(publisher: Publisher) -> None:
    """A group can forbid a second row: the upload is refused then, and what is there is as good."""
    sign(publisher, f"dist/{WHEEL}")
    second = retried(publisher)
    hold = Hold(until=threading.Event(), reached=threading.Event())
    publisher.sandbox.fault(hold, f"{WHEEL}.sigstore.json", method="PUT")
    done: list[int] = []
    content = (publisher.dist / f"{WHEEL}.sigstore.json").read_bytes()
    thread = threading.Thread(target=lambda: done.append(publish(second.apart(), f"dist/{WHEEL}").returncode))
    thread.start()
    assert hold.reached.wait(timeout=60)
    publisher.sandbox.put_evidence(publisher.project, "1.0", {f"{WHEEL}.sigstore.json": content})
    publisher.project.record.namespace.generic_duplicates_allowed = False
    hold.until.set()
    thread.join(timeout=60)

    assert done == [0]
    assert rows(publisher).count(f"{WHEEL}.sigstore.json") == 1
