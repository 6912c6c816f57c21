"""Referrers: the union of both lists, whole; and nobody's entry lost that was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oci.fake import (
    APP,
    BUNDLE,
    HOST,
    Asked,
    FakeRegistry,
    Image,
    answer,
    artifact,
    fails,
    image,
    index,
    lying,
    sha,
    unknown,
)
from pip_warden.oci import referrers as room
from pip_warden.oci.manifest import IMAGE_INDEX, MAX_MANIFEST, Descriptor, read_manifest
from pip_warden.oci.names import spelled
from pip_warden.oci.referrers import add_referrer, fallback_tag, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.transport import Response

ONE, OTHER = image("one"), image("other")
SUBJECT = ONE.manifest.described()
TAG = fallback_tag(SUBJECT.digest)
A, B, C = (artifact(SUBJECT, name, by=name) for name in "ABC")
TYPED = {"content_type": IMAGE_INDEX}


@pytest.fixture(params=[False, True], ids=["fallback", "listed"])
def fake(request: pytest.FixtureRequest) -> FakeRegistry:
    return made(referrers=request.param)


def made(*, referrers: bool = False) -> FakeRegistry:
    fake = FakeRegistry(referrers=referrers)
    fake.push(APP, ONE, "1.0")
    shelf = fake.shelf(APP)
    for one in (A, B, C):
        shelf.blobs.update({sha(blob): blob for blob in one.blobs})
    return fake


def add(fake: FakeRegistry, one: Image) -> None:
    assert add_referrer(ImageRegistry(fake), APP, SUBJECT, one.manifest.content) == one.manifest.digest


def found(fake: FakeRegistry) -> list[Descriptor]:
    return list(referrers(ImageRegistry(fake), APP, SUBJECT.digest))


def list_of(*images: Image, **more: Any) -> bytes:
    entries = [one.manifest.as_referrer().as_json() for one in images]
    return json.dumps({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": entries, **more}).encode()


def tagged(fake: FakeRegistry, *images: Image, **more: Any) -> None:
    """Write the list under the fallback tag, as another client does."""
    for one in images:
        fake.push(APP, one)
    fake.keep(fake.shelf(APP), read_manifest(list_of(*images, **more), IMAGE_INDEX), TAG)


def test_nothing_is_about_an_image(fake: FakeRegistry) -> None:
    assert found(fake) == []


def test_what_is_added_is_found_with_its_kind_and_annotations(fake: FakeRegistry) -> None:
    add(fake, A)
    add(fake, B)

    assert found(fake) == [A.manifest.as_referrer(), B.manifest.as_referrer()]
    assert {one.artifact_type for one in found(fake)} == {BUNDLE}
    assert found(fake)[0].annotations == {"by": "A"}
    assert (TAG in fake.shelf(APP).tags) != fake.referrers


def test_what_was_added_is_not_added_again(fake: FakeRegistry) -> None:
    add(fake, A)
    before = fake.shelf(APP).tags.copy()
    add(fake, A)

    assert fake.shelf(APP).tags == before
    assert found(fake) == [A.manifest.as_referrer()]


def test_both_lists_are_read() -> None:
    fake = made(referrers=True)
    tagged(fake, A)
    lying(fake, "GET referrers", answer(200, list_of(B), **TYPED))

    assert found(fake) == [B.manifest.as_referrer(), A.manifest.as_referrer()]


def test_the_registrys_list_is_read_to_its_end() -> None:
    fake = made(referrers=True)
    fake.page = 1
    for one in (A, B, C):
        fake.push(APP, one)

    assert found(fake) == [one.manifest.as_referrer() for one in (A, B, C)]


@pytest.mark.parametrize("claimed", ["sbom", "text/plain; charset=utf-8", "a b/c", "ä/ö"])
def test_what_a_list_claims_of_a_strangers_artifact_hides_no_other(claimed: str) -> None:
    fake = made(referrers=True)
    strange = B.manifest.as_referrer().as_json() | {"artifactType": claimed}
    entries = [strange, A.manifest.as_referrer().as_json()]
    listed = json.loads(list_of()) | {"manifests": entries}
    lying(fake, "GET referrers", answer(200, json.dumps(listed).encode(), **TYPED))

    assert [one.digest for one in found(fake)] == [B.manifest.digest, A.manifest.digest]
    assert found(fake)[0].artifact_type == claimed


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_registry_that_keeps_no_list(status: int) -> None:
    fake = made()
    tagged(fake, A)
    lying(fake, "GET referrers", answer(status))

    assert found(fake) == [A.manifest.as_referrer()]


NEXT = {"link": '<?at=1>; rel="next"', **TYPED}


@pytest.mark.parametrize(
    ("replies", "code"),
    [
        ([answer(500)], "server-error"),
        ([answer(204)], "unexpected-status"),
        ([answer(301)], "unexpected-status"),
        ([replace(answer(404), left_origin=True)], "redirect-target-failed"),
        ([answer(200, list_of())], "bad-manifest"),
        ([answer(200, b"<html>", content_type="text/html")], "bad-manifest"),
        ([answer(200, list_of(A)[:-9], **TYPED)], "bad-manifest"),
        ([answer(200, b"{}", **TYPED)], "bad-manifest"),
        ([answer(200, A.manifest.content, content_type=A.manifest.media_type)], "bad-manifest"),
        ([answer(200, list_of(A), **NEXT), answer(404)], "not-found"),
        ([answer(200, list_of(), **NEXT), answer(404)], "not-found"),
        ([answer(200, list_of(A), **NEXT), answer(500)], "server-error"),
        ([answer(200, list_of(A), **NEXT), answer(200, list_of(B), **NEXT)], "bad-registry-answer"),
        (
            [answer(200, list_of(A), link='<https://evil.example/x>; rel="next"', **TYPED)],
            "bad-registry-answer",
        ),
    ],
)
def test_a_list_that_is_not_known_to_be_whole(replies: list[Response], code: str) -> None:
    fake = made()
    tagged(fake, A)
    lying(fake, "GET referrers", *replies)

    fails(lambda: found(fake), code)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(404), "not-found"),
        (answer(500), "server-error"),
        (answer(200, list_of(A)[:-9], **TYPED), "bad-manifest"),
    ],
)
def test_a_fallback_tag_of_which_nothing_is_known(reply: Response, code: str, fake: FakeRegistry) -> None:
    lying(fake, f"GET manifests/{TAG}", reply)

    fails(lambda: found(fake), code)
    lying(fake, f"GET manifests/{TAG}", unknown("MANIFEST_UNKNOWN"))
    assert found(fake) == []


@pytest.mark.parametrize(
    "other", [OTHER, index(ONE, platforms=("linux/amd64",))], ids=["an image", "an image's index"]
)
def test_a_fallback_tag_that_is_no_list_is_neither_read_nor_overwritten(other: Image) -> None:
    fake = made()
    fake.push(APP, other, TAG)

    fails(lambda: found(fake), "fallback-tag-taken")
    fails(lambda: add(fake, A), "fallback-tag-taken")
    assert fake.shelf(APP).tags[TAG] == spelled(other.manifest.digest)


def test_a_list_with_a_subject_is_about_something_else() -> None:
    fake = made()
    tagged(fake, A, subject=SUBJECT.as_json())

    fails(lambda: found(fake), "fallback-tag-taken")


def test_more_than_are_looked_at(monkeypatch: pytest.MonkeyPatch, fake: FakeRegistry) -> None:
    monkeypatch.setattr(room, "_MOST", 2)
    add(fake, A)
    add(fake, B)
    assert len(found(fake)) == 2
    tagged(fake, A, B)  # the same ones in both lists are no more than they are
    assert len(found(fake)) == 2
    fake.push(APP, C)
    tagged(fake, A, B, C)

    fails(lambda: found(fake), "too-many-referrers")


def test_no_more_are_written_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST", 1)
    fake = made()
    add(fake, A)
    before = fake.shelf(APP).tags.copy()

    fails(lambda: add(fake, B), "too-many-referrers")
    assert fake.shelf(APP).tags == before


def test_what_others_wrote_stays_as_it_is() -> None:
    fake = made()
    tagged(fake, A, annotations={"written": "elsewhere"}, future=[1])
    add(fake, B)
    document = json.loads(fake.shelf(APP).manifests[fake.shelf(APP).tags[TAG]][0])

    assert document["annotations"] == {"written": "elsewhere"}
    assert document["future"] == [1]
    assert document["manifests"][0] == A.manifest.as_referrer().as_json()
    assert [entry["digest"] for entry in document["manifests"]] == [
        spelled(A.manifest.digest),
        spelled(B.manifest.digest),
    ]


def test_a_manifest_about_something_else_is_not_sent(fake: FakeRegistry) -> None:
    registry = ImageRegistry(fake)
    for content in (ONE.manifest.content, artifact(OTHER.manifest.described()).manifest.content, b"{}"):
        fails(lambda sent=content: add_referrer(registry, APP, SUBJECT, sent), "bad-manifest")  # type: ignore[misc]
    larger = replace(SUBJECT, size=SUBJECT.size + 1)
    fails(lambda: add_referrer(registry, APP, larger, A.manifest.content), "bad-manifest")
    assert fake.log == []


def test_a_registry_that_only_says_that_it_lists(fake: FakeRegistry) -> None:
    said = answer(201, b"", f"https://{HOST}/", oci_subject=spelled(SUBJECT.digest))

    def lie(asked: Asked) -> Response | None:
        if asked.short == f"PUT manifests/{spelled(A.manifest.digest)}":
            fake.push(APP, A)
            return said
        return answer(404) if asked.short.startswith("GET referrers") else None

    fake.lie = lie
    add(fake, A)

    assert found(fake) == [A.manifest.as_referrer()]
    assert TAG in fake.shelf(APP).tags


def test_a_referrer_that_was_not_kept_is_noticed(fake: FakeRegistry) -> None:
    lying(fake, f"GET manifests/{spelled(A.manifest.digest)}", unknown("MANIFEST_UNKNOWN"))

    fails(lambda: add(fake, A), "not-found")


def interfering(fake: FakeRegistry, at: str, *writers: Any) -> None:
    """Before the requests that begin so, another writer does something: one for each, in turn."""
    left = list(writers)

    def before(asked: Asked) -> None:
        if asked.short.startswith(at) and left:
            fake.before = lambda _: None
            left.pop(0)()
            fake.before = before

    fake.before = before


def test_another_writer_who_had_read_the_same_list() -> None:
    """B read the empty list before A wrote, and writes after A: A's read-back notices, and mends it."""
    fake = made()
    interfering(fake, f"GET manifests/{TAG}", lambda: None, lambda: tagged(fake, B))
    add(fake, A)

    assert {one.digest for one in found(fake)} == {A.manifest.digest, B.manifest.digest}


