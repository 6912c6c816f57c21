"""Chooses the trusted root of ``trust add``, and stores a new one by the trust file (design decision D7).

A root is chosen before anything is verified, and kept only with the pin that needs it: until then it is in
the run's private directory.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.digests import Digest, digest_of
from pip_warden.disk import draft_beside, open_regular
from pip_warden.errors import UsageError
from pip_warden.trust.model import RootPin, TrustFile
from pip_warden.trust.roots import read_root_file
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden.trust.roots import PinnedRoots

DEFAULT = "default"
BESIDE = "trusted_root.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRoot:
    """A trusted root that the trust file does not have yet.

    Attributes:
        raw: Its bytes.
        place: Where they will be stored: next to the trust file, or where the user has them below its
            directory.
        draft: Where they are until then.
    """

    raw: bytes
    place: Path
    draft: Path

    @property
    def sha256(self) -> Digest:
        """Return its digest."""
        return digest_of(self.raw)

    def pin(self, issuer: str) -> RootPin:
        """Return the pin that lets it vouch for an issuer."""
        return RootPin(name=DEFAULT, path=self.place, sha256=self.sha256, issuers=(issuer,))

    def keep(self) -> bool:
        """Write it to its place, and return whether it was not there before.

        Raises:
            UsageError: ``pin-conflict``: another root is in its place; ``trust-file-unwritable``: it cannot
                be written.
        """
        try:
            with draft_beside(self.place, BytesIO(self.raw), is_new=True, is_synced=True) as put:
                put()
        except FileExistsError:
            check_place(self.place, self.raw)
            return False
        except OSError as err:
            raise UsageError(
                "trust-file-unwritable",
                f"expected to write {self.place}, found {err.strerror or type(err).__name__}",
                hint="The trust file is unchanged.",
            ) from err
        return True


def root_for(trust: TrustFile, issuer: str | None) -> str:
    """Return the name of the root that vouches for an issuer already, else of the default one."""
    return next((root.name for root in trust.roots if issuer in root.issuers), DEFAULT)


def pinned_roots(trust: TrustFile, new: NewRoot | None) -> PinnedRoots:
    """Return the trust file's roots and the new one, which is read from its temporary place."""
    from pip_warden.trust.roots import PinnedRoots

    pins = {root.name: root for root in trust.roots}
    if new is not None:
        pins[DEFAULT] = replace(new.pin(""), path=new.draft)
    return PinnedRoots(tuple(pins.values()))


def new_root(given: Path | None, trust_path: Path, workspace: Path, *, offline: bool) -> NewRoot:
    """Read the user's root, or fetch the public-good one.

    Args:
        given: The user's file.
        trust_path: The trust file, which need not exist.
        workspace: A private directory of this run.
        offline: Fetch nothing.

    Raises:
        UsageError: ``no-such-file``; ``trusted-root-needed``: there is none, and none may be fetched;
            ``pin-conflict``: another file is in its place.
        TrustRootError: It could not be fetched.
    """
    beside = Path(os.path.normpath(trust_path.absolute().parent))
    raw, place = _fetched(offline=offline) if given is None else read_root_file(given), beside / BESIDE
    if given is not None:
        own = Path(os.path.normpath(given.absolute()))
        place = own if own.is_relative_to(beside) else place
    check_place(place, raw)
    draft = workspace / BESIDE
    draft.write_bytes(raw)
    return NewRoot(raw=raw, place=place, draft=draft)


def check_place(place: Path, raw: bytes) -> None:
    """Check that no other root is in a place.

    Raises:
        UsageError: ``pin-conflict``.
    """
    try:
        with open_regular(place, follow=True) as stream:
            found = stream.read()
    except OSError as err:
        if err.errno == errno.ENOENT and not place.is_symlink():
            return
        found = b""
    if found != raw:
        raise UsageError(
            "pin-conflict",
            f"expected no other trusted root in {place}, found one",
            hint="Name it with --trusted-root, or move it away.",
        )


def _fetched(*, offline: bool) -> bytes:
    from pip_warden._sigstore.tuf import fetch_public_good_root

    if offline:
        raise UsageError(
            "trusted-root-needed",
            "expected a trusted root in the trust file or with --trusted-root FILE, found none and --offline",
            hint="Without --offline that of the public-good instance is fetched once.",
        )
    return fetch_public_good_root()
