"""The verification summary of a promotion: what it says, who signs it, and that nobody takes it for more."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import requests

from documents import described
from ordinary import parametrized
from pip_warden._sigstore.root import load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import Item
from pip_warden.faults import Fault
from pip_warden.promote.plan import SummarySigner
from pip_warden.promote.summary import build_level
from pip_warden.sandbox import Answer, Job, Project
from pip_warden.trust.model import Requirements
from publish.conftest import Publisher
from publish.promoting import SDIST, WHEEL, names, pin, promote, promoted

UNSIGNED, SIGNED = f"{WHEEL}.vsa.json", f"{WHEEL}.vsa.sigstore.json"
CONFIG = ("--trust-config", "trust_config.json")


def _promoter(publisher: Publisher, release: Project) -> Publisher:
    """Return the job that promotes: another one than the publisher's, in the release project."""
    return replace(publisher, job=publisher.sandbox.job(release))


def _unsigned(publisher: Publisher, release: Project) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(publisher.sandbox.evidence(release, UNSIGNED))
    return document


def _signed(publisher: Publisher, release: Project, job: Job) -> dict[str, Any]:
    """Verify the newest signed summary as a consumer of it would, and return what it states."""
    item = read_bundle(SIGNED, publisher.sandbox.evidence(release, SIGNED))
    root = load_root((publisher.directory / "trusted_root.json").read_bytes())
    assert isinstance(item, Item)
    proved = verify_bundle(item.wire, digest_of((publisher.dist / WHEEL).read_bytes()), root)
    assert not isinstance(proved, Fault), proved
    assert proved.envelope is not None
    assert proved.claims.subjects == (job.san,)
    document: dict[str, Any] = json.loads(proved.envelope.payload)
    return document


def _check_schema(document: dict[str, Any]) -> None:
    """Check what the specification says of each field: required, its type, and its values."""
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/verification_summary/v1"
    (subject,) = document["subject"]
    assert subject["digest"].keys() == {"sha256"}
    predicate = document["predicate"]
    assert "://" in predicate["verifier"]["id"]
    assert predicate["timeVerified"].endswith("Z")
    assert predicate["resourceUri"].startswith("http")
    assert predicate["policy"]["uri"].partition(":")[1] == ":"
    assert len(predicate["policy"]["digest"]["sha256"]) == 64
    assert all(each["uri"] and len(each["digest"]["sha256"]) == 64 for each in predicate["inputAttestations"])
    assert predicate["verificationResult"] == "PASSED"
    (level,) = predicate["verifiedLevels"]
    assert level in {f"SLSA_BUILD_LEVEL_{number}" for number in range(4)}
    assert predicate["slsaVersion"] == "1.1"
    known = {"verifier", "timeVerified", "resourceUri", "policy", "inputAttestations"}
    assert predicate.keys() == known | {"verificationResult", "verifiedLevels", "slsaVersion"}


def test_without_a_token_the_summary_is_unsigned_and_that_is_said(
    publisher: Publisher, release: Project
) -> None:
    result = promote(publisher, SIGSTORE_ID_TOKEN="")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "not signed: SIGSTORE_ID_TOKEN is not set" in result.stderr
    assert described(result.stdout)["summary_signed_by"] is None
    _check_schema(_unsigned(publisher, release))
    assert SIGNED not in names(release)


def test_a_token_that_no_named_sigstore_knows_signs_nothing_and_that_is_said(
    publisher: Publisher, release: Project
) -> None:
    """The public-good instance knows only some GitLabs; a summary is never required."""
    result = promote(publisher)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "--trust-config FILE names the Sigstore of this GitLab" in result.stderr
    assert (UNSIGNED in names(release), SIGNED in names(release)) == (True, False)


def test_the_job_that_promotes_signs_the_summary(publisher: Publisher, release: Project) -> None:
    pin(publisher, 'provenance = "https://slsa.dev/provenance/v1"')
    promoter = _promoter(publisher, release)
    result = promoted(promoter, *CONFIG)
    document = _signed(publisher, release, promoter.job)
    predicate = document["predicate"]

    assert (result.code, result.document["summary_signed_by"]) == (0, promoter.job.san)
    _check_schema(document)
    assert UNSIGNED not in names(release)
    assert document["subject"] == [
        {"name": WHEEL, "digest": {"sha256": str(digest_of((publisher.dist / WHEEL).read_bytes()))}}
    ]
    assert predicate["verifier"]["id"] == promoter.job.san
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"]
    trust = (publisher.directory / "pytrust.toml").read_bytes()
    assert predicate["policy"]["digest"] == {"sha256": str(digest_of(trust))}
    inputs = {
        each["uri"].rpartition("/")[2]: each["digest"]["sha256"] for each in predicate["inputAttestations"]
    }
    on_disk = {path.name: str(digest_of(path.read_bytes())) for path in publisher.dist.glob(f"{WHEEL}.*")}
    assert inputs == on_disk