def test_two_writers_in_step() -> None:
    """Each of both reads, then each writes: whoever was overwritten writes again."""
    fake = made()
    interfering(fake, f"GET manifests/{TAG}", lambda: None, lambda: add_over(fake, B))
    add(fake, A)

    assert {one.digest for one in found(fake)} == {A.manifest.digest, B.manifest.digest}


def add_over(fake: FakeRegistry, one: Image) -> None:
    """Add a referrer with a list that was read when it was still empty."""
    lying(fake, f"GET manifests/{TAG}", unknown("MANIFEST_UNKNOWN"))
    interfering(fake, f"PUT manifests/{TAG}", lambda: setattr(fake, "lie", lambda _: None))
    add(fake, one)


def test_an_entry_that_was_seen_once_is_brought_back() -> None:
    """C was there; the other writer drops it along with ours."""
    fake = made()
    tagged(fake, C)
    interfering(fake, f"GET manifests/{TAG}", lambda: None, lambda: tagged(fake, B))
    add(fake, A)

    assert {one.digest for one in found(fake)} == {one.manifest.digest for one in (A, B, C)}


def test_an_entry_that_others_overwrite_again_and_again() -> None:
    fake = made()
    interfering(fake, f"GET manifests/{TAG}", *[lambda: tagged(fake, B)] * 20)

    error = fails(lambda: add(fake, A), "referrers-lost")
    assert spelled(A.manifest.digest) in error.message
    assert sum(line == f"PUT manifests/{TAG}" for line in fake.log) == 8


class KilledError(Exception):
    """The process ends here."""


def test_it_runs_again_after_a_kill_at_any_request(fake: FakeRegistry) -> None:
    add(fake, A)
    requests = len(fake.log)

    for number in range(1, requests + 1):
        again = made(referrers=fake.referrers)
        tagged(again, C)

        def kill(asked: Asked, again: FakeRegistry = again, number: int = number) -> None:
            if len(again.log) == number:
                raise KilledError

        again.before = kill
        with pytest.raises(KilledError):
            add(again, A)
        add(again, A)
        assert {one.digest for one in found(again)} == {A.manifest.digest, C.manifest.digest}


def test_a_list_that_annotations_have_filled_is_told_as_that() -> None:
    fake = made()
    add(fake, A)
    shelf = fake.shelf(APP)
    listed = json.loads(shelf.manifests[shelf.tags[TAG]][0])
    listed["annotations"] = {"a": "x" * (MAX_MANIFEST - 100 - len(json.dumps(listed)))}
    fake.keep(shelf, read_manifest(json.dumps(listed).encode(), IMAGE_INDEX), TAG)
    before = shelf.tags.copy()

    fails(lambda: add(fake, B), "too-many-referrers")
    assert shelf.tags == before
