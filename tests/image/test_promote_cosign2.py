"""What cosign 2 keeps under tags is carried layer by layer: the good ones, and what is there stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from image.promoting import World, cosign_world, left
from oci.fake import PROD, described, fails, image, index
from pip_warden.digests import digest_of
from pip_warden.errors import NetworkError
from pip_warden.evidence.image import MOST_LAYERS
from pip_warden.oci.manifest import IMAGE_MANIFEST, Manifest, read_manifest
from pip_warden.oci.names import spelled
from stored_images import DIGEST, REAL, REPOSITORY, TAG

SIG, ATT = f"{TAG}.sig", f"{TAG}.att"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return cosign_world(tmp_path)


def under(world: World, tag: str, *extra: bytes, at: Any = PROD) -> Manifest:
    """Put signatures that nobody proves under a tag, besides what is there."""
    shelf = world.fake.shelf(at)
    document = {"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "layers": []}
    if tag in shelf.tags:
        document = json.loads(shelf.manifests[shelf.tags[tag]][0])
    config = image().blobs[0]
    shelf.blobs.update({spelled(digest_of(blob)): blob for blob in (config, *extra)})
    layers = [*document["layers"], *(described(blob, SIMPLE) for blob in extra)]  # type: ignore[misc]
    document |= {"config": described(config, "a/b"), "layers": layers}
    manifest = read_manifest(json.dumps(document).encode(), IMAGE_MANIFEST)
    world.fake.keep(shelf, manifest, tag)
    return manifest


def found(world: World, tag: str) -> Manifest:
    manifest = world.registry.find(PROD, tag)
    assert manifest is not None
    return manifest


def layers(tag: str) -> list[str]:
    return [layer["digest"] for layer in json.loads(REAL["contents"][REAL["tags"][tag]])["layers"]]


def test_both_formats_go_along(world: World) -> None:
    done = world.promote()
    assert done.report.exit_code == 0
    assert left(done) == []
    assert world.tag() == spelled(DIGEST)
    assert [each.name for each in done.placed if each.name in {SIG, ATT}] == [SIG, ATT]
    for tag in (SIG, ATT):
        written = json.loads(found(world, tag).content)
        assert written == json.loads(REAL["contents"][REAL["tags"][tag]])

    again = world.promote()
    assert {each.outcome for each in again.placed} == {"already there"}
    assert not [short for short in world.writes()[2:] if not short.startswith("PUT manifests/sha256:")]


def test_they_are_enough_by_themselves(world: World) -> None:
    del world.fake.shelf(REPOSITORY).tags[TAG]
    done = world.promote()
    assert done.report.exit_code == 0
    assert TAG not in world.fake.shelf(PROD).tags
    assert {SIG, ATT} < set(world.fake.shelf(PROD).tags)


def test_c14_a_bad_layer_stays_and_the_good_one_goes(world: World) -> None:
    under(world, SIG, b"{}", b'{"critical": 1}', at=REPOSITORY)
    done = world.promote()
    assert done.report.exit_code == 0
    assert left(done) == ["key-signed-bundle", "key-signed-bundle"]
    assert [spelled(layer.digest) for layer in found(world, SIG).layers] == layers(SIG)


@pytest.mark.parametrize(("note", "stays"), [("x", []), ("x" * 40_000, ["evidence-too-large"])])
def test_c14_a_layer_that_is_annotated_anew_is_no_other_one(
    note: str, stays: list[str], world: World
) -> None:
    """Nobody signed the annotations: with each note the same signature would be a further layer."""
    shelf = world.fake.shelf(REPOSITORY)
    document = json.loads(shelf.manifests[shelf.tags[SIG]][0])
    (layer,) = document["layers"]
    document["layers"].append(layer | {"annotations": layer["annotations"] | {"note": note}})
    world.fake.keep(shelf, read_manifest(json.dumps(document).encode(), IMAGE_MANIFEST), SIG)
    done = world.promote()
    assert (done.report.exit_code, left(done)) == (0, stays)
    assert len(found(world, SIG).layers) == 1


def test_what_the_target_has_there_stays(world: World) -> None:
    theirs = under(world, SIG, b"{}")
    assert world.promote().report.exit_code == 0
    now = found(world, SIG)
    assert now.layers[:1] == theirs.layers
    assert [spelled(layer.digest) for layer in now.layers] == [spelled(theirs.layers[0].digest), *layers(SIG)]
    assert now.config is not None
    config = json.loads(world.registry.small_blob(PROD, now.config, 10_000))
    assert config["rootfs"]["diff_ids"] == [spelled(layer.digest) for layer in now.layers]
    assert len(config["history"]) == 2


def test_c14_a_log_that_cannot_be_asked_stops_nothing_else(world: World) -> None:
    class Away:
        def post_json(self, *_: object, **__: object) -> None:
            raise NetworkError("unreachable", "no response")

    world.log = Away()
    done = world.promote()
    assert (done.report.exit_code, left(done)) == (0, ["unreachable", "unreachable"])
    assert SIG not in world.fake.shelf(PROD).tags

    del world.fake.shelf(REPOSITORY).tags[TAG]
    fails(world.promote, "unreachable")


def test_something_else_under_the_targets_tag_ends_it_before_anything_is_copied(world: World) -> None:
    world.fake.push(PROD, index(image()), SIG)
    fails(world.promote, "other-content", 1)
    assert world.writes() == []

    del world.fake.shelf(PROD).tags[SIG]
    under(world, SIG, *(b"%d" % number for number in range(MOST_LAYERS)))
    fails(world.promote, "other-content", 1)
    assert world.writes() == []


def test_c13_layers_that_others_overwrite_are_missed_before_the_tag(world: World) -> None:
    seen: list[str] = []

    def between(asked: Any) -> None:
        if asked.repository == PROD and asked.short == f"GET manifests/{SIG}":
            seen.append(asked.short)
            if len(seen) == 4:  # looked at, extended, read back, and looked at again
                world.fake.shelf(PROD).tags.pop(SIG)

    world.fake.before = between
    fails(world.promote, "referrers-lost")
    assert world.tag() is None
