"""How tarfile, pip, uv and tar read an sdist."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from interop.differential import dump
from interop.differential.mutants import Mutant
from interop.differential.reading import Reading
from interop.differential.tools import Answer, Tools
from pip_warden.artifact.model import Contents

_WITH_EXTRA = "acme-widgets[x] @ {}"


def readings(tools: Tools, sdist: Path, contents: Contents, place: Path, *, build: bool) -> list[Reading]:
    """Have an sdist unpacked by each reader, each into a directory of its own.

    Args:
        tools: The tools.
        sdist: The file.
        contents: What we read in it.
        place: The directory.
        build: Whether pip also builds it, which takes as long as all the rest; otherwise it only unpacks it.
    """
    read = [
        _unpacked("tarfile", place, lambda into: tools.ask("tarfile", sdist, into)),
        _unpacked("pip", place, lambda into: tools.ask("pip-unpack", sdist, into), strip=False),
        _unpacked("tar", place, lambda into: tools.tar(sdist, into)),
        _by_uv(tools, sdist, place / "uv"),
    ]
    if build or read[-1].refusal:
        read.append(_by_pip(tools, sdist, place / "pip-build"))
        if read[-1].refusal and read[-2].refusal:  # if neither builds it, there is no difference
            read = read[:-2]
    good = [one for one in read if not one.refusal]
    return [*read, _ours(contents, good[0])] if good else read


def is_worth_a_build(mutant: Mutant) -> bool:
    """Return whether a mutant's metadata is odd, which no unpacking shows."""
    return not mutant.operators or any(
        operator.startswith(("said-", "files-")) for operator in mutant.operators
    )


def _ours(contents: Contents, read: Reading) -> Reading:
    """Return the reading that we judged: its PKG-INFO."""
    word = f"plain {hashlib.sha256(contents.metadata).hexdigest()[:16]}"
    return Reading(tool="pip-warden", tree={**read.tree, "PKG-INFO": word})


def _by_uv(tools: Tools, sdist: Path, into: Path) -> Reading:
    report = into.with_suffix(".json")
    answer = tools.uv("--prefix", into, _WITH_EXTRA.format(sdist.as_uri()), dump=report)
    return _built("uv", answer, report, re.findall(r"^ \+ (dep[a-z0-9-]*)==", answer.said, re.MULTILINE))


def _by_pip(tools: Tools, sdist: Path, into: Path) -> Reading:
    seen, report = into.with_suffix(".json"), into.with_suffix(".report")
    what = ("--report", report, "--prefix", into, _WITH_EXTRA.format(sdist.as_uri()))
    answer = tools.pip(*what, dump=seen)
    items = [] if answer.code else json.loads(report.read_text(encoding="utf-8"))["install"]
    return _built(
        "pip-build", answer, seen, [item["metadata"]["name"] for item in items if not item["requested"]]
    )


def _built(tool: str, answer: Answer, seen: Path, needs: list[str]) -> Reading:
    if answer.code:
        return Reading(tool=tool, refusal=answer.said or str(answer.code))
    tree = json.loads(seen.read_text(encoding="utf-8"))
    return Reading(tool=tool, tree=tree, needs={"x": " ".join(sorted(needs))})


def _unpacked(tool: str, place: Path, unpack: Callable[[Path], Answer], *, strip: bool = True) -> Reading:
    """Unpack, and look below the one top directory, which pip omits."""
    into = place / tool
    into.mkdir()
    answer = unpack(into)
    _open_up(into)
    if answer.code:
        return Reading(tool=tool, refusal=answer.said or str(answer.code))
    tops = list(into.iterdir())
    if strip and len(tops) != 1:
        return Reading(tool=tool, tree={top.name: "beside the top" for top in tops})
    return Reading(tool=tool, tree=dump.tree(str(tops[0] if strip else into)))


def _open_up(top: Path) -> None:
    """Let the owner read and remove everything, whatever the modes in the archive; executable bits stay."""
    for directory, names, files in os.walk(top):
        for path in (Path(directory) / name for name in (*names, *files)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))
