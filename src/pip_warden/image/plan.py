"""What is promoted and where to, read from the names that a user gives."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pip_warden.errors import UsageError
from pip_warden.oci.names import ImageReference, Repository, parse_image, parse_reference
from pip_warden.values import dataclass

_EVIDENCE = re.compile(r"sha256-[0-9a-f]{64}", re.ASCII)
"""How the tags begin under which evidence lies: the list of referrers, and what cosign 2 signs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePlan:
    """The promotion of one image.

    Attributes:
        source: The image, as it is named.
        target: The repository that it goes to.
        tag: The tag that it gets there.
        now: The time, aware.
        min_age: The least age of the evidence that it is judged by.
        overwrites: Whether the tag is moved where it is of another image.
    """

    source: ImageReference
    target: Repository
    tag: str
    now: datetime
    min_age: timedelta = timedelta()
    overwrites: bool = True

    @property
    def named(self) -> str:
        """The target with its tag."""
        return f"{self.target}:{self.tag}"


def read_plan(
    image: str, to: str, *, now: datetime, min_age: timedelta = timedelta(), overwrites: bool = True
) -> ImagePlan:
    """Read what is promoted and where to.

    Args:
        image: The image; where ``to`` names no tag, its tag is used.
        to: ``REPOSITORY`` or ``REPOSITORY:TAG``.
        now: The time, aware.
        min_age: The least age of the evidence.
        overwrites: Whether the tag is moved where it is of another image.

    Raises:
        UsageError: ``invalid-image``; ``not-promotable``: no tag is named, or it is the image itself.
    """
    source = parse_image(image)
    target = parse_reference(to)
    tag = target.tag or source.tag
    if target.digest is not None or tag is None:
        raise _no_plan(
            "with a tag", "a digest" if target.digest is not None else "none, nor is one in the image"
        )
    if _EVIDENCE.match(tag):
        raise _no_plan("with a tag for an image", f"{tag}, under which evidence lies")
    if (source.repository, source.tag) == (target.repository, tag):
        raise _no_plan("with another repository or tag than the image's", f"{target.repository}:{tag}")
    return ImagePlan(
        source=source, target=target.repository, tag=tag, now=now, min_age=min_age, overwrites=overwrites
    )


def _no_plan(expected: str, found: str) -> UsageError:
    return UsageError(
        "not-promotable",
        f"expected --to {expected}, found {found}",
        hint="An image is promoted to another repository, or to another tag of its own: --to REPOSITORY:TAG.",
    )
