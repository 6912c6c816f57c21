"""What a building job knows of itself, from its predefined variables, and the file that it hands on.

The building job needs no identity token for it, so that code which a build runs never sees one; the signing
job states it as provenance. Whoever writes the file may be such code: what is read from it are claims, which
are compared with the signing job's own variables, and by consumers with the certificate.

Source of the variables: docs.gitlab.com/ci/variables/predefined_variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from pip_warden.disk import draft_beside, open_regular
from pip_warden.errors import RefusedError, UsageError
from pip_warden.strict_json import JSONValue, MalformedError, kind_of, loads_object
from pip_warden.values import dataclass

SCHEMA_VERSION = 1
LARGEST = 64 << 10
"""The largest file that is read, in bytes."""

_LONGEST = 1024
_REQUIRED = {
    "server_url": "CI_SERVER_URL",
    "project_url": "CI_PROJECT_URL",
    "project_id": "CI_PROJECT_ID",
    "commit": "CI_COMMIT_SHA",
    "ref": "CI_COMMIT_REF_NAME",
    "trigger": "CI_PIPELINE_SOURCE",
    "pipeline_id": "CI_PIPELINE_ID",
    "job_id": "CI_JOB_ID",
    "job_url": "CI_JOB_URL",
    "started_at": "CI_JOB_STARTED_AT",
}
_OPTIONAL = {
    "config_digest": "CI_CONFIG_SHA",
    "job_name": "CI_JOB_NAME",
    "job_stage": "CI_JOB_STAGE",
    "image": "CI_JOB_IMAGE",
    "runner_id": "CI_RUNNER_ID",
    "runner_version": "CI_RUNNER_VERSION",
    "runner_revision": "CI_RUNNER_REVISION",
    "architecture": "CI_RUNNER_EXECUTABLE_ARCH",
}
"""An allowlist, as the one above: no other variable is written, and none of these holds a secret."""

_SAME = ("server_url", "project_url", "project_id", "commit", "ref", "config_path", "trigger", "pipeline_id")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_SHAPES = {
    "server_url": re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._-]+)*", re.ASCII),
    "project_id": _NUMBER,
    "pipeline_id": _NUMBER,
    "job_id": _NUMBER,
    "commit": re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII),
    "config_digest": re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII),
    "ref": re.compile(r"refs/(?:heads|tags)/[^\s\\:?*\[~^]+"),
    "started_at": _TIME,
    "finished_at": _TIME,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildInfo:
    """What a job says of itself.

    Attributes:
        server_url: The GitLab's URL.
        project_url: The project's, below it.
        project_id: The project's numeric id.
        commit: The whole commit id.
        ref: The full ref.
        config_path: Path of the pipeline's configuration in the project.
        trigger: What started the pipeline (``CI_PIPELINE_SOURCE``).
        pipeline_id: The pipeline's number.
        job_id: The job's number.
        job_url: The job's URL, in the project.
        started_at: When the job started, RFC 3339.
        finished_at: When this was written, which is as late as a job can say, RFC 3339.
        config_digest: The commit from which the configuration is.
        job_name: The job's name.
        job_stage: Its stage.
        image: The image it runs in.
        runner_id: Number of the runner.
        runner_version: Version of GitLab Runner.
        runner_revision: Its revision.
        architecture: Operating system and architecture of the runner.
    """

    server_url: str
    project_url: str
    project_id: str
    commit: str
    ref: str
    config_path: str
    trigger: str
    pipeline_id: str
    job_id: str
    job_url: str
    started_at: str
    finished_at: str
    config_digest: str | None = None
    job_name: str | None = None
    job_stage: str | None = None
    image: str | None = None
    runner_id: str | None = None
    runner_version: str | None = None
    runner_revision: str | None = None
    architecture: str | None = None


_NAMES = tuple(field.name for field in fields(BuildInfo))
_MAY_LACK = frozenset(field.name for field in fields(BuildInfo) if field.default is None)


def this_job(environ: Mapping[str, str], *, now: datetime) -> BuildInfo:
    """Return what the variables of a job say.

    Args:
        environ: The job's variables.
        now: When it has built, aware.

    Raises:
        UsageError: ``not-in-ci``, naming every variable that is missing, or ``bad-build-info``: they
            contradict each other.
    """
    missing = [name for name in _REQUIRED.values() if not environ.get(name)]
    if missing:
        raise UsageError(
            "not-in-ci",
            f"expected the variables of a GitLab CI job, found none of {', '.join(missing)}",
            hint="Provenance says how a CI job built. For another statement: --predicate FILE "
            "--predicate-type URI with `pip-warden attest` or `pip-warden image attest`.",
        )
    found: dict[str, JSONValue] = {key: environ[name] for key, name in _REQUIRED.items()}
    found |= {key: environ[name] for key, name in _OPTIONAL.items() if environ.get(name)}
    for key in ("job_name", "job_stage"):  # these may be joined emoji, and need not be there
        if not _is_visible(str(found.get(key, ""))):
            found.pop(key, None)
    found["ref"] = f"refs/{'tags' if environ.get('CI_COMMIT_TAG') else 'heads'}/{found['ref']}"
    found["config_path"] = _config_path(environ)
    found["finished_at"] = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _checked(found, "the variables of this job")


def _config_path(environ: Mapping[str, str]) -> str:
    """Return the path that the certificate will have: that of ``CI_CONFIG_REF_URI``, where GitLab gives it.

    ``HOST/PROJECT//PATH@REF``; ``CI_CONFIG_PATH`` is only what the project's settings say.
    """
    _, _, rest = environ.get("CI_CONFIG_REF_URI", "").removeprefix("https://").partition("//")
    return rest.rpartition("@refs/")[0] or environ.get("CI_CONFIG_PATH") or ".gitlab-ci.yml"


def write_build_info(info: BuildInfo, path: Path) -> None:
    """Write it for another job to read: whole or not at all, readable for everybody.

    Raises:
        UsageError: ``cannot-write``.
    """
    stated = {key: value for key, value in asdict(info).items() if value is not None}
    text = json.dumps({"schema_version": SCHEMA_VERSION} | stated, indent=2, ensure_ascii=False)
    try:
        with draft_beside(path, BytesIO(f"{text}\n".encode()), mode=0o644) as put:
            put()
    except OSError as err:
        raise UsageError("cannot-write", f"expected to write {path}, found {err.strerror}") from err


def read_build_info(path: Path) -> BuildInfo:
    """Read what another job has written.

    Raises:
        UsageError: ``bad-build-info``.
    """
    try:
        with open_regular(path, follow=True) as stream:
            document = loads_object(stream.read(LARGEST + 1), max_bytes=LARGEST)
    except OSError as err:
        raise _bad(str(path), err.strerror or "no regular file") from err
    except MalformedError as err:
        raise _bad(str(path), str(err)) from err
    version = document.pop("schema_version", None)
    if type(version) is not int or version != SCHEMA_VERSION:
        raise _bad(str(path), f"schema_version {version!r}, where this pip-warden reads {SCHEMA_VERSION}")
    return _checked(document, str(path))


def check_same_build(built: BuildInfo, here: BuildInfo) -> None:
    """Check that another job's build belongs to this one: same project, code and pipeline.

    A build-info with the signing job's own number is refused: consumers take a build in the certified job for
    confirmed, and build code of another job must not be able to have that said of it.

    Args:
        built: What the building job says.
        here: What the signing job says.

    Raises:
        RefusedError: ``build-info-mismatch``.
    """
    if built.job_id == here.job_id:
        raise RefusedError(
            "build-info-mismatch",
            f"expected the build-info of another job of this pipeline, found that of this job, {here.job_id}",
            hint="Leave --build-info out where one job builds and signs. If another job built, its build "
            "code gave itself this job's number: do not sign what it built.",
        )
    for name in _SAME:
        wanted, found = getattr(here, name), getattr(built, name)
        if found != wanted:
            raise RefusedError(
                "build-info-mismatch",
                f"expected {name.replace('_', ' ')} {wanted}, as in this job, "
                f"found {found} in the build-info",
                hint="Write it with `pip-warden build-info -o FILE` in the job of this pipeline that builds, "
                "and pass it on as that job's artifact.",
            )


def _checked(found: Mapping[str, JSONValue], where: str) -> BuildInfo:
    """Return it where every fact has the shape that it has in GitLab.

    Raises:
        UsageError: ``bad-build-info``.
    """
    for fault in _faults(found):
        raise _bad(where, fault)
    return BuildInfo(**{key: str(value) for key, value in found.items()})


def _faults(found: Mapping[str, JSONValue]) -> Iterator[str]:
    for name in sorted(found.keys() - set(_NAMES)):
        yield f"the unknown key {name[:80]!r}"
    for name in _NAMES:
        value = found.get(name)
        if name not in found and name in _MAY_LACK:
            continue
        if not isinstance(value, str):
            yield f"{name} that is {'missing' if name not in found else kind_of(value)}"
        elif not _is_visible(value):
            yield f"{name} that is not 1 to {_LONGEST} visible characters"
        elif name in _SHAPES and not _SHAPES[name].fullmatch(value):
            yield f"{name} {value}"
    project, server = str(found["project_url"]), str(found["server_url"])
    if not project.startswith(f"{server}/"):
        yield f"project_url {project}, which is not below server_url {server}"
    if found["job_url"] != f"{project}/-/jobs/{found['job_id']}":
        yield f"job_url {found['job_url']}, which is not job {found['job_id']} of {project}"


def _is_visible(text: str) -> bool:
    return text.isprintable() and 0 < len(text) <= _LONGEST


def _bad(where: str, found: str) -> UsageError:
    return UsageError(
        "bad-build-info",
        f"expected what `pip-warden build-info` writes in {where}, found {found}",
        hint="Write it with `pip-warden build-info -o FILE` in the job that builds.",
    )
