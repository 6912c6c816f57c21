"""Records where a distribution came from (PEP 610), in the place of the run's own copy.

uv is given a copy of the user's file, and records that, which is gone after the run. Our pip is told another
URL before it records one (:meth:`~pip_warden.installer.local.LocalInputs.record`).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pip_warden.installer.local import path_from_url

_NAME = "direct_url.json"


def record_own_file(info: Path, files: Mapping[Path, Path]) -> None:
    """Record the user's file where a copy of it was recorded; change nothing else.

    Args:
        info: The distribution's ``.dist-info`` directory, as it was compared.
        files: Each copy, and the user's file.

    Raises:
        OSError: It cannot be read or written.
        ValueError: It is not what an installer writes.
    """
    try:
        stated = json.loads((info / _NAME).read_bytes())
    except FileNotFoundError:
        return
    own = files.get(path_from_url(str(stated["url"])) or Path())
    if own is None:
        return
    content = json.dumps({**stated, "url": own.as_uri()}, separators=(",", ":")).encode()
    record = (info / "RECORD").read_bytes().decode("utf-8")
    # RECORD last: until then it denies what was written.
    _replace(info / _NAME, content)
    _replace(info / "RECORD", _with_row(record, f"{info.name}/{_NAME}", content).encode())


def _with_row(record: str, path: str, content: bytes) -> str:
    """Return RECORD with the hash and size of one file (PyPA, "Recording installed projects")."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for row in csv.reader(io.StringIO(record, newline="")):
        writer.writerow((path, f"sha256={digest}", len(content)) if row[:1] == [path] else row)
    return written.getvalue()


def _replace(path: Path, content: bytes) -> None:
    """Write a file anew: under its name there may be one more link to somebody else's."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
