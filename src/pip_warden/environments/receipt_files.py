"""Writes a receipt next to an installed distribution's other files, and its line into RECORD.

Both are new files that replace what was there: an installer may have linked it to its cache (uv does), and
what is written in place would be written there, too.
"""

from __future__ import annotations

import csv
import io
import os
import stat
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pip_warden.artifact.layout import DIST_INFO, RECEIPT
from pip_warden.digests import digest_of
from pip_warden.disk import draft_beside, is_draft_name
from pip_warden.environments.files import is_within, read_bounded
from pip_warden.environments.layout import SiteLayout, entries, is_directory, layout_of
from pip_warden.environments.model import InstalledDistribution
from pip_warden.environments.receipt import Receipt, receipt_json
from pip_warden.environments.record import LARGEST_INSTALLED, read_installed_record, recorded_keys
from pip_warden.errors import DeliveryError
from pip_warden.faults import Fault


def write_receipt(distribution: InstalledDistribution, receipt: Receipt) -> None:
    """Write a receipt into ``.dist-info``, and its line into RECORD, so that whatever uninstalls removes it.

    All other lines of RECORD stay as they are, byte for byte, and in their order. Both files have RECORD's
    mode. RECORD is replaced first: at no time is there a receipt that it does not name.

    Raises:
        DeliveryError: ``receipt-not-written``: there is no RECORD that can be read and replaced.
    """
    layout = layout_of(distribution.site)
    folder = distribution.site / distribution.folder
    record, place, content = folder / "RECORD", folder / RECEIPT, receipt_json(receipt)
    try:
        if not is_within(layout.path(f"{distribution.folder}/RECORD"), layout.site) or place.is_dir():
            raise _not_written(distribution, "a link or a directory in its place")
        mode = stat.S_IMODE(record.lstat().st_mode) & 0o777
        rewritten = _with_line(read_bounded(record, LARGEST_INSTALLED), distribution, content, layout)
        with (
            draft_beside(place, io.BytesIO(content), mode=mode) as move_receipt,
            draft_beside(record, io.BytesIO(rewritten), mode=mode) as move_record,
        ):
            move_record()
            move_receipt()
    except (OSError, ValueError) as err:
        found = getattr(err, "strerror", None) or type(err).__name__
        raise _not_written(distribution, found.lower()) from err


def remove_drafts(site: Path) -> tuple[Path, ...]:
    """Remove the drafts of receipts that a killed run left, and a ``.dist-info`` that has nothing else.

    One is a regular file of this user's, under a name that only a draft has, which the RECORD beside it does
    not name. No installer would remove it, and the next run would refuse it. Where another run writes a
    receipt just now, that run says that it could not.

    Args:
        site: A directory of packages.

    Returns:
        The drafts that were there, and are no longer.
    """
    removed = list[Path]()
    for info in (each for each in entries(site) if each.name.endswith(DIST_INFO) and is_directory(each)):
        drafts = [each for each in entries(info.path) if is_draft_name(each.name) and _is_own_file(each)]
        named = _named_beside(Path(info.path)) if drafts else frozenset()
        with suppress(OSError):
            for draft in drafts:
                if f"{info.name}/{draft.name}" not in named:
                    os.unlink(draft.path)
                    removed.append(Path(draft.path))
            if drafts:
                os.rmdir(info.path)
    return tuple(removed)


def _is_own_file(entry: os.DirEntry[str]) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _named_beside(info: Path) -> frozenset[str]:
    try:
        return recorded_keys(read_bounded(info / "RECORD", LARGEST_INSTALLED), layout_of(info.parent))
    except (OSError, ValueError):
        return frozenset()


def _with_line(raw: bytes, distribution: InstalledDistribution, content: bytes, layout: SiteLayout) -> bytes:
    """Return a RECORD with the line of a receipt: in place of the one that it has, else behind all others."""
    found = read_installed_record(raw, layout)
    if isinstance(found, Fault):
        raise _not_written(distribution, found.found)
    rows = list(_rows(raw.decode("utf-8")))
    ending = "\r\n" if rows and rows[0][1].endswith("\r\n") else "\n"
    key = f"{distribution.folder}/{RECEIPT}"
    own = _line(key, content, ending)
    rewritten = "".join(own if layout.key(path) == key else text for path, text in rows)
    if key not in found:
        rewritten += ("" if not rows or rewritten.endswith("\n") else ending) + own
    return rewritten.encode("utf-8")


def _rows(text: str) -> Iterator[tuple[str, str]]:
    """Yield of each row its path, and all that it is written as: several lines where a path has several."""
    lines, start = list(io.StringIO(text, newline="")), 0
    rows = csv.reader(lines, strict=True)
    for row in rows:
        yield row[0], "".join(lines[start : rows.line_num])
        start = rows.line_num


def _line(key: str, content: bytes, ending: str) -> str:
    """Return a line of RECORD (PyPA specification "Recording installed projects")."""
    encoded = urlsafe_b64encode(digest_of(content).raw()).rstrip(b"=").decode()
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator=ending).writerow([key, f"sha256={encoded}", len(content)])
    return line.getvalue()


def _not_written(distribution: InstalledDistribution, found: str) -> DeliveryError:
    place = os.path.join(distribution.site, distribution.folder, RECEIPT)
    return DeliveryError(
        "receipt-not-written",
        f"expected to write {place}, and its line into RECORD, found: {found}",
        hint="What was installed was accepted. Without a receipt the next run cannot say so: "
        "it is present then, and not verified.",
    )
