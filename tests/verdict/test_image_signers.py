"""Who signed an image that is not pinned."""

from __future__ import annotations

import dataclasses

from _sigstore.samples import CLAIMS
from images import OTHER, ROOTS, image, message, signed, simple, statement, subject
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.verdict.image_signers import ImageSigner, image_signers
from pip_warden.verdict.model import Refused

BROKEN = BadItem(label="x", form=EvidenceForm.BUNDLE, fault=Fault(code="bad-bundle", expected="a", found="b"))
SBOM = statement(predicateType="https://spdx.dev/Document")


def signers(*evidence: Item | BadItem) -> tuple[ImageSigner, ...]:
    found = image_signers(image(), evidence, root="default", roots=ROOTS)
    assert isinstance(found, tuple)
    return found


def refused(*evidence: Item | BadItem) -> str:
    found = image_signers(image(), evidence, root="default", roots=ROOTS)
    assert isinstance(found, Refused)
    return found.code


def test_each_signer_is_found_once_with_all_that_is_its_own() -> None:
    mine, scheduled = signed(label="mine"), signed(label="scheduled", pipeline_source="schedule")
    said = signed(SBOM, label="sbom")
    other = signed(label="other", project_id="999")

    found = signers(BROKEN, said, mine, other, scheduled, simple())

    assert [[item.label for item in each.evidence] for each in found] == [
        ["sbom", "mine", "scheduled", "old"],
        ["other"],
    ]
    assert found[0].triggers == {"push", "schedule"}
    assert [each.claims.get("project-id") for each in found] == [str(CLAIMS["project_id"]), "999"]


def test_who_said_something_else_of_it_published_nothing() -> None:
    assert refused(signed(SBOM)) == "predicate-type-refused"
    assert len(signers(signed(SBOM, project_id="999"), signed())) == 1


def test_the_refusal_is_of_what_came_furthest() -> None:
    foreign = signed(statement(subject(OTHER)))
    assert refused() == "no-evidence"
    assert refused(BROKEN) == "bad-bundle"
    assert refused(BROKEN, foreign) == "subject-mismatch"
    forged = dataclasses.replace(signed(), payload=b"{}")
    assert refused(BROKEN, forged) != "no-evidence"
    assert refused(message(b"another manifest")) == "bad-signature"
