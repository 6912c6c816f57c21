"""The claims of a CI job's ID tokens and its predefined variables (reference 5.1, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pip_warden.sandbox.gitlab.oidc import token_id
from pip_warden.sandbox.gitlab.packages_api import stamp

if TYPE_CHECKING:
    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.model import JobContext

CONFIG_PATH = ".gitlab-ci.yml"
_TOKEN_SECONDS = 3600
_MERGE_REQUEST = "merge_request_event"


def config_ref_uri(instance: Instance, job: JobContext) -> str:
    """Return ``ci_config_ref_uri``: the *target* project's configuration at the job's ref, no scheme."""
    return f"{instance.host}/{job.project.path}//{CONFIG_PATH}@{job.full_ref}"


def claims(instance: Instance, job: JobContext, *, aud: str) -> dict[str, object]:
    """Return the claims of a job's ID token; an override of None leaves the claim out."""
    now = int(instance.state.now().timestamp())
    ref = f"ref_type:{job.ref_type}:ref:{job.ref}"
    everything = {
        "iss": instance.oidc.issuer,
        "sub": f"project_path:{job.source_project.path}:{ref}",
        "aud": aud,
        "exp": now + _TOKEN_SECONDS,
        "nbf": now - 5,
        "iat": now,
        "jti": token_id(),
        **_project_claims(job),
        **_user_claims(job),
        **_pipeline_claims(instance, job),
        **_environment_claims(job),
        **dict(job.overrides),
    }
    return {name: value for name, value in everything.items() if value is not None}


def _project_claims(job: JobContext) -> dict[str, object]:
    source, target = job.source_project, job.project
    return {
        "project_id": str(source.id),
        "project_path": source.path,
        "namespace_id": str(source.namespace.id),
        "namespace_path": source.namespace.path,
        "project_visibility": source.visibility,
        "job_project_id": str(target.id),
        "job_project_path": target.path,
        "job_namespace_id": str(target.namespace.id),
        "job_namespace_path": target.namespace.path,
    }


def _user_claims(job: JobContext) -> dict[str, object]:
    role = job.project.role_of(job.user)
    return {
        "user_id": str(job.user.id),
        "user_login": job.user.login,
        "user_email": job.user.email,
        "user_access_level": role.name.lower() if role else None,
        "groups_direct": [
            namespace.path
            for namespace in job.project.namespace.lineage()
            if namespace.kind == "group" and job.user.id in namespace.members
        ],
    }


def _pipeline_claims(instance: Instance, job: JobContext) -> dict[str, object]:
    merge_request = job.pipeline_source == _MERGE_REQUEST
    protected = job.ref_type == "tag" or job.ref == job.source_project.default_branch
    return {
        "pipeline_id": str(job.pipeline_id),
        "pipeline_source": job.pipeline_source,
        "job_id": str(job.id),
        "job_source": job.pipeline_source,
        "ref": job.ref,
        "ref_type": job.ref_type,
        "ref_path": "refs/merge-requests/1/head" if merge_request else job.full_ref,
        "ref_protected": "true" if protected and not merge_request else "false",
        "sha": job.sha,
        "runner_id": 12270807,  # the one id that is a number
        "runner_environment": job.runner_environment,
        "ci_config_ref_uri": config_ref_uri(instance, job),
        "ci_config_sha": job.sha,
    }


def _environment_claims(job: JobContext) -> dict[str, object]:
    if job.environment is None:
        return {}
    return {
        "environment": job.environment,
        "environment_protected": "false",
        "deployment_tier": "production" if job.environment.startswith("prod") else "other",
        "environment_action": "start",
    }


def variables(instance: Instance, job: JobContext, *, job_token: str) -> dict[str, str]:
    """Return the predefined variables; tag, branch, environment and merge request ones where they apply."""
    found = {
        **_server_variables(instance),
        **_project_variables(instance, job),
        **_commit_variables(instance, job),
        **_job_variables(instance, job),
        "CI_JOB_TOKEN": job_token,
        "CI_REGISTRY": instance.registry_host,
        "CI_REGISTRY_IMAGE": f"{instance.registry_host}/{job.project.path.lower()}",
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": job_token,
    }
    return found | _occasional_variables(job)


