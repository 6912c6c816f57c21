"""Manifests: one document, one image, for every reader."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.fake import BUNDLE, CONFIG, LAYER, artifact, described, image, index
from pip_warden.digests import digest_of
from pip_warden.oci.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    IMAGE_INDEX,
    IMAGE_MANIFEST,
    MANIFESTS,
    Descriptor,
    Manifest,
    read_manifest,
)
from pip_warden.strict_json import MalformedError

SHA512 = "sha512:" + "ab" * 64


def plain(media_type: str = IMAGE_MANIFEST) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": described(b"{}", CONFIG),
        "layers": [described(b"layer", LAYER)],
    }


def listing(media_type: str = IMAGE_INDEX) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [described(b"manifest", IMAGE_MANIFEST)],
    }


def read(document: dict[str, Any], media_type: str = IMAGE_MANIFEST) -> Manifest:
    return read_manifest(json.dumps(document).encode(), media_type)


def test_an_image_is_read() -> None:
    found = image("app", b"one", b"two").manifest

    assert found.digest == digest_of(found.content)
    assert found.config is not None
    assert found.config.media_type == CONFIG
    assert [(layer.digest, layer.size) for layer in found.layers] == [
        (digest_of(b"one"), 3),
        (digest_of(b"two"), 3),
    ]
    assert not found.is_index
    assert found.platforms == ()
    assert found.kind == CONFIG
    assert found.described() == Descriptor(
        media_type=IMAGE_MANIFEST, digest=found.digest, size=len(found.content)
    )


def test_an_index_states_platforms() -> None:
    found = index(image("a"), image("b"), image("c"), platforms=("linux/amd64", "linux/arm64/v8")).manifest

    assert found.is_index
    assert found.platforms == ("linux/amd64", "linux/arm64/v8")
    assert [entry.platform for entry in found.manifests] == ["linux/amd64", "linux/arm64/v8", None]
    assert found.kind is None


def test_an_artifact_says_itself_what_it_is_and_what_it_is_about() -> None:
    subject = image().manifest.described()
    found = artifact(subject, **{"dev.sigstore.bundle.content": "dsse-envelope"}).manifest

    assert found.subject == subject
    assert found.artifact_type == found.kind == BUNDLE
    assert found.as_referrer().artifact_type == BUNDLE
    assert found.as_referrer().annotations == {"dev.sigstore.bundle.content": "dsse-envelope"}
    assert hash(found) == hash(artifact(subject, **{"dev.sigstore.bundle.content": "dsse-envelope"}).manifest)


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        (plain(DOCKER_MANIFEST), DOCKER_MANIFEST),
        (listing(DOCKER_LIST), DOCKER_LIST),
        (listing(), f"{IMAGE_INDEX}; charset=utf-8"),
        ({**plain(), "future": {"of": "the specification"}}, IMAGE_MANIFEST),
        ({name: value for name, value in plain().items() if name != "mediaType"}, IMAGE_MANIFEST),
        ({**listing(), "manifests": None, "annotations": None}, IMAGE_INDEX),
        ({**plain(), "mediaType": "", "artifactType": ""}, IMAGE_MANIFEST),
    ],
)
def test_what_is_read_too(document: dict[str, Any], media_type: str) -> None:
    assert read(document, media_type).media_type == media_type.partition(";")[0]


def changed(**fields: Any) -> dict[str, Any]:
    entry = {**described(b"layer", LAYER), **fields}
    return {**plain(), "layers": [{name: value for name, value in entry.items() if value is not ...}]}


def on(platform: Any) -> dict[str, Any]:
    return {**listing(), "manifests": [{**described(b"manifest", IMAGE_MANIFEST), "platform": platform}]}


@pytest.mark.parametrize(
    ("document", "media_type", "found"),
    [
        (plain(), "text/html", "that of no manifest read here"),
        (plain(), "", "that of no manifest read here"),
        (plain(), "application/vnd.docker.distribution.manifest.v1+json", "that of no manifest read here"),
        (plain(), IMAGE_INDEX, "the mediaType"),
        (listing(), IMAGE_MANIFEST, "the mediaType"),
        (plain(IMAGE_INDEX), IMAGE_INDEX, "the field 'config'"),
        ({**listing(), "layers": []}, IMAGE_INDEX, "the field 'layers'"),
        ({**plain(), "manifests": []}, IMAGE_MANIFEST, "the field 'manifests'"),
        ({**plain(), "manifests": None}, IMAGE_MANIFEST, "the field 'manifests'"),
        ({**plain(), "Manifests": []}, IMAGE_MANIFEST, "in another case"),
        ({**plain(), "layerſ": []}, IMAGE_MANIFEST, "in another case"),
        ({**plain(), "fsLayers": []}, IMAGE_MANIFEST, "the field 'fsLayers'"),
        ({**plain(), "blobs": []}, IMAGE_MANIFEST, "the field 'blobs'"),
        ({**plain(), "schemaVersion": 1}, IMAGE_MANIFEST, "schemaVersion"),
        ({**plain(), "schemaVersion": "2"}, IMAGE_MANIFEST, "no whole number"),
        ({**plain(), "schemaVersion": 2.0}, IMAGE_MANIFEST, "no whole number"),
        ({**plain(), "config": None}, IMAGE_MANIFEST, "config is not an object"),
        ({"schemaVersion": 2, "config": described(b"", CONFIG)}, IMAGE_MANIFEST, "no 'layers'"),
        ({"schemaVersion": 2}, IMAGE_INDEX, "no 'manifests'"),
        ({"schemaVersion": 2, "manifests": []}, DOCKER_LIST, "no mediaType"),
        ({**plain(), "layers": {}}, IMAGE_MANIFEST, "not a list"),
        ({**plain(), "layers": [None]}, IMAGE_MANIFEST, "not an object"),
        ({**plain(), "layers": [described(b"", LAYER)] * 4097}, IMAGE_MANIFEST, "more than 4096"),
        ({**plain(), "subject": "sha256:ab"}, IMAGE_MANIFEST, "subject is not an object"),
        ({**plain(), "annotations": {"a": 1}}, IMAGE_MANIFEST, "no text"),
        ({**plain(), "annotations": ["a"]}, IMAGE_MANIFEST, "no object"),
        ({**plain(), "artifactType": "nothing"}, IMAGE_MANIFEST, "no media type"),
        (changed(size=-1), IMAGE_MANIFEST, "no number of bytes"),
        (changed(size=2**63), IMAGE_MANIFEST, "no number of bytes"),
        (changed(size=True), IMAGE_MANIFEST, "no whole number"),
        (changed(size=5.0), IMAGE_MANIFEST, "no whole number"),
        (changed(size=...), IMAGE_MANIFEST, "no whole number"),
        (changed(Size=5), IMAGE_MANIFEST, "in another case"),
        (changed(digest=SHA512), IMAGE_MANIFEST, "no sha256 digest"),
        (changed(digest="sha256:" + "AB" * 32), IMAGE_MANIFEST, "no sha256 digest"),
        (changed(digest=...), IMAGE_MANIFEST, "digest is missing"),
        (changed(mediaType=...), IMAGE_MANIFEST, "mediaType is missing"),
        (changed(mediaType="a b/c"), IMAGE_MANIFEST, "no media type"),
        (on({"os": "linux"}), IMAGE_INDEX, "architecture is missing"),
        (on({"os": "linux", "architecture": "amd64\n"}), IMAGE_INDEX, "no platform"),
        (on({"os": "linux", "architecture": "amd64", "Variant": "v8"}), IMAGE_INDEX, "in another case"),
        (on("linux/amd64"), IMAGE_INDEX, "not an object"),
    ],
)
def test_what_could_be_two_images_or_is_none(document: dict[str, Any], media_type: str, found: str) -> None:
    with pytest.raises(MalformedError, match=found):
        read(document, media_type)


def test_a_key_that_is_there_twice_or_too_many_bytes() -> None:
    with pytest.raises(MalformedError, match="appears twice"):
        read_manifest(b'{"schemaVersion":2,"schemaVersion":2}', IMAGE_MANIFEST)
    with pytest.raises(MalformedError, match="larger than"):
        read_manifest(json.dumps(plain()).encode().ljust((4 << 20) + 1), IMAGE_MANIFEST)


TEXTS = st.text(max_size=12)
DIGESTS = st.binary(max_size=4).map(digest_of)
TYPES = st.sampled_from([LAYER, CONFIG, BUNDLE])
DESCRIPTORS = st.builds(
    Descriptor,
    media_type=TYPES,
    digest=DIGESTS,
    size=st.integers(0, 2**63 - 1),
    artifact_type=st.none() | TYPES,
    annotations=st.dictionaries(TEXTS, TEXTS, max_size=3),
)


@given(
    st.sampled_from([IMAGE_MANIFEST, DOCKER_MANIFEST]),
    DESCRIPTORS,
    st.lists(DESCRIPTORS, max_size=4),
    st.none() | DESCRIPTORS,
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_what_is_written_is_read_again(
    media_type: str,
    config: Descriptor,
    layers: list[Descriptor],
    subject: Descriptor | None,
    annotations: dict[str, str],
) -> None:
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
        "annotations": annotations,
    }
    if subject is not None:
        document["subject"] = subject.as_json()
    found = read(document, media_type)

    assert (found.config, found.layers, found.subject) == (config, tuple(layers), subject)
    assert found.annotations == annotations


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["digest", "size", "mediaType", "Digest", "os", "platform", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([plain(), listing()]),
    st.dictionaries(
        st.sampled_from(["config", "layers", "manifests", "subject", "annotations", "mediaType", "Layers"]),
        VALUES,
        max_size=4,
    ),
    st.sampled_from([*MANIFESTS, "text/html"]),
)
def test_anything_is_read_or_malformed(base: dict[str, Any], values: dict[str, Any], media_type: str) -> None:
    with suppress(MalformedError):
        found = read({**base, **values}, media_type)
        assert found.is_index != (found.config is not None)


@given(st.binary(max_size=200), st.sampled_from(MANIFESTS))
def test_any_bytes_are_read_or_malformed(content: bytes, media_type: str) -> None:
    with suppress(MalformedError):
        read_manifest(content, media_type)