def test_where_it_says_evidence_and_file_are_there_they_are(publisher: Publisher, release: Project) -> None:
    assert promoted(publisher).code == 0
    predicate = _unsigned(publisher, release)["predicate"]
    uris = [predicate["resourceUri"], *(each["uri"] for each in predicate["inputAttestations"])]
    public = publisher.sandbox.project("acme/release")
    public.record.visibility = "public"
    assert [requests.get(uri, timeout=10).status_code for uri in uris] == [200] * len(uris)


@pytest.mark.parametrize("uri", ["https://u:secret@acme.example/p", "a policy", "x:a\nb", "x:\udc80"])
def test_what_everybody_will_read_names_no_user_and_is_a_uri(
    publisher: Publisher, release: Project, uri: str
) -> None:
    result = promote(publisher, "--policy-uri", uri)

    assert (result.returncode, "bad-policy-uri" in result.stdout) == (2, True), result.stdout
    assert "secret" not in result.stdout + result.stderr


def test_it_names_the_policy_by_what_others_can_look_up(publisher: Publisher, release: Project) -> None:
    checkout = {"CI_PROJECT_DIR": str(publisher.directory)}
    variables = publisher.job.variables()
    for words, changes, found in (
        (("--policy-uri", "https://acme.example/p"), checkout, "https://acme.example/p"),
        ((), checkout, f"{variables['CI_PROJECT_URL']}/-/blob/{variables['CI_COMMIT_SHA']}/pytrust.toml"),
        ((), {"CI_PROJECT_DIR": "/elsewhere"}, "ni:///sha-256;"),
        ((), checkout | {"CI_PROJECT_URL": "https://u:secret@acme.example/p"}, "ni:///sha-256;"),
        ((), checkout | {"CI_COMMIT_SHA": ""}, "ni:///sha-256;"),
    ):
        assert promoted(publisher, *words, **changes).code == 0
        assert _unsigned(publisher, release)["predicate"]["policy"]["uri"].startswith(found)
        publisher.sandbox.delete_evidence(release, UNSIGNED)


def test_what_the_command_line_demands_is_part_of_the_policy(publisher: Publisher, release: Project) -> None:
    sha = publisher.job.variables()["CI_COMMIT_SHA"]
    words = ("--require", "provenance", "--annotation", "tag=v1.0", "--source-revision", sha)
    assert promoted(publisher, *words).code == 0
    predicate = _unsigned(publisher, release)["predicate"]

    assert predicate["policy"]["annotations"]["demanded"] == [
        f"--source-revision {sha}",
        "--require-annotation tag=v1.0",
        "--require-provenance",
    ]
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"]


@pytest.mark.parametrize(
    ("require", "level"),
    [
        (Requirements(), 0),
        (Requirements(annotations=(("a", "b"),)), 0),
        (Requirements(provenance="https://slsa.dev/provenance/v1"), 1),
        (Requirements(source_revision="0" * 40), 1),
        (Requirements(provenance="https://acme.example/built/v1"), 0),
    ],
)
def test_no_level_is_claimed_that_was_not_required(require: Requirements, level: int) -> None:
    assert build_level(require) == f"SLSA_BUILD_LEVEL_{level}"


def test_a_summary_that_says_the_same_is_not_made_again(publisher: Publisher, release: Project) -> None:
    promoter = _promoter(publisher, release)
    assert promoted(promoter, *CONFIG).code == 0
    first, size = publisher.sandbox.evidence(release, SIGNED), _log_size(publisher)
    again = promoted(promoter, *CONFIG)

    assert (again.code, again.outcomes[SIGNED]) == (0, "already_there")
    assert (publisher.sandbox.evidence(release, SIGNED), _log_size(publisher)) == (first, size)


def _log_size(publisher: Publisher) -> int:
    return sum(each.origin == "rekor" and each.method == "POST" for each in publisher.sandbox.requests)


