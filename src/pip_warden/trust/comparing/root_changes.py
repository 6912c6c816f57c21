"""What a trusted root of another digest adds and takes away: told beside the change of its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pip_warden.digests import digest_of
from pip_warden.errors import TrustRootError
from pip_warden.trust.comparing.change import Change, Effect
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import read_root

Earlier = Callable[[Path], bytes | None]
"""Returns the bytes that a file had before, None where that is not known."""


def root_content_changes(old: TrustFile, new: TrustFile, earlier: Earlier) -> Iterator[Change]:
    """Yield what changed inside each pinned root, where both have the pinned digest; else that one has not.

    Args:
        old: The trust file before.
        new: The trust file after; its roots are read.
        earlier: Returns the bytes of a root of before.
    """
    for pin in new.roots:
        change = partial(
            Change, subject="trusted root" if pin.name == "default" else f"trusted root {pin.name}"
        )
        try:
            after = read_root(pin)
        except TrustRootError as err:
            words = f"nothing can be verified against it: {err.message}"
            yield change(kind="root-unusable", effect=Effect.NEUTRAL, words=words)
            continue
        was = old.root(pin.name)
        before = None if was is None or was.sha256 == pin.sha256 else earlier(was.path)
        if was is not None and before is not None and digest_of(before).matches(was.sha256):
            for effect, words in _differences(before, after):
                yield change(kind="root-content", effect=effect, words=words)


def _differences(before: bytes, after: bytes) -> Iterator[tuple[Effect, str]]:
    from pip_warden._sigstore.root import load_root
    from pip_warden._sigstore.succession import removed, reopened

    try:
        old, new = load_root(before), load_root(after)
    except TrustRootError as err:
        yield Effect.WIDENED, f"what is in it cannot be compared: {err.message}"
        return
    for part in removed(new, old):
        yield Effect.WIDENED, f"it has more: {part}"
    for part in reopened(old, new):
        yield Effect.WIDENED, f"valid again: {part}"
    for part in removed(old, new):
        yield Effect.NARROWED, f"it has no more: {part}"
