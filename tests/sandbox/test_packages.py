"""Tiny wheels and sdists: the same bytes each time, and file names that match their metadata."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import tarfile
import zipfile

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from pip_warden.sandbox import packages
from pip_warden.sandbox.registry_edits import flipped

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([-_.][A-Za-z0-9]{1,4}){0,2}", fullmatch=True)
VERSIONS = st.from_regex(r"([1-9]!)?[0-9]\.[1-9]((a|rc)[1-9])?(\.post[1-9])?(\+[a-z]{1,3})?", fullmatch=True)


@given(NAMES, VERSIONS)
def test_file_names_are_read_alike_by_others(name: str, version: str) -> None:
    wheel, sdist = packages.wheel(name, version), packages.sdist(name, version)

    for file, parsed in (
        (wheel, parse_wheel_filename(wheel.name)[:2]),
        (sdist, parse_sdist_filename(sdist.name)),
    ):
        assert parsed[0] == packages.normalized(file.distribution) == packages.normalized(name)
        assert (str(parsed[1]), file.version) == (version, version)


@given(NAMES, VERSIONS)
def test_a_wheels_record_is_true(name: str, version: str) -> None:
    wheel = packages.wheel(name, version, requires=["other>=1"])

    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        record = next(path for path in archive.namelist() if path.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(archive.read(record).decode().splitlines()))
        for path, digest, size in rows[:-1]:
            data = archive.read(path)
            actual = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={actual}", len(data))
        assert {row[0] for row in rows} == set(archive.namelist())
    assert wheel == packages.wheel(name, version, requires=["other>=1"])


def test_an_sdist_names_its_backend_or_a_foreign_one() -> None:
    own, foreign = (
        packages.sdist("a", "1"),
        packages.sdist("a", "1", build_requires=["flit_core>=3"], backend="flit_core.buildapi"),
    )

    texts = []
    for file in (own, foreign):
        with tarfile.open(fileobj=io.BytesIO(file.data)) as archive:
            stream = archive.extractfile("a-1/pyproject.toml")
            assert stream is not None
            texts.append(stream.read().decode())
    assert 'backend-path = ["_backend"]' in texts[0]
    assert 'requires = ["flit_core>=3"]\nbuild-backend = "flit_core.buildapi"' in texts[1]


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_flipped_bit_is_one_bit_and_flips_back(data: bytes, draw: st.DataObject) -> None:
    bit = draw.draw(st.integers(0, len(data) * 8 - 1))

    changed = flipped(data, bit)

    assert sum((a ^ b).bit_count() for a, b in zip(data, changed, strict=True)) == 1
    assert flipped(changed, bit) == data
