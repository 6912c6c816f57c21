"""Manifests and indexes, read strictly: no two clients can take one document for two images.

The digest of a manifest is a digest of its bytes; what the bytes mean is said by a media type, which stands
in the answer, in the descriptor that led there, and mostly in the document. They must agree, and the document
must have that one form: else one client pulls what another one never saw (CVE-2021-41190). Go's clients read
the names of fields in any case, so a name in another case is refused too. ``urls`` of layers are never
followed.

Source: OCI image specification 1.1 (``manifest.md``, ``image-index.md``, ``descriptor.md``); CNCF
distribution, "Image Manifest Version 2, Schema 2".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pip_warden._sigstore.fields import Fields
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import UsageError
from pip_warden.oci.names import parse_digest, spelled
from pip_warden.strict_json import JSONValue, MalformedError, kind_of, loads_object
from pip_warden.values import dataclass, field

IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = frozenset({IMAGE_INDEX, DOCKER_LIST})
MANIFESTS = (IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
"""Every media type of a document that is read here."""

MAX_MANIFEST = 4 << 20
"""Bytes of the largest manifest: the limit that the distribution specification wants of registries."""

_MOST_ENTRIES = 4096
_MOST_ANNOTATIONS = 1024
_LARGEST = 2**63 - 1
_SCHEMA = 2
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}", re.ASCII)
_PLATFORM_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OF_A_DESCRIPTOR = frozenset(
    ("mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform")
)
_OF_A_PLATFORM = frozenset({"os", "architecture", "variant", "os.version", "os.features", "features"})
_OF_A_MANIFEST = frozenset(
    ("schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations")
)
_OF_OTHER_FORMS = ("blobs", "fsLayers", "history", "signatures")
"""Fields of the OCI artifact manifest, which was given up, and of Docker's schema 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Descriptor:
    """What one document says of another, or of a blob.

    Attributes:
        media_type: The media type of what is described.
        digest: Its digest.
        size: Its size in bytes.
        platform: ``linux/amd64`` or ``linux/arm64/v8``; None where no platform is stated.
        artifact_type: What a list of referrers says that it is: any text, since registries copy what anybody
            pushed and a list must not be lost by it; its manifest alone decides.
        annotations: Annotations by name; cannot be changed.
    """

    media_type: str
    digest: Digest
    size: int
    platform: str | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def as_json(self) -> dict[str, JSONValue]:
        """Return the descriptor as a document has it; a platform is left out."""
        written: dict[str, JSONValue] = {
            "mediaType": self.media_type,
            "digest": spelled(self.digest),
            "size": self.size,
        }
        if self.artifact_type is not None:
            written["artifactType"] = self.artifact_type
        if self.annotations:
            written["annotations"] = dict(self.annotations)
        return written


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """An image, an artifact, or an index of them.

    Attributes:
        content: The bytes, as they were received.
        digest: Their digest, computed here.
        media_type: One of :data:`MANIFESTS`.
        config: The configuration; None of an index.
        layers: The layers in their order; none of an index.
        manifests: What an index lists, in its order.
        subject: What an artifact is about.
        artifact_type: What the document itself says that it is.
        annotations: Annotations by name; cannot be changed.
    """

    content: bytes = field(repr=False)
    digest: Digest
    media_type: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, and is none that can be run itself."""
        return self.media_type in INDEXES

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that an index states, in its order."""
        return tuple(entry.platform for entry in self.manifests if entry.platform is not None)

    @property
    def kind(self) -> str | None:
        """What kind of artifact it is: its artifact type, else the media type of its configuration.

        Source: OCI distribution specification 1.1, "Listing Referrers".
        """
        return self.artifact_type or (self.config.media_type if self.config is not None else None)

    def described(self) -> Descriptor:
        """Describe it as what is signed (``subject``): by media type, digest and size."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.content))

    def as_referrer(self) -> Descriptor:
        """Describe it as a list of referrers does: with its kind and its annotations."""
        return Descriptor(
            media_type=self.media_type,
            digest=self.digest,
            size=len(self.content),
            artifact_type=self.kind,
            annotations=self.annotations,
        )


def read_manifest(content: bytes, media_type: str) -> Manifest:
    """Read a manifest or an index.

    Args:
        content: The bytes.
        media_type: What they are said to be, in the answer or in the descriptor that led to them; parameters
            are passed over.

    Raises:
        MalformedError: They are not strictly one document of that type.
    """
    stated = media_type.partition(";")[0].strip().lower()
    if stated not in MANIFESTS:
        raise MalformedError(f"the media type {stated[:100]!r}, which is that of no manifest read here")
    document = loads_object(content, max_bytes=MAX_MANIFEST)
    fields = _fields(document, "the manifest", _OF_A_MANIFEST)
    if _whole(fields, "schemaVersion") != _SCHEMA:
        raise MalformedError(f"a schemaVersion other than {_SCHEMA}")
    _check_form(document, _media_type(fields, "mediaType"), stated)
    is_index = stated in INDEXES
    return Manifest(
        content=content,
        digest=digest_of(content),
        media_type=stated,
        config=None if is_index else _descriptor(fields.take("config"), "config"),
        layers=_descriptors(fields, "layers"),
        manifests=_descriptors(fields, "manifests"),
        subject=_descriptor(fields.take("subject"), "subject") if fields.has("subject") else None,
        artifact_type=_media_type(fields, "artifactType"),
        annotations=_annotations(fields),
    )


def _check_form(document: Mapping[str, JSONValue], inside: str | None, stated: str) -> None:
    """Refuse a document of another form than its type's, or of two forms."""
    if inside is None and stated in {DOCKER_MANIFEST, DOCKER_LIST}:
        raise MalformedError(f"no mediaType in what is said to be {stated}")
    if inside is not None and inside != stated:
        raise MalformedError(f"the mediaType {inside!r} in what is said to be {stated}")
    needed, others = ("manifests", ("config", "layers")) if stated in INDEXES else ("layers", ("manifests",))
    if foreign := [name for name in (*others, *_OF_OTHER_FORMS) if name in document]:
        raise MalformedError(f"the field {foreign[0]!r} in what is said to be {stated}")
    if needed not in document:
        raise MalformedError(f"no {needed!r} in what is said to be {stated}")


