"""What a registry says of an image is told as what it says: never verified, never trusted with a terminal."""

from __future__ import annotations

import base64
import json

import pytest

from image.shop import ARM, Shop, digest_of
from pip_warden.publish.image_statement import signature_statement


def test_what_is_said_is_unverified(shop: Shop) -> None:
    image = shop.pushed()
    shop.sign(image, stage="release\x1b[31m\nevil")
    shop.attest(image)
    shop.attach(image, b"no bundle")
    shop.attach(image, shop.bundle(signature_statement(digest_of(shop.platform(*ARM)), {"a": "b"})))

    said = shop.inspect()
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == f"UNVERIFIED: what the registry says of {shop.repository}:1.0@{image.digest}"
    assert f"  digest      {image.digest}" in lines
    assert f"      claims to be signed by {shop.job.san}, issuer {shop.sandbox.issuer}" in lines
    assert "      stage = release\\u001b[31m\\u000aevil" in lines
    assert "[bad-bundle]" in said
    assert "[subject-mismatch]" in said
    assert "a = b" not in said
    assert "accepted" not in said
    assert lines[-1].startswith("To prove who signed it: `pip-warden image verify ")


def test_it_is_data_as_well(shop: Shop) -> None:
    image = shop.pushed()
    shop.sign(image, stage="release")

    found = shop.inspect(":1.0", "--format", "json").json
    assert (found["verified"], found["digest"], found["exit_code"]) == (False, image.digest, 0)
    assert [each["size"] for each in found["layers"]] == [len(image.blobs[1])]
    plain, noted = found["evidence"]
    assert noted["claimed_annotations"] == {"stage": "release"}
    assert plain["claimed_annotations"] == {}
    assert plain | {"evidence": "", "claimed_logged_at": ""} == {
        "evidence": "",
        "form": "referrer",
        "claimed_predicate_type": "https://sigstore.dev/cosign/sign/v1",
        "claimed_subject": shop.job.san,
        "claimed_issuer": shop.sandbox.issuer,
        "claimed_annotations": {},
        "claimed_logged_at": "",
        "fault": None,
    }


def test_what_lets_somebody_in_is_not_told(shop: Shop) -> None:
    image = shop.sandbox.image_index(
        shop.index().platforms, annotations={"a": "https://me:SECRET@x.example/?SECRET"}
    )
    shop.push(image)
    shop.sign(image, built="https://me:SECRET@x.example/y")

    for words in ((), ("--format", "json")):
        said = shop.inspect(":1.0", *words)
        assert said.code == 0, said.err
        assert "SECRET" not in said
        assert "x.example/y" in said


def test_an_index_says_what_it_lists(shop: Shop) -> None:
    index = shop.sandbox.image_index(shop.index().platforms, annotations={"made\nby": "\u202eus"})
    shop.push(index)

    said = shop.inspect()
    for each in index.platforms:
        assert f"  platform    {each.platform}  {each.digest}\n" in said.out
    assert "  annotation  made\\u000aby = \\u202eus\n" in said.out
    assert "  evidence    none\n" in said.out
    assert shop.inspect(":1.0", "--format", "json").json["annotations"] == {"made\nby": "\u202eus"}


@pytest.mark.parametrize("pinned", [True, False])
def test_no_trust_file_is_needed(shop: Shop, pinned: bool) -> None:
    image = shop.pushed()
    if pinned:
        shop.pin_another()
    else:
        (shop.home / "pytrust.toml").unlink()

    assert shop.inspect(f"@{image.digest}").code == 0


def test_what_is_a_fault_of_the_registry_is_an_error(shop: Shop) -> None:
    image = shop.pushed()
    other = shop.platform(*ARM)
    for what, code, exit_code in (
        (":none", "not-found", 3),
        ("", "invalid-image", 2),
        (f":1.0@{other.digest}", "image-tag-moved", 1),
    ):
        said = shop.inspect(what)
        assert (said.code, said.out) == (exit_code, "")
        assert f"[{code}]" in said
    shop.sandbox.replace_manifest(shop.project, image.digest, other.manifest, name=shop.name)
    said = shop.inspect()
    assert said.code == 1
    assert "[image-digest-differs]" in said


def test_what_cosign_2_signed_needs_the_log_of_a_pin(shop: Shop) -> None:
    shop.sign_as_cosign_2(shop.pushed(), b'{"critical": {}}')

    assert "[bad-statement]" in shop.inspect()
    shop.pin_another()
    assert "[log-lookup-offline]" in shop.inspect()


@pytest.mark.parametrize("version", [1, 3, 9])
def test_a_certificate_of_a_version_that_nobody_knows_is_no_evidence(shop: Shop, version: int) -> None:
    image = shop.push(shop.platform(*ARM))
    bundle = json.loads(shop.bundle(signature_statement(digest_of(image), {})))
    certificate = bundle["verificationMaterial"]["certificate"]
    der = base64.b64decode(certificate["rawBytes"])
    third = bytes.fromhex("a003020102")
    assert third in der
    changed = der.replace(third, third[:-1] + bytes([version]), 1)
    certificate["rawBytes"] = base64.b64encode(changed).decode()
    shop.attach(image, json.dumps(bundle).encode())

    said = shop.inspect()
    assert (said.code, "[bad-certificate]" in said.out) == (0, True), said.err
    said = shop.verify()
    assert (said.code, "[bad-certificate]" in said.err) == (1, True), said.err
