"""Provenance of a build, and the claims of a certificate that confirm all of it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import samples
from pip_warden.verdict.provenance import BUILD_TYPE

COMMIT = "0" * 40
OTHER = "1" * 40
REPOSITORY = "https://gitlab.example.com/acme/widgets"
REF = "refs/tags/v1.0"
JOB = f"{REPOSITORY}/-/jobs/71"
CLAIMS = samples.claims(
    source_digest=COMMIT,
    build_config_uri=f"{REPOSITORY}//.gitlab-ci.yml@{REF}",
    build_config_digest=COMMIT,
    run_invocation=JOB,
)
GITHUB = "https://github.com/acme/widgets"
GITHUB_RUN = f"{GITHUB}/actions/runs/9/attempts/1"
GITHUB_CLAIMS = samples.claims(
    issuer="https://token.actions.githubusercontent.com",
    runner_environment="github-hosted",
    source_repository=GITHUB,
    source_digest=COMMIT,
    build_config_uri=f"{GITHUB}/.github/workflows/release.yml@{REF}",
    build_config_digest=COMMIT,
    run_invocation=GITHUB_RUN,
)


def source(digest: Any = None, uri: Any = f"git+{REPOSITORY}") -> dict[str, Any]:
    """Make a resolved dependency."""
    return {"uri": uri, "digest": {"gitCommit": COMMIT} if digest is None else digest}


def ours(*dependencies: Any, **external: Any) -> dict[str, Any]:
    """Make provenance as `pip-warden attest` writes it.

    Args:
        dependencies: Other resolved dependencies.
        external: Other external parameters; None leaves one out.
    """
    documented = {
        "source": f"git+{REPOSITORY}",
        "ref": REF,
        "configPath": ".gitlab-ci.yml",
        "trigger": "push",
    }
    parameters: dict[str, Any] = documented | external
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {key: value for key, value in parameters.items() if value is not None},
            "internalParameters": {"job": "build", "configDigest": COMMIT},
            "resolvedDependencies": list(dependencies) or [source()],
        },
        "runDetails": {
            "builder": {"id": "https://gitlab.example.com/-/runners"},
            "metadata": {
                "invocationId": JOB,
                "startedOn": "2026-06-30T23:50:00Z",
                "finishedOn": "2026-06-30T23:55:00.5+00:00",
            },
        },
    }


def changed(predicate: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a predicate with another value at a path such as ``runDetails.builder.id``; ``...`` is none."""
    made = deepcopy(dict(predicate))
    *parents, last = path.split(".")
    place = made
    for key in parents:
        place = place.setdefault(key, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made
