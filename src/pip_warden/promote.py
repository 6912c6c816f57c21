"""Promotion: judge a release as its consumers would, then copy it, evidence first, byte for byte.

::

    judge from --from, with the target's trust file → copy to a private directory → judge the copy → upload evidence, then files → judge from --to

Every upload can be run again, so a promotion that was cut off anywhere is completed by the same command.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from packaging.version import Version

from pip_warden.digests import digest_of_file
from pip_warden.errors import RefusedError, UsageError
from pip_warden.evidence.locate import EntryFinder, places, registry_name
from pip_warden.evidence.names import SUFFIXES
from pip_warden.gate import Gate
from pip_warden.index.gitlab import GitLab
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.publish.registry import Parcel, Registry, Upload
from pip_warden.report.model import Report
from pip_warden.strict_json import JSONValue
from pip_warden.transport import Transport
from pip_warden.trust.pins import IdentityEntry, TrustFile
from pip_warden.vault import Sealed, hand_over
from pip_warden.verdict.model import Accepted, SignedBy
from pip_warden.verify import Given, verify_files, verify_release

SUMMARY = "https://slsa.dev/verification_summary/v1"
_LARGEST_EVIDENCE = 8 << 20
_SUFFIXES = tuple(suffix.removeprefix(".") for suffix, _form in SUFFIXES)


class Opened(Protocol):
    """An open gate, as the command line opens one."""

    @property
    def gate(self) -> Gate:
        """The gate."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be promoted.

    Attributes:
        project: The project.
        version: The release.
        from_source: Name of the source it is judged and copied from.
        from_registry: The registry project there.
        min_age: How long ago it must have been signed.
        now: The time, aware.
    """

    project: ProjectName
    version: Version
    from_source: str
    from_registry: str
    min_age: timedelta
    now: datetime


def trust_from(trust: TrustFile, plan: Plan) -> TrustFile:
    """Return the target's trust file with the pin's source and registry project replaced by those of ``--from``.

    Raises:
        UsageError: ``not-promotable``: no identity is pinned, or ``--from`` is no GitLab of the trust file.
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


