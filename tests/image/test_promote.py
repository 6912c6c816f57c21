"""Promotion of images: judged by the target's pin, copied, judged again there, and only then tagged."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from _sigstore.samples import NOON
from image.promoting import (
    BOTH,
    ONE,
    PROVENANCE,
    STRANGER,
    TWO,
    World,
    codes,
    left,
    world_of,
    wrapped,
)
from images import PATTERN, statement, subject
from oci.fake import APP, ELSEWHERE, PROD, Asked, artifact, fails, image, index
from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError
from pip_warden.evidence.image import MOST_REFERRERS
from pip_warden.image.plan import read_plan
from pip_warden.oci.names import parse_repository, spelled
from pip_warden.oci.referrers import fallback_tag, referrers

DIGEST = spelled(BOTH.manifest.digest)
OTHER = image("other")
ANY = PATTERN.replace("v{tag}", "v1.0")
"""For the same signer whatever the tag is."""
DAY = timedelta(days=1)
NOWHERE = {"mediaType": "a/b", "digest": spelled(ONE.manifest.digest), "size": 3}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_of(tmp_path)


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("target", [PROD, ELSEWHERE])
def test_an_index_goes_with_all_good_evidence_and_the_tag_is_last(
    lists: bool, target: Any, tmp_path: Path
) -> None:
    world = world_of(tmp_path, referrers=lists)
    world.target = target
    world.pin()
    built = world.sign(BOTH.manifest, statement(subject(BOTH.manifest.digest), predicateType=PROVENANCE))
    sbom = world.sign(
        BOTH.manifest, statement(subject(BOTH.manifest.digest), predicateType="https://spdx.dev")
    )
    of_one = world.sign(ONE.manifest)
    world.sign(BOTH.manifest, **STRANGER)
    world.sign(TWO.manifest, **STRANGER)
    world.sign(BOTH.manifest, statement(subject(OTHER.manifest.digest)))

    done = world.promote()
    assert done.report.exit_code == 0
    assert world.tag() == DIGEST
    assert {spelled(built.digest), spelled(sbom.digest)} < world.listed(BOTH.manifest)
    assert len(world.listed(BOTH.manifest)) == 3
    assert world.listed(ONE.manifest) == {spelled(of_one.digest)}
    assert world.listed(TWO.manifest) == set()
    assert left(done) == ["identity-mismatch", "subject-mismatch", "identity-mismatch"]
    assert (done.before, done.after) == (None, BOTH.manifest.digest)
    assert {each.outcome for each in done.placed} == {"copied"}
    assert world.writes()[-1] == "PUT manifests/1.0"
    assert world.registry.small_blob(target, TWO.manifest.layers[0], 1000) == TWO.blobs[1]

    again = world.promote()
    assert again.report.exit_code == 0
    assert (again.before, again.after) == (BOTH.manifest.digest, BOTH.manifest.digest)
    assert {each.outcome for each in again.placed} == {"already there"}
    assert not [short for short in world.writes()[2:] if not short.startswith("PUT manifests/sha256:")]


def test_what_is_refused_writes_nothing(world: World) -> None:
    world.fake.push(APP, OTHER, "2.0")
    done = world.promote(":2.0")
    assert (done.report.exit_code, codes(done)) == (1, ["no-evidence"])
    world.sign(OTHER.manifest, **STRANGER)
    assert codes(world.promote(":2.0")) == ["identity-mismatch"]
    assert world.writes() == []
    assert str(PROD) not in world.fake.shelves


def test_the_targets_tag_is_what_the_pin_asks_for(world: World) -> None:
    assert codes(world.promote(to=":2.0")) == ["identity-mismatch"]
    assert world.writes() == []
    assert world.promote(f"@{DIGEST}", ":1.0").report.exit_code == 0
    assert world.tag() == DIGEST


def test_a_dry_run_writes_nothing(world: World) -> None:
    done = world.promote(dry_run=True)
    assert done.report.exit_code == 0
    assert [(each.kind, each.outcome) for each in done.placed] == [
        ("image", "would be copied"),
        ("evidence", "would be copied"),
    ]
    assert (done.before, done.after) == (None, BOTH.manifest.digest)
    assert world.writes() == []


def test_c13_a_source_tag_that_is_moved_meanwhile_changes_nothing(world: World) -> None:
    def swap(asked: Asked) -> None:
        if asked.short == f"GET referrers/{DIGEST}":
            world.fake.push(APP, OTHER, "1.0")

    world.fake.before = swap
    assert world.promote().report.exit_code == 0
    assert world.tag() == DIGEST
    assert spelled(OTHER.manifest.digest) not in world.fake.shelf(PROD).manifests


def test_a_platform_that_is_revoked_is_not_promoted_with_its_index(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.pin(more=f'[[revoked]]\nsha256 = "{TWO.manifest.digest}"\nreason = "broken"\n')
    world.sign(TWO.manifest)
    done = world.promote()
    assert (done.report.exit_code, codes(done)) == (1, ["", "revoked"])
    assert world.writes() == []


def test_an_index_in_an_index_needs_evidence_of_its_own(world: World) -> None:
    """As those who pull through it: no index covers what another one lists."""
    nested = index(BOTH, OTHER)
    world.fake.push(APP, nested, "3")
    world.pin(ANY)
    world.sign(nested.manifest)
    assert world.promote(":3").report.exit_code == 0
    assert world.tag("3") == spelled(nested.manifest.digest)
    assert world.listed(BOTH.manifest)

    unsigned = index(index(OTHER))
    world.fake.push(APP, unsigned, "4")
    world.sign(unsigned.manifest)
    assert codes(world.promote(":4")) == ["", "platform-not-covered"]
    assert world.writes() == []


def test_an_image_that_is_too_deep(world: World) -> None:
    world.pin(ANY)
    one = OTHER
    for _ in range(4):
        one = index(one)
        world.fake.push(APP, one, "5")
        world.sign(one.manifest)
    fails(lambda: world.promote(":5"), "image-too-deep")
    assert world.writes() == []


def test_within_a_repository_the_tag_alone_is_new(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.target = APP
    world.pin(ANY)
    done = world.promote(to=":latest")
    assert done.report.exit_code == 0
    assert {each.outcome for each in done.placed} == {"already there"}
    assert world.tag("latest") == DIGEST
    assert world.writes() == ["PUT manifests/latest"]


def test_a_tag_is_moved_and_it_is_said_from_where(world: World) -> None:
    world.fake.push(PROD, OTHER, "1.0")
    refused = fails(lambda: world.promote(overwrites=False), "tag-taken", 1)
    assert spelled(OTHER.manifest.digest) in str(refused)
    assert world.writes() == []

    done = world.promote()
    assert (done.before, done.after) == (OTHER.manifest.digest, BOTH.manifest.digest)
    assert world.tag() == DIGEST
    assert world.promote(overwrites=False).report.exit_code == 0


def test_c13_a_tag_that_others_set_meanwhile_is_not_overwritten(world: World) -> None:
    def between(asked: Asked) -> None:
        if asked.method == "PUT" and asked.repository == PROD and "1.0" not in asked.short:
            world.fake.push(PROD, OTHER, "1.0")

    world.fake.before = between
    fails(lambda: world.promote(overwrites=False), "tag-taken", 1)
    assert world.tag() == spelled(OTHER.manifest.digest)


def test_c13_a_tag_that_others_move_at_once_is_noticed(world: World) -> None:
    def after(asked: Asked) -> None:
        if asked.short == "GET manifests/1.0" and world.tag() == DIGEST:
            world.fake.push(PROD, OTHER, "1.0")

    world.fake.before = after
    fails(world.promote, "not-read-back")


def test_evidence_must_be_old_enough(world: World) -> None:
    young = fails(lambda: world.promote(min_age=DAY), "too-young", 1)
    assert f"{PROD}:1.0@{DIGEST}" in str(young)
    assert world.writes() == []
    assert world.promote(min_age=DAY, now=NOON + 2 * DAY).report.exit_code == 0


def test_young_evidence_stays_and_an_image_that_needs_it_is_refused(world: World) -> None:
    """It is judged by the old evidence alone: what is signed anew is no reason to wait."""
    world.sigstore.clock.set(NOON + 5 * DAY)
    built = world.sign(
        BOTH.manifest, statement(subject(BOTH.manifest.digest, annotations={"stage": "production"}))
    )
    now = NOON + 6 * DAY
    done = world.promote(min_age=3 * DAY, now=now)
    assert (done.report.exit_code, left(done)) == (0, ["too-young"])
    assert spelled(built.digest) not in world.listed(BOTH.manifest)

    world.pin(more='  [image.require]\n  annotations = { stage = "production" }\n')
    fails(lambda: world.promote(min_age=3 * DAY, now=now), "too-young", 1)


@pytest.mark.parametrize("has_config", [False, True])
def test_whoever_may_not_write_ends_before_anything_is_copied(has_config: bool, world: World) -> None:
    if has_config:
        world.fake.shelf(PROD).blobs[spelled(digest_of(b"{}"))] = b"{}"

    def deny(asked: Asked) -> None:
        if asked.method not in {"GET", "HEAD"}:
            raise CredentialsError("forbidden", "no")

    world.fake.before = deny
    fails(world.promote, "forbidden")
    assert world.writes() == ["POST blobs/uploads/"]  # no mount, after which a layer would be fetched
    assert world.fake.shelf(PROD).manifests == {}


def test_a_fallback_tag_that_is_taken_ends_it_before_anything_is_copied(world: World) -> None:
    world.fake.push(PROD, OTHER, fallback_tag(BOTH.manifest.digest))
    fails(world.promote, "fallback-tag-taken")
    assert world.writes() == []


def test_c13_a_list_that_others_overwrite_is_noticed_before_the_tag(world: World) -> None:
    tag = fallback_tag(BOTH.manifest.digest)

    def between(asked: Asked) -> None:
        shelf = world.fake.shelf(PROD)
        if asked.repository == PROD and asked.short == f"GET referrers/{DIGEST}":
            shelf.tags.pop(tag, None)

    world.fake.before = between
    fails(world.promote, "referrers-lost")
    assert world.tag() is None


def test_c13_what_the_target_serves_is_judged_again_before_the_tag(world: World) -> None:
    """The evidence is listed there, and its bundle is gone."""
    (listed,) = referrers(world.registry, APP, BOTH.manifest.digest)
    (bundle,) = world.registry.manifest(APP, listed.digest).layers

    def spoil(asked: Asked) -> None:
        if asked.repository == PROD and asked.short == f"GET manifests/{fallback_tag(BOTH.manifest.digest)}":
            world.fake.shelf(PROD).blobs.pop(spelled(bundle.digest), None)

    world.fake.before = spoil
    done = world.promote()
    assert (done.report.exit_code, codes(done)) == (1, ["unreadable-image-evidence"])
    assert world.tag() is None
    assert (done.before, done.after) == (None, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"annotations": {"a": "x" * 70_000}}, "evidence-too-large"),
        ({"config": NOWHERE | {"size": 1 << 40}}, "evidence-too-large"),
        ({"config": NOWHERE}, "unreadable-image-evidence"),
        ({"subject": BOTH.manifest.described().as_json() | {"size": 7}}, "referrer-of-another"),
    ],
)
def test_c14_a_good_bundle_in_a_bad_wrapping_stays_and_stops_nothing(
    changes: dict[str, Any], code: str, world: World
) -> None:
    world.slip_in(wrapped(BOTH.manifest, world.bundle(BOTH.manifest), **changes), BOTH.manifest)
    done = world.promote()
    assert done.report.exit_code == 0
    assert left(done) == [code]
    assert len(world.listed(BOTH.manifest)) == 1


def test_c14_a_bundle_that_is_wrapped_twice_goes_once(world: World) -> None:
    bundle = world.bundle(BOTH.manifest)
    for by in ("a", "b", "c"):
        world.attach(artifact(BOTH.manifest.described(), bundle, by=by))
    done = world.promote()
    assert len(world.listed(BOTH.manifest)) == 2
    assert left(done) == []


def test_c14_a_bundle_that_is_spelled_in_many_ways_goes_once(world: World) -> None:
    """Anybody can write the same JSON anew; the target must not be filled with it."""
    bundle = world.bundle(BOTH.manifest)
    for spaces in range(1, 4):
        again = json.dumps(json.loads(bundle), indent=spaces)
        world.attach(artifact(BOTH.manifest.described(), again))
    done = world.promote()
    assert (done.report.exit_code, left(done)) == (0, [])
    assert len(world.listed(BOTH.manifest)) == 2


def test_c14_annotations_of_a_wrapping_do_not_fill_the_targets_list(world: World) -> None:
    """The list under the fallback tag repeats them, and is a manifest of 4 MiB at most."""
    annotated = {"annotations": {"a": "x" * 20_000}}
    world.slip_in(wrapped(BOTH.manifest, world.bundle(BOTH.manifest), **annotated), BOTH.manifest)
    done = world.promote()
    assert (done.report.exit_code, left(done)) == (0, ["evidence-too-large"])
    assert len(world.listed(BOTH.manifest)) == 1


def test_c14_more_evidence_than_consumers_read_is_never_put_there(world: World) -> None:
    """The image may be in use there already: nobody could use it any more."""
    for number in range(MOST_REFERRERS):
        world.attach(artifact(BOTH.manifest.described(), f"{{}}{number * ' '}"), to=PROD)
    world.fake.log.clear()
    fails(world.promote, "too-many-referrers", 3)
    assert world.writes() == []
    assert len(world.listed(BOTH.manifest)) == MOST_REFERRERS


def test_whoever_is_pinned_besides_is_carried_too(world: World) -> None:
    other = PATTERN.replace(".gitlab-ci.yml", "audit.yml")
    uri = "gitlab.example.com/acme/widgets//audit.yml@refs/tags/v1.0"
    world.sign(BOTH.manifest, ci_config_ref_uri=uri)
    world.pin(PATTERN, other)
    done = world.promote()
    assert done.report.exit_code == 0
    assert left(done) == []
    assert len(world.listed(BOTH.manifest)) == 2


def test_what_is_listed_and_gone_is_stored_again(world: World) -> None:
    world.promote()
    (listed,) = world.listed(BOTH.manifest)
    del world.fake.shelf(PROD).manifests[listed]
    assert world.promote().report.exit_code == 0
    assert listed in world.fake.shelf(PROD).manifests


@pytest.mark.parametrize(
    ("ref", "to", "code"),
    [
        ("registry.example.com/acme/app:1.0", "registry.example.com/acme/app", "not-promotable"),
        ("registry.example.com/acme/app:1.0", "registry.example.com/acme/app:1.0", "not-promotable"),
        (f"registry.example.com/acme/app:1.0@{DIGEST}", "registry.example.com/acme/app", "not-promotable"),
        (f"registry.example.com/acme/app@{DIGEST}", "registry.example.com/acme/prod", "not-promotable"),
        ("registry.example.com/acme/app:1.0", f"registry.example.com/acme/prod@{DIGEST}", "not-promotable"),
        ("registry.example.com/acme/app:1.0", f"registry.example.com/acme/prod:1@{DIGEST}", "not-promotable"),
        (
            "registry.example.com/acme/app:1.0",
            f"registry.example.com/acme/prod:{fallback_tag(BOTH.manifest.digest)}",
            "not-promotable",
        ),
        (f"registry.example.com/acme/app:{'sha256-' + 'a' * 64}.sig", "localhost:5000/a", "not-promotable"),
        ("registry.example.com/acme/app:1.0", "acme/prod:1", "invalid-image"),
        ("registry.example.com/acme/app:1.0", "", "invalid-image"),
        ("registry.example.com/acme/app:1.0", "user:secret@registry.example.com/acme/prod", "invalid-image"),
        ("acme/app", "registry.example.com/acme/prod", "invalid-image"),
    ],
)
def test_what_is_no_promotion(ref: str, to: str, code: str) -> None:
    said = fails(lambda: read_plan(ref, to, now=NOON), code, 2)
    assert "secret" not in f"{said} {said.hint}"


def test_a_plan_has_the_tag_of_the_target_else_of_the_image() -> None:
    named = "registry.example.com/acme/app"
    assert (
        read_plan(f"{named}:1.0", "localhost:5000/acme/prod", now=NOON).named
        == "localhost:5000/acme/prod:1.0"
    )
    assert read_plan(f"{named}:1.0", "localhost:5000/a:2", now=NOON).named == "localhost:5000/a:2"
    assert read_plan(f"{named}@{DIGEST}", f"{named}:2", now=NOON).named == f"{named}:2"


def test_a_target_that_is_not_pinned(world: World) -> None:
    world.target = parse_repository("registry.example.com/acme/unknown")
    said = fails(world.promote, "not-promotable", 2)
    # A target that is empty yet has no image to look at, so its signer is named.
    assert "trust add --image registry.example.com/acme/unknown --identity SUBJECT --issuer" in said.hint
    assert world.fake.log == []
