"""An image is judged in its registry, by the digest that its name was of, looked up once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.terminal import Said, typed
from image.shop import AMD, ARM, Shop, digest_of
from images import payload
from pip_warden.oci.manifest import Manifest
from pip_warden.oci.names import ImageReference
from pip_warden.oci.registry import ImageRegistry
from pip_warden.publish.image_statement import signature_statement
from pip_warden.sandbox.faults import Answer
from pip_warden.sandbox.images import Image

OTHER_COMMIT = "0" * 40


def refused(said: Said, code: str, exit_code: int = 1) -> None:
    """Check how a run failed: nothing may be used."""
    assert f"[{code}]" in said, said
    assert said.code == exit_code
    assert said.out == ""
    assert "\nuse " not in said.err


def used(said: Said, shop: Shop, image: Image) -> None:
    """Check that a run says what to use, in the end."""
    assert said.code == 0, said.err
    assert said.out.endswith(f"\nuse {shop.repository}@{image.digest}\n")


def test_the_page_names_the_bytes_of_the_trusted_root(shop: Shop) -> None:
    image = shop.pushed()
    shop.sign(image)
    assert shop.verify(":1.0", "--html", "page").code == 0
    page = Path("page").read_text()
    (root,) = Path().rglob("trusted_root.json")
    assert hashlib.sha256(root.read_bytes()).hexdigest() in page
    assert str(root.absolute()) in page


@pytest.mark.parametrize("lists", [False, True], ids=["fallback tag", "referrers"])
def test_an_image_is_accepted_by_tag_and_by_digest(shop: Shop, lists: bool) -> None:
    with shop.setting(referrers=lists):
        image = shop.pushed()
        shop.sandbox.clear_requests()

        used(shop.verify(), shop, image)
        assert len(shop.answered("/manifests/1.0")) == 1
        used(shop.verify(f":1.0@{image.digest}"), shop, image)
        refused(shop.verify(f"@{image.digest}"), "identity-mismatch")  # the pin is of a tag
        shop.pin(subject=shop.job.san)
        used(shop.verify(f"@{image.digest}"), shop, image)


def test_of_what_is_not_pinned_nothing_is_asked(shop: Shop) -> None:
    image = shop.pushed()
    shop.pin_another()
    shop.sandbox.clear_requests()

    for what in (":1.0", f"@{image.digest}"):
        said = shop.verify(what)
        refused(said, "image-not-pinned")
        assert f"trust add --image {shop.repository}{what}`" in said
    assert shop.sandbox.requests == ()


def _unsigned(shop: Shop) -> None:
    shop.push(shop.platform(*AMD))


def _of_another_image(shop: Shop) -> None:
    other, image = shop.platform(*ARM), shop.push(shop.platform(*AMD))
    shop.attach(image, shop.bundle(signature_statement(digest_of(other), {})))


def _of_another_tag(shop: Shop) -> None:
    shop.sign(shop.push(shop.platform(*AMD)), job=shop.sandbox.job(shop.project, tag="v1.1"))


def _by_a_stranger(shop: Shop) -> None:
    stranger = shop.sandbox.job(shop.sandbox.project("other/shop"), tag="v1.0")
    shop.sign(shop.push(shop.platform(*AMD)), job=stranger)


def _listed_with_another(shop: Shop) -> None:
    other, image = shop.push(shop.platform(*ARM), None), shop.push(shop.platform(*AMD))
    bundle = shop.bundle(signature_statement(digest_of(image), {}))
    shop.attach(image, bundle, about=other)


def _under_a_lost_entry(shop: Shop) -> None:
    image = shop.push(shop.platform(*AMD))
    lost = shop.sign(image)
    shop.sandbox.drop_referrer(shop.project, image.digest, lost, name=shop.name)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (_unsigned, "no-evidence"),
        (_of_another_image, "subject-mismatch"),
        (_of_another_tag, "identity-mismatch"),
        (_by_a_stranger, "identity-mismatch"),
        (_listed_with_another, "referrer-of-another"),
        (_under_a_lost_entry, "no-evidence"),
    ],
)
def test_what_is_no_evidence_of_the_image_is_refused(
    shop: Shop, made: Callable[[Shop], None], code: str
) -> None:
    made(shop)

    refused(shop.verify(), code)


def test_bad_evidence_is_told_and_spoils_nothing(shop: Shop) -> None:
    _of_another_tag(shop)
    image = shop.platform(*AMD)
    shop.attach(image, b"no bundle")
    shop.sign(image, stage="release")
    shop.attest(image)

    said = shop.verify(":1.0", "--show-successes")
    used(said, shop, image)
    for text in ("not used: ", "[identity-mismatch]", "[bad-bundle]", "stage = release", "commit: "):
        assert text in said
    assert " 9 identity: " in said
    [line] = shop.verify(":1.0", "--format", "json").json["images"]
    assert [each["code"] for each in line["bad_evidence"]] == ["identity-mismatch", "bad-bundle"]
    assert line["verified_statements"][0]["annotations"] == {"stage": "release"}


def test_whoever_may_push_hides_nothing_of_what_the_registry_lists(shop: Shop) -> None:
    with shop.setting(referrers=True):
        image = shop.pushed()
        shop.push(shop.platform(*ARM), f"sha256-{digest_of(image)}")
        used(shop.verify(), shop, image)
        [line] = shop.verify(":1.0", "--format", "json").json["images"]
        assert line["accepted"]["form"] == "referrer"
        refused(shop.verify(":1.0", "--require-annotation", "stage=release"), "fallback-tag-taken", 3)


def test_what_cosign_2_signed_is_accepted_by_the_logs_word(shop: Shop) -> None:
    image, other = shop.push(shop.platform(*AMD)), shop.push(shop.platform(*ARM), "other")
    shop.sign_as_cosign_2(image, json.dumps(payload(digest_of(image))).encode())
    shop.sign_as_cosign_2(other, json.dumps(payload(digest_of(image))).encode())

    used(shop.verify(), shop, image)
    [line] = shop.verify(":1.0", "--format", "json").json["images"]
    assert line["accepted"]["form"] == "image-signature"
    shop.pin(subject=shop.job.san)
    refused(shop.verify(":other"), "subject-mismatch")
    shop.sandbox.fault(Answer(status=503), "/api/v1/log/entries/retrieve", times=None)
    refused(shop.verify(":1.0", "--retries", "0"), "bad-rekor-answer", 3)


def test_a_realm_that_is_not_the_registrys_gets_nothing(shop: Shop) -> None:
    shop.pushed()
    shop.sandbox.clear_requests()
    with shop.setting(realm=f"{shop.sandbox.pypi_url}/jwt/auth"):
        refused(shop.verify(), "registry-realm", 3)
    assert {each.origin for each in shop.sandbox.requests} == {"registry"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--require-annotation", "stage=release"), "annotation-mismatch"),
        (("--require-annotation", "team=us"), "annotation-missing"),
        (("--source-revision", OTHER_COMMIT), "provenance-missing"),
        (("--source-repository", "https://gitlab.example.com/other/shop"), "source-repository-mismatch"),
        (("--require-provenance",), "provenance-missing"),
    ],
)
def test_more_is_demanded_of_images_as_of_files(shop: Shop, words: tuple[str, ...], code: str) -> None:
    image = shop.push(shop.platform(*AMD))
    shop.sign(image, stage="test")

    refused(shop.verify(":1.0", *words), code)


def test_what_is_demanded_is_there(shop: Shop) -> None:
    image = shop.push(shop.platform(*AMD))
    shop.sign(image, stage="release")
    shop.attest(image)
    commit = str(shop.job.claims()["sha"])

    said = shop.verify(
        ":1.0",
        *("--require-annotation", "stage=release", "--source-revision", commit, "--require-provenance"),
    )
    used(said, shop, image)
    refused(shop.verify(":1.0", "--source-revision", OTHER_COMMIT), "source-revision-mismatch")
    shop.pin(require='annotations = { stage = "release", tag = "{tag}" }')
    refused(shop.verify(), "annotation-missing")


def test_a_tag_that_moved_is_refused_where_its_digest_is_named(shop: Shop) -> None:
    first = shop.pushed()
    second = shop.pushed(text=b"two")

    refused(shop.verify(f":1.0@{first.digest}"), "image-tag-moved")
    used(shop.verify(), shop, second)


def test_a_tag_that_moves_meanwhile_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = shop.pushed(), shop.push(shop.platform("amd64", {"app": b"evil"}), "evil")
    resolve = ImageRegistry.resolve

    def and_move(self: ImageRegistry, image: ImageReference) -> Manifest:
        found = resolve(self, image)
        shop.sandbox.retag(shop.project, "1.0", second.digest, name=shop.name)
        return found

    monkeypatch.setattr(ImageRegistry, "resolve", and_move)
    used(shop.verify(), shop, first)


def test_a_registry_that_lies_about_bytes_is_refused(shop: Shop) -> None:
    image = shop.pushed()
    other = shop.platform("amd64", {"app": b"evil"})
    shop.pin(subject=shop.job.san)
    shop.sandbox.replace_manifest(shop.project, image.digest, other.manifest, name=shop.name)

    refused(shop.verify(f"@{image.digest}"), "image-digest-differs")
    refused(shop.verify(), "image-digest-differs")  # it states the digest of what was there


def test_evidence_that_was_replaced_is_none(shop: Shop) -> None:
    image = shop.push(shop.platform(*AMD))
    artifact = shop.sign(image)
    [layer] = json.loads(shop.sandbox.image_manifest(shop.project, artifact, name=shop.name))["layers"]
    shop.sandbox.replace_blob(shop.project, layer["digest"], b"x" * layer["size"], name=shop.name)

    refused(shop.verify(), "unreadable-image-evidence")


def test_a_list_of_several_pages_is_read_to_its_end(shop: Shop) -> None:
    with shop.setting(referrers=True, referrers_page=1):
        image = shop.push(shop.platform(*AMD))
        for number in range(3):
            shop.attach(image, b"bad" * (number + 1))
        shop.sign(image)

        used(shop.verify(), shop, image)
        shop.sandbox.fault(Answer(status=500), "last=", origin="registry", times=None)
        refused(shop.verify(":1.0", "--retries", "0"), "server-error", 3)


def test_a_registry_that_does_not_answer_decides_nothing(shop: Shop) -> None:
    image = shop.pushed()
    shop.sandbox.fault(Answer(status=503), "/manifests/sha256-", origin="registry", times=None)

    said = shop.verify(":1.0", "--retries", "0")
    refused(said, "server-error", 3)
    assert f"{shop.repository}:1.0@{image.digest}" in said.err
    refused(shop.verify(":none", "--retries", "0"), "not-found", 3)


def test_credentials_do_not_follow_a_blob_to_the_storage(shop: Shop) -> None:
    image = shop.pushed()
    shop.sandbox.clear_requests()
    with shop.setting(object_storage=True):
        used(shop.verify(), shop, image)

    stored = [each for each in shop.sandbox.requests if each.origin == "storage"]
    assert stored
    assert all(each.header("authorization") is None for each in stored)


# Indexes


def test_an_index_covers_what_it_lists(shop: Shop) -> None:
    index = shop.push(shop.index())
    shop.sign(index)

    said = shop.verify()
    used(said, shop, index)
    assert "(covers linux/amd64, linux/arm64)" in said
    answer = shop.verify(":1.0", "--format", "json").json
    assert answer["digest"] == index.digest
    assert answer["platforms"] == [
        {"platform": each.platform, "digest": each.digest} for each in index.platforms
    ]


def test_a_platform_is_covered_by_its_index(shop: Shop) -> None:
    index = shop.push(shop.index())
    shop.sign(index)
    amd, arm = index.platforms

    for platform in ("linux/arm64", "linux/arm64/v8", "linux/aarch64"):
        said = shop.verify(":1.0", "--platform", platform)
        used(said, shop, arm)
        assert f"(linux/arm64, covered by its index {index.digest})" in said
    used(shop.verify(f":1.0@{index.digest}", "--platform", "linux/amd64"), shop, amd)


def test_a_platform_needs_no_index_where_it_has_evidence(shop: Shop) -> None:
    index = shop.push(shop.index())
    amd, arm = index.platforms
    shop.sign(arm)

    said = shop.verify(":1.0", "--platform", "linux/arm64")
    used(said, shop, arm)
    assert "(linux/arm64, by evidence of its own)" in said
    said = shop.verify(":1.0", "--platform", "linux/amd64")
    refused(said, "platform-not-covered")
    assert "[no-evidence]" in said
    assert said.err.count("\n✗ ") + said.err.startswith("✗ ") == 2
    refused(shop.verify(), "no-evidence")
    refused(shop.verify(f":1.0@{amd.digest}"), "image-tag-moved")


def test_a_platform_whose_own_evidence_cannot_be_had_is_undecided(shop: Shop) -> None:
    index = shop.push(shop.index())
    arm = index.platforms[1]
    shop.sandbox.fault(
        Answer(status=503), f"/manifests/sha256-{digest_of(arm)}", origin="registry", times=None
    )

    said = shop.verify(":1.0", "--platform", "linux/arm64", "--retries", "0")
    refused(said, "server-error", 3)
    assert arm.digest in said
    shop.sign(index)
    used(shop.verify(":1.0", "--platform", "linux/arm64"), shop, arm)


def test_a_platform_that_is_named_alone_is_not_covered(shop: Shop) -> None:
    index = shop.push(shop.index())
    shop.sign(index)
    shop.pin(subject=shop.job.san)

    said = shop.verify(f"@{index.platforms[0].digest}")
    refused(said, "no-evidence")
    assert "--platform" in said


@pytest.mark.parametrize("platform", ["linux/s390x", "windows/amd64", "linux/amd64/v3", "unknown/unknown"])
def test_a_platform_must_be_listed(shop: Shop, platform: str) -> None:
    shop.sign(shop.push(shop.index()))

    said = shop.verify(":1.0", "--platform", platform)
    refused(said, "platform-not-listed")
    assert "it lists linux/amd64, linux/arm64" in said


def test_a_platform_must_be_listed_once(shop: Shop) -> None:
    evil = shop.platform("amd64", {"app": b"evil"})
    shop.sign(shop.push(shop.sandbox.image_index([shop.platform(*AMD), evil])))

    refused(shop.verify(":1.0", "--platform", "linux/amd64"), "platform-not-listed")
    shop.sign(shop.push(shop.platform(*AMD)))
    refused(shop.verify(":1.0", "--platform", "linux/amd64"), "platform-not-listed")


def test_a_platform_is_no_index_in_the_index(shop: Shop) -> None:
    inner = replace(shop.sandbox.image_index([shop.platform(*AMD)]), platform="linux/amd64")
    shop.sign(shop.push(shop.sandbox.image_index([inner])))

    said = shop.verify(":1.0", "--platform", "linux/amd64")
    refused(said, "platform-not-listed")
    assert "an index in it" in said


def test_recursive_demands_evidence_of_each(shop: Shop) -> None:
    index = shop.push(shop.index())
    amd, arm = index.platforms
    shop.sign(index)
    shop.sign(amd)
    said = shop.verify(":1.0", "--recursive")
    refused(said, "no-evidence")
    assert "(linux/arm64)" in said

    shop.sign(arm)
    used(shop.verify(":1.0", "--recursive"), shop, index)
    lines = shop.verify(":1.0", "--recursive", "--format", "json").json["images"]
    assert [each["digest"] for each in lines] == [index.digest, amd.digest, arm.digest]


def test_recursive_goes_into_indexes_and_not_too_deep(shop: Shop) -> None:
    index = shop.index()
    outer = shop.push(shop.sandbox.image_index([index]))
    for each in (outer, index, index.platforms[0]):
        shop.sign(each)
    refused(shop.verify(":1.0", "--recursive"), "no-evidence")
    shop.sign(index.platforms[1])
    used(shop.verify(":1.0", "--recursive"), shop, outer)

    deepest = shop.sandbox.image_index([outer])
    shop.sign(shop.push(deepest))
    used(shop.verify(":1.0", "--recursive"), shop, deepest)
    shop.sign(shop.push(shop.sandbox.image_index([deepest])))
    refused(shop.verify(":1.0", "--recursive"), "image-too-deep", 3)


def test_an_index_with_a_revoked_platform_is_used_by_platform(shop: Shop) -> None:
    index = shop.push(shop.index())
    amd, arm = index.platforms
    shop.sign(index)
    shop.pin(revoked=(arm,))

    said = shop.verify()
    refused(said, "revoked")
    assert "--platform" in said
    assert arm.digest in said
    used(shop.verify(":1.0", "--platform", "linux/amd64"), shop, amd)
    refused(shop.verify(":1.0", "--platform", "linux/arm64"), "revoked")
    for each in (amd, arm):
        shop.sign(each)
    refused(shop.verify(":1.0", "--platform", "linux/arm64"), "revoked")
    refused(shop.verify(":1.0", "--recursive"), "revoked")

    shop.push(shop.sandbox.image_index([index]))
    shop.sign(shop.sandbox.image_index([index]))
    refused(shop.verify(), "revoked")


def test_of_a_revoked_index_nothing_is_used(shop: Shop) -> None:
    index = shop.push(shop.index())
    for each in (index, *index.platforms):
        shop.sign(each)
    shop.pin(revoked=(index,))

    for words in ((), ("--recursive",), ("--platform", "linux/amd64")):
        refused(shop.verify(":1.0", *words), "revoked")


def test_an_index_that_is_swapped_meanwhile_is_another_digest(shop: Shop) -> None:
    index = shop.push(shop.index())
    shop.sign(index)
    evil = shop.sandbox.image_index([shop.platform("amd64", {"app": b"evil"})])
    shop.push(evil)

    refused(shop.verify(), "no-evidence")
    refused(shop.verify(":1.0", "--platform", "linux/amd64"), "platform-not-covered")


def test_a_platform_whose_bytes_differ_is_refused(shop: Shop) -> None:
    index = shop.push(shop.index())
    shop.sign(index)
    amd = index.platforms[0]
    evil = shop.platform("amd64", {"app": b"evil"})
    shop.sandbox.replace_manifest(shop.project, amd.digest, evil.manifest, name=shop.name)

    refused(shop.verify(":1.0", "--platform", "linux/amd64"), "image-digest-differs")
    refused(shop.verify(":1.0", "--recursive"), "image-digest-differs")


# The command line


@pytest.mark.parametrize(
    ("what", "words", "code"),
    [
        ("", (), "invalid-image"),
        (":1.0", ("--platform", "linux"), "bad-platform"),
        (":1.0", ("--platform", "linux/../amd64"), "bad-platform"),
        (":1.0", ("--platform", "linux/amd64", "--recursive"), "usage"),
        (":1.0", ("--certificate-identity", "x"), "issuer-needed"),
        (":1.0", ("--build-trigger", "schedule"), "usage"),
        (":1.0", ("--source-revision", "main"), "bad-source-revision"),
    ],
)
def test_usage(shop: Shop, what: str, words: tuple[str, ...], code: str) -> None:
    shop.sandbox.clear_requests()
    refused(shop.verify(what, *words), code, 2)
    assert shop.sandbox.requests == ()


def test_the_signer_may_be_named_on_the_command_line(shop: Shop) -> None:
    image = shop.pushed()
    issuer = ("--certificate-oidc-issuer", shop.sandbox.issuer)
    root = ("--trusted-root", str(shop.home / "trusted_root.json"))
    (shop.home / "pytrust.toml").unlink()
    pattern = shop.job.san.replace("v1.0", "v{tag}")

    for subject in (shop.job.san, pattern):
        used(shop.verify(":1.0", "--certificate-identity", subject, *issuer, *root), shop, image)
    stranger = shop.job.san.replace("acme", "other")
    said = shop.verify(":1.0", "--certificate-identity", stranger, *issuer, *root)
    refused(said, "identity-mismatch")
    version = shop.job.san.replace("1.0", "{version}")
    refused(shop.verify(":1.0", "--certificate-identity", version, *issuer, *root), "invalid-subject", 2)
    nightly = replace(shop, job=shop.sandbox.job(shop.project, tag="v1.0", pipeline_source="schedule"))
    nightly.sign(nightly.push(nightly.platform(*ARM)))
    words = ("--certificate-identity", pattern, *issuer, *root)
    refused(shop.verify(":1.0", *words), "build-trigger-refused")
    used(shop.verify(":1.0", *words, "--build-trigger", "schedule"), shop, shop.platform(*ARM))


def test_the_digest_is_there_after_an_acceptance_alone(shop: Shop) -> None:
    index = shop.push(shop.index())
    place = shop.home / "app.digest"
    words = ("--output-digest", str(place))
    refused(shop.verify(":1.0", *words), "no-evidence")
    assert not place.exists()

    shop.sign(index)
    used(shop.verify(":1.0", *words), shop, index)
    assert place.read_text() == f"{index.digest}\n"
    used(shop.verify(":1.0", *words, "--platform", "linux/arm64"), shop, index.platforms[1])
    assert place.read_text() == f"{index.platforms[1].digest}\n"

    for what, more, code, exit_code in (
        (":1.0", ("--require-annotation", "a=b"), "annotation-missing", 1),
        (":none", (), "not-found", 3),
        ("", (), "invalid-image", 2),
        (":1.0", ("--trust", "none.toml"), "no-trust-file", 2),
        (":1.0", ("--format", "yaml"), "usage", 2),
    ):
        place.write_text(f"{index.digest}\n")
        refused(shop.verify(what, *more, *words), code, exit_code)
        assert not place.exists()
    assert {path.name for path in shop.home.iterdir() if path.suffix != ".json"} == {"pytrust.toml"}


def test_what_is_no_digest_is_not_replaced_by_one(shop: Shop) -> None:
    shop.pushed()
    link = shop.home / "link"
    link.symlink_to("app.digest")
    before = (shop.home / "pytrust.toml").read_text()
    for place in ("pytrust.toml", "-", "link", "none/app.digest", "/dev/null"):
        refused(shop.verify(":1.0", "--output-digest", place), "cannot-write", 2)
    assert (shop.home / "pytrust.toml").read_text() == before
    assert link.is_symlink()


def test_what_is_told_as_data(shop: Shop) -> None:
    index = shop.push(shop.index())
    words = (":1.0", "--platform", "linux/arm64", "--format", "json")
    answer = shop.verify(*words)
    assert answer.code == answer.json["exit_code"] == 1
    assert (answer.json["use"], answer.json["digest"]) == (None, None)
    assert [each["refused"]["code"] for each in answer.json["images"]] == [
        "no-evidence",
        "platform-not-covered",
    ]

    shop.sign(index)
    arm = index.platforms[1].digest
    answer = shop.verify(*words)
    [line] = answer.json["images"]
    assert {key: line[key] for key in ("image", "repository", "tag", "digest", "outcome", "sha256")} == {
        "image": f"{shop.repository}:1.0@{arm}",
        "repository": shop.repository,
        "tag": "1.0",
        "digest": arm,
        "outcome": "accepted",
        "sha256": arm.removeprefix("sha256:"),
    }
    kept = ("command", "exit_code", "error", "use", "digest", "index", "media_type", "platforms")
    assert {key: answer.json[key] for key in kept} == {
        "command": "image verify",
        "exit_code": 0,
        "error": None,
        "use": f"{shop.repository}@{arm}",
        "digest": arm,
        "index": index.digest,
        "media_type": index.media_type,
        "platforms": [{"platform": each.platform, "digest": each.digest} for each in index.platforms],
    }


def test_a_quiet_run_says_nothing_of_what_is_good(shop: Shop) -> None:
    shop.pushed()

    said = shop.verify(":1.0", "-q")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_help_names_the_command(shop: Shop) -> None:
    assert "image verify" in typed("image", "verify", "--help").out
    assert "verify" in typed("image", "--help").out
    assert shop.name
