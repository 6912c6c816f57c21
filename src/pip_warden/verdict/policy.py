"""Step 10, policy: what the certificate must say besides the identity.

Two rules hold unless the pin says that its subject is an account without a project. The source repository
(claim 12) is the project in the certificate's own subject, because a fork's merge-request pipeline, run in
the target project, has the *target's* subject; and the build trigger (claim 20) is on an allowlist, by
default only ``push``.
"""

from __future__ import annotations

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault
from pip_warden.trust.model import HashEntry, Identity, Requirements
from pip_warden.trust.segments import Release, spelled_for
from pip_warden.trust.subject import PipelineSubject, read_subject

_EXACT = (
    ("source-repository", "source_repository"),
    ("source-repository", "demanded_repository"),
    ("runner-environment", "runner_environment"),
    ("environment", "environment"),
    ("visibility", "visibility"),
)


def check_policy(
    claims: CertificateClaims, identity: Identity, require: Requirements, release: Release
) -> Fault | None:
    """Judge the certificate's claims by the pin's requirements; a required but absent claim is refused."""
    if not identity.is_account:
        fault = _check_own_source(claims, identity) or _check_trigger(claims, require)
        if fault is not None:
            return fault
    return _check_exact(claims, require) or _check_ref(claims, require, release)


def check_demanded(entry: HashEntry) -> Fault | None:
    """Refuse a demand on the signer of a release that is pinned by hash: its signer is not known."""
    if not entry.demanded:
        return None
    return Fault(
        code="demand-on-hash-pin",
        expected=f"a signer of {entry.project} {entry.version} who meets {' '.join(entry.demanded)}",
        found="a pin by hash, which names no signer",
        hint="Leave the option out for this release; or, if it is signed, pin its publisher's identity.",
    )


def _check_own_source(claims: CertificateClaims, identity: Identity) -> Fault | None:
    subject = read_subject(claims.subjects[0])
    repository = claims.get("source-repository")
    if repository is None:
        return _missing("source-repository", "the project of the certificate's own subject")
    own = None if subject is None else _url(subject, identity)
    if repository == own:
        return None
    return Fault(
        code="source-not-own",
        expected=f"source repository {own or 'named by the subject'}, as in the certificate's subject",
        found=repository,
        hint="Code of another project (a fork, for instance) was built under this project's name.",
    )


def _url(subject: PipelineSubject, identity: Identity) -> str:
    """Return a project's URL, as the CA writes it into claim 12.

    A subject begins with https whatever its GitLab's URL is; claim 12 begins with that URL. That is https
    too, except for a GitLab on this machine, which a pin may name as an http issuer.
    """
    is_plain = f"{identity.issuer}/".startswith(f"http://{subject.host}/")
    return f"{'http' if is_plain else 'https'}://{subject.project}"


def _check_trigger(claims: CertificateClaims, require: Requirements) -> Fault | None:
    allowed = " or ".join(sorted(require.build_trigger))
    trigger = claims.get("build-trigger")
    if trigger is None:
        return _missing("build-trigger", allowed)
    if trigger in require.build_trigger:
        return None
    return Fault(
        code="build-trigger-refused",
        expected=f"a pipeline started by {allowed}",
        found=trigger,
        hint='If releases are really built this way, list it in the table `require`: build-trigger = ["…"].',
    )


def _check_exact(claims: CertificateClaims, require: Requirements) -> Fault | None:
    for name, field in _EXACT:
        wanted: str | None = getattr(require, field)
        found = None if wanted is None else claims.get(name)
        if wanted is not None and found is None:
            return _missing(name, wanted)
        if wanted is not None and found != wanted:
            return Fault(code=f"{name}-mismatch", expected=f"{name} {wanted}", found=found or "")
    return None


def _check_ref(claims: CertificateClaims, require: Requirements, release: Release) -> Fault | None:
    if require.source_ref is None:
        return None
    ref = claims.get("source-ref")
    if ref is None:
        return _missing("source-ref", require.source_ref.text)
    if require.source_ref.matches(ref, release):
        return None
    return Fault(
        code="source-ref-mismatch",
        expected=f"source-ref {spelled_for(require.source_ref.text, release)}",
        found=ref,
    )


def _missing(name: str, wanted: str) -> Fault:
    return Fault(
        code="claim-missing",
        expected=f"{name}: {wanted}",
        found=f"a certificate without {name}",
        hint="An identity without a project (a mail address, a service account) "
        "is pinned with account = true.",
    )
