"""Compares what an earlier run installed with the archive that its receipt names, judged again by now.

The receipt and RECORD prove nothing: both can be edited. What is believed is the archive's bytes alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden.environments.compare import unowned
from pip_warden.environments.distribution import compare_distribution, compare_recorded
from pip_warden.environments.files import walk
from pip_warden.environments.layout import SiteLayout, layout_of
from pip_warden.environments.model import (
    AcceptedArchive,
    Comparison,
    InstalledDistribution,
    Likeness,
    Snapshot,
)
from pip_warden.environments.patches import PATCH, is_known_patch
from pip_warden.environments.receipt import Receipt, receipt_fault
from pip_warden.environments.scan import UNRECORDED
from pip_warden.environments.shadows import run_before
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name

_CHANGED = "changed-after-install"
_AT_START = ("sitecustomize", "usercustomize")
"""Modules that Python imports whenever it starts (module ``site``)."""
_HINT = (
    "It was verified when it was installed, and was changed since. Make the environment anew, "
    "and find out what changed it; `--force-reinstall` alone removes nothing that was added."
)


def check_installed(
    distribution: InstalledDistribution,
    receipt: Receipt | Fault | None,
    archive: AcceptedArchive | None,
    others: Iterable[AcceptedArchive] = (),
    *,
    now: Receipt | None = None,
) -> Comparison:
    """Compare a distribution that is there already with the archive that its receipt names.

    What no RECORD names is no distribution's: see :func:`strangers`.

    Args:
        distribution: What is installed.
        receipt: What :func:`find_receipt` returned of it.
        archive: The archive that the receipt names, **accepted again in this run**; None where it is no
            longer there.
        others: Further wheels that were accepted again: of a file that several projects bring, the last that
            was installed is there.
        now: The receipt that would be written now. Under the same pin it must be the same.

    Returns:
        ``SAME``; ``BUILT``, of an sdist: it has the files that its RECORD states; ``PRESENT``: there is no
        receipt, or no archive; or ``OTHER``, with the fault ``changed-after-install`` or ``receipt-differs``.
    """
    subject = distribution.subject
    if receipt is None:
        return Comparison(subject=subject, likeness=Likeness.PRESENT)
    fault = receipt if isinstance(receipt, Fault) else _differs(distribution, receipt, archive, now)
    if fault is None and archive is None:
        return Comparison(subject=subject, likeness=Likeness.PRESENT)
    is_built = archive is not None and archive.name.kind == "sdist"
    if fault is None and archive is not None:
        fault = compare_recorded(distribution) if is_built else _compared(distribution, archive, others)
        if fault is not None and fault.code != "receipt-differs":
            fault = replace(fault, code=_CHANGED, hint=_HINT)
    if fault is not None:
        return Comparison(subject=subject, likeness=Likeness.OTHER, fault=fault)
    return Comparison(subject=subject, likeness=Likeness.BUILT if is_built else Likeness.SAME)


def strangers(snapshot: Snapshot, checked: Iterable[InstalledDistribution]) -> Iterator[Comparison]:
    """Yield what lies where only packages should, and no RECORD names.

    That is in directories of the distributions that were checked; all among the packages and scripts of a
    virtual environment, but for what it was made with; and elsewhere what Python runs whenever it starts. A
    system's directories have files of its own package manager, and one of ``--target`` the user's. A second
    ``.dist-info`` of one that was checked is a stranger, too, and a module under the name of virtualenv's.

    Args:
        snapshot: What is installed.
        checked: The distributions that have receipts.

    Yields:
        Each with the fault ``changed-after-install``.
    """
    layouts, received = [layout_of(site) for site in snapshot.sites], tuple(checked)
    own = {each.site / key.partition("/")[0] for each in received for key in each.stamps if "/" in key}
    infos = {each.site / each.folder: each.stamps.keys() for each in received}
    own -= {layout.scripts for layout in layouts}  # below the packages with --target, and the user's, too
    for each in unowned(Snapshot(), snapshot):
        path = Path(each.subject)
        if not infos.keys().isdisjoint(path.parents):
            continue  # all of it is looked at below
        if not own.isdisjoint(path.parents) or any(_is_stray(path, layout) for layout in layouts):
            yield _stranger(path, "only files that a distribution has", f"{path}, which no distribution has")
    for info, keys in infos.items():
        yield from _foreign(info, keys)
    yield from _patches(snapshot)
    yield from _namesakes(snapshot, received)


def strange_packages(snapshot: Snapshot, checked: Iterable[InstalledDistribution]) -> Iterator[Path]:
    """Yield what Python runs before a module of what was checked, and only a distribution that was not has.

    An ``__init__`` may be honest: where projects share a namespace, any of them may bring one. What no RECORD
    names is a stranger already, but for what lies beside all packages.

    Args:
        snapshot: What is installed.
        checked: Distributions that are as their archives bring them, as they are in the snapshot.
    """
    received = tuple(checked)
    unnamed = {path for path, _ in snapshot.unowned if path.parent not in snapshot.sites}
    for site in snapshot.sites:
        layout = layout_of(site)
        known = {key for each in received if each.site == site for key in each.stamps}
        yield from (path for key in run_before(known, layout) if (path := layout.path(key)) not in unnamed)


def _is_stray(path: Path, layout: SiteLayout) -> bool:
    if layout.is_virtual:
        return layout.site in path.parents or path.parent == layout.scripts
    # Debian's pip has dist-packages of its own in /usr/local.
    is_of_pip = layout.site.name == "site-packages" or layout.prefix.name == "local"
    if layout.is_flat or not is_of_pip or path.parent != layout.site:
        return False
    return path.suffix == ".pth" or path.name.partition(".")[0] in _AT_START


def _patches(snapshot: Snapshot) -> Iterator[Comparison]:
    """Yield each module that has the name of virtualenv's, and is none that it is known to make."""
    for path, _ in snapshot.unowned:
        if path.name == PATCH and path.parent in snapshot.sites and not is_known_patch(path):
            yield _stranger(path, "virtualenv's own module", "another one")


