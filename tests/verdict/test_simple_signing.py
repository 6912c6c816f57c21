"""What cosign 2 signs, a payload that names an image, is read as what cosign 3 signs in its stead."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import images
from images import DIGEST, OTHER, code, judged, payload, pin, signed, simple
from pip_warden._sigstore.result import Envelope
from pip_warden.faults import Fault
from pip_warden.verdict.model import AcceptedImage, Refused, Step
from pip_warden.verdict.simple_signing import read_payload
from pip_warden.verdict.statement import COSIGN_SIGN, PAYLOAD_TYPE, Statement

NOTED = {"tag": "1.0"}


def _changed(path: str, value: object) -> dict[str, Any]:
    """Make a payload with another value; ``...`` leaves it out."""
    said = json.loads(json.dumps(payload()))
    *way, last = path.split(".")
    at = said
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return dict(said)


def test_it_is_the_signature_of_the_image_that_it_names() -> None:
    verdict = judged(simple(payload(optional=NOTED)), entry=pin(annotations=(("tag", "{tag}"),)))

    assert isinstance(verdict, AcceptedImage)
    assert [each.predicate_type for each in verdict.statements] == [COSIGN_SIGN]
    assert verdict.statements[0].annotations == (("tag", "1.0"),)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (payload(), None),
        (payload(optional={}), None),
        (_changed("critical.identity.docker-reference", ""), None),
        (_changed("critical.identity.docker-reference", "elsewhere.example.com/other"), None),
        (payload(OTHER), "subject-mismatch"),
        (_changed("critical.type", "atomic container signature"), "bad-statement"),
        (_changed("critical.type", ...), "bad-statement"),
        (_changed("critical.image.docker-manifest-digest", DIGEST.hex), "bad-statement"),
        (_changed("critical.image.docker-manifest-digest", f"sha512:{'0' * 128}"), "bad-statement"),
        (_changed("critical.image.docker-manifest-digest", ...), "bad-statement"),
        (_changed("critical.image.docker-manifest-digest", [f"sha256:{DIGEST}"]), "bad-statement"),
        (_changed("critical.image.other", "x"), "bad-statement"),
        (_changed("critical.identity", ...), "bad-statement"),
        (_changed("critical.identity.docker-reference", 1), "bad-statement"),
        (_changed("critical.identity.other", "x"), "bad-statement"),
        (_changed("critical.other", "x"), "bad-statement"),
        (_changed("critical", ...), "bad-statement"),
        (_changed("other", {}), "bad-statement"),
        (payload(optional=[]), "bad-statement"),
    ],
)
def test_it_is_read_strictly(said: dict[str, Any], expected: str | None) -> None:
    verdict = judged(simple(said))

    assert code(verdict) == expected
    assert expected is None or (isinstance(verdict, Refused) and verdict.step is Step.SUBJECT)


def test_a_signature_over_something_else_signs_no_payload() -> None:
    for over in (b"x", b"the manifest", json.dumps(payload(OTHER)).encode()):
        verdict = judged(simple(over=over))
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.step) == ("bad-signature", Step.SIGNATURE)


def test_an_envelope_signs_no_payload_that_lies_beside_it() -> None:
    said = json.dumps(payload()).encode()
    for item in (signed(images.statement(images.subject(OTHER))), signed()):
        assert code(judged(replace(item, payload=said))) == "payload-type-refused"


def test_annotations_are_texts_where_they_are_required() -> None:
    entry = pin(annotations=(("tag", "1.0"),))

    assert code(judged(simple(), entry=entry)) == "annotation-missing"
    assert code(judged(simple(payload(optional={"tag": "2.0"})), entry=entry)) == "annotation-mismatch"
    assert code(judged(simple(payload(optional=NOTED | {"time": 1})), entry=entry)) == "bad-statement"
    assert code(judged(simple(payload(optional={"time": 1})))) is None


def test_a_payload_that_cannot_be_proved_is_told_as_a_statement() -> None:
    verdict = judged(signed(), simple(over=b"x", label="forged"))

    assert isinstance(verdict, AcceptedImage)
    assert [(each.label, each.code) for each in verdict.unproved] == [("forged", "bad-signature")]


def test_a_key_that_is_there_twice_is_refused() -> None:
    said = json.dumps(payload()).replace('"critical":', '"critical": {}, "critical":').encode()
    read = read_payload(said, None, images.image())

    assert isinstance(read, Fault)
    assert read.code == "bad-statement"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["critical", "optional", "image", "identity", "type", "x"]), inner
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_anything_else_is_no_signature_of_an_image(said: bytes) -> None:
    read = read_payload(said, None, images.image())

    assert isinstance(read, Fault)
    assert read.code == "bad-statement"


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_every_annotation_is_read(annotations: dict[str, str]) -> None:
    said = json.dumps(payload(optional=annotations)).encode()
    read = read_payload(said, None, images.image())

    assert isinstance(read, Statement)
    assert read.names(images.image())
    assert read.subjects[0].annotations == annotations
    assert not read.names(images.image(digest=OTHER))
    beside = read_payload(said, Envelope(payload_type=PAYLOAD_TYPE, payload=b"{}"), images.image())
    assert isinstance(beside, Fault)
    assert beside.code == "payload-type-refused"
