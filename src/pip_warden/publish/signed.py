"""Files with the evidence next to them, and what becomes of each when they are published."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pip_warden.digests import Digest, digest_of_file
from pip_warden.disk import require_file
from pip_warden.errors import UsageError
from pip_warden.evidence.names import evidence_of, is_evidence
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.values import dataclass

Outcome = Literal["uploaded", "already there", "already there, good", "would be uploaded", "not published"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedFile:
    """A file with its evidence.

    Attributes:
        name: The parsed file name.
        path: The file.
        digest: SHA-256 of its bytes.
        evidence: The evidence next to it, by name.
    """

    name: ArtifactName
    path: Path
    digest: Digest
    evidence: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadResult:
    """The result of one upload.

    Attributes:
        name: The name that it has in the registry.
        kind: What it is.
        outcome: ``already there``: the same content; ``already there, good``: other evidence that is as good;
            ``not published``: other bytes of a file, where those may stay.
        where: The URL that it has, or a file is sent to.
    """

    name: str
    kind: Literal["evidence", "file", "summary"]
    outcome: Outcome
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One upload, and what was there when it was looked at.

    Attributes:
        signed: The file that it belongs to.
        path: What is uploaded: the file, or a piece of its evidence.
        result: What it comes to if nothing is uploaded.
    """

    signed: SignedFile
    path: Path
    result: UploadResult


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