@parametrized("planted", ["junk", "another signer", "another policy", "another file"], ordinary={0, 3})
def test_a_summary_that_somebody_put_there_hides_no_other(
    publisher: Publisher, release: Project, planted: str
) -> None:
    promoter = _promoter(publisher, release)
    pinned = (publisher.directory / "pytrust.toml").read_text(encoding="utf-8")
    content = b"junk"
    if planted != "junk":
        other = publisher if planted == "another signer" else promoter
        if planted == "another policy":
            (publisher.directory / "pytrust.toml").write_text(f"{pinned}\n# weaker\n", encoding="utf-8")
        assert promoted(other, *CONFIG).code == 0
        name = f"{SDIST}.vsa.sigstore.json" if planted == "another file" else SIGNED
        content = publisher.sandbox.evidence(release, name)
        (publisher.directory / "pytrust.toml").write_text(pinned, encoding="utf-8")
        publisher.sandbox.delete_evidence(release, SIGNED)
    publisher.sandbox.put_evidence(release, "1.0", {SIGNED: content}, package="release")
    result = promoted(promoter, *CONFIG)
    predicate = _signed(publisher, release, promoter.job)["predicate"]

    assert (result.code, result.outcomes[SIGNED]) == (0, "uploaded")
    assert predicate["policy"]["digest"]["sha256"] == str(digest_of(pinned.encode()))


def test_whoever_says_to_be_the_verifier_and_is_not_hides_no_other(
    publisher: Publisher, release: Project
) -> None:
    promoter = _promoter(publisher, release)
    assert promoted(promoter, *CONFIG).code == 0
    stated = _signed(publisher, release, promoter.job)
    forged = publisher.sandbox.sigstore.sign_statement(stated, publisher.job.claims())
    publisher.sandbox.replace_evidence(release, SIGNED, json.dumps(forged).encode())
    result = promoted(promoter, *CONFIG)

    assert (result.code, result.outcomes[SIGNED]) == (0, "uploaded")
    assert _signed(publisher, release, promoter.job)["subject"] == stated["subject"]


def test_no_sigstore_no_half_promotion(publisher: Publisher, release: Project) -> None:
    """The summary is signed before anything is uploaded."""
    publisher.sandbox.fault(Answer(status=500, body=b"{}"), origin="rekor", times=None)
    result = promoted(_promoter(publisher, release), *CONFIG)

    assert (result.code, result.document["error"]["code"]) == (3, "signing-failed")
    assert names(release) == []


def test_a_certificate_of_another_verifier_than_the_summary_names_is_not_uploaded(
    publisher: Publisher, release: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CA decides who somebody is, not the claims of the token."""
    monkeypatch.setattr("pip_warden.publish.token._config", lambda _claims: "gitlab.example.com/evil")
    result = promoted(_promoter(publisher, release), *CONFIG)

    assert (result.code, result.document["error"]["code"]) == (3, "unverifiable-signature")
    assert names(release) == []


def test_a_person_is_a_verifier_by_mail_address() -> None:
    @contextmanager
    def never() -> Iterator[Any]:
        raise AssertionError
        yield

    assert SummarySigner(claimed_subject="a@acme.example", opens=never).uri == "mailto:a@acme.example"
    assert (
        SummarySigner(claimed_subject="https://acme.example/x", opens=never).uri == "https://acme.example/x"
    )


def test_a_token_that_is_over_is_found_before_anything_is_judged(
    publisher: Publisher, release: Project
) -> None:
    def payload(claims: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    token = f"e30.{payload({'aud': 'sigstore', 'exp': 1, 'iss': publisher.sandbox.issuer})}.c2ln"
    result = promoted(publisher, *CONFIG, SIGSTORE_ID_TOKEN=token)

    assert (result.code, result.document["error"]["code"]) == (2, "expired-token")
    assert names(release) == []


def test_a_summary_is_never_evidence(publisher: Publisher, release: Project) -> None:
    """Even one that the publisher itself signed speaks for no publication, and is not carried on."""
    assert promoted(publisher, *CONFIG).code == 0
    for name in names(release):
        if name.startswith(SDIST) and ".vsa." not in name and name != SDIST:
            publisher.sandbox.delete_evidence(release, name)
    token = publisher.sandbox.token(scopes=("read_api",))
    words = ("verify-release", "acme-widgets==1.0", "--cache-dir", "other", "--format", "json")
    result = publisher.run("pip-warden", *words, GITLAB_TOKEN=token)
    (line,) = (each for each in described(result.stdout)["files"] if each["file"] == SDIST)

    assert (result.returncode, line["refused"]["code"]) == (1, "no-evidence")
