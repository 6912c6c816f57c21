"""Before the first byte leaves, every file is judged with each piece of its evidence, from private copies."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from pip_warden.errors import TrustRootError
from pip_warden.sandbox import Answer, Forwarding, Hold, Reset
from publication.conftest import SDIST, WHEEL, code, document, ok, publish, rows, writes
from publish.conftest import BIN, Publisher, pin_text


def pin(publisher: Publisher, *, require: str = "", more: str = "") -> None:
    text = pin_text(publisher, "acme/acme-widgets", require=require, project_id=publisher.project.id)
    (publisher.directory / "pytrust.toml").write_text(text + more, encoding="utf-8")


def changed(publisher: Publisher, name: str = WHEEL) -> bytes:
    """Build the wheel or sdist anew with other bytes, next to the evidence of the old ones."""
    sandbox = publisher.sandbox
    make = sandbox.wheel if name == WHEEL else sandbox.sdist
    file = make("acme-widgets", "1.0", files={"acme_widgets/__init__.py": "x = 1\n"})
    publisher.put(file)
    return file.data


@pytest.fixture
def signed(publisher: Publisher) -> Publisher:
    ok(publisher.sign(*publisher.files()))
    publisher.sandbox.clear_requests()
    return publisher


def nothing_left(publisher: Publisher) -> bool:
    return (rows(publisher), writes(publisher)) == ([], [])


@pytest.mark.parametrize("command", ["publish", "publish-evidence"])
@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_what_is_no_longer_what_was_signed_is_not_uploaded(
    signed: Publisher, command: str, pinned: bool, option: tuple[str, ...]
) -> None:
    if pinned:
        pin(signed)
    changed(signed)
    said = signed.run("pip-warden", command, *option, *signed.files())

    assert (said.returncode, code(said)) == (1, "bad-signature"), said.stderr
    assert f"{WHEEL} refused" in said.stderr
    closing = "2 files: 1 refused, 1 signed by " + ("1 identity" if pinned else "whoever it was")
    assert closing in said.stderr
    assert nothing_left(signed), writes(signed)  # the sdist, which is good, is held back too


def test_a_refusal_is_told_as_json_with_its_code(signed: Publisher) -> None:
    changed(signed)
    said = document(signed, *signed.files())

    assert (said["command"], said["exit_code"], said["uploads"]) == ("publish", 1, [])
    assert {line["file"]: line["outcome"] for line in said["files"]} == {WHEEL: "refused", SDIST: "accepted"}
    assert said["error"]["code"] == "bad-signature"
    assert WHEEL in said["error"]["message"]


def test_a_stale_statement_beside_a_good_signature_is_named(publisher: Publisher) -> None:
    """A consumer would stop at the good signature, and never look at it."""
    ok(publisher.attest(*publisher.files()))
    changed(publisher)
    ok(publisher.sign(*publisher.files()))
    publisher.sandbox.clear_requests()
    said = publish(publisher)

    assert (said.returncode, code(said)) == (1, "subject-mismatch"), said.stderr
    assert f"{WHEEL}.slsa.sigstore.json" in said.stderr
    assert nothing_left(publisher)


def test_evidence_that_was_swapped_is_not_uploaded(signed: Publisher) -> None:
    for one, other in ((WHEEL, SDIST), (SDIST, WHEEL)):
        bundle = (signed.dist / f"{one}.sigstore.json").read_bytes()
        (signed.dist / f"{other}.swapped").write_bytes(bundle)
    for name in (WHEEL, SDIST):
        (signed.dist / f"{name}.swapped").replace(signed.dist / f"{name}.sigstore.json")
    said = publish(signed)

    assert (said.returncode, said.stderr.count("[bad-signature]")) == (1, 2), said.stderr
    assert nothing_left(signed)


def test_a_statement_about_another_file_of_the_same_bytes_is_not_uploaded(publisher: Publisher) -> None:
    ok(publisher.attest(f"dist/{WHEEL}"))
    other = WHEEL.replace("-py3", "-7-py3")
    for path in sorted(publisher.dist.iterdir()):
        if path.name.startswith(WHEEL):
            shutil.copyfile(path, path.with_name(path.name.replace(WHEEL, other)))
    publisher.sandbox.clear_requests()
    said = publish(publisher, f"dist/{other}")

    assert said.returncode == 1, said.stderr
    assert nothing_left(publisher)


@pytest.mark.parametrize("suffix", ["sigstore.json", "slsa.attestation", "sig", "slsa.sigstore.json"])
def test_a_piece_that_cannot_be_read_is_named(publisher: Publisher, suffix: str) -> None:
    ok(publisher.sign("--detached", f"dist/{WHEEL}"))
    ok(publisher.attest(f"dist/{WHEEL}"))
    (publisher.dist / f"{WHEEL}.{suffix}").write_bytes(b"<html>Sign in</html>")
    publisher.sandbox.clear_requests()
    said = publish(publisher, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "evidence-is-web-page"), said.stderr
    assert f"{WHEEL}.{suffix}" in said.stderr
    assert nothing_left(publisher)


@pytest.mark.parametrize("suffix", ["backup.sig", "a.b.sigstore.json", "review.attestation"])
def test_a_piece_that_no_consumer_reads_is_named(signed: Publisher, suffix: str) -> None:
    shutil.copyfile(signed.dist / f"{WHEEL}.sigstore.json", signed.dist / f"{WHEEL}.{suffix}")
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "unread-evidence"), said.stderr
    assert nothing_left(signed)


def test_under_a_pin_it_is_judged_as_its_consumers_will(signed: Publisher) -> None:
    pin(signed, require='provenance = "https://slsa.dev/provenance/v1"')
    said = publish(signed)
    assert (said.returncode, code(said)) == (1, "provenance-missing"), said.stderr
    assert "as its consumers do, under pytrust.toml" in said.stderr.replace("\n  ", " ")
    assert nothing_left(signed)

    ok(signed.attest(*signed.files()))
    ok(publish(signed))


def test_under_a_pin_no_other_identity_may_have_signed(publisher: Publisher) -> None:
    """Without one it may: there is nothing that says who should."""
    branch = publisher.sandbox.job(publisher.project)
    ok(publisher.run(*_sign(), f"dist/{WHEEL}", SIGSTORE_ID_TOKEN=branch.id_token()))
    publisher.sandbox.clear_requests()
    pin(publisher)
    said = publish(publisher, f"dist/{WHEEL}")
    assert (said.returncode, code(said)) == (1, "identity-mismatch"), said.stderr
    assert nothing_left(publisher)

    (publisher.directory / "pytrust.toml").unlink()
    said = ok(publish(publisher, f"dist/{WHEEL}"))
    words = " ".join(said.stderr.split())
    assert "there is no trust file, so anybody may be the signer; signed by" in words
    assert branch.san in said.stderr.replace("\n  ", "")


def _sign() -> tuple[str, ...]:
    return "pip-warden", "sign", "--trust-config", "trust_config.json"


def test_under_a_pin_a_statement_of_another_identity_is_not_published_beside(signed: Publisher) -> None:
    branch = signed.sandbox.job(signed.project)
    ok(signed.attest(f"dist/{WHEEL}", SIGSTORE_ID_TOKEN=branch.id_token()))
    signed.sandbox.clear_requests()
    pin(signed)
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "identity-mismatch"), said.stderr
    assert nothing_left(signed)


def test_a_trust_file_that_does_not_name_the_project_is_said_to(signed: Publisher) -> None:
    text = pin_text(signed, "acme/acme-widgets").replace('name = "acme-widgets"', 'name = "other"')
    (signed.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    said = document(signed, f"dist/{WHEEL}")

    assert said["exit_code"] == 0
    (words,) = said["judged"]
    assert words.startswith("judged cryptographically alone, under trust_config.json: "), words
    assert "pytrust.toml has no entry for acme-widgets" in words


def test_a_release_that_is_pinned_by_its_hash(signed: Publisher) -> None:
    """The hash decides about the file; its evidence has to speak for it all the same."""
    text = pin_text(signed, "acme/acme-widgets").partition("  [[package.identity]]")[0]
    sha256 = hashlib.sha256((signed.dist / WHEEL).read_bytes()).hexdigest()
    text += f'version = "1.0"\nreason = "reviewed"\nsha256 = {{ "{WHEEL}" = "{sha256}" }}\n'
    (signed.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    ok(publish(signed, "--dry-run", f"dist/{WHEEL}"))
    shutil.copyfile(signed.dist / f"{SDIST}.sigstore.json", signed.dist / f"{WHEEL}.sigstore.json")
    said = publish(signed, f"dist/{WHEEL}")
    assert (said.returncode, code(said)) == (1, "bad-signature"), said.stderr

    changed(signed)
    ok(signed.sign("--overwrite", f"dist/{WHEEL}"))
    said = publish(signed, f"dist/{WHEEL}")
    assert (said.returncode, code(said)) == (1, "pinned-digest-differs"), said.stderr
    assert rows(signed) == []


def test_what_the_trust_file_revokes_is_not_published(signed: Publisher) -> None:
    pin(signed, more='\n[[revoked]]\nname = "acme-widgets"\nversion = "1.0"\nreason = "broken"\n')
    said = publish(signed)

    assert (said.returncode, code(said)) == (1, "revoked"), said.stderr
    assert nothing_left(signed)


def test_a_pinned_publisher_needs_no_other_root(signed: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither `--trust-config` nor the public-good instance is asked; without a pin the latter is."""

    def unreachable() -> bytes:
        raise TrustRootError("tuf-failed", "expected the public-good root, found no network")

    monkeypatch.setattr("pip_warden._sigstore.trust_config.fetch_public_good_root", unreachable)
    monkeypatch.setattr(Publisher, "instance", staticmethod(lambda _words: ()))
    said = publish(signed)
    assert (said.returncode, code(said)) == (3, "tuf-failed"), said.stderr
    assert nothing_left(signed)

    pin(signed)
    ok(publish(signed))


