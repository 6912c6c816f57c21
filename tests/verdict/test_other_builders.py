"""Other builders' provenance, made by their documented schemas: what is read of it, and what is refused.

The table in docs/build-type.md says the same in words. Sources: actions.github.io/buildtypes/workflow/v1 and
slsa-framework.github.io/github-actions-buildtypes/workflow/v1; docs.npmjs.com, "Generating provenance
statements"; docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1 and /ci/runners/configure_runners;
"Gating image promotion on GitLab" (a post whose script writes the predicate by hand).
"""

from __future__ import annotations

from typing import Any

import pytest

from builds import (
    CLAIMS,
    COMMIT,
    GITHUB,
    GITHUB_CLAIMS,
    GITHUB_RUN,
    OTHER,
    REF,
    REPOSITORY,
    changed,
    source,
)
from pip_warden.faults import Fault
from pip_warden.verdict.provenance import Invocation, Provenance, read_provenance

WORKFLOW = ".github/workflows/release.yml"


def _github(build_type: str, builder: str, **internal: Any) -> dict[str, Any]:
    return {
        "buildDefinition": {
            "buildType": build_type,
            "externalParameters": {"workflow": {"ref": REF, "repository": GITHUB, "path": WORKFLOW}},
            "internalParameters": internal,
            "resolvedDependencies": [source(uri=f"git+{GITHUB}@{REF}")],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"invocationId": GITHUB_RUN}},
    }


def _gitlab(build_type: str, **digest: str) -> dict[str, Any]:
    return {
        "buildDefinition": {
            "buildType": build_type,
            "externalParameters": {
                "source": REPOSITORY,
                "entryPoint": "build-job",
                "variables": {
                    "CI_PIPELINE_SOURCE": "push",
                    "CI_COMMIT_SHA": COMMIT,
                    "CI_JOB_TOKEN": "[MASKED]",
                },
            },
            "internalParameters": {
                "architecture": "arm64",
                "executor": "docker",
                "job": 71,
                "name": "runner",
            },
            "resolvedDependencies": [{"uri": REPOSITORY, "digest": digest}],
        },
        "runDetails": {
            "builder": {"id": f"{REPOSITORY}/-/runners/1", "version": {"gitlab-runner": "4d7093e1"}},
            "metadata": {
                "invocationId": "71",
                "startedOn": "2026-06-30T23:50:00Z",
                "finishedOn": "2026-06-30T23:55:00Z",
            },
        },
    }


NPM = _github(
    "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
    "https://github.com/actions/runner/github-hosted",
    github={"event_name": "push", "repository_id": "1", "repository_owner_id": "2"},
)
GITHUB_ATTEST = _github(
    "https://actions.github.io/buildtypes/workflow/v1",
    f"{GITHUB}/{WORKFLOW}@{REF}",
    github={"event_name": "push", "repository_id": "1", "runner_environment": "github-hosted"},
)
GENERATOR = changed(
    _github(
        "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/b.yml@refs/tags/v2.1.0",
        GITHUB_EVENT_NAME="push",
        GITHUB_RUN_ID="9",
    ),
    "buildDefinition.resolvedDependencies",
    [
        {"uri": "https://github.com/actions/virtual-environments/releases/tag/u"},
        source({"sha1": COMMIT}, f"git+{GITHUB}@{REF}"),
    ],
)
GITLAB = _gitlab("https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1", gitCommit=COMMIT)
RUNNER = _gitlab("https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v18.6.0/PROVENANCE.md", sha256=COMMIT)
SEED = {
    "buildDefinition": {
        "buildType": "https://gitlab.com/lucarval/sign-attest-poc",
        "resolvedDependencies": [source({"sha1": COMMIT})],
    },
    "runDetails": {
        "builder": {"id": "12270807", "version": {"gitlab-runner": "4d7093e1"}},
        "metadata": {"invocationID": "7", "startedOn": "2026-06-30T23:50:00Z"},
    },
}


@pytest.mark.parametrize("predicate", [NPM, GITHUB_ATTEST, GENERATOR], ids=["npm", "attest", "generator"])
def test_what_githubs_builders_write_is_read(predicate: Any) -> None:
    found = read_provenance(predicate, GITHUB_CLAIMS)

    assert isinstance(found, Provenance), found
    assert (found.repository, found.commit, found.ref) == (GITHUB, COMMIT, REF)
    assert (found.trigger, found.config_path) == ("push", WORKFLOW)
    assert (found.invocation_id, found.invocation) == (GITHUB_RUN, Invocation.CONFIRMED)
    again = changed(predicate, "runDetails.metadata.invocationId", f"{GITHUB}/actions/runs/9/attempts/2")
    retried = read_provenance(again, GITHUB_CLAIMS)
    assert isinstance(retried, Provenance)
    assert retried.invocation is Invocation.CLAIMED


