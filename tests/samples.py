"""Makes the values that tests of several rooms need, with defaults that are accepted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.version import Version

from pip_warden._sigstore.result import CertificateClaims
from pip_warden._sigstore.wire import LogEntry, WireBundle
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, digest_of
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ProjectName, parse_artifact_name
from pip_warden.trust.model import (
    HashEntry,
    Identity,
    IdentityEntry,
    Requirements,
    Revocation,
    Source,
    TrustFile,
)
from pip_warden.trust.subject import parse_subject
from pip_warden.verdict.attested import SignedStatement, StatementRequirements
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Refused, Step, StepFailure

GITLAB = "https://gitlab.example.com"
PROJECT = ProjectName("acme-widgets")
WHEEL = "acme_widgets-1.0-py3-none-any.whl"
DIGEST = digest_of(b"the wheel")
SUBJECT = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
TODAY = date(2026, 11, 29)
SOURCE = Source(name="acme", type="gitlab", url=GITLAB)


def contents(**changes: Any) -> Contents:
    """Make contents that agree with WHEEL."""
    values: dict[str, Any] = {
        "project": PROJECT,
        "version": Version("1.0"),
        "metadata": b"Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n",
        "tags": frozenset({"py3-none-any"}),
    }
    return Contents(**(values | changes))


def artifact(filename: str = WHEEL, digest: Digest = DIGEST, **changes: Any) -> Artifact:
    """Make an artifact."""
    values: dict[str, Any] = {"path": Path("/nowhere") / filename, "size": 9, "contents": contents()}
    return Artifact(name=parse_artifact_name(filename), digest=digest, **(values | changes))


def wire(signature: bytes = b"signature") -> WireBundle:
    """Make a bundle that differs from others only in its signature."""
    entry = LogEntry(
        log_index=1,
        log_id=b"",
        kind="",
        version="",
        integrated_time=0,
        promise=None,
        proof=None,
        body=b"",
    )
    return WireBundle(
        certificate=b"", entry=entry, timestamps=(), signature=signature, message_digest=None, envelope=None
    )


def file_url(filename: str = WHEEL, digest: Digest = DIGEST, project: str = "4711") -> str:
    """Make the URL that GitLab gives a file."""
    return f"{GITLAB}/api/v4/projects/{project}/packages/pypi/files/{digest}/{filename}"


def candidate(filename: str = WHEEL, digest: Digest | None = DIGEST, **changes: Any) -> Candidate:
    """Make a candidate of the pinned project."""
    values: dict[str, Any] = {
        "project": PROJECT,
        "source": "acme",
        "page_url": page_url(),
        "url": file_url(filename, digest or DIGEST),
        "claimed_sha256": digest,
    }
    return Candidate(name=parse_artifact_name(filename), **(values | changes))


def page_url() -> str:
    """Make the URL of the pinned project's page."""
    return f"{GITLAB}/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets"


def page(*candidates: Candidate, url: str = "", source: str = "acme") -> IndexPage:
    """Make a page."""
    return IndexPage(
        project=PROJECT, source=source, url=url or page_url(), candidates=candidates or (candidate(),)
    )


def listing(*candidates: Candidate) -> Listing:
    """Make the listing of a page on which everything is allowed."""
    listed = page(*candidates)
    return Listing(entry=entry(), page=listed, allowed=listed.candidates)


def refused(
    subject: str, step: Step, code: str, expected: str = "a", found: str = "b", hint: str = ""
) -> Refused:
    """Make a refusal."""
    fault = Fault(code=code, expected=expected, found=found, hint=hint)
    return Refused(subject=subject, failure=StepFailure(step, fault))


def unmet(require: Requirements, witnesses: Iterable[SignedStatement], version: str = "1.0") -> Fault | None:
    """Return the requirement of a pin that some statements, read in turn, do not meet."""
    demands = StatementRequirements(require, artifact(f"acme_widgets-{version}-py3-none-any.whl"))
    for witness in witnesses:
        demands.add(witness)
    return demands.unmet


def identity(**changes: Any) -> Identity:
    """Make the identity that signs acme-widgets."""
    values: dict[str, Any] = {
        "issuer": GITLAB,
        "subject": parse_subject(
            "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}"
        ),
        "project_id": "4711",
    }
    return Identity(**(values | changes))


def entry(*identities: Identity, **changes: Any) -> IdentityEntry:
    """Make the entry of acme-widgets."""
    values: dict[str, Any] = {"registry": "acme/widgets"}
    return IdentityEntry(
        project=PROJECT, source="acme", identities=identities or (identity(),), **(values | changes)
    )


def hash_entry(files: dict[str, Digest] | None = None, version: str = "1.0") -> HashEntry:
    """Make a hash entry of acme-widgets."""
    return HashEntry(
        project=PROJECT,
        version=Version(version),
        source="acme",
        registry="acme/widgets",
        files=tuple((files or {WHEEL: DIGEST}).items()),
        reason="reviewed",
    )


def trust(*entries: IdentityEntry | HashEntry, revoked: tuple[Revocation, ...] = ()) -> TrustFile:
    """Make a trust file with one source."""
    return TrustFile(
        path=Path("/nowhere/pytrust.toml"), sources=(SOURCE,), entries=entries or (entry(),), revoked=revoked
    )


def claims(drop: tuple[str, ...] = (), **changes: str) -> CertificateClaims:
    """Make the claims of a certificate that the entry of acme-widgets accepts.

    Args:
        drop: Names of claims the certificate lacks.
        changes: Claims with other values, underscores for hyphens; ``issuer`` and ``subject`` too.
    """
    values = {
        "issuer": GITLAB,
        "runner-environment": "gitlab-hosted",
        "source-repository": "https://gitlab.example.com/acme/widgets",
        "source-ref": "refs/tags/v1.0",
        "project-id": "4711",
        "build-trigger": "push",
        "visibility": "private",
    }
    values |= {
        name.replace("_", "-"): value for name, value in changes.items() if name not in {"issuer", "subject"}
    }
    issuer = changes.get("issuer", GITLAB)
    return CertificateClaims(
        issuer=issuer,
        subjects=(changes.get("subject", SUBJECT),),
        values=tuple(
            (name, value) for name, value in (values | {"issuer": issuer}).items() if name not in drop
        ),
        not_before=datetime(2026, 6, 30, 23, 59, tzinfo=UTC),
        not_after=datetime(2026, 7, 1, 0, 9, tzinfo=UTC),
    )


REQUIRE = Requirements()
