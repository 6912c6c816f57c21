"""Names of repositories and images, read strictly: no two programs can mean two places by one text.

The registry is always named: nothing stands for Docker Hub. Source: OCI distribution specification 1.1,
"Pulling manifests"; the reference grammar of CNCF distribution.
"""

from __future__ import annotations

import ipaddress
import re

from pip_warden.digests import Digest
from pip_warden.display import escape_text, without_secrets
from pip_warden.errors import UsageError
from pip_warden.values import dataclass

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{{0,4}}))?",
    re.ASCII | re.IGNORECASE,
)
_PATH = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_SHA256 = "sha256:"
_LONGEST_PATH = 255
_LARGEST_PORT = 65535
_HTTP_PORT, _HTTPS_PORT = ":80", ":443"
_IMAGE = "an image such as registry.example.com/group/project:1.0"
_REPOSITORY = "a repository of images such as registry.example.com/group/project"


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository of images.

    Attributes:
        registry: Host in lower case, an IPv6 address in its shortest form, with its port where that is not
            the usual one of :func:`registry_url`.
        path: Path in the registry: ``group/project/image``.
    """

    registry: str
    path: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"

    @property
    def url(self) -> str:
        """Return where the repository's manifests, blobs and tags are: https, or http on this machine."""
        return f"{registry_url(self.registry)}/v2/{self.path}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageReference:
    """What a user names: a tag, a digest, or a tag that must still be of a digest.

    Attributes:
        repository: The repository.
        tag: The tag, None where only a digest is named.
        digest: The digest of the manifest, None where only a tag is named.
    """

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return f"{self.repository}{tag}" + (f"@{spelled(self.digest)}" if self.digest is not None else "")


def spelled(digest: Digest) -> str:
    """Return a digest as registries spell it: ``sha256:…``."""
    return f"{_SHA256}{digest}"


def registry_url(registry: str) -> str:
    """Return the URL of a registry: https, or http on this machine."""
    return f"{'http' if _is_here(registry) else 'https'}://{registry}"


def spelled_registry(registry: str) -> str:
    """Return a registry's host as :class:`Repository` has it: in lower case, without the usual port."""
    lower = registry.lower()
    return lower.removesuffix(_HTTP_PORT if _is_here(lower) else _HTTPS_PORT)


def parse_digest(text: str) -> Digest:
    """Read ``sha256:`` and 64 hexadecimal digits.

    Raises:
        UsageError: ``invalid-image``: it is anything else; no other algorithm is known here.
    """
    if not text.startswith(_SHA256):
        raise _invalid(text, "a digest is sha256: and 64 lower-case hexadecimal digits")
    try:
        return Digest(text.removeprefix(_SHA256))
    except UsageError as err:
        raise _invalid(text, "a digest is sha256: and 64 lower-case hexadecimal digits") from err


def parse_tag(text: str) -> str:
    """Read a tag.

    Raises:
        UsageError: ``invalid-image``: it is none.
    """
    if not _TAG.fullmatch(text):
        raise _invalid(
            text, "a tag has 1 to 128 letters, digits, `.`, `_` and `-`, and begins with none of `.` and `-`"
        )
    return text


def parse_repository(text: str) -> Repository:
    """Read ``HOST[:PORT]/PATH``.

    Raises:
        UsageError: ``invalid-image``: it is none, or does not name its registry.
    """
    return _read_repository(text, text, _REPOSITORY)


def parse_image(text: str) -> ImageReference:
    """Read ``REPOSITORY:TAG``, ``REPOSITORY@DIGEST`` or ``REPOSITORY:TAG@DIGEST``; no tag stands for another.

    Raises:
        UsageError: ``invalid-image``: it is none of them.
    """
    found = parse_reference(text)
    if found.tag is None and found.digest is None:
        raise _invalid(text, "it names neither a tag (`:1.0`) nor a digest (`@sha256:…`)")
    return found


def parse_reference(text: str) -> ImageReference:
    """Read what :func:`parse_image` reads, or a repository alone: an image that is yet to be chosen.

    Raises:
        UsageError: ``invalid-image``: it is none of them.
    """
    _check_nobody(text.partition("/")[0], text, _IMAGE)
    named, at, digest = text.partition("@")
    host, slash, rest = named.partition("/")
    path, colon, tag = rest.partition(":")
    return ImageReference(
        repository=_read_repository(f"{host}{slash}{path}", text, _IMAGE),
        tag=parse_tag(tag) if colon else None,
        digest=parse_digest(digest) if at else None,
    )


def _read_repository(name: str, text: str, wanted: str) -> Repository:
    """Read a repository; what is wrong with it is told of all that the user wrote, and of what was wanted."""
    host, slash, path = name.partition("/")
    _check_nobody(host, text, wanted)
    found = _HOST.fullmatch(host)
    if not slash or found is None or not ({".", ":"} & set(host) or host == "localhost"):
        raise _invalid(text, "the registry's host comes first, without a scheme", wanted)
    if found["port"] and int(found["port"]) > _LARGEST_PORT:
        raise _invalid(text, f"a port is at most {_LARGEST_PORT}", wanted)
    if {":", "@"} & set(path):
        raise _invalid(text, "a tag or a digest names one image of it", wanted)
    if not _PATH.fullmatch(path) or len(path) > _LONGEST_PATH:
        why = "a path has lower-case letters and digits, joined by `/`, `.`, `_`, `__` or `-`"
        raise _invalid(text, why, wanted)
    canonical = _canonical(found["name"], text, wanted)
    return Repository(registry=spelled_registry(canonical + host[found.end("name") :]), path=path)


def _canonical(name: str, text: str, wanted: str) -> str:
    """Return a host's name; an IPv6 address, which can be spelled in many ways, in its shortest form."""
    if not name.startswith("["):
        return name
    try:
        return f"[{ipaddress.IPv6Address(name[1:-1]).compressed}]"
    except ValueError as err:
        raise _invalid(text, "what stands in `[` and `]` is no IPv6 address", wanted) from err


def _is_here(registry: str) -> bool:
    """Return whether a registry is on this machine."""
    host, _, port = registry.rpartition(":")
    name = host if port.isdigit() else registry
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_nobody(host: str, text: str, wanted: str) -> None:
    if "@" in host:
        shown = f"***@{text.partition('@')[2]}"
        raise _invalid(shown, "a user name or password does not belong in it", wanted)


def _invalid(text: str, why: str, wanted: str = _IMAGE) -> UsageError:
    hint = "Name registry and path in full, and nothing else."
    if wanted == _IMAGE:
        hint = "Name registry, path and tag or digest in full, as `podman pull` and `cosign` take them."
    return UsageError(
        "invalid-image",
        f"expected {wanted}, found `{escape_text(without_secrets(text), 300)}`: {why}",
        hint=hint,
    )
