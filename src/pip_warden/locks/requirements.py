"""Reads a requirements file in which every line is ``NAME==VERSION`` as a lock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from pip_warden.display import near
from pip_warden.errors import UsageError
from pip_warden.installer.requirements import gather, release_of
from pip_warden.installer.wanted import LocalFile, LocalProject, NamedRequirement
from pip_warden.locks.assemble import assemble
from pip_warden.locks.files import digests_of
from pip_warden.locks.model import (
    Conditions,
    DirectReference,
    Lacking,
    Lock,
    LockedRelease,
    LockFormat,
    ReferenceKind,
)
from pip_warden.names import parse_artifact_name


def read_requirements(path: Path, *, source_urls: Iterable[str] = ()) -> Lock:
    """Read a requirements file, and those that it includes; constraints name nothing that is wanted.

    Args:
        path: The file.
        source_urls: As for :func:`pip_warden.installer.requirements.gather`.

    Raises:
        UsageError: As for ``gather``; ``version-needed``: a line has no exact version; ``bad-lock-file``: a
            digest is malformed; ``lock-contradiction``: one release has other digests elsewhere.
    """
    wanted = gather(files=[str(path)], source_urls=source_urls)
    return assemble(
        path,
        LockFormat.REQUIREMENTS,
        [
            *map(_release, wanted.named),
            *map(_file, wanted.files),
            *map(_directory, wanted.projects),
        ],
    )


def _release(named: NamedRequirement) -> LockedRelease:
    where = _where(named.origin)
    try:
        release = release_of(named)
    except UsageError as err:
        raise UsageError(err.code, f"{err.message} in {where}", hint=err.hint) from err
    digests = digests_of(named.hashes, where)
    others = sorted({text.partition(":")[0] for text in named.hashes})
    why = f"no SHA-256, only {', '.join(others)}" if others else "no hash"
    return LockedRelease(
        project=release.project,
        version=release.version,
        where=where,
        digests=digests,
        lacking=() if digests else (Lacking(filename="", why=why),),
        conditions=Conditions(
            markers=(str(named.marker),) if named.marker is not None else (),
            extras=tuple(sorted(Requirement(named.requirement).extras)),
        ),
    )


def _file(wish: LocalFile) -> DirectReference:
    try:
        name = parse_artifact_name(wish.path.name)
    except UsageError:
        name = None
    return DirectReference(
        kind=ReferenceKind.FILE,
        location=near(wish.path),
        where=_where(wish.origin),
        project=name.project if name else None,
        version=name.version if name else None,
        conditions=_asked(wish.extras),
    )


def _directory(wish: LocalProject) -> DirectReference:
    return DirectReference(
        kind=ReferenceKind.DIRECTORY,
        location=near(wish.path),
        where=_where(wish.origin),
        is_editable=wish.editable,
        conditions=_asked(wish.extras),
    )


def _asked(extras: str) -> Conditions:
    return Conditions(extras=tuple(filter(None, (extra.strip() for extra in extras.strip("[]").split(",")))))


def _where(origin: str) -> str:
    return origin.removeprefix("-r ")