def _server_variables(instance: Instance) -> dict[str, str]:
    url = urlsplit(instance.shown_url)
    authority = {"CI_SERVER_TLS_CA_FILE": str(instance.ca_file)} if instance.ca_file else {}
    return authority | {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_URL": instance.shown_url,
        "CI_SERVER_HOST": url.hostname or "",
        "CI_SERVER_PORT": str(url.port or ""),
        "CI_SERVER_PROTOCOL": url.scheme,
        "CI_SERVER_FQDN": instance.host,
        "CI_SERVER_VERSION": instance.state.settings.version,
        "CI_API_V4_URL": instance.api,
    }


def _project_variables(instance: Instance, job: JobContext) -> dict[str, str]:
    project = job.project
    return {
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.name,
        "CI_PROJECT_PATH": project.path,
        "CI_PROJECT_URL": f"{instance.shown_url}/{project.path}",
        "CI_PROJECT_NAMESPACE": project.namespace.path,
        "CI_PROJECT_NAMESPACE_ID": str(project.namespace.id),
        "CI_PROJECT_ROOT_NAMESPACE": project.path.partition("/")[0],
        "CI_PROJECT_VISIBILITY": project.visibility,
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_CONFIG_PATH": CONFIG_PATH,
        "CI_CONFIG_REF_URI": config_ref_uri(instance, job),
    }


def _commit_variables(instance: Instance, job: JobContext) -> dict[str, str]:
    return {
        "CI_COMMIT_SHA": job.sha,
        "CI_COMMIT_SHORT_SHA": job.sha[:8],
        "CI_COMMIT_REF_NAME": job.ref,
        "CI_COMMIT_REF_SLUG": "".join(c if c.isalnum() else "-" for c in job.ref.lower())[:63].strip("-"),
        "CI_COMMIT_REF_PROTECTED": str(_pipeline_claims(instance, job)["ref_protected"]),
        "CI_COMMIT_TIMESTAMP": instance.state.now().isoformat(timespec="seconds"),
    }


def _job_variables(instance: Instance, job: JobContext) -> dict[str, str]:
    home = f"{instance.shown_url}/{job.project.path}"
    return {
        "CI_PIPELINE_ID": str(job.pipeline_id),
        "CI_PIPELINE_IID": "1",
        "CI_PIPELINE_URL": f"{home}/-/pipelines/{job.pipeline_id}",
        "CI_PIPELINE_SOURCE": job.pipeline_source,
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": "release",
        "CI_JOB_STAGE": "build",
        "CI_JOB_URL": f"{home}/-/jobs/{job.id}",
        "CI_JOB_STARTED_AT": stamp(job.started_at),
        "CI_JOB_IMAGE": "python:3.11",
        "CI_NODE_TOTAL": "1",
        "CI_RUNNER_ID": "12270807",
        "CI_RUNNER_VERSION": "18.6.0",
        "CI_RUNNER_REVISION": "1a2b3c4d",
        "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
        "CI_RUNNER_TAGS": "[]",
        "GITLAB_USER_ID": str(job.user.id),
        "GITLAB_USER_LOGIN": job.user.login,
        "GITLAB_USER_NAME": job.user.name,
        "GITLAB_USER_EMAIL": job.user.email,
    }


def _occasional_variables(job: JobContext) -> dict[str, str]:
    found: dict[str, str] = {}
    if job.pipeline_source == _MERGE_REQUEST:
        found["CI_MERGE_REQUEST_IID"] = "1"
        found["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] = job.ref
        found["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = str(job.source_project.id)
        found["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"] = job.source_project.path
        found["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = job.project.default_branch
    else:
        found["CI_COMMIT_TAG" if job.ref_type == "tag" else "CI_COMMIT_BRANCH"] = job.ref
    if job.environment is not None:
        found["CI_ENVIRONMENT_NAME"] = job.environment
    return found
