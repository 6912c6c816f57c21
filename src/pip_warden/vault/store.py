"""The store of accepted files with their evidence, by content."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.disk import cannot_store, is_full
from pip_warden.errors import UsageError
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.model import Evidence, EvidenceForm, Item
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.values import dataclass
from pip_warden.vault import memory
from pip_warden.vault.files import check_own, copy_regular, draft, holds, put, write
from pip_warden.vault.kept import evidence_json, kept_bytes, read_evidence
from pip_warden.vault.postponed import LARGE, Postponed, State, moved
from pip_warden.vault.sealed import Sealed, copy_checked, sealed_as
from pip_warden.verdict.model import Accepted

_LAYOUT = "v1"
_EVIDENCE = "evidence.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file in the vault with its evidence; that it is there proves nothing: judge it."""

    artifact: Artifact
    evidence: Evidence


class Vault:
    """A content-addressed store. Safe to use from several threads and processes.

    Args:
        root: The cache directory; made when first needed.
        measures: Told what files cost.

    Raises:
        UsageError: ``cache-directory``: it is a link, belongs to another user, or is writable by others.
    """

    def __init__(self, root: Path, *, measures: Measures = UNMEASURED) -> None:
        self._measures = measures
        self._root = root / _LAYOUT
        check_own(root)
        check_own(self._root)

    def seal(self, accepted: Accepted, *, evidence: Evidence, postponed: Postponed | None = None) -> Sealed:
        """Store an accepted file and its evidence.

        Whatever else is in its place, such as a corrupt copy, is replaced.

        Args:
            accepted: The file.
            evidence: What speaks for it.
            postponed: Takes what can wait: a small file, and a large one that can be moved here in the end.

        Raises:
            RefusedError: ``changed-after-verdict``: the bytes are no longer those that were judged.
            UsageError: ``cache-directory``: the cache cannot be written.
            UndecidedError: ``cannot-store``: there is no space left.
        """
        sealed = sealed_as(accepted)
        artifact, kept = accepted.artifact, evidence_json(evidence)
        path = self._place(artifact.digest) / artifact.name.filename
        try:
            if not holds(path, artifact.digest):
                if postponed is None or not self._can_wait(artifact, kept, path.parent, postponed):
                    self._store(artifact, kept, path.parent)
                    if postponed is not None:
                        postponed.hear()
            elif evidence and kept_bytes(path.parent / _EVIDENCE) != kept:
                self._replace_evidence(path.parent, kept)
        except OSError as err:
            if is_full(err):
                raise cannot_store(f"to the cache {self._root.parent}", err) from err
            raise UsageError(
                "cache-directory",
                f"expected to write to the cache {self._root.parent}, found: {err.strerror or err}",
                hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
            ) from err
        self._measures.count("bytes_hashed", artifact.size)
        return sealed

    def may_have(self, digest: Digest | None, name: ArtifactName) -> bool:
        """Return whether there is anything in a file's place, so that :meth:`find` may find it."""
        return digest is not None and os.path.lexists(self._place(digest) / name.filename)

    def find(self, digest: Digest, name: ArtifactName, directory: Path) -> StoredFile | None:
        """Copy a stored file into a directory that only this run can enter, hash it and inspect the copy.

        None where there is none. One whose bytes have another digest than its path says counts as none, and
        stays for :meth:`seal` to replace: a reader must never remove what another process has just stored.
        """
        path, target = self._place(digest) / name.filename, directory / name.filename
        try:
            found, size = copy_regular(path, target)
            self._measures.count("bytes_written", size)
            self._measures.count("bytes_hashed", size)
            if not found.matches(digest):
                target.unlink()
                return None
            with self._measures.phase("inspect", name.filename):
                contents = inspect(target, name)
        except OSError:
            return None
        artifact = Artifact(name=name, path=target, digest=digest, size=size, contents=contents)
        return StoredFile(artifact=artifact, evidence=self.evidence(digest))

    def evidence(self, digest: Digest) -> Evidence:
        """Return the evidence of a stored file; empty where there is none, or it cannot be read."""
        return read_evidence(self._place(digest) / _EVIDENCE)

    def entry(self, wanted: Hashedrekord) -> LogEntry | None:
        """Return a stored log entry that completed a detached signature, None where there is none.

        It is for a run without a network, and proves nothing: the completed bundle is judged again.
        """
        for item in self.evidence(wanted.digest):
            if isinstance(item, Item) and item.form is EvidenceForm.DETACHED:
                wire = item.wire
                if wire.signature == wanted.signature and pem_of(wire.certificate) == wanted.pem:
                    return wire.entry
        return None

    def names(self, project: ProjectName) -> Iterator[tuple[ArtifactName, Digest]]:
        """Yield the stored files of a project, for a run without a network."""
        for path in sorted(self._root.glob("*/*/*")):
            if not canonicalize_name(path.name).startswith(project):
                continue  # reading a name takes longer
            with suppress(UsageError):
                name, digest = parse_artifact_name(path.name), Digest(path.parent.name)
                if name.project == project:
                    yield name, digest

    def recall(self, request: str) -> tuple[ArtifactName, ...]:
        """Return what the last run with a request took (:mod:`~pip_warden.vault.memory`)."""
        return memory.recall(self._root, request)

    def remember(self, request: str, taken: Iterable[ArtifactName]) -> None:
        """Remember what a run took."""
        memory.remember(self._root, request, taken)

    def size(self) -> int:
        """Return the size of the vault in bytes."""
        total = 0
        for path in self._root.rglob("*"):
            with suppress(OSError):
                status = path.lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        return total

    def clear(self) -> int:
        """Remove everything and return how many bytes that was.

        A run in progress loses only time: it fetches again what it needs.

        Raises:
            UsageError: ``cache-directory``: something in it cannot be removed.
        """
        freed = self.size()
        try:
            if self._root.exists():
                # Renamed first, so that another process sees all of it or none.
                trash = Path(tempfile.mkdtemp(prefix=".trash-", dir=self._root.parent))
                self._root.rename(trash / _LAYOUT)
            for trash in self._root.parent.glob(".trash-*"):
                shutil.rmtree(trash)
        except OSError as err:
            raise UsageError(
                "cache-directory",
                f"expected to empty the cache {self._root.parent}, found: {err.strerror or err}",
            ) from err
        return freed

    def _place(self, digest: Digest) -> Path:
        return self._root / digest.hex[:2] / digest.hex

    def _can_wait(self, artifact: Artifact, evidence: bytes, place: Path, postponed: Postponed) -> bool:
        """Have a file stored later, where that is possible."""
        store = partial(self._store, artifact, evidence, place)
        if artifact.size < LARGE:
            return postponed.add_small(partial(self._measured, artifact.name, store))
        if not _can_be_moved(artifact, evidence, place):
            return False
        move = partial(self._measured, artifact.name, partial(store, moves=True))
        postponed.add(artifact.path, artifact.digest, move)
        return True

    def _measured(
        self, name: ArtifactName, store: Callable[[State | None], None], seen: State | None = None
    ) -> None:
        with self._measures.phase("seal", name):
            store(seen)

    def _store(
        self,
        artifact: Artifact,
        evidence: bytes,
        place: Path,
        seen: State | None = None,
        *,
        moves: bool = False,
    ) -> None:
        """Write next to the place, then rename: a file is complete or absent."""
        with draft(place.parent) as made:
            file = made / artifact.name.filename
            if not (moves and moved(artifact.path, file, artifact.digest, seen)):
                copy_checked(artifact.path, file, artifact.digest)
                self._measures.count("bytes_written", artifact.size)
            file.chmod(0o400)
            write(made / _EVIDENCE, evidence)
            with suppress(OSError):
                # A file or a link in its place; a directory stays, another process may just have made it.
                place.unlink()
            try:
                made.rename(place)
            except OSError:
                # Another process, another name or a corrupt copy has the place: each file replaces its own.
                place.mkdir(mode=0o700, exist_ok=True)
                for each in list(made.iterdir()):
                    put(each, place / each.name)

    @staticmethod
    def _replace_evidence(place: Path, evidence: bytes) -> None:
        """Replace the stored evidence, which may have been found bad, by what was good this time."""
        with draft(place.parent) as made:
            write(made / _EVIDENCE, evidence)
            put(made / _EVIDENCE, place / _EVIDENCE)


def _can_be_moved(artifact: Artifact, evidence: bytes, place: Path) -> bool:
    """Return whether a file is on the file system of its place, where we may write.

    Raises:
        OSError: Nothing can be written there.
    """
    with draft(place.parent) as made:
        write(made / _EVIDENCE, evidence)
        return made.stat().st_dev == artifact.path.lstat().st_dev
