"""Compares one installed distribution with one archive: every file, and that there is no other."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pip_warden.artifact.layout import DIST_INFO, RECEIPT
from pip_warden.artifact.record import Row
from pip_warden.environments.expected import ExpectedFile, expected_files
from pip_warden.environments.files import hash_once, is_within, read_bounded
from pip_warden.environments.launchers import as_installed, body_of
from pip_warden.environments.layout import SiteLayout, layout_of
from pip_warden.environments.model import AcceptedArchive, InstalledDistribution
from pip_warden.environments.receipt import LARGEST_RECEIPT, receipt_fault
from pip_warden.environments.record import LARGEST_INSTALLED, read_installed_record
from pip_warden.environments.shadows import shadow_of
from pip_warden.faults import Fault, FaultError

_ADDED = frozenset(
    {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json", "uv_build.json", RECEIPT}
)
"""What installers, and pip-warden, write into ``.dist-info``: all that is not the archive's there."""
_SEED_MARK = ".virtualenv"
"""What virtualenv puts next to the ``.dist-info`` of each seed: an empty file."""
_EMPTY = hashlib.sha256(b"").digest()
_CACHED = re.compile(r"(?P<stem>.+)\.[a-z]+-?[0-9]+[a-z]*(\.opt-[0-9a-z]+)?\.pyc", re.ASCII | re.DOTALL)
"""Byte code as Python keeps it in ``__pycache__`` (PEP 3147, PEP 488)."""
_LARGEST_KNOWN = 1 << 40
"""Bytes of a file whose hash is known."""
_LARGEST_SCRIPT = (16 << 20) + 8192


def compare_distribution(
    distribution: InstalledDistribution,
    archive: AcceptedArchive,
    others: Iterable[AcceptedArchive] = (),
    *,
    beside: bool = False,
) -> Fault | None:
    """Compare what is installed with a wheel: the same files with the same content, and no others in RECORD.

    Byte code in ``__pycache__`` cannot be compared: it must belong to a source that the wheel has. A link is
    not what the wheel has, wherever it leads: what lies elsewhere can be changed there.

    Args:
        distribution: What is installed.
        archive: The wheel, as it was judged.
        others: Further wheels that were accepted: of a file that several bring, the last one's is there.
        beside: Whether to look for what Python would import in place of its modules, too.

    Returns:
        What differs first; None where nothing does.
    """
    layout = layout_of(distribution.site)
    expected = expected_files(archive, layout)
    if isinstance(expected, Fault):
        return expected
    if expected.info != distribution.folder:
        return _differs(f"the directory {expected.info}", distribution.folder)
    try:
        record = _record(distribution, layout)
        _check_receipt(expected.info, record, layout)
        brought = _brought(others, layout)
        files = _shared(expected.placed(record, layout, archive.name.project), brought)
        for key, row in record.items():
            _check_recorded(key, row, expected.info, files, layout)
        _check_missing(files, record, layout)
        if beside:
            _check_beside(files, brought, layout)
    except FaultError as err:
        return err.fault
    return None


def compare_recorded(distribution: InstalledDistribution) -> Fault | None:
    """Compare the files of a distribution with its own RECORD alone: that shows an accident, and no attack.

    Returns:
        What differs first; None where nothing does, or nothing has a hash.
    """
    layout = layout_of(distribution.site)
    try:
        record = _record(distribution, layout)
        _check_receipt(distribution.folder, record, layout)
        for key, row in record.items():
            if row is not None:
                _check_file(key, ExpectedFile(size=_LARGEST_KNOWN), row, layout)
    except FaultError as err:
        return err.fault
    return None


