"""Edits what a trust file's text pins of images; every other line stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pip_warden.oci.names import Repository
from pip_warden.trust.editing.changed import another_signer, appended, checked_as
from pip_warden.trust.editing.entry_tables import EntryTables
from pip_warden.trust.editing.render import render_identity, render_image
from pip_warden.trust.file import parse
from pip_warden.trust.model import Identity, ImageEntry, TrustFile
from pip_warden.trust.suggest import no_image_to_change

_KEY = "image"


def add_image(text: str, entry: ImageEntry, path: Path) -> str:
    """Add a repository of images; an existing equal entry is left alone.

    Args:
        text: The trust file's text.
        entry: What it is to say.
        path: The trust file's path.

    Raises:
        UsageError: ``pin-conflict``: the repository is pinned already; :func:`add_image_identity` adds a
            signer to it.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    old = trust.image_entry(entry.repository)
    if old is None:
        return appended(text, render_image(entry), trust)
    if old != entry:
        raise another_signer(f"image {entry.repository}", old.identities, entry.identities)
    return text


def add_image_identity(text: str, repository: Repository, identity: Identity, path: Path) -> str:
    """Add a signer to the images of a repository that is pinned; an existing one is left alone.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    entry = _pinned(trust, repository)
    if identity in entry.identities:
        return text
    position = trust.images.index(entry)
    block = render_identity(identity, _KEY)
    changed = EntryTables(text, len(trust.images), _KEY).with_identity(position, block)
    wider = replace(entry, identities=(*entry.identities, identity))
    images = (*trust.images[:position], wider, *trust.images[position + 1 :])
    return checked_as(changed, replace(trust, images=images))


def remove_image(text: str, repository: Repository, path: Path) -> str:
    """Take out the pin of a repository's images; a revocation stays.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    entry = _pinned(trust, repository)
    changed = EntryTables(text, len(trust.images), _KEY).without([trust.images.index(entry)])
    left = tuple(each for each in trust.images if each is not entry)
    return checked_as(changed, replace(trust, images=left))


def _pinned(trust: TrustFile, repository: Repository) -> ImageEntry:
    entry = trust.image_entry(repository)
    if entry is None:
        raise no_image_to_change(repository, trust)
    return entry
