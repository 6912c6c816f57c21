"""Uploads to a GitLab project: evidence first, read back, then the files (design decision D8).

Every step can be run again: the same content is skipped, other content under the same name is an error. So a
run that was killed can be repeated, and no consumer ever sees a file without its evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal

from pip_warden.digests import Digest, digest_of, digest_of_file
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, RegistryError
from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.locate import GenericPackage, generic_packages
from pip_warden.index.gitlab_urls import generic_url, project_api, without_epoch
from pip_warden.publish.form import form_fields
from pip_warden.publish.published import Published
from pip_warden.publish.signed import Outcome, Planned, SignedFile, UploadResult, signed_files
from pip_warden.transport import Transport, error_for
from pip_warden.trust.model import DEFAULT_EVIDENCE
from pip_warden.values import dataclass

__all__ = ["Destination", "Registry", "SignedFile", "UploadResult", "Weigh", "Weighed", "signed_files"]

_TAKEN = "already been taken"
_NO_OTHER = "A published name is never given other content. Raise the version, or find out who published it."

Weighed = Literal["stays", "replaced", "refused"]
"""What becomes of other content under the name of a piece of evidence: it is as good as ours and stays; it is
half of something, speaks for nothing, and gets a newer row; or it is an error."""

Weigh = Callable[[Path, bytes, Callable[[str], bytes | None]], Weighed]
"""Weighs other content that is published under the name of a local piece of evidence: called with that piece,
the content, and a function that returns what is published under another name beside it. This room judges
nothing: who may judge decides it."""


def nothing_stays(_piece: Path, _there: bytes, _beside: Callable[[str], bytes | None]) -> Weighed:
    """Let no other content stay."""
    return "refused"


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
        self._published = Published(transport, destination.instance, destination.project)
        self._dry_run = dry_run
        self._reporter = reporter

    def look(
        self,
        signed: SignedFile,
        weigh: Weigh = nothing_stays,
        *,
        with_file: bool = True,
        skip_existing: bool = False,
    ) -> tuple[Planned, ...]:
        """Look at what is there, and return what is to be uploaded, in its order; upload nothing.

        The file comes first: where other bytes have its name, its evidence speaks for nothing there.

        Args:
            signed: A file with its evidence.
            weigh: Weighs other evidence that is there.
            with_file: Whether the file will be uploaded too.
            skip_existing: Whether other bytes under the file's name stay, and nothing is published.

        Raises:
            RefusedError: ``other-content``: the registry has other content under one of the names.
            UsageError: ``bad-distribution``.
            UndecidedError: The registry did not respond, or not as expected.
        """
        there = self._published.file(signed.name, signed.digest)
        if there is not None and not there[1].matches(signed.digest):
            if not skip_existing:
                raise _other_content(there[0], self._upload_url, signed.digest, there[1])
            return (Planned(signed=signed, path=signed.path, result=self._of_file(signed, "not published")),)
        hint = self._left_over(signed) if there is None else _NO_OTHER
        evidence = tuple(self._look_at(signed, path, weigh, hint) for path in signed.evidence)
        if not with_file:
            return evidence
        if there is None:
            form_fields(signed.path, signed.digest)
        outcome: Outcome = "already there" if there else "would be uploaded"
        return (*evidence, Planned(signed=signed, path=signed.path, result=self._of_file(signed, outcome)))

    def bring(self, planned: Planned, weigh: Weigh = nothing_stays) -> UploadResult:
        """Upload what is not there yet; evidence is read back.

        Raises:
            RefusedError: ``other-content``: it came there meanwhile; ``changed-after-verdict``.
            UndecidedError: As for :meth:`look`.
        """
        if self._dry_run or planned.result.outcome != "would be uploaded":
            return planned.result
        self._reporter.step(f"uploading {planned.result.name}")
        if planned.result.kind == "file":
            return self._bring_file(planned.signed)
        return self._bring_evidence(planned, weigh)

    @property
    def _upload_url(self) -> str:
        return f"{project_api(self._to.instance, self._to.project)}/packages/pypi"

    def _place(self, signed: SignedFile) -> GenericPackage:
        return generic_packages([self._to.evidence], signed.name, self._to.path)[0]

    def _of_file(self, signed: SignedFile, outcome: Outcome) -> UploadResult:
        return UploadResult(name=signed.path.name, kind="file", outcome=outcome, where=self._upload_url)

    def _left_over(self, signed: SignedFile) -> str:
        """Return what can be done about other evidence of a file that was never published."""
        place = self._place(signed)
        return (
            f"No file {signed.name} is published: it may be left over from a build whose upload failed. "
            f"Raise the version; or find out who put it there, and delete it from the generic package "
            f"{place.package} {place.version}."
        )

    def _look_at(self, signed: SignedFile, path: Path, weigh: Weigh, hint: str = _NO_OTHER) -> Planned:
        content, name, place = path.read_bytes(), without_epoch(path.name), self._place(signed)
        where = generic_url(self._to.instance, self._to.project, place.package, place.version, name)
        there = self._published.evidence(place, name, size=len(content))
        outcome: Outcome = "would be uploaded"
        if there == content:
            outcome = "already there"
        elif there is not None:
            match weigh(path, there, partial(self._published.evidence, place)):
                case "stays":
                    outcome = "already there, good"
                case "refused":
                    raise _other_content(name, where, digest_of(content), digest_of(there), hint)
                case "replaced":
                    pass
        result = UploadResult(name=name, kind="evidence", outcome=outcome, where=where)
        return Planned(signed=signed, path=path, result=result)

    def _bring_evidence(self, planned: Planned, weigh: Weigh) -> UploadResult:
        name, content = planned.result.name, planned.path.read_bytes()
        reply = self._transport.put(planned.result.where, BytesIO(content), label=name)
        # Somebody else may have been faster: where a name may be given once only, or with a newer row.
        there = self._published.evidence(self._place(planned.signed), name, size=len(content))
        if there == content:
            is_ours = reply.status in {200, 201}
            return replace(planned.result, outcome="uploaded" if is_ours else "already there")
        if there is not None and self._stays(planned, there, weigh):
            return replace(planned.result, outcome="already there, good")
        if reply.status not in {200, 201}:
            raise error_for(reply, f"the upload of {name}")
        raise RegistryError(
            "not-read-back",
            f"expected {name} to be read back as it was sent, found something else at {planned.result.where}",
        )

    def _stays(self, planned: Planned, there: bytes, weigh: Weigh) -> bool:
        beside = partial(self._published.evidence, self._place(planned.signed))
        return weigh(planned.path, there, beside) == "stays"

    def _bring_file(self, signed: SignedFile) -> UploadResult:
        if not digest_of_file(signed.path).matches(signed.digest):
            raise RefusedError(
                "changed-after-verdict",
                f"expected {signed.name} with SHA-256 {signed.digest} as before, found other bytes",
                hint="Something else writes to this run's private directory, or to the file.",
            )
        # Once more: meanwhile somebody may have published other bytes under the name in another spelling.
        if self._is_there(signed):
            return self._of_file(signed, "already there")
        with signed.path.open("rb") as stream:
            reply = self._transport.post_form(
                self._upload_url, form_fields(signed.path, signed.digest), stream, filename=signed.path.name
            )
        if reply.status == 400 and _TAKEN.encode() in reply.body and self._is_there(signed):
            return self._of_file(signed, "already there")
        if reply.status not in {200, 201}:
            raise error_for(reply, f"the upload of {signed.path.name}")
        return self._of_file(signed, "uploaded")

    def _is_there(self, signed: SignedFile) -> bool:
        """Return whether the same bytes are published.

        Raises:
            RefusedError: ``other-content``.
        """
        there = self._published.file(signed.name, signed.digest)
        if there is not None and not there[1].matches(signed.digest):
            raise _other_content(there[0], self._upload_url, signed.digest, there[1])
        return there is not None


def _other_content(
    name: str, where: str, ours: Digest, theirs: Digest, hint: str = _NO_OTHER
) -> RefusedError:
    return RefusedError(
        "other-content",
        f"expected {escape_text(name)} with SHA-256 {ours} or nothing at {where}, found SHA-256 {theirs}",
        hint=hint,
    )