def test_what_gitlab_attests_itself_is_read() -> None:
    """Its invocation is a job's number, which no certificate has."""
    found = read_provenance(GITLAB, CLAIMS)

    assert isinstance(found, Provenance), found
    assert (found.repository, found.commit, found.trigger) == (REPOSITORY, COMMIT, "push")
    assert (found.ref, found.config_path) == (None, None)
    assert (found.invocation_id, found.invocation) == ("71", Invocation.CLAIMED)
    assert found.started_on == "2026-06-30T23:50:00Z"
    masked = changed(GITLAB, "buildDefinition.externalParameters.variables.CI_PIPELINE_SOURCE", "[MASKED]")
    assert isinstance(read_provenance(masked, CLAIMS), Provenance)


def test_the_runners_own_file_has_no_commit_where_slsa_puts_it() -> None:
    """It writes the commit as a SHA-256, which it is not."""
    found = read_provenance(RUNNER, CLAIMS)

    assert isinstance(found, Fault)
    assert (found.code, found.found) == ("provenance-mismatch", "sha256")


def test_the_gating_seeds_lacks_what_slsa_requires() -> None:
    predicate: Any = SEED
    for wanted, path, value in (
        ("externalParameters", "buildDefinition.externalParameters", {}),
        ("runDetails.builder.id", "runDetails.builder.id", "https://gitlab.example.com/-/runners"),
    ):
        found = read_provenance(predicate, CLAIMS)
        assert isinstance(found, Fault)
        assert (found.code, found.expected.startswith(wanted)) == ("provenance-mismatch", True)
        predicate = changed(predicate, path, value)
    mended = read_provenance(predicate, CLAIMS)
    assert isinstance(mended, Provenance)
    assert (mended.commit, mended.invocation) == (COMMIT, Invocation.UNNAMED)


@pytest.mark.parametrize(
    ("predicate", "path", "value"),
    [
        (NPM, "externalParameters.workflow.ref", "refs/heads/main"),
        (NPM, "externalParameters.workflow.ref", [REF]),
        (NPM, "externalParameters.workflow.repository", "https://github.com/evil/fork"),
        (NPM, "externalParameters.workflow.repository", "https://github.com.evil.com/acme/widgets"),
        (NPM, "externalParameters.workflow.path", ".github/workflows/evil.yml"),
        (NPM, "internalParameters.github.event_name", "pull_request_target"),
        (NPM, "resolvedDependencies", [source(uri=f"git+{GITHUB}@refs/heads/main")]),
        (GITHUB_ATTEST, "internalParameters.github.runner_environment", "self-hosted"),
        (GENERATOR, "internalParameters.GITHUB_EVENT_NAME", "workflow_dispatch"),
        (GITLAB, "externalParameters.source", "https://gitlab.example.com/evil/fork"),
        (GITLAB, "externalParameters.source", {"uri": f"git+{REPOSITORY}", "digest": {"sha1": OTHER}}),
        (GITLAB, "externalParameters.source", {"uri": "https://gitlab.example.com/evil/fork"}),
        (GITLAB, "externalParameters.source", f"git+{REPOSITORY}@refs/heads/main"),
        (GITLAB, "externalParameters.source", 7),
        (GITLAB, "externalParameters.ref", "main"),
        (GITLAB, "externalParameters.variables.CI_PIPELINE_SOURCE", "schedule"),
        (GITLAB, "externalParameters.variables.CI_COMMIT_SHA", OTHER),
    ],
)
def test_a_forged_value_of_another_builder_is_refused(predicate: Any, path: str, value: Any) -> None:
    claims = CLAIMS if predicate is GITLAB else GITHUB_CLAIMS
    assert isinstance(read_provenance(predicate, claims), Provenance)

    found = read_provenance(changed(predicate, f"buildDefinition.{path}", value), claims)

    assert isinstance(found, Fault)
    assert found.code == "provenance-mismatch"


@pytest.mark.parametrize(
    "value",
    [REPOSITORY, f"git+{REPOSITORY}@{REF}", {"uri": f"git+{REPOSITORY}", "digest": {"sha1": COMMIT}}],
)
def test_a_source_as_builders_write_it(value: Any) -> None:
    found = read_provenance(changed(GITLAB, "buildDefinition.externalParameters.source", value), CLAIMS)

    assert isinstance(found, Provenance)


def test_a_ref_without_its_kind_is_the_certified_one_of_either_kind() -> None:
    short = changed(GITLAB, "buildDefinition.externalParameters.ref", "v1.0")
    found = read_provenance(short, CLAIMS)

    assert isinstance(found, Provenance)
    assert found.ref == REF


@pytest.mark.parametrize("predicate", [NPM, GITLAB])
def test_a_builder_elsewhere_is_refused(predicate: Any) -> None:
    claims = CLAIMS if predicate is GITLAB else GITHUB_CLAIMS
    elsewhere = changed(predicate, "runDetails.builder.id", "https://builder.evil.com/x")

    assert isinstance(read_provenance(elsewhere, claims), Fault)
