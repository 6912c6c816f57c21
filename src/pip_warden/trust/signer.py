"""Who may sign, and what else must hold of what is signed: the same words for packages and for images."""

from __future__ import annotations

from datetime import date

from pip_warden.trust.subject import RefPattern, SubjectPattern
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """An identity that may sign a package or an image.

    Attributes:
        issuer: OIDC issuer, compared exactly.
        subject: The certificate's subject alternative name, as a pattern.
        project_id: The signer's numeric project id (claim 15), None where not pinned.
        not_before: First day (UTC) on which it may have signed.
        not_after: Last day (UTC, to its end) on which it may have signed.
        root: Name of the :class:`RootPin` that must prove it.
        is_account: The pin says that the subject is an e-mail address or service account without a project:
            claims 12 and 20 are not required.
    """

    issuer: str
    subject: SubjectPattern
    project_id: str | None = None
    not_before: date | None = None
    not_after: date | None = None
    root: str = "default"
    is_account: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirements:
    """What a pin requires of certificate claims (``[package.require]``); None is no requirement.

    Attributes:
        build_trigger: Claim 20 must be one of these.
        runner_environment: Claim 11.
        source_ref: Claim 14, as a pattern.
        source_repository: Claim 12, exactly.
        environment: Claim 23.
        visibility: Claim 22.
        predicate_types: Further predicate types that count as evidence of publication.
        provenance: Predicate type of the required provenance, which must agree with the certificate.
        annotations: ``(key, value)`` of required signed annotations; ``{version}`` in a value stands for the
            version of a package, ``{tag}`` for the tag of an image.
        confirmed_build: The required provenance names the very job that the certificate names (claim 21) as
            the one that built; so claim 11, its runner, is the builder's. Only together with a provenance.
        source_revision: Claim 13 and the provenance's commit; only ever given on a command line.
        demanded_repository: Claim 12, exactly, beside ``source_repository``; only ever given on a command
            line.
    """

    build_trigger: frozenset[str] = frozenset({"push"})
    runner_environment: str | None = None
    source_ref: RefPattern | None = None
    source_repository: str | None = None
    environment: str | None = None
    visibility: str | None = None
    predicate_types: frozenset[str] = frozenset()
    provenance: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()
    confirmed_build: bool = False
    source_revision: str | None = None
    demanded_repository: str | None = None


USUAL = Requirements()
"""What is required where a pin says nothing: that the pipeline was started by a push."""
