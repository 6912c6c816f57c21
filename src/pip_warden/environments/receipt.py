"""The receipt of an installed distribution: from which archive it was installed, and why that was accepted.

Installers keep no digest of what they install; the receipt has it (its shape is that of PEP 710 where it
fits). It proves nothing: whoever can change a file can change it. It says which archive to compare with.
It has no time and no path, so that the same installation gives the same bytes.
"""

from __future__ import annotations

import errno
import json
import os
from typing import Literal

from pip_warden.artifact.layout import RECEIPT
from pip_warden.digests import Digest
from pip_warden.environments.files import read_bounded
from pip_warden.environments.model import InstalledDistribution
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name
from pip_warden.strict_json import JSONValue, MalformedError, loads_object
from pip_warden.values import dataclass

LARGEST_RECEIPT = 1 << 13
"""Bytes."""
_VERSION = 1
_EXPECTED = f"a receipt as pip-warden writes it (schema_version {_VERSION})"
_HINT = (
    "Install the package anew (`--force-reinstall`): that writes another receipt. "
    "pip-warden does not change one; find out what did."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What was known of an archive when it was installed. All of it is claimed once it lies on a disk.

    Attributes:
        archive: The archive's file name; of what was built, that of its sdist.
        sha256: The digest of the archive.
        basis: Why it was accepted: the identity that published it, or an exemption.
        evidence: The digest of the evidence, as the vault keeps it; None where there was none.
        pin: The digest of the pin that it was accepted by.
    """

    archive: str
    sha256: Digest
    basis: Literal["identity", "exemption"]
    evidence: Digest | None
    pin: Digest


def receipt_json(receipt: Receipt) -> bytes:
    """Return the bytes of a receipt: the same for the same values."""
    evidence = None if receipt.evidence is None else {"sha256": receipt.evidence.hex}
    content = {
        "schema_version": _VERSION,
        "archive": receipt.archive,
        "archive_info": {"hashes": {"sha256": receipt.sha256.hex}},
        "basis": receipt.basis,
        "evidence": evidence,
        "pin": {"sha256": receipt.pin.hex},
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def read_receipt(raw: bytes) -> Receipt | Fault:
    """Read a receipt strictly.

    Returns:
        The receipt; or the fault ``receipt-differs`` where it has not exactly the form that is written.
    """
    try:
        content = loads_object(raw, max_bytes=LARGEST_RECEIPT)
        receipt = Receipt(
            archive=parse_artifact_name(_text(content, "archive")).filename,
            sha256=Digest(_text(content, "archive_info", "hashes", "sha256")),
            basis="exemption" if content.get("basis") == "exemption" else "identity",
            evidence=Digest(_text(content, "evidence", "sha256")) if content.get("evidence") else None,
            pin=Digest(_text(content, "pin", "sha256")),
        )
    except (MalformedError, UsageError) as err:
        return receipt_fault(_EXPECTED, str(err))
    if receipt_json(receipt) != raw:  # in this form alone: nothing else is said, and nothing said otherwise
        return receipt_fault(_EXPECTED, "another form, or other statements")
    return receipt


def find_receipt(distribution: InstalledDistribution) -> Receipt | Fault | None:
    """Return the receipt of an installed distribution.

    Returns:
        None where there is none; the fault ``receipt-differs`` where it is none that was written.
    """
    path = distribution.site / distribution.folder / RECEIPT
    try:
        return read_receipt(read_bounded(path, LARGEST_RECEIPT))
    except FileNotFoundError as err:
        return None if err.errno == errno.ENOENT else receipt_fault("a receipt", "no regular file")
    except (OSError, ValueError) as err:
        found = "a link" if os.path.islink(path) else getattr(err, "strerror", None) or type(err).__name__
        return receipt_fault("a receipt that can be read", found.lower())


def receipt_fault(expected: str, found: str) -> Fault:
    """Return the fault of a receipt that is not what was written."""
    return Fault(code="receipt-differs", expected=expected, found=found, hint=_HINT)


def _text(content: JSONValue, *keys: str) -> str:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    if not isinstance(content, str):
        raise MalformedError(f"no {'.'.join(keys)}")
    return content
