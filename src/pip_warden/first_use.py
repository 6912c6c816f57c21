"""First use: see who publishes a package, before it is pinned.

Nothing here decides that a signer is right. It proves who signed the newest releases, says what speaks against pinning that signer unasked,
and leaves the decision to a person, or to the identity they spelled out.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from packaging.version import Version

from pip_warden._sigstore.proved import Claims
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.errors import RefusedError, UsageError
from pip_warden.events import Reporter
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage, distinct
from pip_warden.index.gitlab import GitLab
from pip_warden.index.parsing import MAX_PAGE_BYTES, parse_page
from pip_warden.index.simple import ACCEPT
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.supply import Supply
from pip_warden.transport import Transport, error_for
from pip_warden.trust.pins import HashEntry, Identity, IdentityEntry, Source, TrustFile
from pip_warden.trust.shelf import RootShelf
from pip_warden.trust.subject import parse_subject, read_subject, suggest_pattern
from pip_warden.verdict import origin
from pip_warden.verdict.model import Accepted, Exhibit, Refused, SignedBy, Step

T = TypeVar("T")

RELEASES = 3
"""How many of the newest releases must name the same signer before one is pinned without a person's yes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """Who signed one file of a release: proved, not pinned.

    Attributes:
        name: The file.
        signed: What its evidence proved.
    """

    name: ArtifactName
    signed: SignedBy

    @property
    def claims(self) -> Claims:
        """Return what the certificate says."""
        return self.signed.claims

    @property
    def pattern(self) -> str:
        """Return the subject with the version of a tag ref replaced by ``{version}``."""
        return suggest_pattern(self.claims.subjects[0], self.name.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What was seen of a package.

    Attributes:
        page: Its page.
        observations: One file of each of the newest releases, newest first; never empty.
        unsigned: Files of those releases that nothing good speaks for, with the reason.
        registry_id: The registry project's numeric id, as the page's file URLs say.
    """

    page: IndexPage
    observations: tuple[Observation, ...]
    unsigned: tuple[Refused, ...]
    registry_id: int | None


class FirstUse:
    """Looks at packages that are not pinned yet.

    Args:
        trust: A trust file that has the source and the root, and need not know the package.
        roots: Its trusted roots.
        supply: Where pages, files and evidence come from.
        workspace: A private directory of this run.
        reporter: Told what happens.
    """

    def __init__(
        self, *, trust: TrustFile, roots: RootShelf, supply: Supply, workspace: Path, reporter: Reporter
    ) -> None:
        self._trust = trust
        self._roots = roots
        self._supply = supply
        self._workspace = workspace
        self._reporter = reporter

    def look(self, probe: IdentityEntry, *, root: str, version: Version | None = None) -> Look:
        """Prove who signed the newest release, and up to two before it.

        Args:
            probe: An entry for the package without identities.
            root: Name of the trusted root to verify against.
            version: Look at this release only.

        Raises:
            RefusedError: ``no-release``, or the newest release is refused, with the code that refuses it.
            UndecidedError: Something could not be fetched.
        """
        page = self._page(probe)
        releases = _releases(page, version)
        if not releases:
            wanted = f"a release {version}" if version else "a release"
            raise RefusedError(
                "no-release",
                f"expected {wanted} of {probe.project} on {page.url}, found none",
                hint="Check the project's path and the version.",
            )
        observations, unsigned = [], []
        for number, files in enumerate(releases[:RELEASES]):
            outcome = self._observe(_representative(files), page, probe, root)
            if isinstance(outcome, Observation):
                observations.append(outcome)
            elif number == 0:
                raise _refusal(outcome)
            else:
                unsigned.append(outcome)
        return Look(
            page=page,
            observations=tuple(observations),
            unsigned=tuple(unsigned),
            registry_id=_registry_id(page, probe),
        )

    def confirm(self, look: Look, trust: TrustFile) -> None:
        """Judge the newest release with the trust file that is about to be written.

        Raises:
            RefusedError: The release would be refused under the new pin.
            UndecidedError: Something could not be fetched.
        """
        from pip_warden.verdict.judge import judge

        newest = look.observations[0].name
        candidate = next(c for c in look.page.candidates if c.name == newest)
        entry = trust.entry_for(newest.project, newest.version)
        assert isinstance(entry, IdentityEntry)  # noqa: S101 -- it was added a moment ago
        with self._received(candidate) as artifact:
            exhibit = Exhibit(artifact=artifact, candidate=candidate, page=look.page, evidence=())
            found = self._supply.evidence(candidate, artifact, entry)
            verdict = _until_good(exhibit, found, partial(judge, trust=trust, roots=self._roots))
        match verdict:
            case Refused() as no:
                raise _refusal(no)
            case Accepted():
                return

    def hashes(self, probe: IdentityEntry, version: Version) -> tuple[tuple[str, Digest], ...]:
        """Fetch every file of a release and compute its digest, after steps 2 to 5.

        Raises:
            RefusedError: ``no-release``, or a file is refused, with the code that refuses it.
            UndecidedError: Something could not be fetched.
        """
        from pip_warden.verdict.judge import judge_file, refused

        page = self._page(probe)
        found = []
        for candidate in [c for c in distinct(page.candidates) if c.name.version == version]:
            with self._received(candidate) as artifact:
                exhibit = Exhibit(artifact=artifact, candidate=candidate, page=page, evidence=())
                no = judge_file(exhibit, probe, self._trust)
                if no is not None:
                    raise _refusal(refused(exhibit, no))
                found.append((candidate.name.filename, artifact.digest))
        if not found:
            raise RefusedError(
                "no-release",
                f"expected a release {version} of {probe.project} on {page.url}, found none",
                hint="Check the source and the version.",
            )
        return tuple(found)

    def _page(self, probe: IdentityEntry) -> IndexPage:
        self._reporter.step(f"looking up {probe.project}")
        page = self._supply.page(probe.project, probe)
        fault = origin.check_page(page, probe.project, probe, self._trust.source(probe.source))
        if fault is not None:
            raise _fault_error(probe.project, fault)
        return page

    def _observe(
        self, candidate: Candidate, page: IndexPage, probe: IdentityEntry, root: str
    ) -> Observation | Refused:
        from pip_warden.verdict.observe import observe

        with self._received(candidate) as artifact:
            exhibit = Exhibit(artifact=artifact, candidate=candidate, page=page, evidence=())
            found = self._supply.evidence(candidate, artifact, probe)
            look = partial(observe, trust=self._trust, probe=probe, root_name=root, root=self._roots[root])
            signed = _until_good(exhibit, found, look)
        return Observation(name=candidate.name, signed=signed) if isinstance(signed, SignedBy) else signed

    def _received(self, candidate: Candidate) -> _Received:
        self._reporter.step(f"fetching {candidate.name}")
        return _Received(self._supply, candidate, self._workspace)


