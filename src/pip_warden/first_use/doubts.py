"""Reasons not to pin a signer without a person's confirmation."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.first_use.observe import PackageObservation
from pip_warden.oci.names import Repository, spelled_registry
from pip_warden.trust.subject import read_subject
from pip_warden.verdict.model import AcceptedImage, SignedBy

_GITLABS_REALM = "/jwt/auth"


def doubts(look: PackageObservation, *, instance: str | None, default_branch: str | None) -> tuple[str, ...]:
    """Return the reasons not to pin the newest release's signer without a person's confirmation (T56).

    Args:
        look: What was found.
        instance: URL of the source's GitLab; None for another kind of source.
        default_branch: The registry project's default branch, where known.
    """
    newest = look.observations[0]
    claims = newest.claims
    found = []
    if instance is None:
        found.append("the source is no GitLab, so nothing says whose pipeline may publish there")
    elif claims.issuer != instance:
        found.append(f"the issuer {claims.issuer} is not the source's GitLab {instance}")
    if look.registry_id is None or claims.get("project-id") != str(look.registry_id):
        signer = claims.get("project-id") or "none"
        found.append(
            f"the signer's project id {signer} is not the registry project's, {look.registry_id or 'unknown'}"
        )
    found += _ref_doubts(claims, default_branch)
    if claims.get("build-trigger") != "push":
        found.append(
            f"the pipeline was started by {claims.get('build-trigger') or 'nothing named'}, not by push"
        )
    found += _signer_doubts(look)
    return tuple(found)


def instance_of(registry: str, realms: Collection[str], environ: Mapping[str, str]) -> str | None:
    """Return the URL of the GitLab whose container registry a registry is, None where nobody says so.

    Args:
        registry: Its host.
        realms: Where the user lets its credentials go: GitLab's own token service is at ``/jwt/auth``.
        environ: In a CI job, ``CI_REGISTRY`` is the registry of the GitLab at ``CI_SERVER_URL``.
    """
    if spelled_registry(environ.get("CI_REGISTRY", "")) == registry and environ.get("CI_SERVER_URL"):
        return environ["CI_SERVER_URL"].rstrip("/")
    found = {realm.removesuffix(_GITLABS_REALM) for realm in realms if realm.endswith(_GITLABS_REALM)}
    return found.pop() if len(found) == 1 else None


def image_doubts(accepted: AcceptedImage, instance: str | None) -> tuple[str, ...]:
    """Return the reasons not to pin an image's signer without a person's confirmation (T56).

    Args:
        accepted: The image, judged by the pin that is to be made.
        instance: As of :func:`instance_of`.
    """
    if not isinstance(accepted.basis, SignedBy):
        return ("no signer is known",)
    claims = accepted.basis.claims
    found = []
    if instance is None:
        found.append(
            "nothing says whose GitLab the registry is of, so nobody knows whose pipeline may push there"
        )
    elif claims.issuer != instance:
        found.append(f"the issuer {claims.issuer} is not the registry's GitLab {instance}")
    found += _place_doubts(claims, accepted.image.repository) + _ref_doubts(claims, None)
    if claims.get("build-trigger") != "push":
        found.append(
            f"the pipeline was started by {claims.get('build-trigger') or 'nothing named'}, not by push"
        )
    return tuple(found)


def _place_doubts(claims: CertificateClaims, repository: Repository) -> list[str]:
    """Compare the signer's project with the path, at which GitLab has its images and no others."""
    subject = read_subject(claims.subjects[0])
    project = "" if subject is None else subject.project.partition("/")[2].lower()
    if project and f"{repository.path}/".startswith(f"{project}/"):
        return []
    return [f"the repository is not of the signer's project, {project or 'which the subject does not name'}"]


def _ref_doubts(claims: CertificateClaims, default_branch: str | None) -> list[str]:
    subject = read_subject(claims.subjects[0])
    ref = subject.ref if subject is not None else ""
    if ref.startswith("refs/tags/") or (default_branch and ref == f"refs/heads/{default_branch}"):
        return []
    return [f"{ref or 'the subject'} is neither a tag nor the default branch ({default_branch or 'unknown'})"]


def _signer_doubts(look: PackageObservation) -> list[str]:
    newest = look.observations[0]
    others = [
        f"{other.name} was signed by {other.claims.subjects[0]}"
        for other in look.observations[1:]
        if (other.pattern, other.claims.issuer, other.claims.get("project-id"))
        != (newest.pattern, newest.claims.issuer, newest.claims.get("project-id"))
    ]
    others += [
        f"{other.name} was built by {other.claims.get('build-trigger') or 'nothing named'}"
        for other in look.observations[1:]
        if other.claims.get("build-trigger") != newest.claims.get("build-trigger")
    ]
    return others + [f"{no.subject} has no good evidence ({no.code})" for no in look.unsigned]
