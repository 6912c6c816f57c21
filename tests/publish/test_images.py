"""Images are signed, annotated and attested as a pipeline does it, on registries with referrers and without."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pip_warden.oci.names import parse_repository
from pip_warden.publish.image_statement import COSIGN_SIGN
from pip_warden.publish.provenance import PROVENANCE
from pip_warden.sandbox import Answer
from pip_warden.sandbox.images import BUNDLE, EMPTY, Image
from publish.conftest import Publisher
from publish.test_side_by_side import LOG, asked
from stored_images import REAL


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A publisher whose image is in the registry.

    Attributes:
        publisher: The publisher's job.
        image: The image, which is tagged 1.0.
    """

    publisher: Publisher
    image: Image

    @property
    def name(self) -> str:
        return f"{self.publisher.project.image}:1.0"

    def run(self, verb: str, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return self.publisher.run(
            "pip-warden", "image", verb, "--trust-config", "trust_config.json", self.name, *words, **changes
        )

    def logged(self) -> int:
        return asked(self.publisher, LOG)

    def manifests(self, digest: str | None = None) -> list[dict[str, Any]]:
        """Return what is listed as referring to the image, wherever."""
        sandbox, project, of = self.publisher.sandbox, self.publisher.project, digest or self.image.digest
        repository = sandbox.registry.store.find(project.path)
        assert repository is not None
        if sandbox.registry.referrers:
            found = [json.loads(manifest.data) for manifest in repository.manifests.values()]
            return [each for each in found if each.get("subject", {}).get("digest") == of]
        tag = of.replace(":", "-")
        if tag not in repository.tags:
            return []
        listed = json.loads(sandbox.image_manifest(project, tag))["manifests"]
        return [json.loads(sandbox.image_manifest(project, each["digest"])) for each in listed]

    def statements(self, digest: str | None = None) -> list[dict[str, Any]]:
        return [
            json.loads(base64.b64decode(self.bundle(one)["dsseEnvelope"]["payload"]))
            for one in self.manifests(digest)
        ]

    def bundle(self, manifest: dict[str, Any]) -> dict[str, Any]:
        repository = self.publisher.sandbox.registry.store.find(self.publisher.project.path)
        assert repository is not None
        found: dict[str, Any] = json.loads(repository.blobs[manifest["layers"][0]["digest"]])
        return found


@pytest.fixture(params=[False, True], ids=["fallback-tag", "referrers"])
def shop(request: pytest.FixtureRequest, publisher: Publisher) -> Shop:
    sandbox = publisher.sandbox
    sandbox.registry.referrers = request.param
    image = sandbox.image({"app": "1"})
    sandbox.push_image(publisher.project, image, "1.0")
    return Shop(publisher=publisher, image=image)


def ok(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def code(result: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return result.returncode, result.stderr.partition("[")[2].partition("]")[0]


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
    theirs = next(
        found
        for text in REAL["contents"].values()
        if text.startswith("{") and (found := json.loads(text)).get("artifactType") == BUNDLE
    )
    assert ours.keys() == theirs.keys()
    assert ours["config"] == theirs["config"]
    assert ours["config"]["mediaType"] == EMPTY
    assert ours["artifactType"] == ours["layers"][0]["mediaType"] == BUNDLE
    assert ours["annotations"].keys() == theirs["annotations"].keys()
    assert ours["subject"].keys() == theirs["subject"].keys()


def test_signing_again_keeps_what_is_there_and_logs_nothing(shop: Shop) -> None:
    first = json.loads(ok(shop.run("sign", "--format", "json")).stdout)["images"]
    logged = shop.logged()
    again = json.loads(ok(shop.run("sign", "--format", "json")).stdout)["images"]

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
    sandbox, directory = shop.publisher.sandbox, shop.publisher.directory
    building = replace(shop.publisher, job=sandbox.job(shop.publisher.project, tag="v1.0"))
    ok(building.run("pip-warden", "build-info", "-o", "build-info.json"))
    ok(shop.run("attest", "--build-info", "build-info.json"))
    (directory / "scan.json").write_text('{"found": 0}')
    own = ("--predicate", "scan.json", "--predicate-type", "https://example.com/scan/v1")
    ok(shop.run("attest", *own))

    assert {one["predicateType"] for one in shop.statements()} == {PROVENANCE, "https://example.com/scan/v1"}
    beside = shop.run("attest", *own, "--build-info", "build-info.json")
    assert code(beside) == (2, "predicate-options")
