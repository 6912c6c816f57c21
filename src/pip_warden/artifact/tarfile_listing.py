"""What CPython's ``tarfile`` lists of an archive, as pip opens it.

Also run as a script by the interpreter that pip will run in, where that is of another version: so it imports
nothing of pip-warden, and reads the archive from standard input.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Iterator
from typing import IO


def list_members(stream: IO[bytes]) -> Iterator[list[str | int]]:
    """Yield name, type, size, offset of the content and link target of every member.

    Args:
        stream: The archive, uncompressed and seekable; a member's content may be a hole.

    Raises:
        tarfile.TarError: It cannot be read; ``tarfile`` may raise other exceptions too.
    """
    with tarfile.open(fileobj=stream, mode="r:", encoding="utf-8") as archive:
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # else all of them stay in memory
            kind = "0" if member.type == tarfile.AREGTYPE else member.type.decode("latin-1")
            yield [member.name, kind, member.size, member.offset_data, member.linkname]


if __name__ == "__main__":
    for row in list_members(sys.stdin.buffer):
        sys.stdout.write(json.dumps(row) + "\n")
