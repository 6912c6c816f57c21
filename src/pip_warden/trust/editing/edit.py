"""Edits the text of a trust file; every comment stays.

A new table is written at the end; only what belongs inside an existing table is put there, and every other
line stays (:mod:`~pip_warden.trust.editing.statements`). Every result is validated as a whole before it is
returned, so no edit can make a file that the next run refuses. What is pinned by hash is edited by
:mod:`~pip_warden.trust.editing.exemptions`; :mod:`~pip_warden.trust.editing.removal` takes out.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from pip_warden.disk import draft_beside
from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import absent, another_signer, appended, checked_as, conflict
from pip_warden.trust.editing.package_tables import PackageTables
from pip_warden.trust.editing.render import (
    render_identity,
    render_identity_entry,
    render_root,
    render_source,
    root_keys,
)
from pip_warden.trust.editing.statements import with_more, with_text
from pip_warden.trust.file import parse
from pip_warden.trust.model import Identity, IdentityEntry, RootPin, Source, TrustFile

_NEW = """\
# Who may publish what: pip-warden installs nothing whose publisher is not named here and proved.
# Review every change of this file as you would review code. Edit it by hand or with `pip-warden trust`.

version = 1
"""

_LONGEST_WAIT = 60.0
"""Seconds that another command may take to replace the file: it needs milliseconds."""


def new_file_text() -> str:
    """Return the text of a trust file without any entry."""
    return _NEW


def add_root(text: str, pin: RootPin, path: Path) -> str:
    """Add a trusted root, or an issuer to an existing root with the same digest.

    Args:
        text: The trust file's text.
        pin: The root.
        path: The trust file's path.

    Raises:
        UsageError: ``pin-conflict``: a root of that name has another file or digest.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    old = trust.root(pin.name)
    if old is None:
        return appended(text, render_root(pin, path.parent), trust)
    if (old.path, old.sha256) != (pin.path, pin.sha256):
        raise conflict(f"trusted root {pin.name}", f"SHA-256 {old.sha256}", f"SHA-256 {pin.sha256}")
    new = [issuer for issuer in pin.issuers if issuer not in old.issuers]
    if not new:
        return text
    changed = with_more(text, (*root_keys(pin.name), "issuers"), new)
    return _with_root(changed, trust, replace(old, issuers=(*old.issuers, *new)))


def replace_root_digest(text: str, pin: RootPin, path: Path) -> str:
    """Pin another digest for an existing trusted root; its issuers and file stay.

    Raises:
        UsageError: ``not-in-trust-file``: no root has that name.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    old = trust.root(pin.name)
    if old is None:
        raise absent(f"trusted root {pin.name}")
    if old.sha256 == pin.sha256:
        return text
    keys = (*root_keys(pin.name), "trusted-root-sha256")
    changed = with_text(text, keys, str(old.sha256), str(pin.sha256))
    return _with_root(changed, trust, replace(old, sha256=pin.sha256))


def add_source(text: str, source: Source, path: Path) -> str:
    """Add a source; an existing equal one is left alone.

    Raises:
        UsageError: ``pin-conflict``: a source of that name exists and differs.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    old = next((known for known in trust.sources if known.name == source.name), None)
    if old is None:
        return appended(text, render_source(source), trust)
    if old != source:
        raise conflict(f"source {source.name}", f"{old.type} {old.url}", f"{source.type} {source.url}")
    return text


def add_identity_entry(text: str, entry: IdentityEntry, path: Path) -> str:
    """Add a package pinned by identity; an existing equal entry is left alone.

    Raises:
        UsageError: ``pin-conflict``: the package is pinned by identity already; :func:`add_identity` adds a
            signer to it.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    old = trust.identity_entry(entry.project)
    if old is None:
        return appended(text, render_identity_entry(entry), trust)
    if old != entry:
        raise another_signer(f"package {entry.project}", old.identities, entry.identities)
    return text


def add_identity(text: str, project: ProjectName, identity: Identity, path: Path) -> str:
    """Add a signer to a package that is pinned by identity; an existing one is left alone.

    Raises:
        UsageError: ``not-in-trust-file``: the package is not pinned by identity.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    entry = trust.identity_entry(project)
    if entry is None:
        raise absent(f"identity entry of {project}")
    if identity in entry.identities:
        return text
    position = trust.entries.index(entry)
    tables = PackageTables(text, max(trust.tables) + 1)
    changed = tables.with_identity(trust.tables[position], render_identity(identity))
    wider = replace(entry, identities=(*entry.identities, identity))
    entries = (*trust.entries[:position], wider, *trust.entries[position + 1 :])
    return checked_as(changed, replace(trust, entries=entries))


def write(path: Path, text: str) -> None:
    """Replace a trust file atomically; its mode stays, and so does a link to it.

    Raises:
        UsageError: ``trust-file-unwritable``: it cannot be written; the old file is unchanged.
    """
    with drafted(path.resolve(), text.encode("utf-8")) as put:
        put()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other commands from writing a trust file, from the look at it until it is replaced.

    On a file system without locks nothing is kept; where there is no directory yet, writing says so.

    Raises:
        UsageError: ``trust-file-changed``: another command does not come to its end.
    """
    try:
        directory = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _lock(directory, path)
        yield
    finally:
        os.close(directory)  # which ends the lock


def _lock(directory: int, path: Path) -> None:
    end = time.monotonic() + _LONGEST_WAIT
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            if time.monotonic() > end:
                raise UsageError(
                    "trust-file-changed",
                    f"expected to be the only command that writes {path}, found another that does not end",
                    hint="Nothing was written. Run the command again when the other one is done.",
                ) from err
            time.sleep(0.02)
        except OSError:
            return
        else:
            return


@contextmanager
def drafted(target: Path, content: bytes) -> Iterator[Callable[[], object]]:
    """Write a file next to another, with its mode; the yielded function replaces that by it.

    Raises:
        UsageError: ``trust-file-unwritable``: it cannot be written; the old file is unchanged.
    """
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
        with draft_beside(target, BytesIO(content), mode=mode, is_synced=True) as put:
            yield put
    except OSError as err:
        raise UsageError(
            "trust-file-unwritable",
            f"expected to write {target}, found {err.strerror or type(err).__name__}",
            hint="Check the directory's permissions and the free space; the old file is as it was.",
        ) from err


def _with_root(text: str, trust: TrustFile, changed: RootPin) -> str:
    roots = tuple(changed if root.name == changed.name else root for root in trust.roots)
    return checked_as(text, replace(trust, roots=roots))
