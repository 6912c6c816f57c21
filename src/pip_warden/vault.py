"""The vault: accepted files with the evidence that spoke for them, by content (design decision D6).

It saves fetching, never judging: whoever takes a file out has it hashed and judged again, from the stored evidence. So a poisoned or shared cache
can waste time and never let anything in. Only an :class:`~pip_warden.verdict.model.Accepted` opens it.

A path in it may lead to other bytes the next time, whoever else runs as the same user. So it is opened once: the file is copied into the run's
private directory, hashed on the way, and that copy is inspected, judged and handed over.

::

    v1/ab/abcdef…/NAME-VERSION….whl     the bytes; the directory's name is their SHA-256
    v1/ab/abcdef…/evidence.json         what spoke for them
    v1/ab/.draft-…/                     being written; renamed when whole
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, copied, digest_of_stream
from pip_warden.disk import cannot_store, is_full, open_new
from pip_warden.errors import BugError, RefusedError, UsageError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.model import Evidence, Form, Item
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.strict_json import JSONValue, StrictJSONError, loads_object
from pip_warden.verdict.model import Accepted

_LAYOUT = "v1"
_EVIDENCE = "evidence.json"
_DRAFT = ".draft-"
_LARGEST_EVIDENCE = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """An accepted file.

    Attributes:
        name: Its name.
        digest: The digest that was judged.
        size: Bytes.
        path: The run's own copy, which was judged; see :func:`hand_over`.
        metadata: The bytes of its METADATA or PKG-INFO, read from that copy.
        requires_python: ``Requires-Python`` of the same.
    """

    name: ArtifactName
    digest: Digest
    size: int
    path: Path
    metadata: bytes
    requires_python: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A file found in the vault with its evidence. Nothing is proved by its being there: judge it."""

    artifact: Artifact
    evidence: Evidence