def _until_good(
    exhibit: Exhibit, found: Iterator[Item | BadItem], judge: Callable[[Exhibit], T | Refused]
) -> T | Refused:
    """Judge without evidence, then with one item after the other up to the first good one, as the gate does.

    What lies beyond a good item is not asked for, so that trouble there cannot undo it.
    """
    outcome = judge(exhibit)
    if not isinstance(outcome, Refused) or outcome.step is not Step.EVIDENCE:
        return outcome
    items: list[Item | BadItem] = []
    for item in found:
        items.append(item)
        outcome = judge(replace(exhibit, evidence=(item,)))
        if not isinstance(outcome, Refused):
            return outcome
    return judge(replace(exhibit, evidence=tuple(items)))


class _Received:
    """A received file, removed again at the end."""

    def __init__(self, supply: Supply, candidate: Candidate, workspace: Path) -> None:
        self._supply = supply
        self._candidate = candidate
        self._directory = Path(tempfile.mkdtemp(dir=workspace))

    def __enter__(self) -> Artifact:
        return self._supply.receive(self._candidate, self._directory)

    def __exit__(self, *_exc: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)


def identity_of(observation: Observation, *, root: str) -> Identity:
    """Make the identity that an observation suggests."""
    claims = observation.claims
    subject = claims.subjects[0]
    return Identity(
        issuer=claims.issuer,
        subject=parse_subject(observation.pattern),
        project_id=claims.get("project-id"),
        root=root,
        is_account=read_subject(subject) is None,
    )


