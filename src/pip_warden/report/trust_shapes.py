"""What the documents about the trust file hold, as types; see :mod:`pip_warden.report.shapes`."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from pip_warden.report.command_shapes import FilesReport, MirrorShape


class SignerShape(TypedDict):
    """Who may publish.

    Attributes:
        sigstore: The name of the trusted root.
        not_before: The first day, null for any.
        not_after: The last day, null for any.
    """

    issuer: str
    subject: str
    project_id: int | str | None
    not_before: str | None
    not_after: str | None
    sigstore: str


class PackagePin(TypedDict):
    """A package, and by what it is pinned.

    Attributes:
        registry: The project or group in its source, where there are several.
        identities: Who may publish it; there where it is pinned by identity.
        require: What is required besides, by name; there where it is pinned by identity.
        version: The release; there where it is pinned by hash.
        files: Each file's SHA-256; there where it is pinned by hash.
        reason: Why it is exempt; there where it is pinned by hash.
        expires: The last day, where it has one.
        why: Why it was pinned, or is not any more; there where it was changed.
    """

    project: str
    source: str
    registry: str | None
    kind: Literal["identity", "hash"]
    identities: NotRequired[list[SignerShape]]
    require: NotRequired[dict[str, str]]
    version: NotRequired[str]
    files: NotRequired[dict[str, str]]
    reason: NotRequired[str]
    expires: NotRequired[str]
    why: NotRequired[str | None]


class ImagePin(TypedDict):
    """A repository of images, and who may publish there.

    Attributes:
        realm: Where a token for it is asked for; null for the registry's own.
    """

    repository: str
    realm: str | None
    kind: Literal["identity"]
    identities: list[SignerShape]
    require: dict[str, str]


class SourceShape(TypedDict):
    """A source of the trust file."""

    name: str
    type: str
    url: str


class KeptShape(TypedDict):
    """A package of which nothing was changed, and why."""

    project: str
    code: str
    message: str
    hint: str | None


class EditedShape(TypedDict):
    """What became of the trust file.

    Attributes:
        is_written: Whether it was changed.
        refused: What stays as it is.
    """

    trust_file: str
    is_written: bool
    added: list[PackagePin]
    removed: list[PackagePin]
    added_images: list[ImagePin]
    removed_images: list[ImagePin]
    added_sources: list[SourceShape]
    refused: list[KeptShape]
    mirrors: list[MirrorShape]
    warnings: list[str]


class PinnedShape(FilesReport):
    """What became of each release or package that was looked at, and of the trust file.

    Attributes:
        is_written: Whether it was changed.
        refused: What stays as it is.
    """

    is_written: bool
    added: list[PackagePin]
    removed: list[PackagePin]
    added_images: list[ImagePin]
    removed_images: list[ImagePin]
    added_sources: list[SourceShape]
    refused: list[KeptShape]


class ShownShape(TypedDict):
    """Pins as the trust file has them."""

    trust_file: str
    packages: list[PackagePin]
    images: list[ImagePin]


class SummaryShape(TypedDict):
    """What a package, or a repository of images, is pinned by, in short: by identity, or by hash."""

    kind: Literal["identity", "hash"]
    subjects: NotRequired[list[str]]
    build_trigger: NotRequired[list[str]]
    not_before: NotRequired[str | None]
    not_after: NotRequired[str | None]


class PackageSummary(SummaryShape):
    """A package in short.

    Attributes:
        versions: The releases that are pinned by hash.
        expires: The last day of the exemption; null for none.
        expired: Whether that day is over.
    """

    project: str
    source: str
    versions: NotRequired[list[str]]
    reason: NotRequired[str | None]
    expires: NotRequired[str | None]
    expired: NotRequired[bool]


class ImageSummary(SummaryShape):
    """A repository of images in short."""

    repository: str


class ListedShape(TypedDict):
    """All pins in short."""

    trust_file: str
    packages: list[PackageSummary]
    images: list[ImageSummary]
    mirrors: list[MirrorShape]


class ChangeShape(TypedDict):
    """One change of the trust file.

    Attributes:
        kind: docs/trust-changes.md lists them.
        effect: Whether more is accepted than was; what is in doubt is widened.
    """

    kind: str
    subject: str
    effect: Literal["widened", "narrowed", "neutral"]
    words: str


class ComparedShape(TypedDict):
    """What changed.

    Attributes:
        since: With what the trust file was compared.
    """

    trust_file: str
    since: str
    changes: list[ChangeShape]


class InWordsShape(TypedDict):
    """Who may publish a package or an image, in words; one of both is there.

    Attributes:
        sections: Sentences by the question that they answer.
    """

    trust_file: str
    package: NotRequired[str]
    image: NotRequired[str]
    sections: dict[str, list[str]]


class RootShape(TypedDict):
    """A trusted root, and its parts that are not usable here."""

    name: str
    left_out: list[str]


class CheckedShape(TypedDict):
    """A trust file that is valid."""

    trust_file: str
    trusted_roots: list[RootShape]


class RootUpdate(TypedDict):
    """What became of a pinned trusted root.

    Attributes:
        sigstore: Its name in the trust file.
        path: Its file.
        is_written: Whether it was replaced; else it is current.
        before: The SHA-256 that was pinned.
        after: The SHA-256 that is.
        left_out: Parts that are not usable here.
        losses: What the new one takes away, which was allowed.
    """

    trust_file: str
    sigstore: str
    path: str
    is_written: bool
    before: str
    after: str
    left_out: list[str]
    losses: list[str]