class Vault:
    """A content-addressed store. Safe to use from several threads and processes.

    Args:
        root: The cache directory; made when first needed.

    Raises:
        UsageError: ``cache-directory``: it is a link, or belongs to somebody else, or others may write to it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / _LAYOUT
        _check_own(root)
        _check_own(self._root)

    def seal(self, accepted: Accepted, *, evidence: Evidence) -> Sealed:
        """Keep an accepted file and the evidence that spoke for it.

        Whatever else lies in its place, a corrupt copy for instance, is replaced.

        Raises:
            RefusedError: ``changed-after-verdict``: the bytes are no longer those that were judged.
            UsageError: ``cache-directory``: the cache cannot be written.
            UndecidedError: ``cannot-store``: there is no room.
        """
        sealed = sealed_as(accepted)
        artifact, kept = accepted.artifact, _evidence_json(evidence)
        path = self._place(artifact.digest) / artifact.name.filename
        try:
            if not _holds(path, artifact.digest):
                self._store(artifact, kept, path.parent)
            elif evidence and _read_bytes(path.parent / _EVIDENCE) != kept:
                self._replace_evidence(path.parent, kept)
        except OSError as err:
            if is_full(err):
                raise cannot_store(f"to the cache {self._root.parent}", err) from err
            raise UsageError(
                "cache-directory",
                f"expected to write to the cache {self._root.parent}, found: {err.strerror or err}",
                hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
            ) from err
        return sealed

    def find(self, digest: Digest, name: ArtifactName, directory: Path) -> Stored | None:
        """Copy a stored file into a directory that only this run can enter, hash it on the way, and inspect the copy; None where there is none.

        One with other bytes than its place says is none, and stays for :meth:`seal` to replace: who looks must never remove what another process
        has just put there.
        """
        path, copy = self._place(digest) / name.filename, directory / name.filename
        try:
            found, size = _copy(path, copy)
            if not found.matches(digest):
                copy.unlink()
                return None
            contents = inspect(copy, name)
        except OSError:
            return None
        artifact = Artifact(name=name, path=copy, digest=digest, size=size, contents=contents)
        return Stored(artifact=artifact, evidence=self.evidence(digest))

    def evidence(self, digest: Digest) -> Evidence:
        """Return what spoke for a stored file; nothing where there is none, or it cannot be read."""
        return _read_evidence(self._place(digest) / _EVIDENCE)

    def entry(self, wanted: Hashedrekord) -> LogEntry | None:
        """Return the log entry that completed a detached signature before, for a run without a network; None where there is none.

        As everything here it is only remembered: whoever uses it has the completed bundle judged again.
        """
        for item in self.evidence(wanted.digest):
            if isinstance(item, Item) and item.form is Form.DETACHED:
                wire = item.wire
                if wire.signature == wanted.signature and pem_of(wire.certificate) == wanted.pem:
                    return wire.entry
        return None

    def names(self, project: ProjectName) -> Iterator[tuple[ArtifactName, Digest]]:
        """Yield what is stored of a project, for a run without a network."""
        for path in sorted(self._root.glob("*/*/*")):
            with suppress(UsageError):
                name, digest = parse_artifact_name(path.name), Digest(path.parent.name)
                if name.project == project:
                    yield name, digest

    def size(self) -> int:
        """Return how many bytes the vault takes."""
        total = 0
        for path in self._root.rglob("*"):
            with suppress(OSError):
                status = path.lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        return total

    def clear(self) -> int:
        """Throw everything away and return how many bytes that was.

        A run that is under way loses nothing but time: what it needs again, it fetches again.

        Raises:
            UsageError: ``cache-directory``: something in it cannot be removed.
        """
        freed = self.size()
        try:
            if self._root.exists():
                # Renamed first, so that another process sees all of it or nothing.
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

    def _store(self, artifact: Artifact, evidence: bytes, place: Path) -> None:
        """Write beside the place, then rename: a file is there whole or not at all."""
        with _draft(place.parent) as draft:
            copy_checked(artifact.path, draft / artifact.name.filename, artifact.digest)
            (draft / artifact.name.filename).chmod(0o400)
            _write(draft / _EVIDENCE, evidence)
            with suppress(OSError):
                place.unlink()  # a file or a link in its place; a directory stays, somebody may just have made it
            try:
                draft.rename(place)
            except OSError:
                # The place is taken, by another process, another name or a corrupt copy: each file replaces its like.
                place.mkdir(mode=0o700, exist_ok=True)
                for file in list(draft.iterdir()):
                    _put(file, place / file.name)

    @staticmethod
    def _replace_evidence(place: Path, evidence: bytes) -> None:
        """Keep the evidence that was good this time: what is there may have been found bad."""
        with _draft(place.parent) as draft:
            _write(draft / _EVIDENCE, evidence)
            _put(draft / _EVIDENCE, place / _EVIDENCE)


def sealed_as(accepted: Accepted) -> Sealed:
    """Make what is handed over of a file that was accepted."""
    if not isinstance(accepted, Accepted):
        raise BugError("bug", f"the vault opens for an Accepted, not for {type(accepted).__name__}")
    artifact, contents = accepted.artifact, accepted.artifact.contents
    if not isinstance(contents, Contents):
        raise BugError("bug", "a malformed archive was accepted")
    return Sealed(
        name=artifact.name,
        digest=artifact.digest,
        size=artifact.size,
        path=artifact.path,
        metadata=contents.metadata,
        requires_python=contents.requires_python,
    )


def hand_over(sealed: Sealed, directory: Path) -> Path:
    """Put an accepted file into a directory, hashed once more (T32).

    It is the run's own copy under another name, or a copy of that where the directory cannot have a link to it; never the vault's bytes.

    Args:
        sealed: The file.
        directory: A directory that only this run can enter.

    Raises:
        RefusedError: ``changed-after-verdict``: the bytes are no longer those that were judged, or are gone.
        UsageError: ``cache-directory``: the copy cannot be written.
        UndecidedError: ``cannot-store``: there is no room.
    """
    target = directory / sealed.name.filename
    try:
        if not _linked(sealed.path, target):
            copy_checked(sealed.path, target, sealed.digest)
        elif not _holds(target, sealed.digest):
            target.unlink()
            raise _changed(sealed.name.filename, sealed.digest, "other bytes")
    except FileNotFoundError as err:
        raise _changed(sealed.name.filename, sealed.digest, "nothing") from err
    except OSError as err:
        if is_full(err):
            raise cannot_store(target, err) from err
        raise UsageError(
            "cache-directory", f"expected to copy {sealed.path} to {target}, found: {err.strerror or err}"
        ) from err
    return target


def _linked(source: Path, target: Path) -> bool:
    """Give a file another name; False where it cannot have one there: on another file system, for instance, or one without links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True


