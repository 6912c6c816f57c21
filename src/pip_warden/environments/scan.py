"""Reads what is installed in environments, quickly: of each distribution the three files that describe it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden.artifact.layout import DIST_INFO
from pip_warden.digests import Digest, digest_of
from pip_warden.environments.files import Stamp, files_in, read_bounded, stamp_of, state_of, walk
from pip_warden.environments.layout import SiteLayout, entries, is_directory, layout_of, sites_of
from pip_warden.environments.model import InstalledDistribution, Snapshot
from pip_warden.environments.record import LARGEST_INSTALLED, recorded_keys
from pip_warden.names import ArtifactName
from pip_warden.values import dataclass

_DESCRIBING = ("RECORD", "METADATA", "direct_url.json")
UNRECORDED = ("/INSTALLER", "/direct_url.json", "/RECORD.jws", "/RECORD.p7s")
"""What RECORD need not name in ``.dist-info``: it is compared by itself, or cannot be there."""
_MOST_DISTRIBUTIONS = 20_000
_NAME = re.compile(rb"^name:(?P<value>[^\r\n]*)$", re.MULTILINE | re.IGNORECASE)
_VERSION = re.compile(rb"^version:(?P<value>[^\r\n]*)$", re.MULTILINE | re.IGNORECASE)
_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteContents:
    """What is in one directory of packages.

    Attributes:
        distributions: The distributions.
        named: Keys of all files that a RECORD there names.
    """

    distributions: tuple[InstalledDistribution, ...]
    named: frozenset[str]


def snapshot(places: Iterable[Path], *, sites: Iterable[Path] = ()) -> Snapshot:
    """Read what is installed in some places; nothing is imported or run.

    Args:
        places: Environments, directories of environments, or directories of packages. They need not exist.
        sites: Directories of packages, whether there are packages in them yet or not.
    """
    known: dict[str, Path] = {}
    for site in (*sites, *chain.from_iterable(map(sites_of, places))):
        known.setdefault(os.path.realpath(site), site)
    distributions: list[InstalledDistribution] = []
    unowned: dict[Path, Digest] = {}
    for site in known.values():
        layout = layout_of(site)
        if layout.leads_out:
            unowned[site] = digest_of(os.fsencode(os.path.realpath(site)))
            continue
        contents = read_site(layout)
        distributions += contents.distributions
        for path in _unowned(layout, contents):
            unowned[path] = state_of(path)
    return Snapshot(
        sites=tuple(known.values()),
        distributions=tuple(distributions),
        unowned=tuple(sorted(unowned.items())),
    )


def read_site(layout: SiteLayout) -> SiteContents:
    """Read the distributions of one directory of packages, and what they say is theirs."""
    found: list[InstalledDistribution] = []
    named: set[str] = set()
    for entry in entries(layout.site):
        if not entry.name.endswith(DIST_INFO) or len(found) >= _MOST_DISTRIBUTIONS:
            continue
        folder = layout.site / entry.name
        if folder.is_symlink() or not os.path.lexists(folder / "METADATA"):
            continue
        distribution, record = _distribution(layout.site, entry.name)
        keys = recorded_keys(record, layout)
        found.append(replace(distribution, stamps=dict(_stamps(layout, keys))))
        named |= keys
    return SiteContents(distributions=tuple(found), named=frozenset(named))


def find_distributions(
    sites: Iterable[Path], names: Iterable[ArtifactName]
) -> dict[ArtifactName, InstalledDistribution]:
    """Find what was installed from archives, by name and version.

    Args:
        sites: Directories of packages, in the order in which they are looked into.
        names: The archives' names.

    Returns:
        What was found; without stamps.
    """
    folders: dict[str, list[Path]] = {}
    for site in sites:
        for entry in entries(site):
            if entry.name.endswith(DIST_INFO) and is_directory(entry):
                project = canonicalize_name(entry.name.rpartition("-")[0].rpartition("-")[0])
                folders.setdefault(project, []).append(site / entry.name)
    found: dict[ArtifactName, InstalledDistribution] = {}
    for name in names:
        fitting = (distribution_in(folder) for folder in folders.get(name.project, ()))
        if (first := next((each for each in fitting if each.is_of(name)), None)) is not None:
            found[name] = first
    return found


def distribution_in(folder: Path) -> InstalledDistribution:
    """Read one distribution, by its ``.dist-info`` directory; without stamps."""
    return _distribution(folder.parent, folder.name)[0]


def _stamps(layout: SiteLayout, keys: Iterable[str]) -> Iterator[tuple[str, Stamp]]:
    for key in keys:
        if (stamp := stamp_of(f"{layout.site}/{key}")) is not None:
            yield key, stamp


def _distribution(site: Path, folder: str) -> tuple[InstalledDistribution, bytes]:
    """Read what describes a distribution; what cannot be read is a state of its own."""
    read: dict[str, bytes] = {}
    described = list[bytes]()
    for name in _DESCRIBING:
        try:
            read[name] = read_bounded(site / folder / name, LARGEST_INSTALLED)
            described += [b"%d:" % len(read[name]), read[name]]
        except (OSError, ValueError) as err:
            described.append(type(err).__name__.encode() + b";")
    named = _FOLDER.fullmatch(folder)
    stated = _stated(read.get("METADATA", b""))
    distribution = InstalledDistribution(
        site=site,
        folder=folder,
        name=stated[0] or (named["name"] if named else folder.removesuffix(DIST_INFO)),
        version=stated[1] or (named["version"] if named else ""),
        state=digest_of(b"".join(described)),
    )
    return distribution, read.get("RECORD", b"")


def _stated(metadata: bytes) -> tuple[str, str]:
    """Return the name and version in METADATA (core metadata: headers as in e-mail); ``""`` for none."""
    head = metadata.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    name, version = (each.search(head) for each in (_NAME, _VERSION))
    return _text(name), _text(version)


def _text(found: re.Match[bytes] | None) -> str:
    return found["value"].decode("utf-8", "replace").strip() if found else ""


def _unowned(layout: SiteLayout, contents: SiteContents) -> Iterable[Path]:
    """Yield what lies among the packages and scripts and no RECORD names; an environment's settings, too."""
    if layout.is_virtual:
        yield layout.settings
    named = contents.named
    folders = {each.folder for each in contents.distributions}
    tops = {key.partition("/")[0] for key in named} | folders
    beside = {"__pycache__", layout.scripts.name} if layout.is_flat else {"__pycache__"}
    for entry in entries(layout.site):
        path = layout.site / entry.name
        if entry.name in beside or entry.name in named:
            continue
        if not is_directory(entry):
            yield path
        elif entry.name not in tops:
            yield from (path,) if files_in(path) else ()
        else:
            quiet = UNRECORDED if entry.name in folders else ()
            yield from (Path(each) for each in _strangers(layout, path, named) if not each.endswith(quiet))
    for entry in entries(layout.scripts):
        path = layout.scripts / entry.name
        if entry.name != "__pycache__" and layout.key_of(path) not in contents.named:
            yield path


def _strangers(layout: SiteLayout, directory: Path, named: frozenset[str]) -> Iterator[str]:
    """Yield what lies in a directory that distributions have, and no RECORD names."""
    site = f"{layout.site}/"
    return (each for each in walk(directory) if each.removeprefix(site) not in named)
