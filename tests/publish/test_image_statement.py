"""What is signed of an image is what cosign 3 signs, in one spelling."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pip_warden.digests import digest_of
from pip_warden.oci.names import spelled
from pip_warden.publish.attest import statement
from pip_warden.publish.image_statement import (
    COSIGN_SIGN,
    image_annotations,
    image_statement,
    signature_statement,
)
from stored_images import DIGEST, REAL, listed_by_cosign

JOB = {
    "GITLAB_CI": "true",
    "GITLAB_USER_NAME": "Ada",
    "CI_PIPELINE_ID": "1",
    "CI_PIPELINE_URL": "https://gitlab.example.com/acme/widgets/-/pipelines/1",
    "CI_JOB_ID": "815",
    "CI_JOB_URL": "https://gitlab.example.com/acme/widgets/-/jobs/815",
    "CI_COMMIT_SHA": "0" * 40,
    "CI_COMMIT_SHORT_SHA": "0" * 8,
    "CI_COMMIT_REF_NAME": "main",
    "CI_PROJECT_PATH": "acme/widgets",
    "CI_PROJECT_URL": "https://gitlab.example.com/acme/widgets",
}


def said_by_cosign(number: int) -> dict[str, Any]:
    manifest = json.loads(REAL["contents"][spelled(listed_by_cosign()[number].digest)])
    bundle = json.loads(REAL["contents"][manifest["layers"][0]["digest"]])
    said: dict[str, Any] = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return said


def test_a_signature_is_the_statement_that_cosign_signs() -> None:
    ours = signature_statement(DIGEST, {"com.gitlab.ci.job.id": "815", "tag": "1.0"})

    theirs = said_by_cosign(0)
    theirs["subject"][0]["name"] = ""
    assert json.loads(ours) == theirs


def test_an_attestation_says_what_cosign_s_says_and_names_no_repository() -> None:
    theirs = said_by_cosign(1)
    theirs["subject"][0]["name"] = ""
    theirs["_type"] = "https://in-toto.io/Statement/v1"  # cosign still writes v0.1

    assert json.loads(image_statement(DIGEST, theirs["predicateType"], theirs["predicate"])) == theirs


def test_a_signature_without_annotations_has_none() -> None:
    assert signature_statement(DIGEST, {}) == image_statement(DIGEST, COSIGN_SIGN, {})
    assert b"annotations" not in signature_statement(DIGEST, {})


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4))
def test_there_is_one_spelling(annotations: dict[str, str]) -> None:
    reverse = dict(reversed(annotations.items()))

    assert signature_statement(DIGEST, annotations) == signature_statement(DIGEST, reverse)
    assert (
        json.loads(signature_statement(DIGEST, annotations))["subject"][0].get("annotations", {})
        == annotations
    )


def test_a_file_s_statement_is_spelled_as_before() -> None:
    digest = digest_of(b"x")

    assert (
        statement("a.whl", digest, "https://p.example", {"b": 1, "a": "ä"})
        == (
            f'{{"_type":"https://in-toto.io/Statement/v1","predicate":{{"a":"ä","b":1}},"predicateType":'
            f'"https://p.example","subject":[{{"digest":{{"sha256":"{digest}"}},"name":"a.whl"}}]}}'
        ).encode()
    )


def test_the_tag_that_is_signed_is_said_whatever_the_pipeline_s_is() -> None:
    in_a_tag = JOB | {"CI_COMMIT_TAG": "v1.0"}

    assert len(image_annotations(in_a_tag, "1.0", {})) == 11
    assert image_annotations(in_a_tag, "1.0", {})["tag"] == "1.0"
    assert image_annotations(in_a_tag, None, {}).keys() == image_annotations(JOB, "1.0", {}).keys() - {"tag"}
    assert image_annotations({}, "1.0", {}) == {"tag": "1.0"}
    assert image_annotations({}, None, {}) == {}


def test_what_the_user_says_replaces_the_default() -> None:
    said = image_annotations(JOB, "1.0", {"tag": "stable", "reviewed-by": "security"})

    assert (said["tag"], said["reviewed-by"], said["com.gitlab.ci.job.id"]) == ("stable", "security", "815")
