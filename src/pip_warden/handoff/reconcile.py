"""After the run: everything pip took was accepted in this run, or is the user's own directory.

What metadata made while building refers to cannot be prevented, only found (design decision D2).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pip_warden.digests import digest_of_file
from pip_warden.errors import RefusedError
from pip_warden.handoff.pip import Installed


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
        if _directory(item.directory) not in local and (not item.sha256 or item.sha256 not in accepted):
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


def _directory(url: str) -> Path | None:
    """Return the directory that a ``file:`` URL means, None for everything else."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        return None
    return Path(unquote(parts.path)).resolve()


def _past_the_gate(what: str) -> RefusedError:
    return RefusedError(
        "not-through-gate",
        f"expected only files that were accepted in this run, found {what}",
        hint="Some metadata referred to a local file or URL. It was installed without a verdict: remove it, and find out which package asked for it.",
    )
