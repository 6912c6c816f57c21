"""The vault: accepted files with the evidence that spoke for them, by content (design decision D6).

It saves fetching, never judging: whoever takes a file out has it hashed and judged again, from the stored evidence. So a poisoned or shared cache
can waste time and never let anything in. Only an :class:`~pip_warden.verdict.model.Accepted` opens it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, Hasher, digest_of_file
from pip_warden.errors import BugError, UsageError
from pip_warden.evidence.model import BadItem, Evidence, Form, Item
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.strict_json import JSONValue, StrictJSONError, loads_object
from pip_warden.verdict.model import Accepted

_LAYOUT = "v1"
_EVIDENCE = "evidence.json"
_LARGEST_EVIDENCE = 64 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """An accepted file in the vault.

    Attributes:
        name: Its name.
        digest: The digest that was judged.
        size: Bytes.
        path: Where it lies; read-only, and not to be handed out: see :meth:`Vault.hand_over`.
        metadata: The bytes of its METADATA or PKG-INFO.
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
        UsageError: ``cache-directory``: it is a link, or belongs to somebody else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / _LAYOUT
        _check_own(root)

    def seal(self, accepted: Accepted, *, evidence: Evidence) -> Sealed:
        """Keep an accepted file and the evidence that spoke for it.

        Raises:
            BugError: The bytes are no longer those that were judged.
            UsageError: ``cache-directory``: the cache cannot be written.
        """
        artifact = accepted.artifact
        place = self._place(artifact.digest)
        if not (place / artifact.name.filename).exists():
            self._store(artifact, evidence, place)
        return _sealed(artifact, place / artifact.name.filename)

    def find(self, digest: Digest, name: ArtifactName) -> Stored | None:
        """Return a stored file, hashed and inspected anew; None where there is none, or not with these bytes."""
        path = self._place(digest) / name.filename
        try:
            if not stat.S_ISREG(path.lstat().st_mode) or not digest_of_file(path).matches(digest):
                return None
            contents = inspect(path, name)
            evidence = _read_evidence(path.parent / _EVIDENCE)
            size = path.stat().st_size
        except OSError:
            return None
        artifact = Artifact(name=name, path=path, digest=digest, size=size, contents=contents)
        return Stored(artifact=artifact, evidence=evidence)

    def names(self, project: ProjectName) -> Iterator[tuple[ArtifactName, Digest]]:
        """Yield what is stored of a project, for a run without a network."""
        for path in sorted(self._root.glob("*/*/*")):
            with suppress(UsageError):
                name = parse_artifact_name(path.name)
                if name.project == project:
                    yield name, Digest(path.parent.name)

    def _place(self, digest: Digest) -> Path:
        return self._root / digest.hex[:2] / digest.hex

    def _store(self, artifact: Artifact, evidence: Evidence, place: Path) -> None:
        """Write beside the place, then rename: a file is there whole or not at all."""
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
            try:
                copy_checked(artifact.path, draft / artifact.name.filename, artifact.digest)
                (draft / _EVIDENCE).write_text(json.dumps(_evidence_json(evidence)), encoding="utf-8")
                self._move_in(draft, place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as err:
            raise UsageError(
                "cache-directory",
                f"expected to write to the cache {self._root.parent}, found {err.strerror or err}",
                hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
            ) from err

    @staticmethod
    def _move_in(draft: Path, place: Path) -> None:
        try:
            draft.rename(place)
        except OSError:
            # The same content is there, under this name or another: each file of the draft joins it.
            for file in draft.iterdir():
                file.replace(place / file.name)


def hand_over(sealed: Sealed, directory: Path) -> Path:
    """Copy a sealed file into a directory, hashing the copy; the vault's own bytes are never handed out (T32).

    Raises:
        BugError: The bytes are no longer those that were judged.
    """
    target = directory / sealed.name.filename
    copy_checked(sealed.path, target, sealed.digest)
    return target


def copy_checked(source: Path, target: Path, digest: Digest) -> None:
    """Copy a file that must have a digest, and leave nothing where it has not.

    Raises:
        BugError: ``changed-after-verdict``.
    """
    hasher = Hasher()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with source.open("rb") as stream, os.fdopen(descriptor, "wb") as copy:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            hasher.update(chunk)
            copy.write(chunk)
    if not hasher.digest().matches(digest):
        target.unlink()
        raise BugError(
            "changed-after-verdict",
            f"expected {source.name} with SHA-256 {digest} as it was judged, found other bytes",
            hint="Something else writes to the cache or to the run's private directory.",
        )


def _sealed(artifact: Artifact, path: Path) -> Sealed:
    contents = artifact.contents
    if not isinstance(contents, Contents):
        raise BugError("bug", "a malformed archive was accepted")
    return Sealed(
        name=artifact.name,
        digest=artifact.digest,
        size=artifact.size,
        path=path,
        metadata=contents.metadata,
        requires_python=contents.requires_python,
    )


def _check_own(root: Path) -> None:
    try:
        status = root.lstat()
    except FileNotFoundError:
        return
    except OSError as err:
        raise UsageError(
            "cache-directory", f"expected a cache directory {root}, found {err.strerror}"
        ) from err
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.getuid(), 0}:
        raise UsageError(
            "cache-directory",
            f"expected a directory of yours in {root}, found a link, a file, or somebody else's",
            hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
        )


def _evidence_json(evidence: Evidence) -> JSONValue:
    """Keep what can speak for the file again; a bad item cannot."""
    items: list[JSONValue] = [
        {
            "label": item.label,
            "form": item.form.value,
            "bundle": base64.b64encode(item.bundle).decode("ascii"),
            "is_dsse": item.is_dsse,
        }
        for item in evidence
        if not isinstance(item, BadItem)
    ]
    return {"items": items}


def _read_evidence(path: Path) -> Evidence:
    """Read stored evidence; whatever is wrong with it makes it absent, and the file is then fetched anew."""
    try:
        items = loads_object(path.read_bytes(), max_bytes=_LARGEST_EVIDENCE).get("items")
    except (OSError, StrictJSONError):
        return ()
    if not isinstance(items, list):
        return ()
    found = []
    for item in items:
        if not isinstance(item, dict):
            return ()
        label, form, bundle, is_dsse = (item.get(key) for key in ("label", "form", "bundle", "is_dsse"))
        if not (isinstance(label, str) and isinstance(bundle, str) and isinstance(is_dsse, bool)):
            return ()
        with suppress(ValueError):
            raw = base64.b64decode(bundle, validate=True)
            found.append(Item(label=label, form=Form(str(form)), bundle=raw, is_dsse=is_dsse))
    return tuple(found)
