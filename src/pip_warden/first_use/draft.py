"""The trust file as it will be: everything is decided before it is written, once, at the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.events import Reporter
from pip_warden.first_use.new_root import NewRoot, pinned_roots
from pip_warden.names import ProjectName
from pip_warden.oci.names import Repository
from pip_warden.trust.editing import batch, edit, exemptions, images, removal, terms
from pip_warden.trust.editing.changed import changed_meanwhile
from pip_warden.trust.editing.hash_tables import Files
from pip_warden.trust.file import load, parse
from pip_warden.trust.model import (
    Entry,
    HashEntry,
    Identity,
    IdentityEntry,
    ImageEntry,
    RootPin,
    Source,
    TrustFile,
)
from pip_warden.trust.roots import PinnedRoots


class Draft:
    """The text of a trust file, edited in memory.

    Args:
        path: The file, which need not exist.

    Attributes:
        path: The same.
        root: A new trusted root that belongs to it.
        is_written: Whether it was written.

    Raises:
        TrustFileError: It exists, and is faulty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root: NewRoot | None = None
        self.is_written = False
        # It is read many times between two edits.
        self._parsed = lru_cache(maxsize=1)(partial(parse, path=path))
        self._before = _read(path)
        self._text = edit.new_file_text() if self._before is None else self._before

    def before(self) -> TrustFile:
        """Return the trust file as it was read; an empty one where there was none."""
        return parse(edit.new_file_text() if self._before is None else self._before, self.path)

    def trust(self) -> TrustFile:
        """Return the trust file as drafted."""
        return self._parsed(self._text)

    def roots(self) -> PinnedRoots:
        """Return the trusted roots, including the new one, which is read from its temporary place."""
        return pinned_roots(self.trust(), self.root)

    def add_source(self, source: Source) -> None:
        """Add a source, as :func:`pip_warden.trust.editing.edit.add_source` does."""
        self._text = edit.add_source(self._text, source, self.path)

    def add_root(self, pin: RootPin) -> None:
        """Add a trusted root or an issuer of it, as :func:`pip_warden.trust.editing.edit.add_root` does."""
        self._text = edit.add_root(self._text, pin, self.path)

    def add_entry(self, entry: IdentityEntry | HashEntry) -> None:
        """Add a package, as :mod:`pip_warden.trust.editing.edit` does."""
        if isinstance(entry, HashEntry):
            self._text = exemptions.add_hash_entry(self._text, entry, self.path)
        else:
            self._text = edit.add_identity_entry(self._text, entry, self.path)

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """Add many packages at once, as :func:`pip_warden.trust.editing.batch.add_entries` does."""
        self._text = batch.add_entries(self._text, entries, self.path)

    def remove(self, project: ProjectName, version: Version | None) -> None:
        """Take out a release that is pinned by hash, or every pin of a package."""
        if version is None:
            self._text = removal.remove_package(self._text, project, self.path)
        else:
            self._text = exemptions.remove_release(self._text, project, version, self.path)

    def replace_hashes(self, wanted: Mapping[ProjectName, Mapping[Version, Files]]) -> None:
        """Pin exactly these releases of some packages by hash; one without any loses its exemptions."""
        self._text = exemptions.replace_all(self._text, wanted, self.path)

    def renew(self, wanted: Mapping[ProjectName, Collection[Version]], new: terms.Terms) -> None:
        """Give releases that are pinned by hash other terms."""
        self._text = terms.with_terms(self._text, wanted, new, self.path)

    def remove_packages(self, projects: Collection[ProjectName]) -> None:
        """Take out every pin of some packages."""
        self._text = removal.remove_packages(self._text, projects, self.path)

    def add_image(self, entry: ImageEntry) -> None:
        """Add a repository of images, as :func:`pip_warden.trust.editing.images.add_image` does."""
        self._text = images.add_image(self._text, entry, self.path)

    def add_image_identity(self, repository: Repository, identity: Identity) -> None:
        """Add a signer to a repository's images that are pinned."""
        self._text = images.add_image_identity(self._text, repository, identity, self.path)

    def remove_image(self, repository: Repository) -> None:
        """Take out the pin of a repository's images."""
        self._text = images.remove_image(self._text, repository, self.path)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Forget what was drafted within, if that fails."""
        before = self._text, self.root
        try:
            yield
        except BaseException:
            self._text, self.root = before
            raise

    def add_identity(self, entry: IdentityEntry, identity: Identity) -> None:
        """Add a signer to an existing package, as :func:`pip_warden.trust.editing.edit.add_identity` does."""
        self._text = edit.add_identity(self._text, entry.project, identity, self.path)

    def write(self, reporter: Reporter) -> str:
        """Write the root, then the trust file that names it; if that fails, the root is removed again.

        Returns:
            What was done, in words.

        Raises:
            UsageError: ``trust-file-changed``: it was changed meanwhile; ``trust-file-unwritable``;
                ``pin-conflict``.
        """
        if self._text == self._before:
            return f"{self.path} says so already"
        with edit.alone(self.path):
            if self._before != (_text_of(self.path) if self.path.exists() else None):
                raise changed_meanwhile(self.path)
            self._write_both()
        self.is_written = True
        if self.root is not None:
            reporter.note(f"pinned the trusted root {self.root.place.name}, sha256 {self.root.sha256}")
        made = "made" if self._before is None else "updated"
        return f"{made} {self.path}; commit it, and review its changes"

    def _write_both(self) -> None:
        is_fresh = self.root is not None and self.root.keep()
        try:
            edit.write(self.path, self._text)
        except UsageError:
            if self.root is not None and is_fresh:
                self.root.place.unlink()
            raise


def _read(path: Path) -> str | None:
    """Return the text of a valid trust file, None where there is none yet."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # reading it says why
    load(path, check_owner=True)
    return _text_of(path)


def _text_of(path: Path) -> str:
    """Return the text of a file, its ends of lines as they are."""
    return path.read_bytes().decode("utf-8")
