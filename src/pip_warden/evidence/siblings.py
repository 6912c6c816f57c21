"""Evidence in a local file's directory."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

from pip_warden.disk import open_regular
from pip_warden.errors import UsageError


class Siblings:
    """The directory of a local file, as an evidence store."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        """Return the content of a file, None where there is none.

        Raises:
            UsageError: ``unreadable-evidence``: it exists and cannot be read, or is no regular file.
        """
        try:
            with open_regular(self._directory / name, follow=True) as stream:
                return stream.read(max_bytes + 1)
        except OSError as err:
            if err.errno == errno.ENOENT:
                return None
            raise UsageError(
                "unreadable-evidence", f"expected to read {self._directory / name}, found: {err.strerror}"
            ) from err

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002
        """Yield nothing: a directory has one file of a name."""
        return iter(())

    def names(self, prefix: str) -> Sequence[str] | None:
        """Return the names of the files with a prefix; one that cannot be shown is skipped."""
        try:
            names = [path.name for path in self._directory.iterdir()]
            return sorted(name for name in names if name.startswith(prefix) and name.isprintable())
        except OSError:
            return None
