"""pip's lines as they are shown: with the user's own files instead of the run's copies and its index.

For display only. The lines are foreign text before and after; they are escaped when they are printed, so that
nothing that is put together here can control a terminal or a job's log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from pip_warden.display import near
from pip_warden.installer.gate_port import HOST
from pip_warden.values import dataclass, field

_NEVER = r"(?!)"
BUILDS = "…"
"""Shown for the directory in which pip unpacks and builds; it is removed at the end of the run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPlaces:
    """What pip is given, and what the user knows it by.

    Attributes:
        private: The private directory of the session.
        workspace: The directory of the run, in it.
        staging: Where pip downloads to.
        download: Where the user wants the files; None where nothing is downloaded.
        is_dry: Whether nothing is written to it.
        sources: What stands for the index, for people.
        files: Of each file that pip gets a copy of, the copy and where the user has it.
        origins: For each requirements file that was written for pip, by its name: the origin of each line,
            ``""`` for the command line.
    """

    private: Path
    workspace: Path
    staging: Path
    sources: str
    download: Path | None = None
    is_dry: bool = False
    files: Mapping[Path, Path] = field(default_factory=dict, hash=False)
    origins: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)


class Relay:
    """Tells each line on.

    Args:
        places: The places of the run.
        on_line: Told each line as it is to be shown.
    """

    def __init__(self, places: RunPlaces, on_line: Callable[[str], None]) -> None:
        self._places = places
        self._on_line = on_line
        self._known = {
            spelled: shown for path, shown in _paths(places) for spelled in _spellings(path, unquoted=True)
        }
        workspace = "|".join(map(re.escape, _spellings(places.workspace)))
        private = "|".join(map(re.escape, _spellings(places.private)))
        known = "|".join(map(re.escape, sorted(self._known, key=len, reverse=True)))
        requirement = rf"-[rc] (?:{workspace})/(?P<list>[a-z-]+\.txt) \(line (?P<line>[0-9]+)\)"
        self._pattern = re.compile(
            rf"(?P<from> \(from (?P<inside>{requirement})\))"
            rf"|(?P<after>->)?{requirement.replace('P<list>', 'P<list2>').replace('P<line>', 'P<line2>')}"
            rf"|http://{re.escape(HOST)}/files/[^/\s]+/(?P<file>[^/\s#?]+)(?:#[a-z0-9]+=[0-9a-f]+)?"
            rf"|http://{re.escape(HOST)}/simple/(?P<page>[^/\s]*)/?"
            rf"|(?P<known>{known or _NEVER})(?![^/\s'\"),:;])"
            rf"|(?:file://)?(?:(?:{workspace})(?:/child/tmp)?|{private})(?![^/\s'\"),:;])"
        )

    def tell(self, line: str) -> None:
        """Tell one line that pip has printed."""
        if self._places.is_dry and line.startswith("Saved "):
            line = f"Would save {line.removeprefix('Saved ')}"
        self._on_line(self.shown(line))

    def shown(self, line: str) -> str:
        """Return a line with what the user knows in the place of what only the run knows."""
        return self._pattern.sub(self._instead, line)

    def _instead(self, match: re.Match[str]) -> str:
        if match["from"]:
            where = self._origin(match["list"], match["line"])
            return f" (from {where})" if where else ""
        if match["list2"]:
            where = self._origin(match["list2"], match["line2"])
            if match["after"]:
                return f"->{where}" if where else ""
            return where or "the command line"
        if match["file"]:
            # What is not printable stays as pip spelled it: one line remains one line.
            name = unquote(match["file"])
            return name if name.isprintable() else match["file"]
        if match["page"] is not None:
            return f"the page of {match['page']}" if match["page"] else self._places.sources
        return self._known[match["known"]] if match["known"] else BUILDS

    def _origin(self, name: str, line: str) -> str:
        lines = self._places.origins.get(name, ())
        number = int(line) if len(line) < 10 else 0
        return lines[number - 1] if 0 < number <= len(lines) else ""


def _paths(places: RunPlaces) -> Iterator[tuple[Path, str]]:
    for copy, own in places.files.items():
        yield copy, near(own)
    if places.download is not None:
        yield places.staging, str(places.download)


def _spellings(path: Path, *, unquoted: bool = False) -> list[str]:
    """Return what pip calls a path: as it got it, with links resolved, and from the working directory."""
    found = [str(path), os.path.realpath(path)]
    found += [f".{place.removeprefix(os.getcwd())}" for place in found if place.startswith(f"{os.getcwd()}/")]
    if unquoted:
        found += [Path(place).as_uri() for place in found if place.startswith("/")]
    return list(dict.fromkeys(found))
