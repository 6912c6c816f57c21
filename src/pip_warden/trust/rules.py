"""The rules between the tables of a trust file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pip_warden.display import some_of
from pip_warden.names import parse_artifact_name
from pip_warden.oci.names import Repository
from pip_warden.trust.messages import FaultLine, describe_value, joined
from pip_warden.trust.model import (
    Entry,
    HashEntry,
    Identity,
    IdentityEntry,
    ImageEntry,
    RootPin,
    Source,
)
from pip_warden.trust.placeholders import misplaced
from pip_warden.trust.segments import TAG, VERSION

_MOST_LISTED = 8


Packages = Sequence[tuple[str, Entry]]
"""Entries, each with the path of its table; several versions that are pinned by hash may share one."""


def check_whole(
    packages: Packages, sources: Mapping[str, Source | None], roots: Mapping[str, RootPin | None]
) -> Iterator[FaultLine]:
    """Yield the faults between tables.

    Args:
        packages: Every good package entry.
        sources: Every source named, None for one with a fault of its own.
        roots: Every trusted root named, None for one with a fault of its own.
    """
    for path, entry in packages:
        yield from _check_source(path, entry, sources)
        if isinstance(entry, IdentityEntry):
            yield from _check_identities(path, entry.identities, roots)
            yield from misplaced(path, entry, TAG, VERSION)
        else:
            yield from _check_files(path, entry)
    yield from _check_siblings(packages)


def check_images(
    images: Sequence[tuple[str, ImageEntry]], roots: Mapping[str, RootPin | None]
) -> Iterator[FaultLine]:
    """Yield the faults between tables of images.

    Args:
        images: Every good entry, each with the path of its table.
        roots: Every trusted root named, None for one with a fault of its own.
    """
    decides: dict[Repository, str] = {}
    for path, entry in images:
        yield from _check_identities(path, entry.identities, roots)
        yield from misplaced(path, entry, VERSION, TAG)
        elder = decides.setdefault(entry.repository, path)
        if elder != path:
            yield f"{path}.repository", f"expected one entry of {entry.repository}, found another at {elder}"


def _check_source(path: str, entry: Entry, sources: Mapping[str, Source | None]) -> Iterator[FaultLine]:
    if entry.source not in sources:
        known = _some(sources)
        yield (
            f"{path}.source",
            f"expected a source of this file ({known}), found {describe_value(entry.source)}",
        )
        return
    source = sources[entry.source]
    if source is None:
        return
    if source.type == "gitlab" and entry.registry is None:
        yield f"{path}.project", "is required, since the source is a GitLab, found nothing"
    if source.type == "simple":
        given = {
            "project": entry.registry is not None,
            "registry-id": entry.registry_id is not None,
            "evidence": isinstance(entry, IdentityEntry) and bool(entry.evidence),
        }
        for key, is_given in given.items():
            if is_given:
                yield f"{path}.{key}", "expected nothing, since the source is a simple index, found a value"


def _check_identities(
    path: str, identities: Iterable[Identity], roots: Mapping[str, RootPin | None]
) -> Iterator[FaultLine]:
    for position, identity in enumerate(identities):
        place = f"{path}.identity[{position}]"
        if identity.root not in roots:
            wanted = "[sigstore]" if identity.root == "default" else f"[sigstore.{identity.root}]"
            yield (
                f"{place}.sigstore",
                f"expected a trusted root to verify it against, found no usable {wanted}",
            )
            continue
        root = roots[identity.root]
        if root is not None and identity.issuer not in root.issuers:
            listed = _some(root.issuers)
            yield (
                f"{place}.issuer",
                (
                    f"expected an issuer that its trusted root lists ({listed}), "
                    f"found {describe_value(identity.issuer)}"
                ),
            )


def _some(names: Collection[str]) -> str:
    """List names, the first few of many: each fault repeats them."""
    return some_of(names, _MOST_LISTED) or "none"


def _check_files(path: str, entry: HashEntry) -> Iterator[FaultLine]:
    for filename, _ in entry.files:
        file = parse_artifact_name(filename)
        if (file.project, file.version) != (entry.project, entry.version):
            yield (
                joined(path, "sha256", filename),
                (
                    f"expected a file of {entry.project} {entry.version}, "
                    f"found one of {file.project} {file.version}"
                ),
            )


def _check_siblings(packages: Packages) -> Iterator[FaultLine]:
    """Check that all entries of a project have one source, and each version one entry that decides."""
    said: dict[tuple[str, str], tuple[str, object]] = {}
    decides: dict[tuple[str, object], str] = {}
    for path, entry in packages:
        for key, ours in (
            ("source", entry.source),
            ("project", entry.registry),
            ("registry-id", entry.registry_id),
        ):
            if ours is None:
                continue
            elder_path, theirs = said.setdefault((entry.project, key), (path, ours))
            if ours != theirs:
                yield (
                    f"{path}.{key}",
                    f"expected {describe_value(theirs)} as in {elder_path}, found {describe_value(ours)}",
                )
        slot = (entry.project, None if isinstance(entry, IdentityEntry) else entry.version)
        other = decides.setdefault(slot, path)
        if other != path:
            what = "by identity" if slot[1] is None else f"version {slot[1]} by hash"
            yield f"{path}.name", f"expected one entry of {entry.project} {what}, found another at {other}"
