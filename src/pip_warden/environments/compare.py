"""Compares what an installer changed in environments with the archives that were accepted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from pip_warden.artifact.pyproject import local_project
from pip_warden.environments.distribution import compare_distribution, compare_with_record
from pip_warden.environments.files import read_bounded
from pip_warden.environments.layout import layout_of, sites_of
from pip_warden.environments.model import (
    AcceptedArchive,
    Comparison,
    InstalledDistribution,
    Likeness,
    Snapshot,
)
from pip_warden.faults import Fault

_LARGEST_URL_FILE = 1 << 16
_SEEDED = re.compile(
    r"(activate|deactivate)([._][A-Za-z0-9_.]+)?|pydoc\.bat|(python|pypy|graalpy)w?[0-9]*(\.[0-9]+)?t?|𝜋thon|(pip|wheel)-?[0-9.]*",
    re.IGNORECASE,
)
"""Scripts of a virtual environment that its maker writes (venv, virtualenv, uv); Python 3.14 adds a joke."""
_VIRTUALENV = {"_virtualenv.pth": b"import _virtualenv", "_virtualenv.py": None}
"""What virtualenv and uv put among the packages of a new environment."""
_PIPX = "pipx_shared.pth"
"""What pipx puts there: it names the environment with the pip that all of its environments share."""
_HINT = (
    "It is in the environment now. Remove it, and find out which package or setting brought it; "
    "an environment that is made anew has nothing of it."
)


def compare(
    before: Snapshot, after: Snapshot, accepted: Iterable[AcceptedArchive], local: Collection[Path]
) -> tuple[Comparison, ...]:
    """Compare what was gained or changed with what was accepted. What was removed is no finding.

    Args:
        before: What was installed before the installer ran.
        after: What is installed now.
        accepted: Files whose content was handed to the installer.
        local: The user's own project directories; a project in one of them is the user's own, too.

    Returns:
        One for each distribution, and for each file or directory that no distribution has, that was gained
        or changed.
    """
    archives = tuple(accepted)
    roots = tuple(os.path.realpath(each) for each in local)
    known = {(each.site, each.folder): each for each in before.distributions}
    found: list[Comparison] = []
    for each in after.distributions:
        earlier = known.get((each.site, each.folder))
        if earlier is None or earlier.state != each.state:
            found.append(_compare(each, archives, roots))
        elif earlier.stamps != each.stamps:
            found += _rewritten(earlier, each, archives)
    return (*found, *unowned(before, after))


def _rewritten(
    earlier: InstalledDistribution, later: InstalledDistribution, archives: Iterable[AcceptedArchive]
) -> Iterator[Comparison]:
    """Look at what was written of one that describes itself as it did before; it may be installed anew."""
    if (anew := _compare(later, archives, ())).likeness is Likeness.SAME:
        yield anew
        return
    written = [key for key, stamp in later.stamps.items() if earlier.stamps.get(key) != stamp]
    wheels = [each for each in archives if each.name.kind == "wheel"]
    differs = compare_with_record(later, written, ()) and compare_with_record(later, written, wheels)
    if differs is not None:
        yield _comparison(later, Likeness.OTHER, fault=_as_accepted(differs, f"{later.subject} as it was"))


def _compare(
    distribution: InstalledDistribution,
    archives: Iterable[AcceptedArchive],
    local: Collection[str],
) -> Comparison:
    subject = distribution.subject
    release = distribution.release
    fitting = [each for each in archives if (each.name.project, each.name.version) == release]
    fault = _differs("only what came through the gate", f"{subject}, which did not")
    for archive in fitting:
        if archive.name.kind == "wheel":
            differs = compare_distribution(distribution, archive)
            if differs is not None:
                others = [each for each in archives if each.name.kind == "wheel" and each is not archive]
                differs = compare_distribution(distribution, archive, others)
            if differs is None:
                return _comparison(distribution, Likeness.SAME, archive)
            fault = _as_accepted(differs, f"{subject} as accepted")
    if _is_local(distribution, local):
        return _comparison(distribution, Likeness.LOCAL)
    if fitting and all(each.name.kind == "sdist" for each in fitting):
        return _comparison(distribution, Likeness.BUILT, fitting[0] if len(fitting) == 1 else None)
    return _comparison(distribution, Likeness.OTHER, fault=fault)


def _comparison(
    distribution: InstalledDistribution,
    likeness: Likeness,
    archive: AcceptedArchive | None = None,
    *,
    fault: Fault | None = None,
) -> Comparison:
    return Comparison(
        subject=distribution.subject,
        likeness=likeness,
        fault=fault,
        distribution=distribution,
        archive=archive,
    )


def _is_local(distribution: InstalledDistribution, local: Collection[str]) -> bool:
    """Return whether a distribution is the user's own project, by what it says of its origin (PEP 610).

    It was installed from a directory of the user's that does not state another name; or from an archive that
    lies in a project of that name, as tox makes one.
    """
    stated = _direct_url(distribution)
    url = urlsplit(stated.get("url", ""))
    if url.scheme != "file" or url.netloc not in {"", "localhost"}:
        return False
    place = os.path.realpath(unquote(url.path, errors="strict"))
    roots = [root for root in local if place == root or place.startswith(root.rstrip(os.sep) + os.sep)]
    name = str(canonicalize_name(distribution.name))
    if isinstance(stated.get("dir_info"), dict):
        return bool(roots) and _project_in(place) in {None, name}
    return isinstance(stated.get("archive_info"), dict) and name in map(_project_in, {*roots} - {place})


def _project_in(directory: str) -> str | None:
    """Return the name that a project directory states, None where it states none; ``""`` for no project."""
    project = local_project(Path(directory))
    return "" if isinstance(project, Fault) else project.project


def _direct_url(distribution: InstalledDistribution) -> dict[str, Any]:
    """Read what a distribution says of its origin; nothing where it cannot be read."""
    path = distribution.site / distribution.folder / "direct_url.json"
    try:
        stated = json.loads(read_bounded(path, _LARGEST_URL_FILE))
        os.path.realpath(unquote(urlsplit(stated["url"]).path, errors="strict"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
    return dict(stated)


def unowned(before: Snapshot, after: Snapshot) -> Iterator[Comparison]:
    """Yield what no distribution has and was not there before, but for what comes with new environments."""
    known = dict(before.unowned)
    for path, state in after.unowned:
        if known.get(path) == state or _is_seeded(path, before, after):
            continue
        fault = _differs("only what came through the gate", f"{path}, which no distribution has")
        yield Comparison(subject=os.fspath(path), likeness=Likeness.OTHER, fault=fault)


def _is_seeded(path: Path, before: Snapshot, after: Snapshot) -> bool:
    """Return whether a file came with a new environment, or is the lock that uv leaves in a directory."""
    if path.name == ".lock" and path.parent in after.sites and _content(path) == b"":
        return True
    for site in set(after.sites) - set(before.sites):
        layout = layout_of(site)
        if not layout.is_virtual:
            continue
        if path == layout.settings or (path.parent == layout.scripts and _SEEDED.fullmatch(path.name)):
            return True
        if path.parent == site and path.name in _VIRTUALENV:
            return _VIRTUALENV[path.name] in {None, _content(path)}
        if path == site / _PIPX:
            sites = (*after.sites, *_shared_by_pipx(layout.prefix))
            return (_content(path) or b"").rstrip(b"\n") in {os.fsencode(each) for each in sites}
    return False


def _shared_by_pipx(prefix: Path) -> tuple[Path, ...]:
    """Return the packages that an environment of pipx has its pip from: it lies in ``venvs``, beside them."""
    return sites_of(prefix.parent.with_name("shared")) if prefix.parent.name == "venvs" else ()


def _content(path: Path) -> bytes | None:
    try:
        return read_bounded(path, _LARGEST_URL_FILE)
    except (OSError, ValueError):
        return None


def _as_accepted(differs: Fault, what: str) -> Fault:
    return replace(differs, code="not-through-gate", expected=f"{what}: {differs.expected}", hint=_HINT)


def _differs(expected: str, found: str) -> Fault:
    return Fault(code="not-through-gate", expected=expected, found=found, hint=_HINT)
