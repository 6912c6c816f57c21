"""Promotion: judge a release as its consumers would, then copy it, evidence first, byte for byte.

::

    judge from --from, with the target's trust file → copy to a private directory → judge the copy
    → upload evidence, then files → judge from --to

Every upload can be run again, so an interrupted promotion is completed by the same command.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from packaging.version import Version

from pip_warden.digests import digest_of_file
from pip_warden.errors import CredentialsError, RefusedError, UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.locate import GenericPackage, generic_packages
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.evidence.names import MOST_KINDS, SUFFIXES, attestation_bundles
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.names import ProjectName
from pip_warden.publish.registry import Registry, SignedFile, UploadResult, signed_files
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Report
from pip_warden.session.parts import SessionParts
from pip_warden.strict_json import JSONValue
from pip_warden.trust.model import IdentityEntry, TrustFile
from pip_warden.vault import Sealed, hand_over
from pip_warden.verdict.model import Accepted, SignedBy
from pip_warden.verify import NamedEvidence, judge_release, verify_files, verify_release

SUMMARY = "https://slsa.dev/verification_summary/v1"
_LARGEST_EVIDENCE = 8 << 20
_LONGEST_NAME = 255
_USUAL = tuple(suffix for suffix, _form in SUFFIXES)
_PLAIN = re.compile(r"(\.[A-Za-z0-9_-]+)+", re.ASCII)
"""What may follow a file's name in its evidence's: the registry gives it, and a file is written under it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be promoted.

    Attributes:
        project: The project.
        version: The release.
        from_source: Name of the source it is judged and copied from.
        from_registry: The registry project there.
        min_age: The least age of its signatures.
        now: The time, aware.
    """

    project: ProjectName
    version: Version
    from_source: str
    from_registry: str
    min_age: timedelta
    now: datetime


def trust_from(trust: TrustFile, plan: Plan) -> TrustFile:
    """Return the target's trust file with the pin's source and registry project those of ``--from``.

    Raises:
        UsageError: ``not-promotable``: no identity is pinned, or ``--from`` is not a GitLab of the trust
            file.
    """
    entry = trust.entry_for(plan.project, plan.version)
    sources = {source.name: source for source in trust.sources}
    if not isinstance(entry, IdentityEntry):
        raise UsageError(
            "not-promotable",
            f"expected {plan.project} pinned by an identity in {trust.path.name}, found none",
        )
    if plan.from_source not in sources or sources[plan.from_source].type != "gitlab":
        raise UsageError(
            "not-promotable",
            f"expected --from to name a gitlab source of {trust.path.name}, found {plan.from_source!r}",
        )
    moved = replace(entry, source=plan.from_source, registry=plan.from_registry, registry_id=None)
    others = tuple(other for other in trust.entries if other.project != plan.project)
    return replace(trust, entries=(*others, moved))


def promote(
    session: SessionParts, plan: Plan, registry: Registry, *, dry_run: bool = False
) -> tuple[Report, tuple[UploadResult, ...]]:
    """Judge a release, copy it, and judge it again.

    Args:
        session: What the run works with; its trust file is the target's.
        plan: What is to be promoted.
        registry: The registry that it is published to.
        dry_run: Judge, upload nothing.

    Returns:
        The report of the last verification, and every upload; none where a file was not accepted before.

    Raises:
        UsageError: ``not-promotable``.
        RefusedError: ``too-young``; ``other-content``: the target has other bytes under one of the names.
        UndecidedError: A registry did not respond.
    """
    report, sealed = _judge_source(session, plan)
    if report.exit_code != 0:
        return report, ()
    _check_age(report, plan)
    files = _copy(session, plan, sealed)
    report = verify_files(session, files, given=NamedEvidence())
    if report.exit_code != 0:
        return report, ()
    uploads = _upload(registry, [_signed_file(file, session.trust, plan) for file in files])
    if dry_run:
        return report, uploads
    return verify_release(session, plan.project, plan.version), uploads


def _judge_source(session: SessionParts, plan: Plan) -> tuple[Report, tuple[Sealed, ...]]:
    """Judge the release in its source, as consumers of the target would."""
    trust, ledger = trust_from(session.trust, plan), Ledger()
    with session.gate(ledger, trust=trust, fresh=True) as gate:
        report = judge_release(gate, ledger, session.trust, plan.project, plan.version)
        if report.exit_code != 0:
            return report, ()
        admissions = gate.admit_release(plan.project, plan.version)
    return report, tuple(admission.sealed for admission in admissions if admission.sealed)


def _check_age(report: Report, plan: Plan) -> None:
    for line in report.lines:
        match line.verdict:
            case Accepted(basis=SignedBy(log_time=signed)) if plan.now - signed < plan.min_age:
                raise RefusedError(
                    "too-young",
                    f"expected {line.subject} to be signed {plan.min_age} ago or earlier, "
                    f"found {signed:%Y-%m-%d %H:%M} UTC",
                    hint="Promote it later: the time between is when a stolen identity is noticed.",
                )
            case _:
                pass


def _copy(session: SessionParts, plan: Plan, sealed: Iterable[Sealed]) -> tuple[Path, ...]:
    """Copy files and every piece of their evidence, byte for byte, into the workspace."""
    directory = session.workspace / "release"
    directory.mkdir(mode=0o700, exist_ok=True)
    source = session.trust.source(plan.from_source)
    gitlab = GitLab(session.transport, source.url)
    listed = cache(partial(_listed, gitlab, plan))
    copies = []
    for each in sealed:
        name = each.name.filename
        stores = generic_packages(source.evidence, each.name, plan.from_registry)
        copies.append(hand_over(each, directory))
        further = further_kinds(name, [known for place in stores for known in listed(place)])
        for suffix in (*_USUAL, *further):
            content = _fetch(gitlab, plan, f"{name}{suffix}", stores)
            if content is not None and (suffix in _USUAL or _is_attestation(content)):
                (directory / f"{name}{suffix}").write_bytes(content)
    return tuple(copies)


def _listed(gitlab: GitLab, plan: Plan, place: GenericPackage) -> tuple[str, ...]:
    """Return the names that the registry lists; none where it denies access to the list."""
    try:
        rows = gitlab.package_files(plan.from_registry, place.package, place.version, known_readable=True)
    except CredentialsError:
        return ()
    return tuple(row.file_name for row in rows or ())


def further_kinds(filename: str, listed: Iterable[str]) -> tuple[str, ...]:
    """Return the suffixes of a file's attestations of further kinds: a limited number, each a plain name.

    Args:
        filename: The file's name.
        listed: The names that the registry lists.
    """
    stored = without_epoch(filename)
    named = (
        name.removeprefix(stored)
        for name in attestation_bundles(stored, listed)
        if len(name) <= _LONGEST_NAME
    )
    found = {suffix for suffix in named if _PLAIN.fullmatch(suffix)}.difference(_USUAL)
    return tuple(sorted(found)[:MOST_KINDS])


def _is_attestation(content: bytes) -> bool:
    """Return whether content can be read as an attestation; each consumer judges it."""
    return isinstance(read_bundle("", content, EvidenceForm.DSSE_BUNDLE), Item)


def _fetch(gitlab: GitLab, plan: Plan, name: str, stores: tuple[GenericPackage, ...]) -> bytes | None:
    for place in stores:
        content = gitlab.generic_get(
            plan.from_registry,
            place.package,
            place.version,
            without_epoch(name),
            max_bytes=_LARGEST_EVIDENCE,
            known_readable=True,
        )
        if content is not None:
            return content
    return None


def _signed_file(file: Path, trust: TrustFile, plan: Plan) -> SignedFile:
    """Return a file with its evidence and its verification summary."""
    signed = signed_files([file])[0]
    written = file.with_name(f"{file.name}.vsa.json")
    written.write_text(json.dumps(summary(signed, trust, plan), sort_keys=True), encoding="utf-8")
    return replace(signed, summary=written)


def _upload(registry: Registry, wanted: list[SignedFile]) -> tuple[UploadResult, ...]:
    """Upload all evidence of all files first, so that a consumer sees no file without its evidence."""
    evidence = [upload for signed in wanted for upload in registry.publish_evidence(signed)]
    files = [registry.publish_file(signed) for signed in wanted]
    summaries = [registry.publish_summary(signed) for signed in wanted]
    return tuple(evidence + files + summaries)


def summary(signed: SignedFile, trust: TrustFile, plan: Plan) -> dict[str, JSONValue]:
    """Return an unsigned SLSA verification summary of a file (slsa.dev/spec/v1.0/verification_summary).

    It states that the release was judged and with which trust file; it is never evidence of publication.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": signed.name.filename, "digest": {"sha256": signed.digest.hex}}],
        "predicateType": SUMMARY,
        "predicate": {
            "verifier": {"id": "https://gitlab.com/pip-warden/pip-warden"},
            "timeVerified": plan.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": f"pkg:pypi/{plan.project}@{plan.version}?file_name={signed.name}",
            "policy": {"uri": trust.path.name, "digest": {"sha256": digest_of_file(trust.path).hex}},
            "inputAttestations": [
                {"uri": path.name, "digest": {"sha256": digest_of_file(path).hex}} for path in signed.evidence
            ],
            "verificationResult": "PASSED",
            "verifiedLevels": [],
        },
    }
