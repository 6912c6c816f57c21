"""What else a registry has about a manifest: signatures, attestations and other artifacts that name it.

Registries of distribution 1.1 list referrers themselves. Others (GitLab's) leave that to clients, who keep
an index under the tag ``sha256-HEX``; a registry that was updated has some in each place. So what is there is
the union of both, and a list that is not known to be whole is an error.

Nothing here is proof: a list may name what is not there, or leave out what is. Whoever leaves evidence out
can prevent that something is accepted, and nothing else.

Source: OCI distribution specification 1.1, "Listing Referrers", "Pushing Manifests with Subject" and
"Referrers Tag Schema".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pip_warden.digests import Digest
from pip_warden.errors import RegistryError
from pip_warden.oci.answers import bad_manifest, unexpected
from pip_warden.oci.manifest import (
    IMAGE_INDEX,
    IMAGE_MANIFEST,
    MAX_MANIFEST,
    Descriptor,
    Manifest,
    read_manifest,
)
from pip_warden.oci.names import Repository, spelled
from pip_warden.oci.registry import ImageRegistry
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

_NOT_SUPPORTED = frozenset({400, 404, 405, 501})
_MOST = 1000
_TRIES = 8


def referrers(registry: ImageRegistry, repository: Repository, digest: Digest) -> tuple[Descriptor, ...]:
    """List what names a manifest as its subject, in the registry's own list and in the fallback tag's.

    Raises:
        RegistryError: ``too-many-referrers``; ``fallback-tag-taken``; ``bad-manifest``;
            ``bad-registry-answer``; or a status that does not say what is there.
        CredentialsError: The caller is not authenticated, or not authorised.
        NetworkError: No response, or a broken one.
    """
    return tuple(each_referrer(registry, repository, digest))


def each_referrer(registry: ImageRegistry, repository: Repository, digest: Digest) -> Iterator[Descriptor]:
    """Yield the same, and look at the fallback tag only when more is wanted than the registry itself lists.

    Anybody who may push can put something else under that tag: it hides nothing of what the registry lists.

    Raises:
        CredentialsError, NetworkError, RegistryError: As for :func:`referrers`.
    """
    listed = _listed(registry, repository, digest)
    yield from listed
    tagged = _entries(_tagged(registry, repository, digest))
    both = _distinct((*listed, *tagged), f"the referrers of {repository}@{spelled(digest)}")
    yield from both[len(listed) :]


def add_referrer(
    registry: ImageRegistry,
    repository: Repository,
    subject: Descriptor,
    manifest: bytes,
    *,
    media_type: str = IMAGE_MANIFEST,
) -> Digest:
    """Store a manifest that has a subject, see to it that it is listed, and return its digest.

    Where the registry keeps no list, the index under the fallback tag is extended, and read back until it has
    this entry and every one that was seen there before: a registry knows no conditional writing, so another
    writer may overwrite what was just written. (One who read the list before, and writes after it was read
    back, goes unnoticed here, and is noticed by whoever looks for the evidence.)

    Args:
        registry: The registries.
        repository: Where to; the blobs of the manifest are there.
        subject: What the manifest is about, as it says itself.
        manifest: The manifest.
        media_type: Its media type.

    Raises:
        RegistryError: ``bad-manifest``: it is about something else; ``referrers-lost``: others overwrite the
            list again and again; ``fallback-tag-taken``; ``too-many-referrers``; or another status.
        RefusedError: ``image-digest-differs``: the registry states another digest.
        CredentialsError: The caller is not authenticated, or not authorised.
        NetworkError: No response, or a broken one.
    """
    _check_subject(manifest, media_type, subject, repository)
    stored = registry.store(repository, manifest, media_type)
    entry = registry.manifest(repository, stored.manifest.described()).as_referrer()
    listed = _listed(registry, repository, subject.digest) if stored.claims_to_list else ()
    if entry.digest not in {other.digest for other in listed}:
        _extend(registry, repository, subject.digest, entry)
    return entry.digest


def fallback_tag(digest: Digest) -> str:
    """Return the tag of the list of a manifest's referrers, where the registry keeps none."""
    return f"sha256-{digest}"


