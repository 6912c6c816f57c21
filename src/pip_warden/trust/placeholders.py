"""Which placeholder a pattern may have: releases of a package have a version, images have a tag."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.errors import UsageError
from pip_warden.trust.messages import FaultLine, joined
from pip_warden.trust.model import IdentityEntry, ImageEntry
from pip_warden.trust.segments import TAG, VERSION
from pip_warden.trust.subject import SubjectPattern, parse_subject, read_subject

_TAGS = "refs/tags/"
_OF = {VERSION: "a package", TAG: "an image"}


def parse_package_subject(text: str) -> SubjectPattern:
    """Read the subject pattern of a package's signer.

    Raises:
        UsageError: ``invalid-subject``: it is none, or it is that of an image's signer.
    """
    pattern = parse_subject(text)
    _check(pattern, TAG, VERSION)
    return pattern


def parse_image_subject(text: str) -> SubjectPattern:
    """Read the subject pattern of an image's signer.

    Raises:
        UsageError: ``invalid-subject``: it is none, or it is that of a package's signer.
    """
    pattern = parse_subject(text)
    _check(pattern, VERSION, TAG)
    return pattern


def suggest_image_subject(claimed_subject: str, tag: str | None) -> str:
    """Return a subject with ``{tag}`` in the place of an image's tag, where its tag ref ends with that.

    ``refs/tags/1.0`` and ``refs/tags/v1.0`` of the image ``:1.0`` do, ``refs/tags/11.0`` does not. Any other
    subject is returned unchanged, and so is that of an image without a tag.
    """
    subject = read_subject(claimed_subject)
    if subject is None or not tag or not subject.ref.startswith(_TAGS):
        return claimed_subject
    name = subject.ref.removeprefix(_TAGS)
    if not name.endswith(tag) or not _stands_alone(name.removesuffix(tag), tag):
        return claimed_subject
    return f"{claimed_subject.removesuffix(tag)}{TAG}"


def _stands_alone(before: str, tag: str) -> bool:
    """Return whether a tag is no mere end of a longer word or version."""
    if not before or not before[-1].isalnum():
        return not before.endswith(".")
    return tag[0].isdigit() and not before[-1].isdigit()


def misplaced(path: str, entry: IdentityEntry | ImageEntry, wrong: str, right: str) -> Iterator[FaultLine]:
    """Yield a fault for each pattern that has the placeholder of another kind of release.

    A value of an annotation is a text, in which ``{tag}`` has always stood for itself in a package; an image
    has no version, so ``{version}`` there is a mistake.

    Args:
        path: The path of the entry's table.
        entry: The entry.
        wrong: The placeholder that it may not have.
        right: The one to write instead.
    """
    for position, identity in enumerate(entry.identities):
        if wrong in identity.subject.text:
            yield f"{path}.identity[{position}].subject", _instead(wrong, right)
    ref = entry.require.source_ref
    if ref is not None and wrong in ref.text:
        yield f"{path}.require.source-ref", _instead(wrong, right)
    if isinstance(entry, ImageEntry):
        for key, value in entry.require.annotations:
            if wrong in value:
                yield joined(f"{path}.require", "annotations", key), _instead(wrong, right)


def _check(pattern: SubjectPattern, wrong: str, right: str) -> None:
    if wrong in pattern.text:
        raise UsageError(
            "invalid-subject",
            _instead(wrong, right),
            hint=f"Write the same subject with {right} in its place.",
        )


def _instead(wrong: str, right: str) -> str:
    return f"expected {right} in the pattern of {_OF[right]}, found {wrong}, which is of {_OF[wrong]}"
