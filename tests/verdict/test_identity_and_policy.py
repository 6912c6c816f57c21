"""Steps 9 and 10: the identity, and the certificate's other claims."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from packaging.version import Version

import samples
from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity, Requirements
from pip_warden.trust.subject import parse_ref, parse_subject
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.policy import check_policy

ONE = Version("1.0")


def _match(claims: CertificateClaims, *identities: Identity) -> str | None:
    outcome = match_identity(claims, identities or (samples.identity(),), ONE)
    return outcome.code if isinstance(outcome, Fault) else None


def _policy(claims: CertificateClaims, require: Requirements | None = None, **identity: Any) -> str | None:
    fault = check_policy(claims, samples.identity(**identity), require or Requirements(), ONE)
    return fault.code if fault else None


def test_the_pinned_signer_is_matched() -> None:
    assert match_identity(samples.claims(), (samples.identity(),), ONE) == samples.identity()
    assert _policy(samples.claims()) is None


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (samples.claims(issuer="https://gitlab.example.com.evil"), "issuer-mismatch"),
        (samples.claims(issuer="https://gitlab.example.com/"), "issuer-mismatch"),
        (samples.claims(issuer="https://GitLab.example.com"), "issuer-mismatch"),
        (samples.claims(subject=samples.SUBJECT.replace("tags", "heads")), "identity-mismatch"),
        (samples.claims(subject=samples.SUBJECT.replace("v1.0", "v2.0")), "identity-mismatch"),
        (samples.claims(subject=samples.SUBJECT.replace("widgets//", "widgets/")), "identity-mismatch"),
        (samples.claims(project_id="12"), "project-id-mismatch"),
        (samples.claims(drop=("project-id",)), "project-id-mismatch"),
    ],
)
def test_t26_t27_t28_another_signer_is_refused(claims: CertificateClaims, code: str) -> None:
    assert _match(claims) == code


def test_t25_the_same_path_with_another_project_id_is_refused() -> None:
    assert _match(samples.claims(project_id="99")) == "project-id-mismatch"


def test_t26_a_certificate_with_two_subjects_is_nobodys() -> None:
    two = replace(samples.claims(), subjects=(samples.SUBJECT, samples.SUBJECT.replace("widgets", "evil")))

    assert _match(two) == "identity-mismatch"


def test_one_of_several_identities_is_enough_and_the_closest_is_reported() -> None:
    other = samples.identity(issuer="https://gitlab.com")

    assert _match(samples.claims(), other, samples.identity()) is None
    assert _match(samples.claims(project_id="99"), other, samples.identity()) == "project-id-mismatch"


def test_no_identity_matches_nothing() -> None:
    assert isinstance(match_identity(samples.claims(), (), ONE), Fault)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"not_after": date(2026, 6, 30)}, None),
        ({"not_after": date(2026, 6, 29)}, "signed-outside-dates"),
        ({"not_before": date(2026, 6, 30)}, None),
        ({"not_before": date(2026, 7, 1)}, "signed-outside-dates"),
    ],
)
def test_dates_bound_the_signing_time_to_the_end_of_the_day(dates: dict[str, date], code: str | None) -> None:
    assert _match(samples.claims(), samples.identity(**dates)) == code


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (samples.claims(source_repository="https://gitlab.example.com/evil/fork"), "source-not-own"),
        (samples.claims(source_repository="https://gitlab.example.com.evil/acme/widgets"), "source-not-own"),
        (samples.claims(build_trigger="merge_request_event"), "build-trigger-refused"),
        (samples.claims(build_trigger="parent_pipeline"), "build-trigger-refused"),
        (samples.claims(drop=("source-repository",)), "claim-missing"),
        (samples.claims(drop=("build-trigger",)), "claim-missing"),
    ],
)
def test_t62_the_defaults_hold_for_every_pin(claims: CertificateClaims, code: str) -> None:
    assert _policy(claims) == code


@pytest.mark.parametrize(
    "repository",
    [
        "http://gitlab.example.com/acme/widgets",
        "ftp://gitlab.example.com/acme/widgets",
        "x://gitlab.example.com/acme/widgets",
        "://gitlab.example.com/acme/widgets",
        "HTTPS://gitlab.example.com/acme/widgets",
        "git+https://gitlab.example.com/acme/widgets",
        "x https://gitlab.example.com/acme/widgets",
        "gitlab.example.com/acme/widgets",
        "https://gitlab.example.com/acme/widgets/",
        "https://gitlab.example.com/acme/widgets.git",
        "",
    ],
)
def test_b06_the_source_repository_is_compared_with_its_scheme(repository: str) -> None:
    assert _policy(samples.claims(source_repository=repository)) == "source-not-own"


@pytest.mark.parametrize(
    ("issuer", "scheme", "code"),
    [
        ("http://127.0.0.1:8080", "http", None),
        ("http://127.0.0.1:8080/gitlab", "http", None),
        ("http://127.0.0.1:8080", "https", "source-not-own"),
        ("https://127.0.0.1:8080", "https", None),
        ("https://127.0.0.1:8080", "http", "source-not-own"),
        ("http://127.0.0.1:80801", "http", "source-not-own"),
        ("http://localhost:8080", "http", "source-not-own"),
    ],
)
def test_b06_only_an_issuer_on_this_machine_writes_its_projects_with_http(
    issuer: str, scheme: str, code: str | None
) -> None:
    subject = samples.SUBJECT.replace("gitlab.example.com", "127.0.0.1:8080")
    claims = samples.claims(
        issuer=issuer, subject=subject, source_repository=f"{scheme}://127.0.0.1:8080/acme/widgets"
    )

    assert _policy(claims, issuer=issuer, subject=parse_subject(subject)) == code


def test_t62_an_account_has_no_project() -> None:
    claims = samples.claims(subject="ci@acme.example", drop=("source-repository", "build-trigger"))

    assert _policy(claims, is_account=True, subject=parse_subject("ci@acme.example")) is None
    assert _policy(claims, subject=parse_subject("ci@acme.example")) == "claim-missing"


@pytest.mark.parametrize(
    ("require", "claim", "good", "code"),
    [
        (
            {"runner_environment": "gitlab-hosted"},
            "runner_environment",
            "gitlab-hosted",
            "runner-environment-mismatch",
        ),
        ({"environment": "production"}, "environment", "production", "environment-mismatch"),
        ({"visibility": "public"}, "visibility", "public", "visibility-mismatch"),
        (
            {"source_ref": parse_ref("refs/tags/v{version}")},
            "source_ref",
            "refs/tags/v1.0",
            "source-ref-mismatch",
        ),
    ],
)
def test_t24_each_required_claim(require: dict[str, Any], claim: str, good: str, code: str) -> None:
    required = Requirements(**require)

    found: dict[str, Any] = {claim: good}
    other: dict[str, Any] = {claim: "else"}

    assert _policy(samples.claims(**found), required) is None
    assert _policy(samples.claims(**other), required) == code
    assert _policy(samples.claims(drop=(claim.replace("_", "-"),)), required) == "claim-missing"


def test_t24_a_source_repository_is_compared_exactly() -> None:
    required = Requirements(source_repository="https://gitlab.example.com/acme/widgets")

    assert _policy(samples.claims(), required) is None
    assert (
        _policy(samples.claims(), Requirements(source_repository="https://gitlab.example.com/acme/other"))
        == "source-repository-mismatch"
    )


def test_another_trigger_can_be_listed() -> None:
    schedule = samples.claims(build_trigger="schedule")

    assert _policy(schedule, Requirements(build_trigger=frozenset({"schedule"}))) is None
    assert _policy(schedule, Requirements(build_trigger=frozenset())) == "build-trigger-refused"
