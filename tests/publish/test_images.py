"""Images are signed, annotated and attested on registries with referrers and without, as a pipeline does."""

from __future__ import annotations

import json
from dataclasses import replace

from documents import described
from pip_warden.oci.names import spelled
from pip_warden.publish.image_statement import COSIGN_SIGN
from pip_warden.publish.provenance import PROVENANCE
from pip_warden.sandbox.images import BUNDLE
from publish.conftest import Shop, code, ok
from stored_images import REAL, listed_by_cosign


def test_what_is_signed_is_the_digest_with_the_annotations_of_the_job_and_the_tag(shop: Shop) -> None:
    said = ok(shop.run("sign", "-a", "reviewed-by=security"))

    assert said.stdout.startswith(f"{shop.name}@{shop.image.digest}: signed (log index ")
    (statement,) = shop.statements()
    assert statement["predicateType"] == COSIGN_SIGN
    (subject,) = statement["subject"]
    assert subject["digest"] == {"sha256": shop.image.digest.removeprefix("sha256:")}
    assert len(subject["annotations"]) == 12
    assert subject["annotations"]["tag"] == "1.0"
    assert subject["annotations"]["reviewed-by"] == "security"
    assert subject["annotations"]["com.gitlab.ci.job.id"] == str(shop.publisher.job.id)


def test_what_is_stored_is_built_as_what_cosign_stores(shop: Shop) -> None:
    ok(shop.run("sign"))

    (ours,) = shop.manifests()
    theirs = json.loads(REAL["contents"][spelled(listed_by_cosign()[0].digest)])
    assert theirs["config"].pop("artifactType") == BUNDLE
    assert ours.keys() == theirs.keys()
    assert ours["annotations"].keys() == theirs["annotations"].keys()
    for name in ("mediaType", "artifactType", "config"):
        assert ours[name] == theirs[name]
    assert ours["layers"][0]["mediaType"] == theirs["layers"][0]["mediaType"] == BUNDLE
    assert ours["subject"] == {
        "mediaType": shop.image.media_type,
        "digest": shop.image.digest,
        "size": len(shop.image.manifest),
    }


def test_signing_again_keeps_what_is_there_and_logs_nothing(shop: Shop) -> None:
    first = described(ok(shop.run("sign", "--format", "json")).stdout)["images"]
    logged = shop.logged()
    again = described(ok(shop.run("sign", "--format", "json")).stdout)["images"]

    assert shop.logged() == logged == 1
    assert [one.pop("kept") for one in (*first, *again)] == [False, True]
    assert first == again
    assert "already signed (log index" in ok(shop.run("sign")).stdout
    assert len(shop.manifests()) == 1


def test_another_job_a_tag_or_an_annotation_signs_once_more_and_what_is_there_stays(shop: Shop) -> None:
    ok(shop.run("sign"))
    shop.publisher.sandbox.push_image(shop.publisher.project, shop.image, "stable")
    ok(shop.run("annotate", "-a", "reviewed-by=security"))
    other = replace(
        shop, publisher=replace(shop.publisher, job=shop.publisher.sandbox.job(shop.publisher.project))
    )
    ok(other.run("sign"))

    assert [len(one["subject"][0]["annotations"]) for one in shop.statements()].count(12) == 1
    assert len(shop.manifests()) == 3


def test_annotating_needs_an_annotation(shop: Shop) -> None:
    assert shop.run("annotate").returncode == 2
    assert "annotated (log index" in ok(shop.run("annotate", "-a", "a=b")).stdout


def test_an_attestation_is_the_provenance_of_this_job(shop: Shop) -> None:
    assert "attested (log index" in ok(shop.run("attest")).stdout
    logged = shop.logged()
    assert "already attested" in ok(shop.run("attest")).stdout

    (statement,) = shop.statements()
    assert shop.logged() == logged
    assert statement["predicateType"] == PROVENANCE
    assert statement["predicate"]["runDetails"]["metadata"]["invocationId"].endswith(
        f"/{shop.publisher.job.id}"
    )
    (manifest,) = shop.manifests()
    assert manifest["annotations"]["dev.sigstore.bundle.predicateType"] == PROVENANCE


def test_an_attestation_can_be_of_the_building_job_or_ones_own(shop: Shop) -> None:
    directory = shop.publisher.directory
    ok(
        shop.publisher.run(
            "pip-warden",
            "build-info",
            "-o",
            "build-info.json",
            CI_JOB_ID="70",
            CI_JOB_URL=f"{shop.publisher.job.variables()['CI_PROJECT_URL']}/-/jobs/70",
        )
    )
    ok(shop.run("attest", "--build-info", "build-info.json"))
    (directory / "scan.json").write_text('{"found": 0}')
    own = ("--predicate", "scan.json", "--predicate-type", "https://example.com/scan/v1")
    ok(shop.run("attest", *own))

    assert {one["predicateType"] for one in shop.statements()} == {PROVENANCE, "https://example.com/scan/v1"}
    beside = shop.run("attest", *own, "--build-info", "build-info.json")
    assert code(beside) == (2, "predicate-options")
