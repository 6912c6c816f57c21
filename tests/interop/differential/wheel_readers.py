"""How pip, uv and installer read a wheel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from interop.differential.reading import Reading
from interop.differential.tools import PYTHON, Answer, Tools
from pip_warden.artifact.model import Contents

_EXTRAS = "x,y-z"
_GENERATED = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)
"""The files that installers themselves write into ``.dist-info``."""
_INFO = re.compile(r"(purelib|platlib)/[^/]+\.dist-info")


def readings(tools: Tools, wheel: Path, contents: Contents, place: Path) -> list[Reading]:
    """Have a wheel installed by each reader, each below a directory of its own."""
    extras = ("", _EXTRAS) if b"xtra" in contents.metadata else ("",)
    with zipfile.ZipFile(wheel) as archive:
        brought = {name.rpartition("/")[2] for name in archive.namelist()} - {"RECORD"}
    read = [
        _by_pip(tools, wheel, place / "pip", extras),
        _by_uv(tools, wheel, place / "uv", extras),
        _by_installer(tools, wheel, place / "installer"),
    ]
    read = [replace(one, tree=_without_notes(one.tree, _GENERATED - brought)) for one in read]
    good = [one for one in read if not one.refusal]
    return [*read, _ours(contents, good[0], extras)] if good else read


def _by_pip(tools: Tools, wheel: Path, into: Path, extras: tuple[str, ...]) -> Reading:
    report = into.with_suffix(".json")
    needs: dict[str, str | None] = {}
    for extra in extras:
        what = f"acme-widgets[{extra}] @ {wheel.as_uri()}" if extra else wheel
        how = ("--dry-run",) if extra else ("--prefix", into)
        answer = tools.pip(*how, "--report", report, what)
        needs[extra] = None if answer.code else _reported(report)
    if needs[""] is None:  # is the cause the wheel, or its dependencies?
        answer = tools.pip("--no-deps", "--prefix", into, wheel)
        if answer.code:
            return _refused("pip", answer)
    return Reading(tool="pip", tree=_tree(into), needs=needs)


def _by_uv(tools: Tools, wheel: Path, into: Path, extras: tuple[str, ...]) -> Reading:
    needs: dict[str, str | None] = {}
    for extra in extras:
        what = f"acme-widgets[{extra}] @ {wheel.as_uri()}" if extra else wheel
        how = ("--dry-run", "--prefix", into.with_suffix(".none")) if extra else ("--prefix", into)
        answer = tools.uv(*how, what)
        needs[extra] = None if answer.code else _announced(answer)
    if needs[""] is None:
        answer = tools.uv("--no-deps", "--prefix", into, wheel)
        if answer.code:
            return _refused("uv", answer)
    return Reading(tool="uv", tree=_tree(into), needs=needs)


def _by_installer(tools: Tools, wheel: Path, into: Path) -> Reading:
    into.mkdir()
    answer = tools.ask("installer", wheel, into)
    return _refused("installer", answer) if answer.code else Reading(tool="installer", tree=_tree(into))


def _ours(contents: Contents, read: Reading, extras: tuple[str, ...]) -> Reading:
    """Return the reading that we judged, as if installed like the first reader's.

    It has the METADATA, and the dependencies that it states.
    """
    tree = dict(read.tree)
    for path, word in read.tree.items():
        head, _, name = path.rpartition("/")
        if name == "METADATA" and _INFO.fullmatch(head):
            tree[path] = f"{word.partition(' ')[0]} {_digest(contents.metadata)}"
    needs = {extra: _stated(contents, extra) for extra in extras if read.needs.get(extra) is not None}
    return Reading(tool="pip-warden", tree=tree, needs=needs)


def _stated(contents: Contents, extras: str) -> str:
    """Evaluate the dependencies in METADATA, without those of dependencies in turn: they have none."""
    found = set()
    for text in contents.requires_dist:
        requirement = Requirement(text)
        asked = [{"extra": extra} for extra in ("", *filter(None, extras.split(",")))]
        if requirement.marker is None or any(requirement.marker.evaluate(one) for one in asked):
            found.add(str(canonicalize_name(requirement.name)))
    return " ".join(sorted(found - {contents.project}))


def _refused(tool: str, answer: Answer) -> Reading:
    return Reading(tool=tool, refusal=answer.said or str(answer.code))


def _reported(report: Path) -> str:
    items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return " ".join(sorted({str(item["metadata"]["name"]) for item in items} - {_name(items)}))


def _name(items: list[dict[str, dict[str, str]]]) -> str:
    return next(item["metadata"]["name"] for item in items if item["requested"])


def _announced(answer: Answer) -> str:
    return " ".join(sorted(re.findall(r"^ \+ (dep[a-z0-9-]*)==", answer.said, re.MULTILINE)))


def _tree(prefix: Path) -> dict[str, str]:
    """Return the files below a prefix, named by installation scheme; a dependency's files are left out."""
    found: dict[str, str] = {}
    purelib = prefix / "lib" / PYTHON / "site-packages"  # uv makes it, needed or not
    for directory, names, files in os.walk(prefix):
        if not names and not files and Path(directory) != purelib:
            found[_placed(prefix, Path(directory))] = "directory"
        links = [name for name in names if (Path(directory) / name).is_symlink()]
        for path in (Path(directory) / name for name in (*files, *links)):
            where = _placed(prefix, path)
            if not re.match(r"(purelib|platlib)/dep_", where) and where != ".lock":
                found[where] = _described(path, is_script=where.startswith("scripts/"))
    return found


def _without_notes(tree: Mapping[str, str], notes: frozenset[str]) -> dict[str, str]:
    """Leave out the files that installers wrote themselves; the wheel's own of such a name stay."""
    return {
        path: word
        for path, word in tree.items()
        if not (path.rpartition("/")[2] in notes and _INFO.fullmatch(path.rpartition("/")[0]))
    }


def _placed(prefix: Path, path: Path) -> str:
    where = path.relative_to(prefix).as_posix()
    where = re.sub(rf"^lib/{PYTHON}/site-packages(?=/|$)", "purelib", where)
    where = re.sub(rf"^lib64/{PYTHON}/site-packages(?=/|$)", "platlib", where)
    where = re.sub(rf"^include/(site/)?{PYTHON}/acme[^/]*(?=/|$)", "headers", where)
    return re.sub(r"^bin(?=/|$)", "scripts", where)


def _described(path: Path, *, is_script: bool) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    data, called = path.read_bytes(), ""
    if is_script:
        called = _called(data.decode("utf-8", "replace"))
        data = re.sub(rb"\A#!/[^\n]*/bin/python[0-9.]*", b"#!PYTHON", data)
    runs = "executable" if path.stat().st_mode & 0o100 else "plain"
    return f"{runs} {called or _digest(data)}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _called(text: str) -> str:
    """Recognise the scripts that pip, uv and installer generate for entry points, and return their call."""
    found = re.fullmatch(
        r"#!/[^\n]*\n(# -\*- coding: utf-8 -\*-\n)?(import re\n)?import sys\n"
        r"from (?P<module>\S+) import (?P<name>\S+)\n"
        r"if __name__ == ['\"]__main__['\"]:\n"
        r"( {4,8}[^\n]*sys\.argv\[0\][^\n]*\n)* {4}sys\.exit\((?P<call>\S+)\(\)\)\n?",
        text,
    )
    return f"calls {found['module']}:{found['call']} of {found['name']}" if found else ""
