"""What a registry's answers say, and the errors for what a registry should not answer."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import NetworkError, RefusedError, RegistryError, UndecidedError, UsageError
from pip_warden.oci.manifest import Descriptor, Manifest, read_manifest
from pip_warden.oci.names import Repository, parse_tag, spelled
from pip_warden.strict_json import MalformedError, kind_of, loads_object
from pip_warden.transport import Response, error_for, origin_of, redacted_url

MAX_LIST = 8 << 20
"""Bytes of the largest page of a list."""

_NEXT = re.compile(r'<([^<>]{1,4096})>[ \t]*;[^,<]*\brel=(?:"next"|next)[ \t]*(?:[;,]|\Z)', re.ASCII)
_MOST_EXPLAINED = 64 << 10
_HINTS = {
    "not-found": "Check the image's registry, path, and tag or digest.",
    "unexpected-status": "Check the registry's host, and that no proxy replaces its answers.",
}
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN"})


def says_absent(reply: Response) -> bool:
    """Return whether the registry itself says that there is no such manifest or repository.

    A bare 404 may be a proxy's, or that of an object storage: then nothing is known.
    """
    if reply.status != 404 or reply.left_origin:
        return False
    try:
        errors = loads_object(reply.body, max_bytes=_MOST_EXPLAINED).get("errors")
    except MalformedError:
        return False
    if not isinstance(errors, list) or not errors:
        return False
    return all(isinstance(error, dict) and error.get("code") in _ABSENT for error in errors)


def location(reply: Response, repository: Repository) -> str:
    """Return where an upload goes on: an absolute URL of the registry's own origin.

    Raises:
        RegistryError: ``bad-registry-answer``: it leads elsewhere, or nowhere.
    """
    named = reply.headers.get("location", "")
    if not named:
        raise bad_answer(reply.url, "no Location for the upload")
    try:
        url = urljoin(reply.url, named)
        at_home = origin_of(url) == origin_of(repository.url)
    except (ValueError, NetworkError) as err:
        raise bad_answer(reply.url, "a Location that is no URL a request may go to") from err
    if not at_home:
        raise bad_answer(reply.url, f"a Location at another origin, {redacted_url(url)}")
    return url.partition("#")[0]


def next_page(reply: Response, url: str) -> str | None:
    """Return the URL of the next page of a list; None at its end.

    Args:
        reply: The page.
        url: The URL that was requested: the next one differs in its query alone.

    Raises:
        RegistryError: ``bad-registry-answer``: it leads elsewhere, or cannot be read.
    """
    header = reply.headers.get("link", "").strip()
    if not header:
        return None
    found = _NEXT.search(header)
    if found is None:
        raise bad_answer(url, "a Link header without a next page")
    try:
        following = urljoin(url, str(found[1]))
        is_same_list = urlsplit(following)[:3] == urlsplit(url)[:3] and "#" not in following
    except ValueError as err:
        raise bad_answer(url, "a next page that is no URL") from err
    if not is_same_list:
        raise bad_answer(url, f"a next page elsewhere, {redacted_url(following)}")
    return following


def manifest_in(reply: Response, what: str) -> Manifest:
    """Return the manifest in a response.

    Raises:
        RegistryError: ``bad-manifest``, or another status than 200.
        RefusedError: ``image-digest-differs``: its digest is stated otherwise.
    """
    if reply.status != 200:
        raise unexpected(reply, what)
    try:
        manifest = read_manifest(reply.body, reply.headers.get("content-type", ""))
    except MalformedError as err:
        raise bad_manifest(what, err) from err
    check_echo(reply, manifest.digest, what)
    return manifest


def is_as_described(manifest: Manifest, described: Descriptor) -> bool:
    """Return whether a manifest has the media type and size that a descriptor states."""
    return manifest.media_type == described.media_type and len(manifest.content) == described.size


def check_blob(descriptor: Descriptor, size: int, digest: Digest, what: str) -> None:
    """Check a blob that was read to its end.

    Raises:
        RefusedError: ``image-digest-differs``.
    """
    if size != descriptor.size or not digest.matches(descriptor.digest):
        raise digest_differs(what, f"{descriptor.size} bytes of its digest", f"{size} of {spelled(digest)}")


def tags_in(reply: Response) -> list[str]:
    """Return one page of a repository's tags; some registries spell none as null.

    Raises:
        RegistryError: ``bad-registry-answer``.
    """
    try:
        said = loads_object(reply.body, max_bytes=MAX_LIST)
        if "tags" not in said:
            raise MalformedError("an object without `tags`")
        if (tags := said["tags"]) is not None and not isinstance(tags, list):
            raise MalformedError(f"tags that are {kind_of(tags)}")
        return [parse_tag(tag if isinstance(tag, str) else "") for tag in tags or ()]
    except (MalformedError, UsageError) as err:
        raise bad_answer(reply.url, f"no list of tags: {err}") from err


def check_echo(reply: Response, digest: Digest, what: str) -> None:
    """Check that the digest that a registry states, where it does, is the one computed here.

    Raises:
        RefusedError: ``image-digest-differs``.
    """
    stated = reply.headers.get("docker-content-digest", "").strip()
    if stated and stated != spelled(digest):
        raise digest_differs(what, spelled(digest), f"that the registry states {escape_text(stated, 100)}")


def digest_differs(what: str, expected: str, found: str) -> RefusedError:
    """Build the refusal of bytes that are not those of their digest."""
    return RefusedError(
        "image-digest-differs",
        f"expected {what} to be {expected}, found {found}",
        hint="Do not use the image. The registry, or something before it, serves other bytes: tell its "
        "operators.",
    )


def unexpected(reply: Response, what: str) -> UndecidedError:
    """Build the error for a response of another status than the expected one."""
    err = error_for(reply, what)
    hint = _HINTS.get(err.code, err.hint)
    if not isinstance(err, RegistryError) or hint == err.hint:
        return err
    return RegistryError(err.code, err.message, hint=hint, status=reply.status)


def bad_answer(url: str, found: str) -> RegistryError:
    """Build the error for an answer that the distribution specification does not know."""
    return RegistryError(
        "bad-registry-answer",
        f"expected an answer of a container registry from {redacted_url(url)}, found {escape_text(found)}",
        hint="Check the registry's host, and that no proxy replaces its answers.",
    )


def bad_manifest(what: str, err: MalformedError) -> RegistryError:
    """Build the error for a manifest that cannot be read without doubt."""
    return RegistryError(
        "bad-manifest",
        f"expected {what} to be an image manifest or index, found {escape_text(str(err), 300)}",
        hint="Nothing was decided. Ask whoever pushed it to push it again with a current tool.",
    )