def compare_with_record(
    distribution: InstalledDistribution, keys: Iterable[str], others: Iterable[AcceptedArchive]
) -> Fault | None:
    """Compare files of a distribution with its own RECORD, or with what accepted wheels bring in their place.

    Args:
        distribution: One that was there before, as its RECORD, too.
        keys: The files. Byte code cannot be compared.
        others: Wheels that were accepted.

    Returns:
        What differs first; None where nothing does.
    """
    layout = layout_of(distribution.site)
    try:
        record = _record(distribution, layout)
        own = [key for key in keys if not key.endswith((".pyc", f"{distribution.folder}/RECORD"))]
        files = _shared({key: ExpectedFile(size=_LARGEST_KNOWN) for key in own}, _brought(others, layout))
        for key, wanted in files.items():
            if record.get(key) is None and not any(
                _is_as_expected(key, each, layout) for each in wanted.others
            ):
                raise _problem("no other files than before", f"{key} written, of which RECORD has no hash")
            _check_file(key, wanted, record.get(key), layout)
    except FaultError as err:
        return err.fault
    return None


def _record(distribution: InstalledDistribution, layout: SiteLayout) -> Mapping[str, Row | None]:
    key = f"{distribution.folder}/RECORD"
    try:
        raw = read_bounded(layout.place(key), LARGEST_INSTALLED)
    except (OSError, ValueError) as err:
        raise _problem("a RECORD", _why(err)) from err
    found = read_installed_record(raw, layout)
    if isinstance(found, Fault):
        raise FaultError(found)
    if not is_within(layout.place(key), layout.site):
        raise _problem("a directory of its own", f"{distribution.folder}, a link")
    return found


def _check_receipt(info: str, record: Mapping[str, Row | None], layout: SiteLayout) -> None:
    """Check that RECORD states the hash of the receipt, where there is one: an installer would remove it."""
    key = f"{info}/{RECEIPT}"
    if key not in record and not os.path.lexists(layout.place(key)):
        return
    row = record.get(key)
    if row is None:
        raise FaultError(receipt_fault("in RECORD the hash of the receipt", "none"))
    try:
        _check_content(key, ExpectedFile(size=LARGEST_RECEIPT), row, layout)
    except FaultError as err:
        raise FaultError(receipt_fault(err.fault.expected, err.fault.found)) from err


def _check_recorded(
    key: str, row: Row | None, info: str, files: Mapping[str, ExpectedFile], layout: SiteLayout
) -> None:
    """Check a file that RECORD names: the archive's, an installer's own, or byte code of the archive's."""
    if key in files:
        if row is None and files[key].is_recorded:
            raise _problem("in RECORD the hash of each file", f"none of {key}")
        _check_file(key, files[key], row, layout)
    elif posixpath.dirname(key) == info and posixpath.basename(key) in _ADDED:
        _check_file(key, ExpectedFile(), row, layout)
    elif key == info.removesuffix(DIST_INFO) + _SEED_MARK:
        _check_file(key, ExpectedFile(sha256=_EMPTY), row, layout)
    elif _is_byte_code(key, files) and os.path.lexists(layout.place(key)):
        _check_file(key, ExpectedFile(), row, layout)
    elif not _may_be_named(layout.path(key)):
        raise _problem("only files of the archive in RECORD", key)


def _check_missing(files: Mapping[str, ExpectedFile], record: Collection[str], layout: SiteLayout) -> None:
    """Check that RECORD names all that the archive has, but for signatures, and what is not always made."""
    for key, wanted in files.items():
        if key in record or (wanted.may_be_missing and not os.path.lexists(layout.place(key))):
            continue
        if wanted.is_recorded:
            raise _problem("all files of the archive in RECORD", f"{key} not there")
        _check_file(key, wanted, None, layout)


def _brought(archives: Iterable[AcceptedArchive], layout: SiteLayout) -> list[Mapping[str, ExpectedFile]]:
    found = (expected_files(archive, layout) for archive in archives)
    return [each.files for each in found if not isinstance(each, Fault)]


def _shared(
    files: Mapping[str, ExpectedFile], brought: Iterable[Mapping[str, ExpectedFile]]
) -> Mapping[str, ExpectedFile]:
    found = dict(files)
    for others in brought:
        for key in files.keys() & others.keys():
            found[key] = replace(found[key], others=(*found[key].others, others[key]))
    return found


