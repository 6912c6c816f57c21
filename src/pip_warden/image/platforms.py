"""What a platform gets of an index.

Sources: OCI image specification 1.1, ``image-index.md``; for which spellings of a platform mean the same,
containerd's ``platforms`` ("Normalization").
"""

from __future__ import annotations

import re

from pip_warden.digests import Digest
from pip_warden.display import escape_text, some_of
from pip_warden.errors import RefusedError, UsageError
from pip_warden.oci.manifest import INDEXES, Descriptor, Manifest
from pip_warden.oci.names import ImageReference

UNKNOWN = "unknown/unknown"
"""The platform of what is no image: builders list their own attestations with it."""

_PLATFORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){1,2}", re.ASCII)
_ALIKE = {"arm": "arm/v7", "arm64/v8": "arm64", "amd64/v1": "amd64", "x86_64": "amd64", "aarch64": "arm64"}
_SHOWN = 12


def parse_platform(text: str) -> str:
    """Read ``OS/ARCH[/VARIANT]``, and spell it in one way.

    Raises:
        UsageError: ``bad-platform``.
    """
    if not _PLATFORM.fullmatch(text):
        raise UsageError(
            "bad-platform",
            "expected --platform OS/ARCH or OS/ARCH/VARIANT such as linux/amd64, "
            f"found `{escape_text(text, 100)}`",
        )
    return _spelled(text)


def pulled_by(index: Manifest, platform: str, name: ImageReference) -> Descriptor:
    """Return what a platform gets of an index: the only image that is for it.

    Args:
        index: What the name is of; an image that is no index lists nothing.
        platform: As :func:`parse_platform` spells it.
        name: How the index is called.

    Raises:
        RefusedError: ``platform-not-listed``: none is, or several are, or it is an index in the index.
    """
    stated = [(_spelled(each.platform), each) for each in index.manifests if each.platform]
    exact = [each for spelling, each in stated if spelling == platform]
    close = [each for spelling, each in stated if spelling.startswith(f"{platform}/")]
    found = {each.digest: each for each in exact or close}
    if len(found) == 1:
        [only] = found.values()
        if only.media_type not in INDEXES:
            return only
    raise RefusedError(
        "platform-not-listed",
        f"expected {name} to list exactly one image for {platform}, found {_instead(index, found)}",
        hint="Name the platform as the index does, with its variant."
        if index.is_index
        else "Leave out --platform: what has the name is no index, and every platform gets the same.",
    )


def said_of(index: Manifest) -> str:
    """Say what an index covers, for people: its platforms, and how much besides; ``""`` for an image."""
    if not index.is_index:
        return ""
    names = list(dict.fromkeys(each for each in index.platforms if each != UNKNOWN))
    others = sum(1 for each in index.manifests if each.platform in {None, UNKNOWN})
    parts = [some_of(names, _SHOWN)] if names else []
    if others:
        parts.append(f"{others} without a platform")
    return f"covers {' and '.join(parts) or 'nothing'}"


def _spelled(platform: str) -> str:
    system, _, machine = platform.lower().partition("/")
    return f"{system}/{_ALIKE.get(machine, machine)}"


def _instead(index: Manifest, found: dict[Digest, Descriptor]) -> str:
    if not index.is_index:
        return "an image that is no index"
    if len(found) == 1:
        return "an index in it"
    names = some_of(list(dict.fromkeys(index.platforms)), _SHOWN) or "no platform"
    return f"{len(found) or 'none'}; it lists {names}"