def _descriptors(fields: Fields, key: str) -> tuple[Descriptor, ...]:
    entries = fields.items(key, most=_MOST_ENTRIES)
    return tuple(_descriptor(entry, f"{key}[{at}]") for at, entry in enumerate(entries))


def _descriptor(value: JSONValue, where: str) -> Descriptor:
    fields = _fields(value, where, _OF_A_DESCRIPTOR)
    media_type = _media_type(fields, "mediaType")
    size = _whole(fields, "size")
    stated = fields.text("digest")
    if media_type is None:
        raise MalformedError(f"{where}.mediaType is missing")
    if not 0 <= size <= _LARGEST:
        raise MalformedError(f"{where}.size is no number of bytes")
    try:
        digest = parse_digest(stated)
    except UsageError as err:
        raise MalformedError(f"{where}.digest is {stated[:100]!r}, no sha256 digest") from err
    return Descriptor(
        media_type=media_type,
        digest=digest,
        size=size,
        platform=_platform(fields),
        artifact_type=fields.text("artifactType", "") or None,
        annotations=_annotations(fields),
    )


def _platform(of: Fields) -> str | None:
    if not of.has("platform"):
        return None
    fields = _fields(of.take("platform"), f"{of.where}.platform", _OF_A_PLATFORM)
    parts = [fields.text("os"), fields.text("architecture"), fields.text("variant", "")]
    if not parts[2]:
        parts.pop()
    if not all(_PLATFORM_PART.fullmatch(part) for part in parts):
        raise MalformedError(f"{fields.where} is {'/'.join(parts)[:100]!r}, no platform")
    return "/".join(parts)


def _annotations(of: Fields) -> Mapping[str, str]:
    value = of.take("annotations")
    if value is None:
        return MappingProxyType({})
    if not isinstance(value, dict) or len(value) > _MOST_ANNOTATIONS:
        raise MalformedError(f"{of.where}.annotations is no object of at most {_MOST_ANNOTATIONS} texts")
    texts = {key: text for key, text in value.items() if isinstance(text, str)}
    if len(texts) != len(value):
        raise MalformedError(f"{of.where}.annotations has a value that is no text")
    return MappingProxyType(texts)


def _media_type(of: Fields, key: str) -> str | None:
    """Take a media type; None where there is none, or an empty one, as Go writes it."""
    text = of.text(key, "")
    if text and not _MEDIA_TYPE.fullmatch(text):
        raise MalformedError(f"{of.where}.{key} is {text[:100]!r}, no media type")
    return text or None


def _whole(of: Fields, key: str) -> int:
    value = of.take(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{of.where}.{key} is {kind_of(value)}, no whole number")
    return value


def _fields(value: JSONValue, where: str, known: frozenset[str]) -> Fields:
    """Open an object; a field that Go's clients would take for a known one, and others not, is refused."""
    alike = {name.casefold() for name in known}
    for name in value if isinstance(value, dict) else ():
        if name not in known and name.casefold() in alike:
            raise MalformedError(f"{where} has the field {name[:80]!r}, a known one in another case")
    return Fields(value, where)
