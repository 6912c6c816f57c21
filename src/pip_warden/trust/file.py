"""Finds, reads and validates the trust file."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

from pip_warden.errors import TrustFileError
from pip_warden.trust.model import TrustFile

TRUST_FILE_NAME = "pytrust.toml"
LARGEST_TRUST_FILE = 4 << 20
"""Bytes."""


def find_trust_file(start: Path, home: Path | None) -> Path | None:
    """Look for the trust file: in a repository up to its root, else never in or above the home directory.

    The root is the nearest directory with a ``.git``, which may be a file, as in a worktree or a submodule.
    Without a repository, the working directory and those of its parents that are strictly below the home
    directory are searched; where it is not below it, the working directory alone. Above are the home
    directory, which every project without a repository would share, and directories of others.

    A broken link counts as found, so that reading it fails instead of falling back to a file further up.

    Args:
        start: The working directory.
        home: The user's home directory; None where there is none. The root of the file system is none.
    """
    home = home.resolve() if home is not None else None
    for directory in _searched(start.resolve(), None if home == Path("/") else home):
        candidate = directory / TRUST_FILE_NAME
        if os.path.lexists(candidate):
            return candidate
    return None


def _searched(start: Path, home: Path | None) -> tuple[Path, ...]:
    """Return the directories to look in, the nearest first."""
    upwards = (start, *start.parents)
    for depth, directory in enumerate(upwards, start=1):
        if os.path.lexists(directory / ".git"):
            return upwards[:depth]
    if home is None or home not in start.parents:
        return (start,)
    return upwards[: upwards.index(home)]


def load(path: Path, *, check_owner: bool, uid: int | None = None) -> TrustFile:
    """Read and validate a trust file.

    Args:
        path: The file.
        check_owner: Refuse a file that belongs to another user; off for a file named with ``--trust``.
        uid: The user's numeric id; None for that of this process.

    Raises:
        TrustFileError: ``no-trust-file``, ``trust-file-owner``, ``trust-file-not-toml`` or
            ``trust-file-invalid``.
    """
    raw = _read(path, (os.getuid() if uid is None else uid) if check_owner else None)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise _not_toml(path, f"bytes that are not UTF-8: {err}") from err
    return parse(text, path)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a trust file that the user names, whoever it belongs to.

    Raises:
        TrustFileError: ``no-trust-file``; ``trust-file-invalid``: it is too large.
    """
    return _read(path, None)


def parse(text: str, path: Path) -> TrustFile:
    """Validate the text of a trust file as a whole.

    Args:
        text: TOML.
        path: The file's path, which relative paths of trusted roots are resolved against. Nothing is read
            from there.

    Raises:
        TrustFileError: ``trust-file-not-toml``, or ``trust-file-invalid`` with every fault and its path.
    """
    from pip_warden.trust.validate import Reading

    try:
        text.encode("utf-8")
        document = tomllib.loads(text)
    except (ValueError, RecursionError, OverflowError) as err:
        raise _not_toml(
            path, str(err) if isinstance(err, tomllib.TOMLDecodeError) else type(err).__name__
        ) from err
    reading = Reading(document, path)
    trust = reading.read()
    if reading.faults:
        count = len(reading.faults)
        raise TrustFileError(
            "trust-file-invalid",
            f"expected a valid trust file, found {count} fault{'s' if count > 1 else ''} in {path}",
            faults=tuple(reading.faults),
            hint="docs/trust-file.md explains every key; `pip-warden trust check` checks the file again.",
        )
    return trust


def _read(path: Path, uid: int | None) -> bytes:
    """Read the file after checking the owner of the open file and of a link to it."""
    try:
        link = path.lstat()
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            target = os.fstat(descriptor)
            if not stat.S_ISREG(target.st_mode):
                raise _missing(path, "something that is not a regular file")
            for status in (link, target):
                _check_owner(path, status.st_uid, uid)
            return _not_too_large(stream.read(LARGEST_TRUST_FILE + 1), path)
    except OSError as err:
        raise _missing(path, err.strerror or type(err).__name__) from err
    except ValueError as err:
        raise _missing(path, "a name that no file can have") from err


def _not_too_large(raw: bytes, path: Path) -> bytes:
    if len(raw) > LARGEST_TRUST_FILE:
        raise TrustFileError(
            "trust-file-invalid", f"expected at most {LARGEST_TRUST_FILE} bytes in {path}, found more"
        )
    return raw


def _check_owner(path: Path, owner: int, uid: int | None) -> None:
    if uid is not None and owner not in {uid, 0}:
        raise TrustFileError(
            "trust-file-owner",
            f"expected {path} to belong to user {uid} or root, found user {owner}",
            hint="Somebody else could say whom you trust. If that is meant, name the file: "
            f"--trust {path}. In Python: check_owner=False.",
        )


def _missing(path: Path, what: str) -> TrustFileError:
    return TrustFileError(
        "no-trust-file",
        f"expected a trust file at {path}, found {what}",
        hint="`pip-warden trust sync` makes one for all that a lock names, "
        "`pip-warden trust add NAME --source URL --project PATH` for one package, "
        "`pip-warden trust add --image REF` for an image.",
    )


def _not_toml(path: Path, what: str) -> TrustFileError:
    return TrustFileError(
        "trust-file-not-toml",
        f"expected TOML in {path}, found {what}",
        hint="https://toml.io/en/v1.0.0 is the format.",
    )
