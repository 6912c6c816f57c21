"""SLSA v1 provenance of what a GitLab CI job built, and the annotations of a job.

Sources: slsa.dev/spec/v1.0/provenance; the build type is described in ``docs/build-type.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from pip_warden.errors import UsageError
from pip_warden.publish.build_info import BuildInfo
from pip_warden.strict_json import JSONValue

BUILD_TYPE = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/build-type.md#v1"
ANNOTATIONS = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/annotations-predicate.md#v1"
PROVENANCE = "https://slsa.dev/provenance/v1"

_ANNOTATIONS = {
    "com.gitlab.ci.user.name": "GITLAB_USER_NAME",
    "com.gitlab.ci.pipeline.id": "CI_PIPELINE_ID",
    "com.gitlab.ci.pipeline.url": "CI_PIPELINE_URL",
    "com.gitlab.ci.job.id": "CI_JOB_ID",
    "com.gitlab.ci.job.url": "CI_JOB_URL",
    "com.gitlab.ci.commit.sha": "CI_COMMIT_SHA",
    "com.gitlab.ci.commit.ref.name": "CI_COMMIT_REF_NAME",
    "com.gitlab.ci.project.path": "CI_PROJECT_PATH",
    "org.opencontainers.image.source": "CI_PROJECT_URL",
    "org.opencontainers.image.revision": "CI_COMMIT_SHA",
    "tag": "CI_COMMIT_TAG",
}


def provenance(build: BuildInfo) -> dict[str, JSONValue]:
    """Return the predicate that says how a job built."""
    return {"buildDefinition": _build_definition(build), "runDetails": _run_details(build)}


def _build_definition(build: BuildInfo) -> dict[str, JSONValue]:
    repository = f"git+{build.project_url}"
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "source": repository,
            "ref": build.ref,
            "configPath": build.config_path,
            "trigger": build.trigger,
        },
        "internalParameters": _known(
            job=build.job_name,
            stage=build.job_stage,
            image=build.image,
            pipeline=build.pipeline_id,
            runner=build.runner_id,
            architecture=build.architecture,
            configDigest=build.config_digest,
        ),
        "resolvedDependencies": [{"uri": repository, "digest": {"gitCommit": build.commit}}],
    }


def _run_details(build: BuildInfo) -> dict[str, JSONValue]:
    version = _known(**{"gitlab-runner": build.runner_version, "revision": build.runner_revision})
    return {
        # The platform: one runner of many is no builder that anybody could decide to trust.
        "builder": {"id": f"{build.server_url}/-/runners", "version": version},
        "metadata": {
            "invocationId": build.job_url,
            "startedOn": build.started_at,
            "finishedOn": build.finished_at,
        },
    }


def default_annotations(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations of a CI job; none outside of one."""
    if not environ.get("GITLAB_CI"):
        return {}
    said = {key: environ[name] for key, name in _ANNOTATIONS.items() if environ.get(name)}
    if "tag" not in said and environ.get("CI_COMMIT_SHORT_SHA"):
        said["tag"] = environ["CI_COMMIT_SHORT_SHA"]  # what a branch pipeline's artifacts are named by
    return said


def parse_annotation(text: str) -> tuple[str, str]:
    """Read ``K=V``.

    Raises:
        UsageError: ``bad-annotation``.
    """
    key, equals, value = text.partition("=")
    if not equals or not key or not key.isprintable() or not value.isprintable():
        raise UsageError("bad-annotation", f"expected --annotation KEY=VALUE, found {text!r}")
    return key, value


def _known(**values: str | None) -> dict[str, JSONValue]:
    return {key: value for key, value in values.items() if value is not None}
