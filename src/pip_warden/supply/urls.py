"""The URLs that a pinned source gives its files: what has no page of the source is listed under them."""

from __future__ import annotations

from urllib.parse import quote

from pip_warden.digests import Digest
from pip_warden.names import ArtifactName
from pip_warden.trust.model import Entry, Probe, Source

_UNKNOWN = "0" * 64


def own_url(source: Source, entry: Entry | Probe, name: ArtifactName, digest: Digest | None) -> str:
    """Return the URL that a file has at its pinned source. It proves nothing, and nothing is fetched there.

    Args:
        source: The source.
        entry: The entry that pins it.
        name: The file's name.
        digest: Its SHA-256, where it is known.
    """
    if source.type == "simple":
        return f"{source.url}/{name.project}/{name.filename}"
    registry = str(entry.registry_id) if entry.registry_id is not None else entry.registry or ""
    id_ = registry if registry.isdecimal() else "0"
    known = _UNKNOWN if digest is None else digest.hex
    return f"{source.url}/api/v4/projects/{id_}/packages/pypi/files/{known}/{quote(name.filename)}"
