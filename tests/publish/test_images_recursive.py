"""``--recursive`` signs an index and all that it lists, however deep, each once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents import described
from pip_warden.oci import listed
from pip_warden.sandbox.images import Image
from publish.conftest import Shop, code, ok


def _index(shop: Shop, *listed: Image) -> Shop:
    """Push an index under the tag."""
    index = shop.publisher.sandbox.image_index(listed)
    shop.publisher.sandbox.push_image(shop.publisher.project, index, "1.0")
    return replace(shop, image=index)


def _platforms(shop: Shop) -> list[Image]:
    """Return images of two platforms, and what BuildKit adds as ``unknown/unknown``."""
    names = ("linux/amd64", "linux/arm64", "unknown/unknown")
    return [shop.publisher.sandbox.image({"app": name}, platform=name) for name in names]


def test_an_index_alone_is_signed_unless_asked(shop: Shop) -> None:
    shop = _index(shop, *_platforms(shop))
    ok(shop.run("sign"))

    assert len(shop.manifests()) == 1
    assert [shop.manifests(each.digest) for each in shop.image.platforms] == [[], [], []]


@pytest.mark.parametrize("verb", ["sign", "attest"])
def test_all_that_an_index_lists_is_signed(shop: Shop, verb: str) -> None:
    shop = _index(shop, *_platforms(shop))
    told = described(ok(shop.run(verb, "--recursive", "--format", "json")).stdout)

    digests = [shop.image.digest, *(each.digest for each in shop.image.platforms)]
    assert told["command"] == f"image {verb}"
    assert [each["digest"] for each in told["images"]] == digests
    assert [each["tag"] for each in told["images"]] == ["1.0", None, None, None]
    assert [each["kept"] for each in told["images"]] == [False] * 4
    assert [len(shop.manifests(digest)) for digest in digests] == [1] * 4
    of = {one["subject"][0]["digest"]["sha256"] for digest in digests for one in shop.statements(digest)}
    assert of == {digest.removeprefix("sha256:") for digest in digests}


def test_what_is_missing_is_signed_and_the_rest_stays(shop: Shop) -> None:
    shop = _index(shop, *_platforms(shop))
    ok(shop.run("sign"))
    told = described(ok(shop.run("sign", "--recursive", "--format", "json")).stdout)["images"]

    assert [each["kept"] for each in told] == [True, False, False, False]
    assert shop.logged() == 4


def test_indexes_in_indexes_are_signed_and_each_manifest_once(shop: Shop) -> None:
    one, two, three = _platforms(shop)
    sandbox = shop.publisher.sandbox
    inner = sandbox.image_index([one, two])
    shop = _index(shop, inner, one, sandbox.image_index([inner, three]))
    told = described(ok(shop.run("sign", "--recursive", "--format", "json")).stdout)["images"]

    digests = [each["digest"] for each in told]
    assert len(digests) == len(set(digests)) == 6


def test_a_platform_that_is_not_there_is_found_before_the_log(shop: Shop) -> None:
    shop = _index(shop, *_platforms(shop))
    del shop.repository.manifests[shop.image.platforms[2].digest]

    assert code(shop.run("sign", "--recursive")) == (3, "not-found")
    assert shop.logged() == 0


def test_an_index_that_is_too_deep_or_too_large_is_not_signed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    platforms = _platforms(shop)
    shop = _index(shop, *platforms)
    monkeypatch.setattr(listed, "MOST_MANIFESTS", 3)
    assert code(shop.run("sign", "--recursive")) == (3, "image-too-deep")
    monkeypatch.undo()
    deep = shop.publisher.sandbox.image_index(platforms)
    for _ in range(2):
        deep = shop.publisher.sandbox.image_index([deep])
    shop = _index(shop, deep)

    assert code(shop.run("sign", "--recursive")) == (3, "image-too-deep")
    assert shop.logged() == 0
