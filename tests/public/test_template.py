"""The strictest template that a history satisfies, from certificates as GitHub and others get them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden._sigstore.result import CertificateClaims
from pip_warden.errors import RefusedError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.first_use.observe import Observation, PackageObservation
from pip_warden.first_use.template import Template, history, template_of
from pip_warden.names import parse_artifact_name
from pip_warden.trust.model import Identity, Requirements
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import SignedBy, Step
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.triggers import ASKED, NEVER, USUAL, require_pinnable

GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "https://github.com/acme/widgets/.github/workflows/release.yml"


def built(
    version: str,
    ref: str = "",
    *,
    trigger: str | None = "release",
    workflow: str = WORKFLOW,
    issuer: str = GITHUB,
    project_id: str = "7",
    repository: str = "",
) -> Observation:
    """Make what is known of a release: by default signed by its own tag."""
    subject = f"{workflow}@{ref or f'refs/tags/v{version}'}" if ref != "-" else workflow
    repository = repository or workflow.partition("/.github/")[0]
    values = {"source-repository": repository, "project-id": project_id, "build-trigger": trigger}
    claims = CertificateClaims(
        issuer=issuer,
        subjects=(subject,),
        values=tuple((name, value) for name, value in values.items() if value is not None),
        not_before=datetime(2026, 11, 29, tzinfo=UTC),
        not_after=datetime(2026, 11, 30, tzinfo=UTC),
    )
    signed = SignedBy(
        label="x",
        form=EvidenceForm.PEP740,
        claims=claims,
        log_index=1,
        log_time=claims.not_before,
        root="default",
    )
    return Observation(name=parse_artifact_name(f"acme_widgets-{version}-py3-none-any.whl"), signed=signed)


def pinned(*observations: Observation) -> tuple[str, list[str]]:
    template = template_of(observations, root="default")
    return template.identity.subject.text.removeprefix(WORKFLOW), sorted(template.require.build_trigger)


def test_a_single_release_says_its_own_tag_and_trigger() -> None:
    assert pinned(built("1.0")) == ("@refs/tags/v{version}", ["release"])
    assert pinned(built("1.0", trigger="push")) == ("@refs/tags/v{version}", ["push"])


def test_the_triggers_of_all_are_pinned_and_no_others() -> None:
    releases = built("1.2"), built("1.1", trigger="workflow_dispatch"), built("1.0", trigger="release")
    assert pinned(*releases) == ("@refs/tags/v{version}", ["release", "workflow_dispatch"])


STRANGERS = (
    "pull_request_target", "pull_request_review", "pull_request_review_comment", "issue_comment", "issues",
    "discussion", "discussion_comment", "gollum", "watch", "fork", "workflow_run", "check_run", "check_suite",
    "status",
)  # fmt: skip


def test_no_trigger_is_asked_about_that_strangers_can_start() -> None:
    assert set(STRANGERS) == NEVER
    assert not NEVER & {USUAL, *ASKED}


@pytest.mark.parametrize("trigger", STRANGERS)
def test_a_trigger_that_strangers_can_start_is_never_pinned(trigger: str) -> None:
    with pytest.raises(RefusedError) as caught:
        template_of([built("1.0", trigger=trigger)], root="default")
    assert caught.value.code == "build-trigger-unsafe"
    assert pinned(built("1.1"), built("1.0", trigger=trigger)) == ("@refs/tags/v{version}", ["release"])


@pytest.mark.parametrize("trigger", ["pull_request", "web", "repository_dispatch", "", "push ", "PUSH", None])
def test_any_other_trigger_is_not_written(trigger: str | None) -> None:
    require_pinnable(trigger)
    assert pinned(built("1.0", trigger=trigger)) == ("@refs/tags/v{version}", ["push"])
    assert pinned(built("1.1"), built("1.0", trigger=trigger)) == ("@refs/tags/v{version}", ["release"])


@pytest.mark.parametrize(
    "other",
    [
        built("1.0", workflow=WORKFLOW.replace("release.yml", "other.yml"), trigger="push"),
        built("1.0", workflow=WORKFLOW.replace("acme", "mallory"), trigger="push"),
        built("1.0", issuer="https://gitlab.com", trigger="push"),
        built("1.0", project_id="8", trigger="push"),
        built("1.0", ref="-", workflow="me@example.com", trigger="push"),
    ],
)
def test_what_another_workflow_built_widens_nothing(other: Observation) -> None:
    assert pinned(built("1.1"), other) == ("@refs/tags/v{version}", ["release"])


@pytest.mark.parametrize(
    "other",
    [
        built("1.0", "refs/tags/nightly", trigger="pull_request_target"),
        built("1.0", "refs/tags/nightly", trigger="web"),
        built("1.0", "refs/tags/nightly", trigger=None),
        built("1.0", "refs/tags/nightly", trigger="push", repository="https://github.com/mallory/widgets"),
        built("1.0", trigger="push", repository="https://github.com/mallory/widgets"),
    ],
)
def test_what_is_refused_in_any_case_widens_nothing(other: Observation) -> None:
    assert pinned(built("1.1"), other) == ("@refs/tags/v{version}", ["release"])


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/a/v1.0"])
def test_the_trigger_of_what_has_no_tag_in_common_is_not_pinned(ref: str) -> None:
    assert pinned(built("1.1"), built("1.0", ref, trigger="workflow_dispatch"))[1] == ["release"]
    assert pinned(built("1.1", "refs/heads/main"), built("1.0", trigger="schedule"))[1] == ["release"]


def test_tags_of_several_forms_keep_what_they_have_in_common() -> None:
    assert pinned(built("1.1"), built("1.0", "refs/tags/release-1.0")) == ("@refs/tags/*", ["release"])
    assert pinned(built("1.1", "refs/tags/widgets/v1.1"), built("1.0", "refs/tags/widgets/1.0")) == (
        "@refs/tags/widgets/*", ["release"],
    )  # fmt: skip
    assert pinned(built("1.1", "refs/tags/a/v1.1"), built("1.0"))[0] == "@refs/tags/a/v{version}"


_TAGS = ("refs/tags/v{}", "refs/tags/{}", "refs/tags/a/v{}", "refs/tags/nightly", "refs/heads/main")
_BUILDS = st.builds(
    lambda tag, version, trigger, **more: built(version, tag.format(version), trigger=trigger, **more),
    st.sampled_from(_TAGS),
    st.sampled_from(["1.0", "1.1", "2.0"]),
    st.sampled_from(["push", "release", "schedule", "web", "workflow_run", None]),
    workflow=st.sampled_from([WORKFLOW, WORKFLOW.replace("release", "other")]),
    repository=st.sampled_from(["", "https://github.com/mallory/widgets"]),
)


def accepts(template: Template, each: Observation) -> bool:
    version = each.name.version
    found = match_identity(each.claims, (template.identity,), version)
    return isinstance(found, Identity) and check_policy(each.claims, found, template.require, version) is None


@given(st.lists(_BUILDS, min_size=1, max_size=5))
def test_nothing_is_pinned_that_no_accepted_release_needs(releases: list[Observation]) -> None:
    try:
        template = template_of(releases, root="default")
    except RefusedError:
        return
    alone = template_of(releases[:1], root="default")
    assert accepts(template, releases[0]) == accepts(alone, releases[0])
    if not accepts(alone, releases[0]):
        return
    taken = [each for each in releases if accepts(template, each)]
    assert template.require.build_trigger == {each.claims.get("build-trigger") for each in taken}
    assert template == template_of(taken, root="default")


def test_branches_are_never_put_together() -> None:
    assert pinned(built("1.1", "refs/heads/main"), built("1.0", "refs/heads/old"))[0] == "@refs/heads/main"
    assert pinned(built("1.1", "refs/heads/main"), built("1.0"))[0] == "@refs/heads/main"
    assert pinned(built("1.1"), built("1.0", "refs/heads/main"))[0] == "@refs/tags/v{version}"


def test_an_account_is_pinned_as_it_stands() -> None:
    account = built("1.0", ref="-", workflow="ci@example.iam.gserviceaccount.com", trigger=None)
    template = template_of([account, built("0.9")], root="default")
    assert template.identity.is_account
    assert template.identity.subject.text == "ci@example.iam.gserviceaccount.com"
    assert template == Template(identity=template.identity, require=Requirements())


def test_every_release_that_does_not_fit_is_shown_with_its_code() -> None:
    releases = (
        built("1.2"),
        built("1.1", "refs/tags/v1.0"),
        built("1.0", workflow=WORKFLOW.replace("release.yml", "other.yml")),
        built("0.9", trigger="workflow_run"),
        built("0.8", project_id="8"),
    )
    look = PackageObservation(
        listing=Listing(entry=samples.entry(), page=samples.page(), allowed=()),
        observations=releases,
        unsigned=(samples.refused("acme_widgets-0.7-py3-none-any.whl", Step.EVIDENCE, "no-evidence"),),
        registry_id=None,
    )
    said = history(look, template_of(releases[:1], root="default"))
    assert "1 of the last 6 releases fit this" in said
    for version, code in {
        "1.1": "identity-mismatch",
        "1.0": "identity-mismatch",
        "0.9": "build-trigger-refused",
        "0.8": "project-id-mismatch",
        "0.7": "no-evidence",
    }.items():
        assert f"acme_widgets-{version}-py3-none-any.whl  [{code}]" in said
    assert "acme_widgets-1.2" not in said


@pytest.mark.parametrize("ref", ["refs/pull/1/merge", "refs/heads/a b", "refs/tags/v*"])
def test_a_release_that_no_pin_can_name_is_refused_and_widens_nothing(ref: str) -> None:
    with pytest.raises(RefusedError) as caught:
        template_of([built("2.0", ref), built("1.0")], root="default")
    assert caught.value.code == "signer-unpinnable"
    assert pinned(built("2.0"), built("1.0", ref)) == pinned(built("2.0"))
