"""What a project asks for where nothing is locked: its requirements files, or its static dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.first_use.sync.project import FILE, Choice, dependencies_of
from pip_warden.installer.requirements import gather, release_of
from pip_warden.installer.wanted import NamedRequirement, Wanted
from pip_warden.locks.read import find_locks

NO_CHOICE = Choice()


def unlocked(
    requirements: Sequence[Path],
    directory: Path | None,
    source_urls: Iterable[str],
    choice: Choice = NO_CHOICE,
) -> Wanted | None:
    """Return what is asked for without a lock; None where every line says its version, or there is a lock.

    Args:
        requirements: Requirements files.
        directory: Where a lock and ``pyproject.toml`` are looked for if no file is named.
        source_urls: URLs of the trust file's sources, which a requirements file may name.
        choice: What of the directory's project is wanted beside its dependencies.

    Raises:
        UsageError: A file cannot be read; ``version-needed``: some lines have hashes, and others no version;
            ``usage``: there is no project of which something was chosen; as
            :func:`~pip_warden.first_use.sync.project.dependencies_of`.
    """
    if requirements:
        _check_no_choice(choice, "requirements files")
        wanted = gather(files=[str(path) for path in requirements], source_urls=source_urls)
        open_ = [named for named in wanted.named if not _is_pinned(named)]
        if open_:
            _check_no_hashes(wanted, open_[0])
        return wanted if open_ else None
    place = directory or Path()
    locks = find_locks(place)
    if locks or not (place / FILE).exists():
        _check_no_choice(choice, f"{locks[0].name}, which says what is needed" if locks else f"no {FILE}")
        return None
    return gather(positional=dependencies_of(place, choice), where=FILE)


def _check_no_choice(choice: Choice, found: str) -> None:
    if choice != NO_CHOICE:
        raise UsageError("usage", f"expected --extra and --group of a project without a lock, found {found}")


def _check_no_hashes(wanted: Wanted, unpinned: NamedRequirement) -> None:
    """Check that no line demands bytes: with hashes, pip fetches files, and wants them of every line."""
    if "--require-hashes" in wanted.options or any(named.hashes for named in wanted.named):
        raise UsageError(
            "version-needed",
            "expected name==version in every line, since there are hashes, found "
            f"{escape_text(unpinned.requirement, 200)}",
            hint="Requirements with hashes are a lock. Write the versions and hashes of the other lines too, "
            "or name the files in runs of their own.",
        )


def _is_pinned(named: NamedRequirement) -> bool:
    try:
        release_of(named)
    except UsageError:
        return False
    return True
