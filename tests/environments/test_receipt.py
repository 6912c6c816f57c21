"""A receipt is written in one form, and read in that alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archives
from environments.test_scan import SITE, planted
from pip_warden.artifact.layout import RECEIPT
from pip_warden.digests import Digest
from pip_warden.environments.model import InstalledDistribution
from pip_warden.environments.receipt import (
    LARGEST_RECEIPT,
    Receipt,
    find_receipt,
    read_receipt,
    receipt_json,
)
from pip_warden.environments.scan import snapshot
from pip_warden.faults import Fault

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
RECEIVED = Receipt(
    archive=archives.WHEEL_NAME, sha256=Digest(A), basis="identity", evidence=Digest(B), pin=Digest(C)
)
TEXT = f"""{{
  "schema_version": 1,
  "archive": "{archives.WHEEL_NAME}",
  "archive_info": {{
    "hashes": {{
      "sha256": "{A}"
    }}
  }},
  "basis": "identity",
  "evidence": {{
    "sha256": "{B}"
  }},
  "pin": {{
    "sha256": "{C}"
  }}
}}
"""

digests = st.text("0123456789abcdef", min_size=64, max_size=64).map(Digest)
receipts = st.builds(
    Receipt,
    archive=st.sampled_from(
        [archives.WHEEL_NAME, "acme_widgets-1.0.tar.gz", "a-1!2.0+local.1-py3-none-any.whl"]
    ),
    sha256=digests,
    basis=st.sampled_from(["identity", "exemption"]),
    evidence=st.none() | digests,
    pin=digests,
)


def installed(root: Path) -> InstalledDistribution:
    """Put a distribution into an environment, without an installer."""
    planted(root / SITE)
    (found,) = snapshot([root]).distributions
    return found


def test_a_receipt_has_no_time_and_no_path() -> None:
    assert receipt_json(RECEIVED).decode() == TEXT


def test_the_receipt_that_the_page_shows_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text(encoding="utf-8")
    shown = page.partition("```json\n")[2].partition("```")[0]

    assert isinstance(read_receipt(shown.encode()), Receipt)


@given(receipts)
def test_what_is_written_is_read(receipt: Receipt) -> None:
    assert read_receipt(receipt_json(receipt)) == receipt


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, ""),
        (TEXT, "[]"),
        (TEXT, "{}"),
        (TEXT, "null"),
        (TEXT, "{" * 100_000),
        (TEXT, " " * LARGEST_RECEIPT + TEXT),
        ("1,", "2,"),
        ("1,", "true,"),
        ("1,", "1.0,"),
        ('"schema_version": 1,', ""),
        ("{\n", '{\n  "more": 1,\n'),
        ("{\n", '{\n  "schema_version": 1,\n'),
        ("\n", "\r\n"),
        ("}\n", "}"),
        ("  ", " "),
        ("identity", "Identity"),
        ('"identity"', "null"),
        (archives.WHEEL_NAME, f"../{archives.WHEEL_NAME}"),
        (archives.WHEEL_NAME, f"/{archives.WHEEL_NAME}"),
        (archives.WHEEL_NAME, "acme"),
        (archives.WHEEL_NAME, "acme_widgets-1.0.zip"),
        (f'"{archives.WHEEL_NAME}"', "1"),
        (A, A.upper()),
        (A, A[1:]),
        (f'"{A}"', "null"),
        (f'"{A}"', f'"{A}", "sha512": "{A}"'),
        (f'{{\n    "sha256": "{B}"\n  }}', "{}"),
        (f'{{\n    "sha256": "{B}"\n  }}', "false"),
        (f'{{\n    "sha256": "{C}"\n  }}', "null"),
        ("sha256", "md5"),
        ("acme", "\\u0061cme"),
    ],
)
def test_another_form_is_a_fault(old: str, new: str) -> None:
    assert old in TEXT

    found = read_receipt(TEXT.replace(old, new).encode())

    assert isinstance(found, Fault)
    assert found.code == "receipt-differs"
    assert found.hint


@given(st.binary() | st.tuples(st.integers(0, len(TEXT)), st.binary(max_size=9)))
def test_any_bytes_are_read_or_a_fault(change: bytes | tuple[int, bytes]) -> None:
    raw = change
    if isinstance(change, tuple):
        at, piece = change
        raw = TEXT.encode()[:at] + piece + TEXT.encode()[at + len(piece) :]
    assert isinstance(raw, bytes)

    found = read_receipt(raw)

    if isinstance(found, Fault):
        assert found.code == "receipt-differs"
    else:
        assert receipt_json(found) == raw


def test_the_receipt_of_a_distribution(tmp_path: Path) -> None:
    distribution = installed(tmp_path)
    assert find_receipt(distribution) is None

    place = distribution.site / distribution.folder / RECEIPT
    place.write_text(TEXT)
    assert find_receipt(distribution) == RECEIVED


def _link(place: Path) -> None:
    (place.parent / "other").write_text(TEXT)
    place.symlink_to("other")


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda place: place.write_bytes(b"{}"), "no archive"),
        (lambda place: place.write_bytes(TEXT.encode() * 99), "more than"),
        (Path.mkdir, "is a directory"),
        (os.mkfifo, "no regular file"),
        (_link, "a link"),
        (lambda place: place.symlink_to("nowhere"), "a link"),
        (lambda place: place.symlink_to(place.name), "a link"),
    ],
)
def test_what_is_no_receipt(tmp_path: Path, plant: object, said: str) -> None:
    distribution = installed(tmp_path)
    assert callable(plant)
    plant(distribution.site / distribution.folder / RECEIPT)

    found = find_receipt(distribution)

    assert isinstance(found, Fault)
    assert found.code == "receipt-differs"
    assert said in found.found
