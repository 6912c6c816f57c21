"""What the last run with the same request took: a list of names, for guesses.

It is not trusted, and nothing is missing without it: whatever is named there is looked up, fetched and judged
as ever. So it is read strictly, and any fault in it means that there is none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pip_warden.errors import UsageError
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.vault.files import draft, put, write
from pip_warden.vault.kept import kept_bytes

_DIRECTORY = "runs"
_LARGEST = 1 << 20
_MOST_NAMES = 2000
_OURS = re.compile(r"[0-9a-f]{1,64}\.json", re.ASCII)
_MOST_RUNS = 500
"""Requests that are remembered; the oldest are dropped."""


def recall(root: Path, request: str) -> tuple[ArtifactName, ...]:
    """Return the files that the last run took.

    Args:
        root: The vault.
        request: What identifies the request: a digest, in hexadecimal.
    """
    try:
        files = loads_object(kept_bytes(_place(root, request)), max_bytes=_LARGEST).get("files")
        if not isinstance(files, list) or len(files) > _MOST_NAMES:
            return ()
        return tuple(parse_artifact_name(name) for name in files if isinstance(name, str))
    except (MalformedError, UsageError):
        return ()


def remember(root: Path, request: str, taken: Iterable[ArtifactName]) -> None:
    """Remember the files that a run took; where that is not possible, the next run is slower."""
    names = sorted(name.filename for name in taken)[:_MOST_NAMES]
    content, place = json.dumps({"files": names}).encode(), _place(root, request)
    if len(content) > _LARGEST or kept_bytes(place) == content or place.parent.is_symlink():
        return
    with suppress(OSError), draft(place.parent) as made:
        write(made / place.name, content)
        put(made / place.name, place)
        _prune(place.parent)


def _place(root: Path, request: str) -> Path:
    return root / _DIRECTORY / f"{request}.json"


def _prune(directory: Path) -> None:
    with os.scandir(directory) as entries:
        ours = [entry for entry in entries if _OURS.fullmatch(entry.name)]
        files = [(entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in ours]
    for _, path in sorted(files)[:-_MOST_RUNS]:
        os.unlink(path)
