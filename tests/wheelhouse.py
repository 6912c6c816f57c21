"""Wheels of what is installed, packed again, so that a test can install into a fresh environment offline."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import parse_tag, sys_tags
from packaging.utils import canonicalize_name


def fill(directory: Path, pyproject: Path, extras: Iterable[str]) -> None:
    """Pack what a project needs to be built and installed with extras, and what that needs."""
    document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    optional = document["project"]["optional-dependencies"]
    wanted = [*document["build-system"]["requires"], *document["project"]["dependencies"]]
    wanted += [text for extra in extras for text in optional.get(extra, ())]
    packed: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in packed:
                continue
            packed.add(key)
            found = distribution(requirement.name)
            if not extra:
                _pack(found, directory)
            waiting += [
                each
                for each in map(Requirement, found.requires or ())
                if each.marker is None or each.marker.evaluate({"extra": extra})
            ]


def _pack(found: Distribution, directory: Path) -> None:
    described = found.read_text("WHEEL") or ""
    own = {
        tag
        for line in described.splitlines()
        if line.startswith("Tag: ")
        for tag in parse_tag(line.removeprefix("Tag: "))
    }
    tag = next(tag for tag in sys_tags() if tag in own)
    name = canonicalize_name(found.name).replace("-", "_")
    place = f"{name}-{found.version}.dist-info/RECORD"
    record = []
    with zipfile.ZipFile(directory / f"{name}-{found.version}-{tag}.whl", "w") as wheel:
        for path in found.files or ():
            is_own = path.parts[0] != ".." and "__pycache__" not in path.parts
            if path.name == "RECORD":
                place = path.as_posix()
            elif is_own and path.name not in {"INSTALLER", "REQUESTED", "direct_url.json"}:
                wheel.write(path.locate(), path.as_posix())
                record.append(f"{path.as_posix()},,\n")
        wheel.writestr(place, "".join([*record, f"{place},,\n"]))
