"""Private copies: what was judged is what is uploaded, whoever can write to the originals."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.artifact.model import Artifact
from pip_warden.artifact.receive import copy_local
from pip_warden.disk import storing
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.evidence.arguments import artifacts_among
from pip_warden.evidence.names import evidence_of
from pip_warden.evidence.siblings import Siblings
from pip_warden.names import parse_artifact_name
from pip_warden.publish.signed import SignedFile, signed_files
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateCopy:
    """A file and its evidence in a private directory of their own.

    Attributes:
        artifact: The copy of the file, inspected.
        signed: The same with the copies of its evidence, as it is uploaded.
    """

    artifact: Artifact
    signed: SignedFile


def files_to_publish(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels and sdists that are to be published.

    Raises:
        UsageError: ``nothing-to-publish``, ``name-twice``, or as for
            :func:`~pip_warden.evidence.arguments.artifacts_among`.
    """
    nothing = UsageError(
        "nothing-to-publish",
        "expected at least one wheel or sdist, found none",
        hint="Build and sign first; an empty dist/ is an error.",
    )
    files = artifacts_among(paths, nothing=nothing)
    taken: dict[object, Path] = {}
    for path in files:
        other = taken.setdefault(parse_artifact_name(path.name).choice, path)
        if other is not path:
            both = f"{escape_text(str(other))} and {escape_text(str(path))}"
            raise UsageError(
                "name-twice",
                f"expected one file of each name, found {both}",
                hint="Installers take them for one, in another spelling too. Name the one that is meant.",
            )
    return files


def copy_all(paths: Sequence[Path], workspace: Path) -> tuple[PrivateCopy, ...]:
    """Copy files with the evidence next to them.

    Args:
        paths: The files.
        workspace: A directory that only this run can enter.

    Raises:
        UsageError: ``unsigned``: a file has no evidence; ``unreadable-evidence``, ``no-such-file``,
            ``invalid-filename`` or ``file-too-large``.
        UndecidedError: ``cannot-store``.
    """
    artifacts = [_copied(path, workspace) for path in paths]
    # Paired from the copies, so that nothing else of the directory counts.
    signed = signed_files([artifact.path for artifact in artifacts])
    return tuple(
        PrivateCopy(artifact=artifact, signed=each) for artifact, each in zip(artifacts, signed, strict=True)
    )


def _copied(path: Path, workspace: Path) -> Artifact:
    with storing(workspace):
        directory = Path(tempfile.mkdtemp(dir=workspace))
        artifact = copy_local(path, directory)
        beside = Siblings(path.absolute().parent)
        for name in evidence_of(path.name, beside.names(f"{path.name}.") or ()):
            # One byte more than is read of evidence: what is larger is refused as that.
            content = beside.fetch(name, max_bytes=LARGEST_BUNDLE)
            if content is None:
                raise UsageError(
                    "unreadable-evidence",
                    f"expected to read {escape_text(str(path.with_name(name)))}, found a link to nothing",
                    hint="It would be left out silently. Restore what it leads to, or remove it.",
                )
            (directory / name).write_bytes(content)
    return artifact