@pytest.mark.parametrize(
    ("content", "found"), [("{}", "trustedRoot"), ("[", "found"), ('{"trustedRoot": {}}', "trusted root")]
)
def test_a_trust_config_that_is_none(signed: Publisher, content: str, found: str) -> None:
    (signed.directory / "odd.json").write_text(content, encoding="utf-8")
    said = publish(signed, "--trust-config", "odd.json", f"dist/{WHEEL}")

    assert (said.returncode, found in said.stderr) in {(2, True), (3, True)}, said.stderr
    assert code(said) in {"bad-trust-config", "bad-trusted-root"}
    assert nothing_left(signed)


def test_a_log_that_cannot_be_asked_decides_nothing(publisher: Publisher) -> None:
    ok(publisher.sign("--detached", f"dist/{WHEEL}"))
    (publisher.dist / f"{WHEEL}.sigstore.json").unlink()
    publisher.sandbox.fault(Answer(status=500), "/api/v1/", times=None)
    publisher.sandbox.clear_requests()
    said = publish(publisher, f"dist/{WHEEL}")
    assert said.returncode == 3, said.stderr
    assert f"{WHEEL} undecided" in said.stderr
    shown = document(publisher, f"dist/{WHEEL}")
    assert (shown["exit_code"], shown["error"]["code"]) == (3, shown["files"][0]["undecided"]["code"])
    assert rows(publisher) == []


