"""Matches paths of subjects and refs segment by segment, and finds versions in them."""

from __future__ import annotations

from string import digits

from packaging.version import Version

from pip_warden.values import dataclass

VERSION = "{version}"
"""Stands for the version in a ref."""

TAG = "{tag}"
"""Stands for the tag of an image in a ref."""

ANY_SEGMENT = "*"
"""Stands for one whole, non-empty segment."""


@dataclass(frozen=True, slots=True)
class ImageTag:
    """Which release of an image is judged.

    Attributes:
        text: Its tag; None where the image is named by its digest alone, which is no release by a name.
    """

    text: str | None


Release = Version | ImageTag
"""Which release is judged: ``{version}`` stands for a package's, ``{tag}`` for an image's."""


def fill(template: str, release: Release) -> str | None:
    """Return a text with the release in its placeholder's place; None where it has no such name."""
    if isinstance(release, Version):
        return template.replace(VERSION, str(release))
    return None if lacks_tag(template, release) else template.replace(TAG, release.text or "")


def lacks_tag(template: str, release: Release) -> bool:
    """Return whether a text wants a tag, and an image is named without one."""
    return isinstance(release, ImageTag) and not release.text and TAG in template


def spelled_for(pattern: str, release: Release) -> str:
    """Return a pattern for a message, with what its placeholder stands for."""
    if lacks_tag(pattern, release):
        return f"{pattern}: name the image by its tag, too, since its digest alone says nothing of {TAG}"
    placeholder, text = (VERSION, str(release)) if isinstance(release, Version) else (TAG, release.text)
    return f"{pattern} with {placeholder} = {text}" if placeholder in pattern else pattern


def is_segment(text: str, alphabet: frozenset[str]) -> bool:
    """Return whether a text is one plain segment of these characters."""
    return bool(text) and text not in {".", ".."} and set(text) <= alphabet


def is_number(text: str) -> bool:
    """Return whether a text consists of ASCII digits."""
    return bool(text) and set(text) <= set(digits)


def segments_match(pattern: str, claimed: str, release: Release) -> bool:
    """Return whether each segment matches its pattern, for one release."""
    wanted, found = pattern.split("/"), claimed.split("/")
    return len(wanted) == len(found) and all(
        _segment_matches(one, other, release) for one, other in zip(wanted, found, strict=True)
    )


def places_of(version: Version, ref: str) -> list[tuple[int, int]]:
    """Return where a ref has a version by itself: ``1.9`` is not in ``11.9``, ``1.9.0`` or ``1.9rc1``."""
    return [
        (start, end)
        for start in range(len(ref))
        if ref[start].isdigit()
        and (start == 0 or (ref[start - 1] not in ".!" and not ref[start - 1].isdigit()))
        for end in range(start + 1, len(ref) + 1)
        if (end == len(ref) or not (ref[end].isalnum() or ref[end] in ".!+"))
        and _spells(ref[start:end], version)
    ]


def _segment_matches(pattern: str, claimed: str, release: Release) -> bool:
    if pattern == ANY_SEGMENT:
        return bool(claimed)
    before, placeholder, after = pattern.partition(VERSION if isinstance(release, Version) else TAG)
    if not placeholder:
        return claimed == pattern
    if len(claimed) < len(before) + len(after) or not (
        claimed.startswith(before) and claimed.endswith(after)
    ):
        return False
    text = claimed[len(before) : len(claimed) - len(after)]
    if isinstance(release, ImageTag):
        return bool(text) and text == release.text
    return _spells(text, release)


def _spells(text: str, version: Version) -> bool:
    """Return whether a text is the canonical version, or has only leading zeros in release parts added."""
    epoch = f"{version.epoch}!" if version.epoch else ""
    release = [str(part) for part in version.release]
    rest = str(version).removeprefix(epoch + ".".join(release))
    if not (text.startswith(epoch) and text.endswith(rest)):
        return False
    parts = text[len(epoch) : len(text) - len(rest)].split(".")
    return len(parts) == len(release) and all(
        is_number(found) and (found.lstrip("0") or "0") == wanted
        for found, wanted in zip(parts, release, strict=True)
    )
