"""What each command's document holds, as types; see :mod:`pip_warden.report.shapes`."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from pip_warden.report.shapes import FileShape, ImageShape, ItemShape


class UnpinnedShape(TypedDict):
    """A package that the trust file does not know."""

    project: str
    wanted_by: str
    requirement: str


class MirrorShape(TypedDict):
    """A mirror in the place of a source."""

    source: str
    url: str


class AboutRun(TypedDict):
    """What is said of a run as a whole.

    Attributes:
        target: The Python installed into; null where nothing is installed.
        installer_exit_code: The installer's own; null where none ran.
        measures: What the run has cost; docs/measures.md tells of each.
    """

    trust_file: str | None
    target: str | None
    installer_exit_code: int | None
    unpinned: list[UnpinnedShape]
    mirrors: list[MirrorShape]
    warnings: list[str]
    measures: NotRequired[dict[str, int | dict[str, int]]]


class FilesReport(AboutRun):
    """What was judged, and how it ended for each file."""

    files: list[FileShape]


class ImagesReport(AboutRun):
    """What was judged, and how it ended for each image."""

    images: list[ImageShape]


class UploadShape(TypedDict):
    """A file or a piece of evidence, and what became of it at the target.

    Attributes:
        url: Of the package it is in; null or absent where it has none.
    """

    name: str
    kind: str
    outcome: str
    url: NotRequired[str | None]
    digest: NotRequired[str]


class PublishedShape(FilesReport):
    """What was judged before it was published.

    Attributes:
        judged: Under what, and whose evidence it is, in words.
    """

    judged: list[str]
    uploads: list[UploadShape]


class PromotedShape(FilesReport):
    """The last verification, and what was copied before it.

    Attributes:
        not_carried: Evidence that stays where it is, and why.
        kept: Labels of evidence in the place of which the target has other of the same signer.
    """

    uploads: list[UploadShape]
    not_carried: list[ItemShape]
    kept: list[str]
    summary_signed_by: str | None


class PlatformShape(TypedDict):
    """An image of an index."""

    platform: str | None
    digest: str
    media_type: NotRequired[str]
    size: NotRequired[int]


class VerifiedImages(ImagesReport):
    """What was judged of an image.

    Attributes:
        use: The image by the digest that was accepted; null where none was.
        index: The index's digest, where one was named.
    """

    use: str | None
    digest: str | None
    index: str | None
    media_type: str | None
    platforms: list[PlatformShape]


class TagShape(TypedDict):
    """A tag, and what it points to."""

    name: str | None
    before: str | None
    after: str | None


class PromotedImages(ImagesReport):
    """The last verification of an image, and what was copied before it."""

    uploads: list[UploadShape]
    not_carried: list[ItemShape]
    tag: TagShape


class SignedFileShape(TypedDict):
    """A file with the evidence that was made, or was there already (kept)."""

    file: str
    evidence: list[str]
    kept: list[str]
    subject: str
    issuer: str
    log_index: int


class SignedFiles(TypedDict):
    """What was signed."""

    files: list[SignedFileShape]


class SignedImageShape(TypedDict):
    """An image that was signed.

    Attributes:
        artifact: The digest of the evidence's manifest.
        kept: Whether it was there already.
    """

    image: str
    repository: str
    tag: str | None
    digest: str | None
    artifact: str
    kept: bool
    subject: str
    issuer: str
    log_index: int


class SignedImages(TypedDict):
    """What was signed."""

    images: list[SignedImageShape]


class LayerShape(TypedDict):
    """A part of an image."""

    digest: str
    media_type: str
    size: int


class UnprovedShape(TypedDict):
    """Why a piece of evidence is none."""

    code: str
    expected: str
    found: str


class ClaimedShape(TypedDict):
    """A piece of evidence, and what it claims: nothing of it is proved."""

    evidence: str
    form: str
    claimed_predicate_type: str | None
    claimed_subject: str | None
    claimed_issuer: str | None
    claimed_annotations: dict[str, str]
    claimed_logged_at: str | None
    fault: UnprovedShape | None


class InspectedShape(TypedDict):
    """What a registry says of an image: nothing of it is proved."""

    verified: Literal[False]
    image: str
    repository: str
    tag: str | None
    digest: str
    media_type: str
    size: int
    layers: list[LayerShape]
    platforms: list[PlatformShape]
    annotations: dict[str, str]
    evidence: list[ClaimedShape]


class WrittenShape(TypedDict):
    """A file that was written down about a job."""

    path: str
    job_url: str


class PipelineShape(TypedDict):
    """A pipeline file that was written.

    Attributes:
        note: What it needs.
    """

    kind: Literal["publisher", "consumer", "promotion", "image"]
    path: str
    note: str


class CodeShape(TypedDict):
    """A code, explained.

    Attributes:
        room: The part of pip-warden that gives it.
        exit_code: Of a run that ends with it.
        step: The step of the verdict that gives it; null for an error.
    """

    code: str
    room: str
    exit_code: int
    title: str
    meaning: str
    remedy: str
    step: int | None


class ExplainedShape(TypedDict):
    """The code that was asked for, or every one."""

    codes: list[CodeShape]


class SandboxShape(TypedDict):
    """Where everything is, printed once it responds.

    Attributes:
        registry: Host and port of the container registry.
        environment: The file to be sourced, with the URL and a token.
        job: The file to be sourced with the environment of a publisher's job; null with --empty.
    """

    gitlab_url: str
    registry: str
    pypi_url: str
    fulcio_url: str
    rekor_url: str
    timestamps_url: str
    login_url: str
    trusted_root: str
    environment: str
    job: str | None


class ActShape(TypedDict):
    """One thing that was shown, and whether it was as it had to be."""

    title: str
    expected: str
    found: str
    good: bool


class DemoShape(TypedDict):
    """What was shown."""

    acts: list[ActShape]