def copy_checked(source: Path, target: Path, digest: Digest) -> None:
    """Copy a file that must have a digest, and leave nothing where it has not.

    Raises:
        RefusedError: ``changed-after-verdict``.
        OSError: It cannot be read, or the copy cannot be written.
    """
    found, _ = _copy(source, target)
    if not found.matches(digest):
        target.unlink()
        raise _changed(source.name, digest, f"SHA-256 {found}")


def _copy(source: Path, target: Path) -> tuple[Digest, int]:
    """Copy a regular file to where nothing was; return the SHA-256 and the size of what was copied.

    Raises:
        OSError: It cannot be read, or the copy cannot be written.
    """
    with _open_regular(source) as stream, os.fdopen(open_new(target, 0o600), "wb") as copy:
        return copied(stream, copy)


def _changed(name: str, digest: Digest, found: str) -> RefusedError:
    return RefusedError(
        "changed-after-verdict",
        f"expected {name} with SHA-256 {digest} as it was judged, found {found}",
        hint="Something else writes to the cache or to the run's private directory.",
    )


def _check_own(root: Path) -> None:
    """Check that a directory, where it exists, is the user's own: a directory, not a link, that others cannot write to.

    Mode bits alone are mended: GitLab Runner works with umask 0000, so they were nobody's decision there.
    """
    try:
        status = root.lstat()
        mine = stat.S_ISDIR(status.st_mode) and status.st_uid in {os.geteuid(), 0}
        if mine and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            root.chmod(status.st_mode & 0o755)
    except FileNotFoundError:
        return
    except OSError as err:
        raise UsageError(
            "cache-directory", f"expected a cache directory {root}, found: {err.strerror or err}"
        ) from err
    if not mine:
        raise UsageError(
            "cache-directory",
            f"expected a directory of yours in {root}, found a link, a file, or somebody else's",
            hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
        )


def _open_regular(path: Path) -> BinaryIO:
    """Open a regular file itself, no link to one.

    Raises:
        OSError: It is not there, or is something else.
    """
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise FileNotFoundError(0, "no regular file", str(path))
    return stream


def _holds(path: Path, digest: Digest) -> bool:
    """Tell whether a file has these bytes."""
    try:
        with _open_regular(path) as stream:
            return digest_of_stream(stream).matches(digest)
    except OSError:
        return False


def _put(file: Path, target: Path) -> None:
    """Move a file to its place, atomically where a file or nothing is there."""
    with suppress(OSError):
        shutil.rmtree(target)  # a directory only: this fails for anything else, and leaves it
    file.replace(target)


@contextmanager
def _draft(beside: Path) -> Iterator[Path]:
    for directory in (
        beside.parent.parent,
        beside.parent,
        beside,
    ):  # parents made on the way get the umask's mode
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=beside))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o400)


def _read_bytes(path: Path) -> bytes:
    """Read a small file; whatever is wrong with it makes it empty."""
    try:
        with _open_regular(path) as stream:
            return stream.read(_LARGEST_EVIDENCE + 1)
    except OSError:
        return b""


def _evidence_json(evidence: Evidence) -> bytes:
    """Keep what can speak for the file again; a bad item cannot."""
    items: list[JSONValue] = [
        {
            "label": item.label,
            "form": item.form.value,
            "bundle": base64.b64encode(item.wire.to_json()).decode("ascii"),
        }
        for item in evidence
        if isinstance(item, Item)
    ]
    return json.dumps({"items": items}).encode()


def _read_evidence(path: Path) -> Evidence:
    """Read stored evidence as strictly as fetched; whatever is wrong with it makes it absent, and the file is then fetched anew."""
    try:
        items = loads_object(_read_bytes(path), max_bytes=_LARGEST_EVIDENCE).get("items")
    except StrictJSONError:
        return ()
    if not isinstance(items, list):
        return ()
    found = [_read_item(item) for item in items]
    return tuple(item for item in found if item is not None) if None not in found else ()


def _read_item(item: JSONValue) -> Item | None:
    if not isinstance(item, dict) or item.keys() != {"label", "form", "bundle"}:
        return None
    label, form, bundle = item["label"], item["form"], item["bundle"]
    if not (isinstance(label, str) and isinstance(form, str) and isinstance(bundle, str)):
        return None
    try:
        read = read_bundle(label, base64.b64decode(bundle, validate=True), Form(form))
    except ValueError:
        return None
    return read if isinstance(read, Item) else None
