"""What a certificate says of a build, in the words in which provenance says it."""

from __future__ import annotations

from urllib.parse import urlsplit

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault, FaultError
from pip_warden.strict_json import JSONValue, kind_of
from pip_warden.values import dataclass

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Certified:
    """The claims of a certificate that provenance is compared with; None where it lacks one.

    Attributes:
        repository: URL of the project whose code was built (claim 12).
        commit: Its commit (claim 13).
        hosts: The hosts, each with its port where it has one, of the issuer and of the project.
        ref: The full ref (claim 14).
        trigger: What started the pipeline (claim 20).
        config_path: Path of the pipeline's configuration in the project, of claim 18.
        config_digest: Claim 19.
        runner_environment: Claim 11.
        run_invocation: URL of the job that signed (claim 21).
    """

    repository: str
    commit: str
    hosts: frozenset[str]
    ref: str | None
    trigger: str | None
    config_path: str | None
    config_digest: str | None
    runner_environment: str | None
    run_invocation: str | None

    @property
    def ref_names(self) -> frozenset[str]:
        """Every way in which builders write the ref: in full, or the name of the branch or tag alone."""
        ref = self.ref or ""
        return frozenset({ref, ref.removeprefix(_HEADS), ref.removeprefix(_TAGS)})


def certified_build(claims: CertificateClaims) -> Certified:
    """Return what a certificate says of a build.

    Raises:
        FaultError: ``provenance-mismatch``: it names no repository or no commit, so that provenance can be
            compared with nothing.
    """
    repository, commit = claims.get("source-repository"), claims.get("source-digest")
    if not repository or not commit:
        raise mismatch("a certificate with source repository and commit", "one without")
    ref = claims.get("source-ref")
    return Certified(
        repository=repository,
        commit=commit,
        hosts=frozenset(filter(None, map(_host, (repository, claims.issuer)))),
        ref=ref,
        trigger=claims.get("build-trigger"),
        config_path=_config_path(claims.get("build-config-uri"), repository, ref),
        config_digest=claims.get("build-config-digest"),
        runner_environment=claims.get("runner-environment"),
        run_invocation=claims.get("run-invocation"),
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _config_path(uri: str | None, repository: str, ref: str | None) -> str | None:
    """Return the path in ``https://HOST/PROJECT//PATH@REF`` (GitHub: one slash).

    None where the configuration is another project's. The URI begins with https whatever the project's URL
    begins with.
    """
    start, text = f"{repository.partition('://')[2]}/", (uri or "").partition("://")[2]
    if not text.startswith(start):
        return None
    end = f"@{ref}"
    path = text.removesuffix(end) if text.endswith(end) else text.rpartition("@refs/")[0]
    return path[len(start) :].removeprefix("/") or None


def mismatch(expected: str, found: str) -> FaultError:
    """Return the error for provenance that is not what the certificate says, or that is not complete."""
    return FaultError(
        Fault(
            code="provenance-mismatch",
            expected=expected,
            found=found,
            hint="The provenance does not agree with its certificate, or lacks what SLSA requires: the job's "
            "variables were overridden, the publisher's tool is at fault, or the statement is forged.",
        )
    )


def shown(value: JSONValue) -> str:
    """Return a value of a predicate for a message: a text as it is, of anything else its kind."""
    return value if isinstance(value, str) else kind_of(value)