def _check_beside(
    files: Mapping[str, ExpectedFile], brought: Iterable[Mapping[str, ExpectedFile]], layout: SiteLayout
) -> None:
    known = files.keys() | {key for each in brought for key in each}
    if (shadow := shadow_of(files, known, layout)) is not None:
        raise _problem("nothing that Python would import in place of its modules", shadow)


def _check_file(key: str, wanted: ExpectedFile, row: Row | None, layout: SiteLayout) -> None:
    try:
        _check_content(key, wanted, row, layout)
    except FaultError:
        if not any(_is_as_expected(key, other, layout) for other in wanted.others):
            raise


def _is_as_expected(key: str, wanted: ExpectedFile, layout: SiteLayout) -> bool:
    """Return whether a file is what an archive brings, whatever RECORD says of it."""
    try:
        _check_content(key, wanted, None, layout)
    except FaultError:
        return False
    return True


def _check_content(key: str, wanted: ExpectedFile, row: Row | None, layout: SiteLayout) -> None:
    """Compare a file with what is expected, and with the hash and size that RECORD states."""
    place = layout.place(key)
    root = layout.site if place.startswith(f"{layout.site}/") else layout.prefix
    if not is_within(place, root):
        raise _problem("files in the environment's own directories", f"{key} behind a link")
    algorithms = {"sha256", row.algorithm} if row else {"sha256"}
    try:
        if wanted.is_script:
            script = as_installed(read_bounded(place, _LARGEST_SCRIPT))
            _check_script(key, wanted, script, layout)
            found, size = {name: hashlib.new(name, script).digest() for name in algorithms}, len(script)
        else:
            found, size = hash_once(place, algorithms, wanted.size)
    except (OSError, ValueError) as err:
        raise _problem("its files as accepted", f"{key}: {_why(err)}") from err
    if wanted.sha256 and found["sha256"] != wanted.sha256:
        raise _problem("its files as accepted", f"{key} with other bytes")
    if row and (found[row.algorithm] != row.digest or row.size not in {None, size}):
        raise _problem("in RECORD the hash of each file", f"another one of {key}")


def _check_script(key: str, wanted: ExpectedFile, script: bytes, layout: SiteLayout) -> None:
    body = body_of(script, layout)
    if body is None:
        raise _problem(
            "scripts that begin with the environment's interpreter", f"{key} with another beginning"
        )
    if wanted.runs and not wanted.runs.is_launched_by(body):
        raise _problem(
            f"a script that runs {wanted.runs.module}:{wanted.runs.function}", f"{key} with other text"
        )
    if wanted.body is not None and wanted.body != body:
        raise _problem("its files as accepted", f"{key} with other bytes")


def _is_byte_code(key: str, files: Collection[str]) -> bool:
    directory, name = posixpath.split(key)
    cached = _CACHED.fullmatch(name)
    if cached is None or posixpath.basename(directory) != "__pycache__":
        return False
    return posixpath.join(posixpath.dirname(directory), f"{cached['stem']}.py") in files


def _may_be_named(path: Path) -> bool:
    """Return whether RECORD may name what is no file: virtualenv lists byte code in places where none is."""
    # Not Path.is_dir, which raises for a name that is too long.
    if path.name == "__pycache__" and os.path.isdir(path) and not os.path.islink(path):
        return True  # what lies in it is looked at
    return path.name.endswith((".pyc", "__pycache__")) and not os.path.lexists(path)


def _why(err: OSError | ValueError) -> str:
    if isinstance(err, OSError) and err.errno == errno.ELOOP:  # it is opened without following it
        return "a link"
    return (getattr(err, "strerror", None) or type(err).__name__).lower()


def _differs(expected: str, found: str) -> Fault:
    return Fault(code="not-through-gate", expected=expected, found=found)


def _problem(expected: str, found: str) -> FaultError:
    return FaultError(_differs(expected, found))
