"""Files that a user names for what is told in the end: checked before pip runs, written whole or not at all.

pip's own installation report (``--report``) is one.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pip_warden.disk import draft_beside
from pip_warden.errors import DeliveryError, UsageError

_MOST_LINKS = 40
"""As many as Linux follows."""

_OUTPUTS = (1, 2)
"""Descriptors of standard output and standard error."""


def check_report_file(path: Path) -> None:
    """Check, before anything is installed, that the file can be written.

    Raises:
        UsageError: ``report-file``.
    """
    found = fault_of(path)
    if found is not None:
        raise UsageError(
            "report-file",
            f"expected a file that can be written after --report, {path}, found: {found}",
            hint="It is looked at before anything is installed. Standard output "
            "carries our own result: `--format json`.",
        )


def write_report_file(source: Path, path: Path) -> None:
    """Write the report; an existing file is replaced as a whole.

    Raises:
        DeliveryError: ``report-not-written``.
    """
    try:
        with source.open("rb") as report:
            put_whole(report, path)
    except OSError as err:
        raise DeliveryError(
            "report-not-written",
            f"expected to write pip's report to {path}, found: {err.strerror or type(err).__name__}",
            hint="What was installed is installed; `--format json` says what spoke for each file.",
        ) from err


def fault_of(path: Path) -> str | None:
    """Return what is wrong with a file that is to be written, None where nothing is."""
    try:
        place = _place(path)
        if _is_device(place):
            return None
        if str(path) == "-":
            return "the sign for standard output"
        if os.path.lexists(place) and not place.is_file():
            return "something that is no file"
        if _is_our_output(place):
            return "the file that standard output or standard error goes to"
        with draft_beside(place, BytesIO()):
            return None
    except OSError as err:
        return err.strerror or type(err).__name__


def put_whole(content: BinaryIO, path: Path) -> None:
    """Write a file, or to a device; an existing file is replaced as a whole.

    Raises:
        OSError: It cannot be written; what was there before is unchanged.
    """
    place = _place(path)
    if _is_device(place):
        with place.open("wb") as device:
            shutil.copyfileobj(content, device)
    else:
        with draft_beside(place, content) as put:
            put()


def _place(path: Path) -> Path:
    """Follow the user's own links: the file that they lead to is replaced.

    Another user's link, in ``/tmp`` for instance, is not followed. Linux prevents opening one
    (``protected_symlinks``), but not reading where it leads.

    Raises:
        OSError: One on the way is another user's, or cannot be read.
    """
    for link in _links(path):
        if link.lstat().st_uid not in {os.geteuid(), 0}:
            raise PermissionError(errno.EACCES, "a link of another user", str(link))
    return Path(os.path.realpath(path))


def _links(path: Path) -> Iterator[Path]:
    """Yield every link that a path leads through; of links in a circle the first few."""
    here, rest, left = Path("/"), list(path.absolute().parts[1:]), _MOST_LINKS
    while rest and left:
        part = rest.pop(0)
        here = here.parent if part == ".." else here / part
        if here.is_symlink():
            yield here
            left -= 1
            target = Path(os.readlink(here))
            here = Path("/") if target.is_absolute() else here.parent
            rest = [each for each in target.parts if each != "/"] + rest


def _is_device(place: Path) -> bool:
    """Return whether it is a device such as ``/dev/null``, which is written to and never replaced."""
    with suppress(OSError):
        return stat.S_ISCHR(place.stat().st_mode)
    return False


def _is_our_output(place: Path) -> bool:
    """Return whether our own result goes to the file (``/dev/stdout``), which would be replaced with it."""
    for number in _OUTPUTS:
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), place.stat()):
                return True
    return False