def test_a_detached_signature_beside_its_bundle_needs_no_log(publisher: Publisher) -> None:
    ok(publisher.sign("--detached", f"dist/{WHEEL}"))
    down = publisher.sandbox.fault(Answer(status=500), "/api/v1/", times=None)
    ok(publish(publisher, f"dist/{WHEEL}"))

    assert down.fired == 0


def test_a_symbolic_link_publishes_what_it_leads_to(signed: Publisher) -> None:
    target = signed.directory / "elsewhere.whl"
    (signed.dist / WHEEL).rename(target)
    (signed.dist / WHEEL).symlink_to(target)
    ok(publish(signed, f"dist/{WHEEL}"))

    assert f"{WHEEL}.sigstore.json" in rows(signed)


def test_a_link_to_a_secret_in_the_place_of_evidence_is_not_uploaded(signed: Publisher) -> None:
    secret = signed.directory / "id_ed25519"
    secret.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (signed.dist / f"{WHEEL}.publish.attestation").symlink_to(secret)
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "bad-attestation"), said.stderr
    assert "PRIVATE KEY" not in said.stdout + said.stderr
    assert nothing_left(signed)


def test_what_is_no_file_in_the_place_of_evidence_is_an_error(signed: Publisher) -> None:
    os.mkfifo(signed.dist / f"{WHEEL}.publish.attestation")
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (2, "unreadable-evidence"), said.stderr


def test_evidence_that_is_a_link_to_nothing_is_not_left_out_silently(signed: Publisher) -> None:
    (signed.dist / f"{WHEEL}.slsa.sigstore.json").symlink_to("nowhere")
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (2, "unreadable-evidence"), said.stderr
    assert f"{WHEEL}.slsa.sigstore.json" in said.stderr
    assert nothing_left(signed)


