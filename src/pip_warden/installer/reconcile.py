"""The second check: everything pip took was accepted in this run, or is the user's own directory.

The first is that pip asks before it opens a link (``guarded_pip.py``). This one is made before anything is
installed: see :func:`reconcile_plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden.digests import Digest, digest_of_file
from pip_warden.errors import RefusedError
from pip_warden.installer.installed import Installed
from pip_warden.installer.local import path_from_url
from pip_warden.installer.model import PlannedInstall


def reconcile_plan(
    plan: Iterable[PlannedInstall],
    items: Iterable[Installed],
    accepted: frozenset[str],
    local: frozenset[Path],
) -> int:
    """Compare what pip is about to install with its report, and both with what was accepted.

    A wheel that was not built here is read once more: exactly the bytes that will be installed were accepted.

    Args:
        plan: What pip is about to install.
        items: Its report.
        accepted: SHA-256 of every file accepted in this run.
        local: The user's own project directories.

    Returns:
        Bytes of the wheels that were read once more.

    Raises:
        RefusedError: ``not-through-gate``.
    """
    plan, items = tuple(plan), tuple(items)
    reconcile_report(items, accepted, local)
    if differing := sorted(
        {_release(entry.name, entry.version) for entry in plan}
        ^ {_release(item.name, item.version) for item in items}
    ):
        raise _past_the_gate(" ".join(differing[0]))
    for entry in plan:
        if _is_wheel(entry.source) and not _is_accepted(entry.wheel, accepted):
            raise _past_the_gate(f"{entry.name} {entry.version}")
    return sum(_size(entry.wheel) for entry in plan if _is_wheel(entry.source))


def reconcile_report(items: Iterable[Installed], accepted: frozenset[str], local: frozenset[Path]) -> None:
    """Compare pip's report with what was accepted.

    Args:
        items: What pip installed or would install.
        accepted: SHA-256 of every file accepted in this run.
        local: The user's own project directories.

    Raises:
        RefusedError: ``not-through-gate``.
    """
    for item in items:
        if path_from_url(item.directory) not in local and (not item.sha256 or item.sha256 not in accepted):
            raise _past_the_gate(f"{item.name} {item.version}")


def reconcile_directory(directory: Path, accepted: frozenset[str]) -> tuple[Path, ...]:
    """Check that each file of a download directory was accepted, and return them.

    Raises:
        RefusedError: ``not-through-gate``.
    """
    files = tuple(sorted(directory.iterdir()))
    for file in files:
        if file.is_symlink() or not file.is_file() or digest_of_file(file).hex not in accepted:
            raise _past_the_gate(file.name)
    return files


def _release(name: str, version: str) -> tuple[str, str]:
    return str(canonicalize_name(name)), version


def _is_wheel(url: str) -> bool:
    return url.partition("#")[0].endswith(".whl")


def _is_accepted(file: Path, accepted: frozenset[str]) -> bool:
    try:
        return digest_of_file(file).hex in accepted
    except OSError:
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it was there a moment ago; a figure is no reason to fail
        return 0


def accepted_under_its_name(file: Path, accepted: Mapping[str, str]) -> Digest:
    """Return the digest that was accepted for a downloaded file.

    Args:
        file: The file.
        accepted: SHA-256 of every file accepted in this run, by its name.

    Raises:
        RefusedError: ``not-through-gate``: no file of this name was accepted.
    """
    if file.name not in accepted:
        raise _past_the_gate(file.name)
    return Digest(accepted[file.name])


def _past_the_gate(what: str) -> RefusedError:
    return RefusedError(
        "not-through-gate",
        f"expected only files that were accepted in this run, found {what}",
        hint="It was not installed. Find out which package asked for it, and why.",
    )
