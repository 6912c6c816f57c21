"""Step 8: what was signed is this artifact."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden._sigstore.result import Envelope
from pip_warden.digests import OTHERS
from pip_warden.faults import Fault
from pip_warden.verdict.statement import (
    EVIDENCE_OF_PUBLICATION,
    PAYLOAD_TYPE,
    PROVENANCE,
    PUBLISH,
    check_subject,
    read_statement,
)

SUBJECT: dict[str, Any] = {"name": samples.WHEEL, "digest": {"sha256": samples.DIGEST.hex}}
STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [SUBJECT],
    "predicateType": PROVENANCE,
    "predicate": {"buildDefinition": {}},
}


def _check(payload: bytes | dict[str, Any], payload_type: str = PAYLOAD_TYPE, **artifact: Any) -> str | None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    statement = read_statement(Envelope(payload_type=payload_type, payload=raw))
    fault = check_subject(statement, samples.artifact(**artifact), EVIDENCE_OF_PUBLICATION)
    return fault.code if fault else None


def test_statements_of_both_versions_and_the_publish_attestation_pass() -> None:
    assert _check(STATEMENT) is None
    assert _check(STATEMENT | {"_type": "https://in-toto.io/Statement/v0.1"}) is None
    assert _check(STATEMENT | {"predicateType": PUBLISH, "predicate": None}) is None
    assert _check(STATEMENT | {"subject": [{"name": "x", "digest": {"sha256": "0" * 64}}, SUBJECT]}) is None


def test_a_message_signature_names_nothing() -> None:
    assert check_subject(None, samples.artifact(), EVIDENCE_OF_PUBLICATION) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"_type": "https://in-toto.io/Statement/v2"}, "bad-statement"),
        ({"_type": None}, "bad-statement"),
        ({"predicateType": ""}, "bad-statement"),
        ({"predicateType": None}, "bad-statement"),
        ({"predicate": []}, "bad-statement"),
        ({"predicate": None}, "bad-statement"),
        ({"predicate": "x"}, "bad-statement"),
        ({"subject": []}, "bad-statement"),
        ({"subject": {}}, "bad-statement"),
        ({"subject": [{"name": samples.WHEEL}]}, "bad-statement"),
        ({"subject": [{"name": samples.WHEEL, "digest": {}}]}, "bad-statement"),
        ({"extra": 1}, "bad-statement"),
        ({"predicateType": "https://spdx.dev/Document"}, "predicate-type-refused"),
        ({"predicateType": "https://slsa.dev/verification_summary/v1"}, "predicate-type-refused"),
        ({"predicateType": PROVENANCE + "/"}, "predicate-type-refused"),
    ],
)
def test_t03_t54_a_statement_of_the_wrong_kind_is_refused(change: dict[str, Any], code: str) -> None:
    assert _check(STATEMENT | change) == code


@pytest.mark.parametrize(
    "subjects",
    [
        [{"name": samples.WHEEL, "digest": {"sha256": "0" * 64}}],
        [{"name": "other.whl", "digest": {"sha256": samples.DIGEST.hex}}],
        [
            {"name": samples.WHEEL, "digest": {"sha256": "0" * 64}},
            {"name": "b", "digest": {"sha256": samples.DIGEST.hex}},
        ],
        [{"name": samples.WHEEL, "digest": {"sha512": samples.DIGEST.hex}}],
        [{"name": samples.WHEEL, "digest": {"sha256": samples.DIGEST.hex * 2}}],
        [{"name": samples.WHEEL.upper(), "digest": {"sha256": samples.DIGEST.hex}}],
    ],
)
def test_t04_t54_name_and_sha256_must_stand_in_one_subject(subjects: list[dict[str, Any]]) -> None:
    assert _check(STATEMENT | {"subject": subjects}) == "subject-mismatch"


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b"\xff", b'{"_type": 1, "_type": 2}'])
def test_t03_a_payload_that_is_no_statement_is_refused(payload: bytes) -> None:
    assert _check(payload) == "bad-statement"


def test_t03_another_payload_type_is_refused() -> None:
    assert _check(STATEMENT, "text/plain") == "payload-type-refused"
    assert _check(STATEMENT, "application/vnd.in-toto+json; charset=utf-8") == "payload-type-refused"


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    ).map(lambda v: json.dumps(v).encode())
)
def test_t14_no_payload_makes_the_reader_raise(payload: bytes) -> None:
    assert isinstance(read_statement(Envelope(payload_type=PAYLOAD_TYPE, payload=payload)), Fault)


@given(st.sampled_from(sorted(STATEMENT)), st.sampled_from(["name", "digest"]))
def test_removing_any_part_of_an_accepted_statement_refuses_it(key: str, part: str) -> None:
    assert _check({k: v for k, v in STATEMENT.items() if k != key}) is not None
    assert _check(STATEMENT | {"subject": [{k: v for k, v in SUBJECT.items() if k != part}]}) is not None


SHA512 = hashlib.sha512(b"the wheel").hexdigest()


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"sha512": SHA512}, None),
        ({"sha512": SHA512, "gitCommit": "0" * 40}, None),
        ({"gitCommit": "0" * 40}, None),
        ({name: hashlib.new(name, b"the wheel").hexdigest() for name in sorted(OTHERS)}, None),
        ({"sha512": "0" * 128}, "subject-mismatch"),
        ({"sha512": SHA512, "sha384": "0" * 96}, "subject-mismatch"),
        ({"sha512": SHA512.upper()}, "subject-mismatch"),
        ({"sha512": ""}, "subject-mismatch"),
        ({"sha512": None}, "bad-statement"),
        ({"sha512": 5}, "bad-statement"),
        ({f"x{at}": "00" for at in range(31)}, None),
        ({f"x{at}": "00" for at in range(32)}, "bad-statement"),
        *(({name: "00"}, "subject-mismatch") for name in sorted(OTHERS)),
    ],
)
def test_b23_every_digest_of_a_subject_is_the_files(
    others: dict[str, Any], expected: str | None, tmp_path: Path
) -> None:
    path = tmp_path / samples.WHEEL
    path.write_bytes(b"the wheel")
    statement = STATEMENT | {"subject": [{**SUBJECT, "digest": SUBJECT["digest"] | others}]}

    assert _check(statement, path=path) == expected


def test_b23_a_file_that_was_changed_has_no_other_digest(tmp_path: Path) -> None:
    statement = STATEMENT | {"subject": [{**SUBJECT, "digest": SUBJECT["digest"] | {"sha512": SHA512}}]}
    path = tmp_path / samples.WHEEL

    assert _check(statement, path=path) == "subject-mismatch", "it is not there"
    path.write_bytes(b"another wheel")
    changed = hashlib.sha512(b"another wheel").hexdigest()
    for sha512 in (SHA512, changed):
        subject = {**SUBJECT, "digest": SUBJECT["digest"] | {"sha512": sha512}}
        assert _check(STATEMENT | {"subject": [subject]}, path=path) == "subject-mismatch"


@pytest.mark.parametrize(("more", "expected"), [(1023, None), (1024, "bad-statement")])
def test_b23_no_more_subjects_than_anybody_reads(more: int, expected: str | None) -> None:
    others = [{"name": f"x{at}", "digest": {"sha256": "0" * 64}} for at in range(more)]

    assert _check(STATEMENT | {"subject": [*others, SUBJECT]}) == expected