@pytest.mark.parametrize("action", [Answer(status=403), Answer(status=200, body=b"<html>"), Reset()])
def test_no_other_index_is_asked_what_is_published(signed: Publisher, action: Answer | Reset) -> None:
    """GitLab forwards what it has not, and many runners can reach nothing else."""
    elsewhere = signed.sandbox.fault(action, origin="pypi", times=None)
    ok(publish(signed, f"dist/{WHEEL}"))

    assert elsewhere.fired == 0


@pytest.mark.parametrize("way", [Forwarding.OWN_ORIGIN, Forwarding.UPSTREAM_URL])
def test_what_a_stranger_published_elsewhere_is_not_what_is_published_here(
    signed: Publisher, way: Forwarding
) -> None:
    """Whoever takes the name on the public index could else keep the package from being published."""
    signed.sandbox.settings.forwarding = way
    theirs = signed.sandbox.wheel("acme-widgets", "1.0", files={"acme_widgets/__init__.py": "x = 1\n"})
    signed.sandbox.upstream.add("acme-widgets", [theirs])
    ok(publish(signed, f"dist/{WHEEL}"))

    assert WHEEL in rows(signed)


@pytest.mark.parametrize("template", ["widgets", "a/b/c", "{nam}/x", "a/", "../x"])
def test_a_place_of_evidence_that_no_consumer_can_name_is_not_asked(signed: Publisher, template: str) -> None:
    said = publish(signed, "--evidence", template, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (2, "invalid-evidence-template"), said.stderr
    assert signed.sandbox.requests == ()


@pytest.mark.parametrize("project", ["", " ", "acme", "/acme/acme-widgets", "acme%2Facme-widgets", "\u0662"])
def test_what_is_no_projects_path_is_not_asked(signed: Publisher, project: str) -> None:
    said = publish(signed, "--project", project, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (2, "invalid-registry-project"), said.stderr
    assert signed.sandbox.requests == ()


@pytest.mark.parametrize("name", [WHEEL, f"{WHEEL}.sigstore.json"])
def test_what_changes_after_it_was_judged_changes_nothing(signed: Publisher, name: str) -> None:
    """The copies are uploaded, not the paths again: here they change while the registry answers."""
    before = (signed.dist / name).read_bytes()
    hold = Hold(until=threading.Event(), reached=threading.Event())
    signed.sandbox.fault(hold, "/packages/", method="GET")
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(publish(signed.apart(), f"dist/{WHEEL}").returncode))
    thread.start()
    assert hold.reached.wait(timeout=60)
    (signed.dist / name).write_bytes(b"changed")
    hold.until.set()
    thread.join(timeout=60)

    assert done == [0]
    stored = [
        file.data for package in signed.project.record.packages for file in package.files if file.name == name
    ]
    assert stored == [before]


def test_a_file_without_readable_metadata_is_found_before_its_evidence_is_uploaded(
    signed: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twine.package import PackageFile

    def unreadable(*_args: object) -> None:
        raise ValueError("no metadata")

    monkeypatch.setattr(PackageFile, "from_filename", unreadable)
    said = publish(signed)

    assert (said.returncode, code(said)) == (2, "bad-distribution"), said.stderr
    assert nothing_left(signed)


def test_evidence_larger_than_any_consumer_reads_is_refused(signed: Publisher) -> None:
    (signed.dist / f"{WHEEL}.sbom.sigstore.json").write_bytes(b"{" + b" " * (1 << 20) + b"}")
    said = publish(signed, f"dist/{WHEEL}")

    assert (said.returncode, code(said)) == (1, "evidence-too-large"), said.stderr
    assert nothing_left(signed)


def test_nothing_is_left_in_the_temporary_directory(signed: Publisher, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    ok(publish(signed.apart(), f"dist/{WHEEL}", TMPDIR=str(place)))
    assert list(place.iterdir()) == []
    assert (BIN / "pip-warden").exists()


def test_the_outcome_of_each_upload_is_told_as_json(signed: Publisher) -> None:
    outcomes = [upload["outcome"] for upload in document(signed, f"dist/{WHEEL}")["uploads"]]
    again = document(signed, f"dist/{WHEEL}")

    assert outcomes == ["uploaded", "uploaded"]
    assert [(u["name"], u["kind"], u["outcome"]) for u in again["uploads"]] == [
        (f"{WHEEL}.sigstore.json", "evidence", "already_there"),
        (WHEEL, "file", "already_there"),
    ]
    assert json.dumps(again["judged"]).count(signed.job.san) == 1