def _foreign(info: Path, keys: Collection[str]) -> Iterator[Comparison]:
    """Yield what lies in a ``.dist-info`` and its own RECORD does not name, whichever other RECORD does."""
    for place in walk(info):
        if os.path.relpath(place, info.parent) not in keys and not place.endswith(UNRECORDED):
            yield _stranger(Path(place), f"only files that its RECORD names in {info.name}", place)


def _namesakes(snapshot: Snapshot, checked: Iterable[InstalledDistribution]) -> Iterator[Comparison]:
    """Yield what says that it is a distribution that was checked, in the same directory."""
    found: dict[tuple[Path, str], set[str]] = {}
    for each in snapshot.distributions:
        for name in {each.name, each.folder.partition("-")[0]}:
            found.setdefault((each.site, canonicalize_name(name)), set()).add(each.folder)
    for each in checked:
        for folder in sorted(
            found.get((each.site, canonicalize_name(each.name)), {each.folder}) - {each.folder}
        ):
            yield _stranger(each.site / folder, f"{each.folder} alone", folder)


def _stranger(path: Path, expected: str, found: str) -> Comparison:
    fault = Fault(code=_CHANGED, expected=expected, found=found, hint=_HINT)
    return Comparison(subject=os.fspath(path), likeness=Likeness.OTHER, fault=fault)


def _compared(
    distribution: InstalledDistribution, archive: AcceptedArchive, others: Iterable[AcceptedArchive]
) -> Fault | None:
    # Of one project one release is installed: another one's files in its place are an older state of it.
    wheels = [
        each for each in others if each.name.kind == "wheel" and each.name.project != archive.name.project
    ]
    compared = partial(compare_distribution, distribution, archive, beside=True)
    return compared() and compared(wheels)


def _differs(
    distribution: InstalledDistribution,
    receipt: Receipt,
    archive: AcceptedArchive | None,
    now: Receipt | None,
) -> Fault | None:
    """Look at what a receipt says: of this release, of this archive, and what would be said now."""
    try:
        name = parse_artifact_name(receipt.archive)
    except UsageError:
        name = None
    if name is None or not distribution.is_of(name):
        return receipt_fault(f"a receipt of {distribution.subject}", f"one of {receipt.archive}")
    if archive is not None and (archive.name != name or archive.digest != receipt.sha256):
        return receipt_fault(f"a receipt of {archive.name} ({archive.digest})", f"one of {receipt.sha256}")
    if now is not None and now.pin == receipt.pin and now != receipt:
        return receipt_fault("a receipt that says what is known of the archive", "other statements")
    return None
