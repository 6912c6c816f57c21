"""Uploads to a GitLab project: evidence first, read back, then the files (design decision D8).

Every step can be run again: the same content is skipped, other content under the same name is an error. So a
run that was killed can be repeated, and no consumer ever sees a file without its evidence.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pip_warden.digests import Digest, digest_of_file
from pip_warden.disk import require_file
from pip_warden.display import escape_text
from pip_warden.errors import InternalError, RefusedError, RegistryError, UndecidedError, UsageError
from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.locate import GenericPackage, generic_packages
from pip_warden.evidence.names import evidence_of, is_evidence
from pip_warden.index.candidate import distinct
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import generic_url, project_api, without_epoch
from pip_warden.index.simple import fetch_page
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.publish.form import form_fields
from pip_warden.transport import Transport, error_for
from pip_warden.trust.model import DEFAULT_EVIDENCE, Source

_LARGEST_FILE = 5 << 30
_TAKEN = "already been taken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where to publish.

    Attributes:
        instance: URL of the GitLab instance.
        project: The project's id or path, as the API takes it.
        path: The project's full path, for the evidence template.
        evidence: Template of the evidence's package and version.
    """

    instance: str
    project: str
    path: str
    evidence: str = DEFAULT_EVIDENCE[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedFile:
    """A file with its evidence.

    Attributes:
        name: The parsed file name.
        path: The file.
        digest: SHA-256 of its bytes.
        evidence: The evidence next to it, by name.
        summary: Its verification summary; None where there is none.
    """

    name: ArtifactName
    path: Path
    digest: Digest
    evidence: tuple[Path, ...]
    summary: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadResult:
    """The result of one upload."""

    name: str
    kind: Literal["evidence", "file"]
    outcome: Literal["uploaded", "already there", "would be uploaded"]
    where: str


def signed_files(paths: Iterable[Path], *, needs_evidence: bool = True) -> tuple[SignedFile, ...]:
    """Pair each wheel and sdist with the evidence next to it; evidence among the paths goes with its file.

    Raises:
        UsageError: ``nothing-to-publish``, ``no-such-file``, ``invalid-filename``, or ``unsigned``: a file
            has no evidence.
    """
    files = [path for path in dict.fromkeys(paths) if not is_evidence(path.name)]
    if not files:
        raise UsageError(
            "nothing-to-publish",
            "expected at least one wheel or sdist, found none",
            hint="Build and sign first; an empty dist/ is an error.",
        )
    found = tuple(_signed_file(path) for path in files)
    bare = [signed.path.name for signed in found if not signed.evidence]
    if bare and needs_evidence:
        raise UsageError(
            "unsigned",
            f"expected evidence next to each file, found none for {', '.join(bare)}",
            hint="`pip-warden sign dist/*` makes it.",
        )
    return found


def _signed_file(path: Path) -> SignedFile:
    require_file(path)
    beside = sorted(other.name for other in path.parent.iterdir())
    evidence = [path.with_name(name) for name in evidence_of(path.name, beside)]
    return SignedFile(
        name=parse_artifact_name(path.name),
        path=path,
        digest=digest_of_file(path),
        evidence=tuple(other for other in evidence if other.is_file()),
    )


class Registry:
    """One GitLab project's registries, as a publisher uses them.

    Args:
        transport: The HTTP client.
        destination: Where to publish.
        dry_run: Query what is there, upload nothing.
        reporter: Receives progress.
    """

    def __init__(
        self,
        transport: Transport,
        destination: Destination,
        *,
        dry_run: bool = False,
        reporter: Reporter = SILENT,
    ) -> None:
        self._transport = transport
        self._to = destination
        self._gitlab = GitLab(transport, destination.instance)
        self._dry_run = dry_run
        self._reporter = reporter

    def publish(self, signed: SignedFile) -> tuple[UploadResult, ...]:
        """Publish a file: its evidence first, then itself.

        Raises:
            RefusedError: ``other-content``: the registry has other content under one of the names.
            UndecidedError: The registry did not respond, or not as expected.
        """
        return (*self.publish_evidence(signed), self.publish_file(signed))

    def publish_evidence(self, signed: SignedFile) -> tuple[UploadResult, ...]:
        """Publish the evidence of a file, and read each piece back.

        Raises:
            RefusedError: As for :meth:`publish`.
            UndecidedError: As for :meth:`publish`.
        """
        place = generic_packages([self._to.evidence], signed.name, self._to.path)[0]
        return tuple(self._evidence(path, place) for path in signed.evidence)

    def _evidence(self, path: Path, place: GenericPackage) -> UploadResult:
        content, name = path.read_bytes(), without_epoch(path.name)
        where = generic_url(self._to.instance, self._to.project, place.package, place.version, name)
        there = self._there(place, name, len(content))
        if there is not None and there != content:
            raise _other_content(
                name, where, hashlib.sha256(content).hexdigest(), hashlib.sha256(there).hexdigest()
            )
        if there is not None:
            return UploadResult(name=name, kind="evidence", outcome="already there", where=where)
        if self._dry_run:
            return UploadResult(name=name, kind="evidence", outcome="would be uploaded", where=where)
        self._reporter.step(f"uploading {name}")
        with path.open("rb") as stream:
            reply = self._transport.put(where, stream, label=name)
        if reply.status not in {200, 201}:
            raise error_for(reply, f"the upload of {name}")
        if self._there(place, name, len(content)) != content:
            raise RegistryError(
                "not-read-back",
                f"expected {name} to be read back as it was sent, found something else at {where}",
            )
        return UploadResult(name=name, kind="evidence", outcome="uploaded", where=where)

    def _there(self, place: GenericPackage, name: str, size: int) -> bytes | None:
        try:
            return self._gitlab.generic_get(
                self._to.project,
                place.package,
                place.version,
                name,
                max_bytes=max(size, 1 << 20),
                known_readable=True,
            )
        except UndecidedError as err:
            if err.code == "too-large":
                return b""
            raise

    def publish_summary(self, signed: SignedFile) -> UploadResult:
        """Publish the verification summary of a file. Every run makes a new one, so an existing one is kept.

        Raises:
            UndecidedError: As for :meth:`publish`.
        """
        if signed.summary is None:
            raise InternalError("bug", f"{signed.name} has no verification summary")
        place, name = (
            generic_packages([self._to.evidence], signed.name, self._to.path)[0],
            without_epoch(signed.summary.name),
        )
        where = generic_url(self._to.instance, self._to.project, place.package, place.version, name)
        if self._there(place, name, 1 << 20) is not None:
            return UploadResult(name=name, kind="evidence", outcome="already there", where=where)
        return self._evidence(signed.summary, place)

    def publish_file(self, signed: SignedFile) -> UploadResult:
        """Publish a file whose evidence is published.

        Raises:
            RefusedError: As for :meth:`publish`.
            UndecidedError: As for :meth:`publish`.
        """
        where = f"{project_api(self._to.instance, self._to.project)}/packages/pypi"
        name = signed.path.name
        if self._is_there(signed, where):
            return UploadResult(name=name, kind="file", outcome="already there", where=where)
        if self._dry_run:
            return UploadResult(name=name, kind="file", outcome="would be uploaded", where=where)
        self._reporter.step(f"uploading {name}")
        with signed.path.open("rb") as stream:
            reply = self._transport.post_form(
                where, form_fields(signed.path, signed.digest), stream, filename=name
            )
        if reply.status == 400 and _TAKEN.encode() in reply.body and self._is_there(signed, where):
            return UploadResult(name=name, kind="file", outcome="already there", where=where)
        if reply.status not in {200, 201}:
            raise error_for(reply, f"the upload of {name}")
        return UploadResult(name=name, kind="file", outcome="uploaded", where=where)

    def _is_there(self, signed: SignedFile, where: str) -> bool:
        """Return whether the same bytes are published; they are fetched, as the index's digest is a claim.

        Raises:
            RefusedError: ``other-content``.
        """
        source = Source(name="destination", type="gitlab", url=self._to.instance)
        try:
            page = fetch_page(self._transport, signed.name.project, source, self._to.project)
        except RegistryError as err:
            if err.code == "page-missing":
                return False
            raise
        same_project = f"{self._to.instance}/api/v4/projects/"
        # All of them: a second one, or the same name in another spelling, with other bytes would make
        # consumers refuse the release.
        rivals = [
            candidate
            for candidate in distinct(page.candidates)
            if candidate.name.choice == signed.name.choice and candidate.url.startswith(same_project)
        ]
        for candidate in rivals:
            with tempfile.TemporaryFile() as copy:
                found = self._transport.download(
                    candidate.url, to=copy, max_bytes=_LARGEST_FILE, label=candidate.name.filename
                ).digest
            if not found.matches(signed.digest):
                raise _other_content(candidate.name.filename, where, signed.digest.hex, found.hex)
        return any(candidate.name.filename == signed.name.filename for candidate in rivals)


def _other_content(name: str, where: str, ours: str, theirs: str) -> RefusedError:
    return RefusedError(
        "other-content",
        f"expected {escape_text(name)} with SHA-256 {ours} or nothing at {where}, found SHA-256 {theirs}",
        hint="A published name is never given other content. "
        "Raise the version, or find out who published it.",
    )
