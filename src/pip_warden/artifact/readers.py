"""Compares the strict readers' results with those of the readers that installers use (design decision D14).

The strict readers decide what is allowed. These ensure that an installer reads the same: every difference,
and every exception that one of them raises, is ``archive-ambiguous``.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pip_warden.artifact.problem import problem
from pip_warden.artifact.zipfile_strict import ZipMember
from pip_warden.faults import FaultError

if TYPE_CHECKING:
    from pip_warden.artifact.tarfile_strict import TarMember

_SHOWN = 200
_LONGEST_WAIT = 300.0
"""Seconds for another interpreter to list an archive; the largest takes it some seconds."""


def check_tar(skeleton: BinaryIO, members: Sequence[TarMember]) -> None:
    """Compare with what this interpreter's ``tarfile`` lists.

    Args:
        skeleton: The archive with holes in place of the members' contents.
        members: What the strict reader read.

    Raises:
        FaultError: ``archive-ambiguous``.
    """
    from pip_warden.artifact import tarfile_listing  # needed for sdists alone

    skeleton.seek(0)
    reader = f"tarfile of Python {platform.python_version()}"
    with _strangers(reader):
        _compare(reader, map(_tar_row, members), tarfile_listing.list_members(skeleton))


def check_tar_elsewhere(interpreter: Path, skeleton: BinaryIO, members: Sequence[TarMember]) -> None:
    """Compare with what another interpreter's ``tarfile`` lists, which imports its standard library alone.

    Args:
        interpreter: The Python that pip will run in.
        skeleton: As for :func:`check_tar`; a real file.
        members: What the strict reader read.

    Raises:
        FaultError: ``archive-ambiguous``.
        OSError: The interpreter cannot be run.
        subprocess.TimeoutExpired: It does not end in time.
    """
    from pip_warden.artifact import tarfile_listing

    os.lseek(skeleton.fileno(), 0, os.SEEK_SET)
    ran = subprocess.run(  # noqa: S603 -- the interpreter that the user installs into
        [str(interpreter), "-I", "-S", tarfile_listing.__file__],
        stdin=skeleton,
        capture_output=True,
        check=False,
        timeout=_LONGEST_WAIT,
        env={},
    )
    reader = f"tarfile of {interpreter}"
    with _strangers(reader):
        if ran.returncode:
            raise ValueError(ran.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        _compare(reader, map(_tar_row, members), map(json.loads, ran.stdout.splitlines()))


def _tar_row(member: TarMember) -> list[str | int]:
    return [member.name, member.kind.decode("latin-1"), member.size, member.begins, member.link]


def check_zip(stream: BinaryIO, members: Iterable[ZipMember]) -> None:
    """Compare with what this interpreter's ``zipfile`` lists.

    The offset of a member's content follows from its local header's offset: the header's lengths were
    compared with the central directory's.

    Args:
        stream: The archive.
        members: What the strict reader read, in the order of the file.

    Raises:
        FaultError: ``archive-ambiguous``.
    """
    reader = f"zipfile of Python {platform.python_version()}"
    ours = ([m.name, m.is_directory, m.size, m.packed, m.method, m.crc, m.offset] for m in members)
    with _strangers(reader), zipfile.ZipFile(stream) as archive:
        listed = sorted(archive.infolist(), key=lambda info: info.header_offset)
        _compare(
            reader,
            ours,
            (
                [
                    i.filename,
                    i.is_dir(),
                    i.file_size,
                    i.compress_size,
                    i.compress_type,
                    i.CRC,
                    i.header_offset,
                ]
                for i in listed
            ),
        )


class _Described(importlib.metadata.Distribution):
    """A wheel's ``.dist-info`` as ``importlib.metadata`` reads it before installation, as pip does."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read

    def read_text(self, filename: str) -> str | None:
        """Return a file of the directory."""
        raw = self._read(filename)
        return None if raw is None else raw.decode("utf-8")

    def locate_file(self, path: object) -> Path:
        """Not used: nothing is installed yet."""
        raise NotImplementedError(path)


def check_metadata(
    read: Callable[[str], bytes | None],
    *,
    stated: dict[str, tuple[str, ...]],
    entry_points: Iterable[tuple[str, str, str]],
) -> None:
    """Compare with what this interpreter's ``importlib.metadata`` reads of a wheel.

    Args:
        read: Returns the content of a file in the ``.dist-info`` directory, None where there is none.
        stated: The values that the strict reader read, by header.
        entry_points: Group, name and value of each entry point that the strict reader read.

    Raises:
        FaultError: ``archive-ambiguous``.
    """
    reader = f"importlib.metadata of Python {platform.python_version()}"
    with _strangers(reader):
        described = _Described(read)
        headers = described.metadata  # parsed anew whenever it is asked for
        for header, values in stated.items():
            theirs = [str(value).strip() for value in headers.get_all(header) or []]
            _compare(reader, ([header, value] for value in values), ([header, value] for value in theirs))
        requires = [["Requires-Dist", value] for value in stated.get("Requires-Dist", ())]
        _compare(reader, requires, (["Requires-Dist", value.strip()] for value in described.requires or []))
        _compare(
            reader,
            (list(point) for point in sorted(entry_points)),
            (list(point) for point in sorted((p.group, p.name, p.value) for p in described.entry_points)),
        )


def _compare(reader: str, ours: Iterable[Sequence[object]], theirs: Iterable[Sequence[object]]) -> None:
    """Check that both list exactly the same, in the same order."""
    for our, their in zip_longest(ours, theirs):
        if our is None or their is None or list(our) != list(their):
            raise _ambiguous(
                f"that every reader finds {_listed(our)}", f"{reader} finds {_listed(their)} there"
            )


def _listed(row: Sequence[object] | None) -> str:
    return "nothing" if row is None else repr(list(row))[:_SHOWN]


@contextmanager
def _strangers(reader: str) -> Iterator[None]:
    """Convert every exception of an installer's reader, documented or not, into a difference."""
    try:
        yield
    except (FaultError, OSError):
        raise
    except Exception as err:
        raise _ambiguous(
            "what every reader can read", f"{reader} stops: {type(err).__name__}: {err}"[:_SHOWN]
        ) from err


def _ambiguous(expected: str, found: str) -> FaultError:
    return problem(
        "archive-ambiguous",
        expected,
        found,
        hint="An installer would see another file than the one that was judged. "
        "Do not use it; tell the publisher.",
    )
