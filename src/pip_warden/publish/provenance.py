"""SLSA v1 provenance from the variables of a GitLab CI job.

Sources: slsa.dev/spec/v1.0/provenance; the build type is described in ``docs/build-type.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pip_warden.errors import UsageError
from pip_warden.strict_json import JSONValue

BUILD_TYPE = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/build-type.md#v1"
ANNOTATIONS = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/annotations-predicate.md#v1"
PROVENANCE = "https://slsa.dev/provenance/v1"

_NEEDED = (
    "CI_PROJECT_URL",
    "CI_COMMIT_SHA",
    "CI_COMMIT_REF_NAME",
    "CI_PIPELINE_SOURCE",
    "CI_SERVER_URL",
    "CI_JOB_URL",
    "CI_JOB_STARTED_AT",
)

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


def provenance(environ: Mapping[str, str], *, now: datetime) -> dict[str, JSONValue]:
    """Return the predicate.

    Args:
        environ: The job's variables.
        now: When the build finished, aware.

    Raises:
        UsageError: ``not-in-ci``, naming every variable that is missing.
    """
    missing = [name for name in _NEEDED if not environ.get(name)]
    if missing:
        raise UsageError(
            "not-in-ci",
            f"expected the variables of a GitLab CI job, found none of {', '.join(missing)}",
            hint="Provenance says how a job built a file. "
            "For another statement: --predicate FILE --predicate-type URI.",
        )
    return {"buildDefinition": _build_definition(environ), "runDetails": _run_details(environ, now)}


def _build_definition(environ: Mapping[str, str]) -> dict[str, JSONValue]:
    ref = f"refs/{'tags' if environ.get('CI_COMMIT_TAG') else 'heads'}/{environ['CI_COMMIT_REF_NAME']}"
    repository = f"git+{environ['CI_PROJECT_URL']}"
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "source": repository,
            "ref": ref,
            "configPath": environ.get("CI_CONFIG_PATH") or ".gitlab-ci.yml",
            "trigger": environ["CI_PIPELINE_SOURCE"],
        },
        "internalParameters": _present(
            environ, {"job": "CI_JOB_NAME", "stage": "CI_JOB_STAGE", "image": "CI_JOB_IMAGE"}
        ),
        "resolvedDependencies": [{"uri": repository, "digest": {"gitCommit": environ["CI_COMMIT_SHA"]}}],
    }


def _run_details(environ: Mapping[str, str], now: datetime) -> dict[str, JSONValue]:
    return {
        "builder": {
            "id": f"{environ['CI_SERVER_URL']}/-/runners/{environ.get('CI_RUNNER_ID', 'unknown')}",
            "version": _present(
                environ, {"gitlab-runner": "CI_RUNNER_VERSION", "revision": "CI_RUNNER_REVISION"}
            ),
        },
        "metadata": {
            "invocationId": environ["CI_JOB_URL"],
            "startedOn": environ["CI_JOB_STARTED_AT"],
            "finishedOn": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def default_annotations(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations of a CI job; none outside of one."""
    if not environ.get("GITLAB_CI"):
        return {}
    return {key: environ[name] for key, name in _ANNOTATIONS.items() if environ.get(name)}


def parse_annotation(text: str) -> tuple[str, str]:
    """Read ``K=V``.

    Raises:
        UsageError: ``bad-annotation``.
    """
    key, equals, value = text.partition("=")
    if not equals or not key or not key.isprintable() or not value.isprintable():
        raise UsageError("bad-annotation", f"expected --annotation KEY=VALUE, found {text!r}")
    return key, value


def _present(environ: Mapping[str, str], names: Mapping[str, str]) -> dict[str, JSONValue]:
    return {key: environ[name] for key, name in names.items() if environ.get(name)}
