"""The client of registries: every digest computed, every list whole, nothing sent elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from oci.fake import (
    APP,
    ELSEWHERE,
    HOST,
    LAYER,
    PROD,
    Asked,
    FakeRegistry,
    answer,
    fails,
    image,
    lying,
    sha,
    unknown,
)
from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError, InternalError
from pip_warden.oci import upload
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Descriptor
from pip_warden.oci.names import ImageReference, spelled
from pip_warden.oci.registry import ImageRegistry
from pip_warden.transport import Response

ONE, OTHER = image("one"), image("other")
TYPED = {"content_type": IMAGE_MANIFEST}


@pytest.fixture
def fake() -> FakeRegistry:
    fake = FakeRegistry()
    fake.push(APP, ONE, "1.0")
    return fake


@pytest.fixture
def registry(fake: FakeRegistry) -> ImageRegistry:
    return ImageRegistry(fake)


def blob(content: bytes) -> Descriptor:
    return Descriptor(media_type=LAYER, digest=digest_of(content), size=len(content))


def test_a_tag_or_a_digest_is_resolved_by_one_request(fake: FakeRegistry, registry: ImageRegistry) -> None:
    by_tag = registry.resolve(ImageReference(repository=APP, tag="1.0"))
    by_digest = registry.resolve(ImageReference(repository=APP, digest=by_tag.digest))
    by_both = registry.resolve(ImageReference(repository=APP, tag="1.0", digest=by_tag.digest))

    assert by_tag == by_digest == by_both == ONE.manifest
    assert fake.log == [
        "GET manifests/1.0",
        f"GET manifests/{spelled(by_tag.digest)}",
        "GET manifests/1.0",
    ]


def test_a_tag_that_was_moved(fake: FakeRegistry, registry: ImageRegistry) -> None:
    fake.push(APP, OTHER, "1.0")
    named = ImageReference(repository=APP, tag="1.0", digest=ONE.manifest.digest)

    fails(lambda: registry.resolve(named), "image-tag-moved", 1)


def test_a_registry_that_lies_about_a_digest(fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET manifests", answer(200, OTHER.manifest.content, **TYPED))

    fails(lambda: registry.manifest(APP, ONE.manifest.digest), "image-digest-differs", 1)
    fails(
        lambda: registry.resolve(ImageReference(repository=APP, digest=ONE.manifest.digest)),
        "image-digest-differs",
        1,
    )


def test_a_registry_that_states_another_digest_than_that_of_its_answer(
    fake: FakeRegistry, registry: ImageRegistry
) -> None:
    stated = spelled(ONE.manifest.digest)
    lying(fake, "GET manifests", answer(200, OTHER.manifest.content, docker_content_digest=stated, **TYPED))

    fails(lambda: registry.resolve(ImageReference(repository=APP, tag="1.0")), "image-digest-differs", 1)
    fails(lambda: registry.find(APP, "1.0"), "image-digest-differs", 1)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(200, ONE.manifest.content, content_type=IMAGE_INDEX), "bad-manifest"),
        (answer(200, ONE.manifest.content, content_type="text/html"), "bad-manifest"),
        (answer(200, ONE.manifest.content), "bad-manifest"),
        (answer(200, b"<html>", **TYPED), "bad-manifest"),
        (answer(200, b"", **TYPED), "bad-manifest"),
        (answer(200, b" " * ((4 << 20) + 1), **TYPED), "too-large"),
        (unknown("MANIFEST_UNKNOWN"), "not-found"),
        (answer(500), "server-error"),
        (answer(204), "unexpected-status"),
    ],
)
def test_what_is_no_manifest(reply: Response, code: str, fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET manifests", reply)

    fails(lambda: registry.resolve(ImageReference(repository=APP, tag="1.0")), code)


def test_nothing_stands_for_no_tag(registry: ImageRegistry) -> None:
    fails(lambda: registry.resolve(ImageReference(repository=APP)), "invalid-image", 2)


def test_what_a_descriptor_leads_to_is_as_described(registry: ImageRegistry) -> None:
    described = ONE.manifest.described()

    assert registry.manifest(APP, described) == ONE.manifest
    for other in (replace(described, size=described.size + 1), replace(described, media_type=IMAGE_INDEX)):
        fails(lambda wanted=other: registry.manifest(APP, wanted), "bad-manifest")  # type: ignore[misc]


def test_absent_is_what_the_registry_says_is_absent(fake: FakeRegistry, registry: ImageRegistry) -> None:
    assert registry.find(APP, "1.0") == ONE.manifest
    assert registry.find(APP, "2.0") is None
    lying(fake, "GET manifests", unknown("NAME_UNKNOWN"))
    assert registry.find(APP, "1.0") is None


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(404), "not-found"),
        (answer(404, b"404 page not found\n"), "not-found"),
        (answer(404, b'{"errors":[]}'), "not-found"),
        (answer(404, b'{"errors":["MANIFEST_UNKNOWN"]}'), "not-found"),
        (unknown("TOOMANYREQUESTS"), "not-found"),
        (unknown("MANIFEST_UNKNOWN", 400), "unexpected-status"),
        (answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"UNKNOWN"}]}'), "not-found"),
        (replace(unknown("MANIFEST_UNKNOWN"), left_origin=True), "redirect-target-failed"),
        (answer(503), "server-error"),
    ],
)
def test_anything_else_never_means_absent(
    reply: Response, code: str, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    lying(fake, "GET manifests", reply)

    fails(lambda: registry.find(APP, "1.0"), code)


def test_tags_are_listed_to_the_end(fake: FakeRegistry, registry: ImageRegistry) -> None:
    for number in range(7):
        fake.push(APP, ONE, f"2.{number}")
    fake.page = 3

    assert registry.tags(APP) == ("1.0", *(f"2.{number}" for number in range(7)))
    assert len(fake.log) == 3
    fails(lambda: registry.tags(PROD), "not-found")


def paged(link: str, tags: str = '["1.0"]') -> Response:
    return answer(200, f'{{"name":"acme/app","tags":{tags}}}'.encode(), link=link)


@pytest.mark.parametrize(
    "link",
    [
        f'<https://{HOST}/v2/acme/app/tags/list?n=1000>; rel="next"',
        '<https://evil.example/v2/acme/app/tags/list?last=1>; rel="next"',
        f'<http://{HOST}/v2/acme/app/tags/list?last=1>; rel="next"',
        f'<https://{HOST}:444/v2/acme/app/tags/list?last=1>; rel="next"',
        '</v2/acme/other/tags/list?last=1>; rel="next"',
        '<//evil.example/v2/acme/app/tags/list>; rel="next"',
        '<../../../../etc>; rel="next"',
        '<?last=1#2>; rel="next"',
        '<http://[>; rel="next"',
        "</v2/acme/app/tags/list?last=1>",
        "nonsense",
    ],
)
def test_a_list_that_leads_elsewhere_or_back(link: str, fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET tags", paged(link))

    fails(lambda: registry.tags(APP), "bad-registry-answer")
    assert len(fake.log) == 1


def test_a_list_without_an_end(fake: FakeRegistry, registry: ImageRegistry) -> None:
    def lie(asked: Asked) -> Response:
        return paged(f'<?last={len(fake.log)}>; rel="next"')

    fake.lie = lie

    fails(lambda: registry.tags(APP), "bad-registry-answer")
    assert len(fake.log) == 1000


def test_more_tags_than_can_be_kept(
    fake: FakeRegistry, registry: ImageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pip_warden.oci.registry._MOST_TAGS", 3)
    pages = [paged(f'<?last={number}>; rel="next"', f'["1","2.{number}"]') for number in range(4)]
    lying(fake, "GET tags", *pages)

    fails(lambda: registry.tags(APP), "bad-registry-answer")
    assert len(fake.log) == 3


@pytest.mark.parametrize("tags", ['{"a":1}', '["-"]', "[1]", '["a b"]', '["1.0",""]'])
def test_what_is_no_list_of_tags(tags: str, fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET tags", paged("", tags))

    fails(lambda: registry.tags(APP), "bad-registry-answer")


@pytest.mark.parametrize(
    "body", [b"{}", b'{"name":"acme/app"}', b'{"message":"sign in"}', b'{"Tags":["1.0"]}']
)
def test_what_says_nothing_of_tags_is_no_empty_list(
    body: bytes, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    lying(fake, "GET tags", answer(200, body))

    fails(lambda: registry.tags(APP), "bad-registry-answer")


def test_no_tags(fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET tags", paged("", "null"))

    assert registry.tags(APP) == ()


def test_a_second_page_that_fails(fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "GET tags", paged('<?last=1>; rel="next"'), answer(500))

    fails(lambda: registry.tags(APP), "server-error")


def test_a_blob_is_hashed(fake: FakeRegistry, registry: ImageRegistry) -> None:
    content = ONE.blobs[1]
    to = io.BytesIO()

    registry.blob(APP, blob(content), to)

    assert to.getvalue() == registry.small_blob(APP, blob(content), 100) == content


@pytest.mark.parametrize(
    ("served", "code", "exit_code"),
    [
        (b"xxxxx", "image-digest-differs", 1),
        (b"laye", "image-digest-differs", 1),
        (b"", "image-digest-differs", 1),
        (b"layers", "too-large", 3),
    ],
)
def test_a_blob_of_other_bytes(
    served: bytes, code: str, exit_code: int, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    lying(fake, "GET blobs", answer(200, served))

    fails(lambda: registry.blob(APP, blob(b"layer"), io.BytesIO()), code, exit_code)
    fails(lambda: registry.small_blob(APP, blob(b"layer"), 100), code, exit_code)


def test_a_blob_of_another_size_than_described(fake: FakeRegistry, registry: ImageRegistry) -> None:
    content = ONE.blobs[1]
    larger = replace(blob(content), size=len(content) + 1)

    fails(lambda: registry.blob(APP, larger, io.BytesIO()), "image-digest-differs", 1)
    fails(lambda: registry.small_blob(APP, larger, 100), "image-digest-differs", 1)


def test_a_blob_that_is_too_large_is_not_asked_for(fake: FakeRegistry, registry: ImageRegistry) -> None:
    fails(lambda: registry.small_blob(APP, blob(b"layer"), 4), "too-large")
    assert fake.log == []


def test_a_blob_that_is_not_there(registry: ImageRegistry) -> None:
    fails(lambda: registry.blob(APP, blob(b"none"), io.BytesIO()), "not-found")
    error = fails(lambda: registry.small_blob(APP, blob(b"none"), 100), "not-found")
    assert error.hint == "Check the image's registry, path, and tag or digest."


@pytest.mark.parametrize("absolute", [False, True])
def test_a_blob_is_uploaded_in_two_requests(
    absolute: bool, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    fake.absolute = absolute
    registry.put_blob(APP, b"new", blob(b"new"))
    registry.put_blob(APP, io.BytesIO(b"file"), blob(b"file"))

    assert fake.shelf(APP).blobs[sha(b"new")] == b"new"
    assert fake.shelf(APP).blobs[sha(b"file")] == b"file"
    assert fake.log[:3] == [
        f"HEAD blobs/{sha(b'new')}",
        "POST blobs/uploads/",
        f"PUT blobs/uploads/session-0?_state=a%3D&digest={sha(b'new')}",
    ]


def test_what_is_there_is_not_sent_again(fake: FakeRegistry, registry: ImageRegistry) -> None:
    registry.put_blob(APP, ONE.blobs[1], blob(ONE.blobs[1]))

    assert fake.log == [f"HEAD blobs/{sha(ONE.blobs[1])}"]


def test_a_blob_is_taken_over_from_another_repository(fake: FakeRegistry, registry: ImageRegistry) -> None:
    registry.put_blob(PROD, ONE.blobs[1], blob(ONE.blobs[1]), mount_from=APP)

    assert fake.shelf(PROD).blobs == {sha(ONE.blobs[1]): ONE.blobs[1]}
    assert fake.log[1:] == [f"POST blobs/uploads/?mount={sha(ONE.blobs[1])}&from=acme/app"]


@pytest.mark.parametrize("status", [202, 401])
def test_where_it_cannot_be_taken_over_it_is_uploaded(
    status: int, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    fake.mounts = status
    registry.put_blob(PROD, ONE.blobs[1], blob(ONE.blobs[1]), mount_from=APP)

    assert fake.shelf(PROD).blobs == {sha(ONE.blobs[1]): ONE.blobs[1]}
    assert len(fake.log) == 4


def test_nothing_is_taken_over_from_another_registry(fake: FakeRegistry, registry: ImageRegistry) -> None:
    registry.put_blob(ELSEWHERE, ONE.blobs[1], blob(ONE.blobs[1]), mount_from=APP)

    assert not any("mount" in line for line in fake.log)


def test_a_large_blob_goes_in_pieces(
    fake: FakeRegistry, registry: ImageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE", 4)
    content = b"abcdefghij"
    ranges: list[str | None] = []
    fake.before = lambda asked: ranges.append(asked.content_range)
    registry.put_blob(APP, io.BytesIO(content), blob(content))

    assert fake.shelf(APP).blobs[sha(content)] == content
    assert ranges == [None, None, "0-3", "4-7", "8-9", None]


def test_pieces_are_as_large_as_the_registry_wants_them(
    fake: FakeRegistry, registry: ImageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE", 2)
    fake.least_piece = 7
    registry.put_blob(APP, b"abcdefghij", blob(b"abcdefghij"))

    assert [line.split()[0] for line in fake.log] == ["HEAD", "POST", "PATCH", "PATCH", "PUT"]


@pytest.mark.parametrize(
    ("at", "reply", "code", "exit_code"),
    [
        ("HEAD", answer(500), "server-error", 3),
        ("HEAD", answer(307), "unexpected-status", 3),
        ("POST", answer(200), "unexpected-status", 3),
        ("POST", answer(202), "bad-registry-answer", 3),
        ("POST", answer(202, location="https://evil.example/v2/x"), "bad-registry-answer", 3),
        ("POST", answer(202, location="//evil.example/v2/x"), "bad-registry-answer", 3),
        ("POST", answer(202, location=f"http://{HOST}/v2/acme/app/x"), "bad-registry-answer", 3),
        ("POST", answer(202, location=f"https://{HOST}:8443/v2/acme/app/x"), "bad-registry-answer", 3),
        ("POST", answer(202, location=f"https://me@{HOST}/v2/acme/app/x"), "bad-registry-answer", 3),
        ("POST", answer(202, location="http://["), "bad-registry-answer", 3),
        ("PATCH", answer(416), "unexpected-status", 3),
        ("PATCH", answer(202, location="/v2/acme/app/x", range="0-2"), "bad-registry-answer", 3),
        ("PATCH", answer(202, location="https://evil.example/"), "bad-registry-answer", 3),
        ("PUT", unknown("DIGEST_INVALID", 400), "unexpected-status", 3),
        ("PUT", answer(202), "unexpected-status", 3),
        ("PUT", answer(201, docker_content_digest=sha(b"other")), "image-digest-differs", 1),
    ],
)
def test_an_upload_that_goes_wrong(
    at: str,
    reply: Response,
    code: str,
    exit_code: int,
    fake: FakeRegistry,
    registry: ImageRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload, "PIECE", 4)
    lying(fake, at, reply)

    fails(lambda: registry.put_blob(APP, b"abcdefghij", blob(b"abcdefghij")), code, exit_code)
    assert fake.log[-1].startswith(at)


def test_a_mounted_blob_of_another_digest(fake: FakeRegistry, registry: ImageRegistry) -> None:
    lying(fake, "POST", answer(201, docker_content_digest=sha(b"other")))

    fails(lambda: registry.mount(PROD, digest_of(b"one"), APP), "image-digest-differs", 1)


def test_a_blob_of_another_size_is_a_bug_of_ours(registry: ImageRegistry) -> None:
    with pytest.raises(InternalError):
        registry.put_blob(APP, b"new", replace(blob(b"new"), size=4))


def test_a_manifest_is_stored_and_read_back(fake: FakeRegistry, registry: ImageRegistry) -> None:
    fake.shelf(APP).blobs.update({sha(one): one for one in OTHER.blobs})
    content = OTHER.manifest.content
    name = spelled(OTHER.manifest.digest)

    assert registry.put_manifest(APP, content, IMAGE_MANIFEST) == OTHER.manifest.digest
    assert registry.put_manifest(APP, content, IMAGE_MANIFEST, tag="2.0") == OTHER.manifest.digest
    assert fake.log == [
        f"PUT manifests/{name}",
        f"GET manifests/{name}",
        "PUT manifests/2.0",
        "GET manifests/2.0",
    ]


@pytest.mark.parametrize(
    ("at", "reply", "code", "exit_code"),
    [
        ("PUT", answer(201, docker_content_digest=sha(b"other")), "image-digest-differs", 1),
        ("PUT", answer(200), "unexpected-status", 3),
        ("PUT", unknown("MANIFEST_BLOB_UNKNOWN", 404), "not-found", 3),
        ("GET", answer(200, OTHER.manifest.content, **TYPED), "not-read-back", 3),
        ("GET", unknown("MANIFEST_UNKNOWN"), "not-read-back", 3),
    ],
)
def test_a_manifest_that_does_not_arrive(
    at: str, reply: Response, code: str, exit_code: int, fake: FakeRegistry, registry: ImageRegistry
) -> None:
    lying(fake, at, reply)

    fails(lambda: registry.put_manifest(APP, ONE.manifest.content, IMAGE_MANIFEST), code, exit_code)


def test_what_is_no_manifest_or_no_tag_is_not_sent(fake: FakeRegistry, registry: ImageRegistry) -> None:
    content = ONE.manifest.content
    fails(lambda: registry.put_manifest(APP, content, IMAGE_INDEX), "bad-manifest")
    fails(lambda: registry.put_manifest(APP, content, IMAGE_MANIFEST, tag="-"), "invalid-image", 2)
    fails(lambda: registry.find(APP, "a/b"), "invalid-image", 2)
    assert fake.log == []


def test_what_the_registry_demands_is_not_taken_for_absent(
    fake: FakeRegistry, registry: ImageRegistry
) -> None:
    def demand(asked: Asked) -> None:
        raise CredentialsError("credentials-needed", "no")

    fake.before = demand

    for call in (
        lambda: registry.find(APP, "1.0"),
        lambda: registry.tags(APP),
        lambda: registry.has_blob(APP, digest_of(b"x")),
    ):
        fails(call, "credentials-needed")