class Promotion:
    """One promotion.

    Args:
        plan: What is to be promoted.
        trust: The target's trust file.
        gate_from: A gate over :func:`trust_from`.
        gate_to: Makes a fresh gate over the target's trust file, for each judging.
        transport: The HTTP door.
        registry: Where it is published.
        find_entry: How detached signatures are looked up.
        workspace: A private directory of this run.
        dry_run: Judge, upload nothing.
    """

    def __init__(  # noqa: PLR0913 -- put together in one place, by the command line
        self,
        plan: Plan,
        *,
        trust: TrustFile,
        gate_from: Gate,
        gate_to: Callable[[], AbstractContextManager[Opened]],
        transport: Transport,
        registry: Registry,
        find_entry: EntryFinder,
        workspace: Path,
        dry_run: bool = False,
    ) -> None:
        self._plan = plan
        self._trust = trust
        self._from = gate_from
        self._to = gate_to
        self._transport = transport
        self._registry = registry
        self._find_entry = find_entry
        self._workspace = workspace
        self._dry_run = dry_run

    def run(self) -> tuple[Report, tuple[Upload, ...]]:
        """Judge, copy, and judge again.

        Returns:
            The report of the last judging, and every upload; no upload where a judging before it was not all accepted.

        Raises:
            RefusedError: ``too-young``; ``other-content``: the target has other bytes under one of the names.
            UndecidedError: A registry did not answer.
        """
        plan = self._plan
        report = verify_release(self._from, plan.project, plan.version, trust_file=str(self._trust.path))
        if report.exit_code != 0:
            return report, ()
        self._check_age(report)
        files = [
            self._copy(admission.sealed)
            for admission in self._from.admit_release(plan.project, plan.version)
            if admission.sealed
        ]
        with self._to() as opened:
            report = verify_files(
                opened.gate,
                tuple(files),
                given=Given(),
                find_entry=self._find_entry,
                workspace=self._workspace,
                trust_file=str(self._trust.path),
            )
        if report.exit_code != 0:
            return report, ()
        uploads = self._upload([self._parcel(file) for file in files])
        if self._dry_run:
            return report, uploads
        with self._to() as opened:
            return verify_release(
                opened.gate, plan.project, plan.version, trust_file=str(self._trust.path)
            ), uploads

    def _check_age(self, report: Report) -> None:
        for line in report.lines:
            match line.verdict:
                case Accepted(basis=SignedBy(log_time=signed)) if (
                    self._plan.now - signed < self._plan.min_age
                ):
                    raise RefusedError(
                        "too-young",
                        f"expected {line.subject} to be signed {self._plan.min_age} ago or earlier, found {signed:%Y-%m-%d %H:%M} UTC",
                        hint="Promote it later: the time between is when a stolen identity is noticed.",
                    )
                case _:
                    pass

    def _copy(self, sealed: Sealed) -> Path:
        """Copy a file and every piece of its evidence, byte for byte, into the workspace."""
        directory = self._workspace / "release"
        directory.mkdir(mode=0o700, exist_ok=True)
        file = hand_over(sealed, directory)
        for suffix in _SUFFIXES:
            content = self._fetch(sealed.name, f"{sealed.name.filename}.{suffix}")
            if content is not None:
                (directory / f"{sealed.name.filename}.{suffix}").write_bytes(content)
        return file

    def _fetch(self, name: ArtifactName, evidence: str) -> bytes | None:
        source = self._trust.source(self._plan.from_source)
        gitlab, registry = GitLab(self._transport, source.url), self._plan.from_registry
        for place in places(source.evidence, name, registry):
            content = gitlab.generic_get(
                registry,
                place.package,
                place.version,
                registry_name(evidence),
                max_bytes=_LARGEST_EVIDENCE,
                known_readable=True,
            )
            if content is not None:
                return content
        return None

    def _parcel(self, file: Path) -> Parcel:
        """Put a file together with its evidence and its verification summary."""
        from pip_warden.publish.registry import parcels

        parcel = parcels([file])[0]
        written = file.with_name(f"{file.name}.vsa.json")
        written.write_text(
            json.dumps(summary(parcel, self._trust, self._plan), sort_keys=True), encoding="utf-8"
        )
        return replace(parcel, summary=written)

    def _upload(self, parcels: list[Parcel]) -> tuple[Upload, ...]:
        """All evidence of all files first, so that a consumer meets no file of the release without its own."""
        evidence = [upload for parcel in parcels for upload in self._registry.publish_evidence(parcel)]
        files = [self._registry.publish_file(parcel) for parcel in parcels]
        summaries = [self._registry.publish_summary(parcel) for parcel in parcels]
        return tuple(evidence + files + summaries)


def summary(parcel: Parcel, trust: TrustFile, plan: Plan) -> dict[str, JSONValue]:
    """Make an unsigned SLSA verification summary of a file (slsa.dev/spec/v1.0/verification_summary).

    It says that the release was judged and by which trust file; it is never evidence of publication.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": parcel.name.filename, "digest": {"sha256": parcel.digest.hex}}],
        "predicateType": SUMMARY,
        "predicate": {
            "verifier": {"id": "https://gitlab.com/pip-warden/pip-warden"},
            "timeVerified": plan.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": f"pkg:pypi/{plan.project}@{plan.version}?file_name={parcel.name}",
            "policy": {"uri": trust.path.name, "digest": {"sha256": digest_of_file(trust.path).hex}},
            "inputAttestations": [
                {"uri": path.name, "digest": {"sha256": digest_of_file(path).hex}} for path in parcel.evidence
            ],
            "verificationResult": "PASSED",
            "verifiedLevels": [],
        },
    }
