"""Reads files of an environment: regular ones in its own directories, within bounds, each once."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pip_warden.digests import Digest, digest_of
from pip_warden.disk import open_regular

Stamp = tuple[int, ...]
"""What :func:`stamp_of` returns."""
_CHUNK = 1 << 20
_CACHED = (".pyc", ".nbi", ".nbc")
_CONTENT = 1 << 20
"""Bytes; of a larger file that no distribution has, size and times are its state."""
_MOST_NAMES = 20_000
"""Names in a directory that no distribution has."""


def read_bounded(path: str | Path, largest: int) -> bytes:
    """Read a file of an environment.

    Raises:
        OSError: It cannot be read, is no regular file, or has more than ``largest`` bytes.
    """
    with open_regular(path, follow=False) as stream:
        data = stream.read(largest + 1)
    if len(data) > largest:
        raise OSError(0, f"more than {largest} bytes", os.fspath(path))
    return data


def hash_once(path: str | Path, algorithms: Iterable[str], largest: int) -> tuple[dict[str, bytes], int]:
    """Hash a file of an environment by some algorithms in one pass, and count its bytes.

    Raises:
        OSError: It cannot be read, is no regular file, or has more than ``largest`` bytes.
    """
    states = {name: hashlib.new(name) for name in algorithms}
    size = 0
    with open_regular(path, follow=False) as stream:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > largest:
                raise OSError(0, f"more than {largest} bytes", os.fspath(path))
            for state in states.values():
                state.update(piece)
    return {name: state.digest() for name, state in states.items()}, size


def is_within(path: str | Path, root: Path) -> bool:
    """Return whether no directory between a root and a path in it is a link."""
    place, end = os.path.dirname(path), os.fspath(root)
    while len(place) > len(end) and not os.path.islink(place):
        place = os.path.dirname(place)
    return place == end


def state_of(path: Path) -> Digest:
    """Return the state of what no distribution has: it differs as soon as a reader could see a change.

    Of a file its content; of a link where it leads; of a directory the names and sizes in it; of what cannot
    be read that.
    """
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return _state("link", os.readlink(path))
        if stat.S_ISDIR(found.st_mode):
            return _state("directory", *files_in(path))
        if not stat.S_ISREG(found.st_mode):
            return _state("special", found.st_mode)
        if found.st_size > _CONTENT:
            return _state("large", found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        return _state("file", read_bounded(path, _CONTENT))
    except (OSError, ValueError) as err:
        return _state("unreadable", type(err).__name__)


def files_in(directory: Path) -> tuple[str, ...]:
    """Return names and sizes of all in a directory but for what :func:`walk` leaves out."""
    return tuple(sorted(f"{path}\0{_size(path)}" for path in islice(walk(directory), _MOST_NAMES)))


def walk(directory: Path) -> Iterator[str]:
    """Yield the path of each file, link and unreadable directory below a directory, itself included.

    What Python, and numba, keep of sources among the byte code is left out: it cannot be compared.
    """
    unread: list[OSError] = []
    for place, directories, names in os.walk(directory, onerror=unread.append):
        is_cache = os.path.basename(place) == "__pycache__"
        yield from (os.path.join(place, name) for name in names if not (is_cache and name.endswith(_CACHED)))
        yield from filter(os.path.islink, (os.path.join(place, name) for name in directories))
    yield from (os.fspath(err.filename) for err in unread)


def stamp_of(path: str) -> Stamp | None:
    """Return what differs as soon as a file was written: size, times and number; None where none is."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return -1


def _state(*parts: str | bytes | int) -> Digest:
    spelled = (part if isinstance(part, bytes) else os.fsencode(str(part)) for part in parts)
    return digest_of(b"".join(b"%d:%s" % (len(part), part) for part in spelled))