def _listed(registry: ImageRegistry, repository: Repository, digest: Digest) -> tuple[Descriptor, ...]:
    """Read the registry's own list to its end; nothing where it keeps none."""
    found: tuple[Descriptor, ...] = ()
    what = f"the referrers of {repository}@{spelled(digest)}"
    pages = registry.pages(repository, f"referrers/{spelled(digest)}", IMAGE_INDEX)
    for number, page in enumerate(pages):
        if number == 0 and page.status in _NOT_SUPPORTED and not page.left_origin:
            return ()
        if page.status != 200:
            raise unexpected(page, what)
        try:
            listed = read_manifest(page.body, page.headers.get("content-type", ""))
            if listed.media_type != IMAGE_INDEX:
                raise MalformedError(f"{listed.media_type} as their list")
        except MalformedError as err:
            raise bad_manifest(what, err) from err
        found = _distinct((*found, *listed.manifests), what)
    return found


def _tagged(registry: ImageRegistry, repository: Repository, digest: Digest) -> Manifest | None:
    """Read the list under the fallback tag; an image of several platforms is an index too, but no list."""
    found = registry.find(repository, fallback_tag(digest))
    if found is None:
        return None
    if found.media_type != IMAGE_INDEX or found.subject is not None or found.platforms:
        raise RegistryError(
            "fallback-tag-taken",
            f"expected {repository}:{fallback_tag(digest)} to be an index of referrers, found another "
            f"{'index' if found.is_index else 'manifest'}",
            hint="Nothing was overwritten. Find out who pushed that, and remove or rename it.",
        )
    return found


def _distinct(found: Iterable[Descriptor], what: str) -> tuple[Descriptor, ...]:
    distinct: dict[Digest, Descriptor] = {}
    for descriptor in found:
        distinct.setdefault(descriptor.digest, descriptor)
    _check_number(len(distinct), what)
    return tuple(distinct.values())


def _check_number(number: int, what: str) -> None:
    if number > _MOST:
        raise RegistryError(
            "too-many-referrers",
            f"expected at most {_MOST} of {what}, found more",
            hint="Delete what nobody needs there; a part of the list is never taken for the whole.",
        )


def _check_size(size: int, what: str) -> None:
    if size > MAX_MANIFEST:
        raise RegistryError(
            "too-many-referrers",
            f"expected the list {what} to have at most {MAX_MANIFEST} bytes, found {size} with one more",
            hint="The artifact itself is stored. Delete what nobody needs there (annotations fill a list, "
            "too), and run the command again.",
        )


def _check_subject(manifest: bytes, media_type: str, subject: Descriptor, repository: Repository) -> None:
    what = f"a referrer of {repository}@{spelled(subject.digest)}"
    try:
        stated = read_manifest(manifest, media_type).subject
        if stated is None or not stated.digest.matches(subject.digest) or stated.size != subject.size:
            raise MalformedError("another subject in it, or none")
    except MalformedError as err:
        raise bad_manifest(what, err) from err


def _extend(registry: ImageRegistry, repository: Repository, digest: Digest, entry: Descriptor) -> None:
    """Write an entry into the list under the fallback tag, until it stays there with all that was seen."""
    tag = fallback_tag(digest)
    kept: dict[Digest, JSONValue] = {entry.digest: entry.as_json()}
    for _ in range(_TRIES):
        found = _tagged(registry, repository, digest)
        document, entries = _written(found)
        there = {listed.digest: raw for listed, raw in zip(_entries(found), entries, strict=True)}
        missing = {of: raw for of, raw in kept.items() if of not in there}
        if not missing:
            return
        _check_number(len(entries) + len(missing), f"the referrers in {repository}:{tag}")
        document["manifests"] = [*entries, *missing.values()]
        content = json.dumps(document, separators=(",", ":")).encode()
        _check_size(len(content), f"{repository}:{tag}")
        registry.store(repository, content, IMAGE_INDEX, tag=tag)
        kept |= there
    raise RegistryError(
        "referrers-lost",
        f"expected {repository}:{tag} to keep {spelled(entry.digest)} and what was there before, "
        f"found after {_TRIES} tries that others overwrite it",
        hint="The artifact itself is stored. Run the command again when no other job writes there.",
    )


def _entries(found: Manifest | None) -> tuple[Descriptor, ...]:
    return found.manifests if found is not None else ()


def _written(found: Manifest | None) -> tuple[dict[str, JSONValue], list[JSONValue]]:
    """Return a list's document, and its entries as they are written there: all of them stay as they are."""
    if found is None:
        return {"schemaVersion": 2, "mediaType": IMAGE_INDEX}, []
    document = loads_object(found.content, max_bytes=MAX_MANIFEST)
    entries = document.get("manifests")
    return document, entries if isinstance(entries, list) else []