def doubts(look: Look, *, instance: str | None, default_branch: str | None) -> tuple[str, ...]:
    """Say what speaks against pinning the newest release's signer without a person's yes (T56).

    Args:
        look: What was seen.
        instance: URL of the source's GitLab; None for a source that is none.
        default_branch: The registry project's default branch, where it could be learned.
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


def _ref_doubts(claims: Claims, default_branch: str | None) -> list[str]:
    subject = read_subject(claims.subjects[0])
    ref = subject.ref if subject is not None else ""
    if ref.startswith("refs/tags/") or (default_branch and ref == f"refs/heads/{default_branch}"):
        return []
    return [f"{ref or 'the subject'} is neither a tag nor the default branch ({default_branch or 'unknown'})"]


def _signer_doubts(look: Look) -> list[str]:
    newest = look.observations[0]
    others = [
        f"{other.name} was signed by {other.claims.subjects[0]}"
        for other in look.observations[1:]
        if (other.pattern, other.claims.issuer, other.claims.get("project-id"))
        != (newest.pattern, newest.claims.issuer, newest.claims.get("project-id"))
    ]
    return others + [f"{no.subject} has no good evidence ({no.code})" for no in look.unsigned]


def _releases(page: IndexPage, version: Version | None) -> list[list[Candidate]]:
    """Group a page by release, newest first; pre-releases only where there is nothing else or one is asked for."""
    by_version: dict[Version, list[Candidate]] = {}
    for candidate in page.candidates:
        by_version.setdefault(candidate.name.version, []).append(candidate)
    if version is not None:
        return [by_version[version]] if version in by_version else []
    finals = [v for v in by_version if not v.is_prerelease] or list(by_version)
    return [by_version[v] for v in sorted(finals, reverse=True)]


def _representative(files: Iterable[Candidate]) -> Candidate:
    """Choose the file of a release to look at: a wheel if there is one, the smallest where sizes are known."""
    return min(files, key=lambda c: (c.name.kind != "wheel", c.claimed_size or 0, c.name.filename))


def _registry_id(page: IndexPage, probe: IdentityEntry) -> int | None:
    """Read the numeric id from a file URL; step 2 has shown that they all carry the same."""
    if probe.registry is None or not page.candidates:
        return None
    return int(page.candidates[0].url.partition("/projects/")[2].partition("/")[0])


def hash_entry(
    probe: IdentityEntry, version: Version, files: tuple[tuple[str, Digest], ...], reason: str
) -> HashEntry:
    """Make the entry that pins a release by hash.

    Raises:
        UsageError: ``reason-missing``: a hash needs a reason, since it proves nobody.
    """
    if not reason.strip():
        raise UsageError(
            "reason-missing",
            "expected --reason saying why a hash is enough for what nobody signs, found none",
            hint='For example: --reason "publisher does not sign; hash reviewed 2026-11-20"',
        )
    return HashEntry(
        project=probe.project,
        version=version,
        source=probe.source,
        registry=probe.registry,
        registry_id=probe.registry_id,
        files=files,
        reason=reason.strip(),
    )


def _refusal(no: Refused) -> RefusedError:
    message = f"{no.subject}: step {int(no.step)} ({no.step.name.lower()}): expected {no.expected}, found {no.found}"
    return RefusedError(no.code, message, hint=no.hint)


def _fault_error(project: ProjectName, fault: Fault) -> RefusedError:
    message = f"{project}: expected {fault.expected}, found {fault.found}"
    return RefusedError(fault.code, message, hint=fault.hint)


def probe_for(project: ProjectName, *, source: str, registry: str | None) -> IdentityEntry:
    """Make an entry that pins nobody, to look through."""
    return IdentityEntry(project=project, source=source, registry=registry, identities=())


def owner_in_group(transport: Transport, source: Source, group: str, project: ProjectName) -> str:
    """Tell which project of a GitLab group publishes a package: that of its newest file.

    Raises:
        RefusedError: ``no-release``: the group's index lists no file of it; ``same-name-other-bytes``: it lists two under one name, of two
            projects for instance, and either could be the publisher.
        UndecidedError: It could not be told, or several projects have the same file.
    """
    url = f"{source.url}/api/v4/groups/{quote(group, safe='')}/-/packages/pypi/simple/{project}"
    reply = transport.get(
        url, max_bytes=MAX_PAGE_BYTES, accept=ACCEPT, label=f"the page of {project} in {group}"
    )
    if reply.status != 200:
        raise error_for(reply, f"the page of {project} in group {group}")
    page = parse_page(
        project=project,
        source=source.name,
        url=reply.url,
        content_type=reply.headers.get("content-type", ""),
        body=reply.body,
    )
    newest = max(page.candidates, key=lambda c: c.name.version, default=None)
    if newest is None or newest.claimed_sha256 is None:
        raise RefusedError(
            "no-release",
            f"expected a release of {project} in group {group}, found none",
            hint="Name the project that publishes it with --project.",
        )
    fault = origin.check_release(page, newest.name.version)
    if fault is not None:
        raise _fault_error(project, fault)
    gitlab = GitLab(transport, source.url)
    owner = gitlab.owner_of(group, project, newest.name.version, newest.name.filename, newest.claimed_sha256)
    return owner.project_path or str(owner.project_id)
