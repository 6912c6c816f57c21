"""Step 10, provenance: what a SLSA v1 predicate says of the build, compared with the certificate.

Strict about what the specification requires (``buildType``, ``externalParameters``,
``runDetails.builder.id``), tolerant about what is optional. Whatever the certificate can confirm is compared
where the predicate states it, so that nothing is shown as a fact that only a job's variables say. Which
fields of which builders are read: ``docs/build-type.md``.

Source: slsa.dev/spec/v1.0/provenance; a field that is null counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from urllib.parse import urlsplit

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault, FaultError
from pip_warden.strict_json import JSONValue, kind_of
from pip_warden.values import dataclass
from pip_warden.verdict.certified import Certified, certified_build, mismatch, shown
from pip_warden.verdict.source_uri import check_dependencies, check_source

BUILD_TYPE = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/build-type.md#v1"
DOCUMENTED = frozenset({"source", "ref", "configPath", "trigger"})
"""The external parameters of :data:`BUILD_TYPE`, all of them required."""

_JOB_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_RUN_OF_PROJECT = re.compile(r"/(?:-/jobs|-/pipelines|actions/runs)/[0-9]+(?:/attempts/[0-9]+)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MASKED = "[MASKED]"
"""What GitLab writes for the value of a masked variable; anywhere else it is a value as any."""


class Invocation(Enum):
    """How sure it is which run of a job built the file."""

    CONFIRMED = "confirmed"
    """The run that the certificate names (claim 21): the certified job built it."""
    CLAIMED = "claimed"
    """Another run of the same project, or a number: the statement says so, and nothing confirms it."""
    UNNAMED = "unnamed"
    """The statement names none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What provenance says that the certificate confirms, and what else is worth to be shown.

    Attributes:
        build_type: URI of what the parameters mean.
        builder_id: URI of the platform that built; its host is that of the certificate's issuer or project.
        repository: Claim 12, which a resolved dependency names at :attr:`commit`.
        commit: Claim 13.
        ref: Claim 14, where the statement says the same; else None.
        trigger: Claim 20, where the statement says the same; else None.
        config_path: The path in claim 18, where the statement says the same; else None.
        invocation_id: What ran, as the statement names it; None where it does not.
        invocation: How sure that is.
        started_on: When the build started, as the statement says (RFC 3339); nothing confirms it.
        finished_on: When it finished, likewise.
    """

    build_type: str
    builder_id: str
    repository: str
    commit: str
    ref: str | None = None
    trigger: str | None = None
    config_path: str | None = None
    invocation_id: str | None = None
    invocation: Invocation = Invocation.UNNAMED
    started_on: str | None = None
    finished_on: str | None = None


def read_provenance(predicate: JSONValue, claims: CertificateClaims) -> Provenance | Fault:
    """Read the predicate of a verified SLSA v1 statement.

    Args:
        predicate: The predicate.
        claims: Those of the certificate that signed the statement.

    Returns:
        What it says, or the fault ``provenance-mismatch``: something required is missing, or something is not
        what the certificate says.
    """
    try:
        return _read(predicate, claims)
    except FaultError as err:
        return err.fault


def _read(predicate: JSONValue, claims: CertificateClaims) -> Provenance:
    certified = certified_build(claims)
    if isinstance(predicate, dict) and "buildDefinition" not in predicate and "buildType" in predicate:
        raise mismatch("SLSA provenance v1", "the fields of v0.2, which is another predicate and is not read")
    definition, details = _part(predicate, "buildDefinition"), _part(predicate, "runDetails")
    build_type = _required_text(definition, "buildDefinition", "buildType")
    _part(definition, "externalParameters")
    builder_id = _required_text(_part(details, "builder"), "runDetails.builder", "id")
    _check_builder(builder_id, certified)
    check_dependencies(definition.get("resolvedDependencies"), certified)
    if build_type == BUILD_TYPE:
        _check_documented(definition)
    stated = {name: text for name, text in _compared(definition, build_type, certified) if text is not None}
    metadata = _optional(details, "metadata")
    invocation_id = _optional_text(metadata, "invocationId")
    return Provenance(
        build_type=build_type,
        builder_id=builder_id,
        repository=certified.repository,
        commit=certified.commit,
        ref=certified.ref if "ref" in stated else None,
        trigger=stated.get("trigger"),
        config_path=stated.get("config path"),
        invocation_id=invocation_id,
        invocation=_invocation(invocation_id, certified),
        started_on=_moment(metadata.get("startedOn")),
        finished_on=_moment(metadata.get("finishedOn")),
    )


def _check_builder(builder_id: str, certified: Certified) -> None:
    """Check that it is a URL on the host that issued the identity, or that has the project."""
    try:
        url = urlsplit(builder_id)
        host = url.netloc.lower() if url.scheme in {"https", "http"} else ""
    except ValueError:
        host = ""
    if not host or host not in certified.hosts:
        hosts = " or ".join(sorted(certified.hosts))
        raise mismatch(f"runDetails.builder.id as a URL of {hosts}, as in the certificate", builder_id)


def _check_documented(definition: dict[str, JSONValue]) -> None:
    found = _part(definition, "externalParameters")
    if found.keys() != DOCUMENTED or not all(isinstance(value, str) for value in found.values()):
        raise mismatch(
            f"externalParameters {', '.join(sorted(DOCUMENTED))} of this build type, each a text",
            ", ".join(sorted(found)) or "none",
        )


_Compare = Callable[[JSONValue, Certified], str | None]


def _same(name: str, claim: Callable[[Certified], str | None]) -> _Compare:
    """Return a comparison with a claim, which yields it; None where the certificate has no such claim."""

    def compare(value: JSONValue, certified: Certified) -> str | None:
        wanted = claim(certified)
        if wanted is not None and value != wanted:
            raise mismatch(f"{name} {wanted}, as in the certificate", shown(value))
        return wanted

    return compare


def _same_ref(value: JSONValue, certified: Certified) -> str | None:
    if certified.ref is not None and not (isinstance(value, str) and value in certified.ref_names):
        raise mismatch(f"ref {certified.ref}, as in the certificate", shown(value))
    return certified.ref


def _same_source(value: JSONValue, certified: Certified) -> str | None:
    check_source(value, certified)
    return certified.repository


_trigger = _same("trigger", lambda certified: certified.trigger)
_commit = _same("commit", lambda certified: certified.commit)
_config = _same("config path", lambda certified: certified.config_path)
_external, _internal, _variables = "externalParameters", "internalParameters", "variables"

_OURS: tuple[tuple[str, tuple[str, ...], _Compare], ...] = (
    ("source", (_external, "source"), _same("source", lambda certified: f"git+{certified.repository}")),
    ("ref", (_external, "ref"), _same("ref", lambda certified: certified.ref)),
    ("config path", (_external, "configPath"), _config),
    ("trigger", (_external, "trigger"), _trigger),
    (
        "config digest",
        (_internal, "configDigest"),
        _same("config digest", lambda certified: certified.config_digest),
    ),
)
_OTHERS: tuple[tuple[str, tuple[str, ...], _Compare], ...] = (
    ("source", (_external, "source"), _same_source),
    ("ref", (_external, "ref"), _same_ref),
    ("source", (_external, "workflow", "repository"), _same_source),
    ("ref", (_external, "workflow", "ref"), _same_ref),
    ("config path", (_external, "workflow", "path"), _config),
    ("trigger", (_internal, "github", "event_name"), _trigger),
    ("trigger", (_internal, "GITHUB_EVENT_NAME"), _trigger),
    (
        "runner environment",
        (_internal, "github", "runner_environment"),
        _same("runner environment", lambda certified: certified.runner_environment),
    ),
    ("trigger", (_external, _variables, "CI_PIPELINE_SOURCE"), _trigger),
    ("commit", (_external, _variables, "CI_COMMIT_SHA"), _commit),
)


def _compared(
    definition: dict[str, JSONValue], build_type: str, certified: Certified
) -> Iterator[tuple[str, str | None]]:
    """Yield the name of every stated thing that the certificate may know, and the claim it agrees with."""
    for name, path, compare in _OURS if build_type == BUILD_TYPE else _OTHERS:
        value = _at(definition, *path)
        is_masked = value == _MASKED and _variables in path
        if value is not None and not is_masked:
            yield name, compare(value, certified)


def _invocation(invocation_id: str | None, certified: Certified) -> Invocation:
    if invocation_id is None:
        return Invocation.UNNAMED
    if invocation_id == certified.run_invocation:
        return Invocation.CONFIRMED
    rest = invocation_id.removeprefix(certified.repository)
    is_of_project = rest != invocation_id and _RUN_OF_PROJECT.fullmatch(rest)
    if is_of_project or _JOB_NUMBER.fullmatch(invocation_id):
        return Invocation.CLAIMED
    raise mismatch(f"an invocation of {certified.repository}, as in the certificate", invocation_id)


def _moment(value: JSONValue) -> str | None:
    """Return a time as it is written, None where it is none: it is optional, and confirmed by nothing."""
    return value if isinstance(value, str) and _TIME.fullmatch(value) else None


def _at(value: JSONValue, *keys: str) -> JSONValue:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _part(value: JSONValue, key: str) -> dict[str, JSONValue]:
    """Return a required object."""
    part = value.get(key) if isinstance(value, dict) else None
    if not isinstance(part, dict):
        raise mismatch(f"{key} as an object", "none" if part is None else kind_of(part))
    return part


def _optional(value: dict[str, JSONValue], key: str) -> dict[str, JSONValue]:
    return {} if value.get(key) is None else _part(value, key)


def _required_text(value: dict[str, JSONValue], where: str, key: str) -> str:
    text = _optional_text(value, key)
    if not text:
        raise mismatch(f"{where}.{key} as a text", "none")
    return text


def _optional_text(value: dict[str, JSONValue], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise mismatch(f"{key} as a text", kind_of(text))
    return text
