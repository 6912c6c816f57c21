"""What pip says that it has installed, or would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from pip_warden.errors import InstallerError
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One item of pip's installation report (pip documentation, "Installation report").

    Attributes:
        name: Project name as its metadata spells it.
        version: Version.
        sha256: Digest of the archive, ``""`` for a directory.
        directory: ``file:`` URL of a local project, ``""`` for an archive.
        requires_dist: Its requirements.
    """

    name: str
    version: str
    sha256: str
    directory: str
    requires_dist: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """What a Python has.

    Attributes:
        version: Its version.
        requires_dist: Its requirements.
        info: The directory that describes it, ``….dist-info``; None where it is not known.
    """

    version: str
    requires_dist: tuple[str, ...] = ()
    info: Path | None = None

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        """Read an item of ``pip inspect`` (pip documentation, "Inspect report").

        Raises:
            KeyError: It is none; or another of the exceptions of what has another form.
        """
        metadata, place = item["metadata"], item.get("metadata_location")
        return cls(
            version=str(metadata["version"]),
            requires_dist=tuple(map(str, metadata.get("requires_dist", ()))),
            info=Path(place) if place else None,
        )


def read_report(path: Path) -> tuple[Installed, ...]:
    """Read pip's installation report.

    Raises:
        InstallerError: ``pip-failed``: there is none, or it is not one.
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8"))["install"]
        return tuple(_installed(item) for item in items)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InstallerError("pip-failed", f"expected pip's report, found {type(err).__name__}") from err


def _installed(item: dict[str, dict[str, dict[str, dict[str, str]]]]) -> Installed:
    download, metadata = item["download_info"], item["metadata"]
    archive = download.get("archive_info") or {}
    is_directory = "dir_info" in download
    return Installed(
        name=str(metadata["name"]),
        version=str(metadata["version"]),
        sha256="" if is_directory else str((archive.get("hashes") or {}).get("sha256", "")),
        directory=str(download["url"]) if is_directory else "",
        requires_dist=tuple(str(text) for text in metadata.get("requires_dist", ())),
    )
