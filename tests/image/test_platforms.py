"""Which image of an index a platform gets: the only one that states it, or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.digests import digest_of
from pip_warden.errors import RefusedError, UsageError
from pip_warden.image.platforms import parse_platform, pulled_by, said_of
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Manifest, read_manifest
from pip_warden.oci.names import parse_image, spelled

NAME = parse_image("registry.example.com/acme/app:1.0")


def index(*platforms: str | None) -> Manifest:
    """Make an index that lists an image for each platform."""
    entries = []
    for number, platform in enumerate(platforms):
        entry = {"mediaType": IMAGE_MANIFEST, "digest": spelled(digest_of(bytes([number]))), "size": 1}
        if platform is not None:
            keys = ("os", "architecture", "variant")
            entry["platform"] = dict(zip(keys, platform.split("/"), strict=False))
        entries.append(entry)
    document = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": entries}
    return read_manifest(json.dumps(document).encode(), IMAGE_INDEX)


def pulled(wanted: str, *platforms: str | None) -> int | None:
    """Return which of an index's images a platform gets."""
    found = index(*platforms)
    try:
        descriptor = pulled_by(found, parse_platform(wanted), NAME)
    except RefusedError:
        return None
    return found.manifests.index(descriptor)


@pytest.mark.parametrize(
    ("wanted", "listed", "expected"),
    [
        ("linux/amd64", ("linux/arm64", "linux/amd64"), 1),
        ("linux/amd64", ("linux/amd64", "linux/amd64/v3"), 0),
        ("linux/amd64/v3", ("linux/amd64", "linux/amd64/v3"), 1),
        ("linux/amd64/v2", ("linux/amd64", "linux/amd64/v3"), None),
        ("linux/arm64/v8", ("linux/arm64",), 0),
        ("linux/arm64", ("linux/arm64/v8",), 0),
        ("linux/aarch64", ("linux/arm64",), 0),
        ("linux/arm", ("linux/arm/v6", "linux/arm/v7"), 1),
        ("linux/arm/v6", ("linux/arm/v6", "linux/arm/v7"), 0),
        ("linux/ppc64le", ("linux/ppc64le/power9",), 0),
        ("linux/ppc64le", ("linux/ppc64le/power8", "linux/ppc64le/power9"), None),
        ("linux/amd64", ("linux/amd64", "linux/amd64"), None),
        ("linux/amd64", ("windows/amd64", None), None),
        ("linux/amd64", (), None),
    ],
)
def test_the_only_one_that_is_for_it(
    wanted: str, listed: tuple[str | None, ...], expected: int | None
) -> None:
    assert pulled(wanted, *listed) == expected


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux//amd64", "linux/amd64 ", "a\n/b"]
)
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_platform(text)
    assert (caught.value.code, caught.value.exit_code) == ("bad-platform", 2)


SYSTEMS = st.sampled_from(("linux", "windows"))
MACHINES = st.sampled_from(("amd64", "arm64", "arm", "arm/v6", "arm/v7", "arm64/v8", "ppc64le/power9"))
PLATFORMS = st.builds("{}/{}".format, SYSTEMS, MACHINES)


@given(PLATFORMS, st.lists(PLATFORMS, max_size=5))
def test_what_is_pulled_is_of_the_system_and_machine(wanted: str, listed: list[str]) -> None:
    found = pulled(wanted, *listed)

    if found is not None:
        assert listed[found].split("/")[:2] == wanted.split("/")[:2]


@given(st.text(max_size=20))
def test_a_platform_is_spelled_in_one_way(text: str) -> None:
    try:
        spelling = parse_platform(text)
    except UsageError:
        return
    assert parse_platform(spelling) == spelling


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (("linux/amd64", "linux/arm64"), "covers linux/amd64, linux/arm64"),
        (("linux/amd64", "unknown/unknown", None), "covers linux/amd64 and 2 without a platform"),
        ((None,), "covers 1 without a platform"),
        ((), "covers nothing"),
    ],
)
def test_what_an_index_covers_is_said(listed: tuple[str | None, ...], expected: str) -> None:
    assert said_of(index(*listed)) == expected
