"""One table has the names of evidence; signing, publishing and look-up use the same one."""

from __future__ import annotations

import pytest

from pip_warden.evidence.model import EvidenceForm
from pip_warden.evidence.names import SUFFIXES, attestation_bundles, evidence_of, is_evidence, usual_names

FILE = "acme_widgets-1.0.tar.gz"


def test_the_best_form_comes_first() -> None:
    """Design decision D4."""
    forms = list(dict.fromkeys(form for _, form in SUFFIXES))

    assert forms == [
        EvidenceForm.BUNDLE,
        EvidenceForm.PEP740,
        EvidenceForm.DSSE_BUNDLE,
        EvidenceForm.DETACHED,
    ]
    assert usual_names(FILE, EvidenceForm.BUNDLE) == (f"{FILE}.sigstore.json", f"{FILE}.sigstore")
    assert usual_names(FILE, EvidenceForm.DETACHED) == (f"{FILE}.sig", f"{FILE}.crt")


def test_what_is_looked_for_is_known_as_evidence() -> None:
    names = [f"{FILE}{suffix}" for suffix, _ in SUFFIXES]

    assert evidence_of(FILE, names) == tuple(names)
    assert evidence_of("another-1.0.tar.gz", names) == ()


@pytest.mark.parametrize("name", [FILE, f"{FILE}.vsa.json", f"{FILE}.sigstore.json.txt", f"{FILE}.SIG"])
def test_what_is_no_evidence(name: str) -> None:
    assert not is_evidence(name)


def test_attestations_of_other_kinds() -> None:
    listed = [
        f"{FILE}{rest}"
        for rest in (".sbom.sigstore.json", ".sigstore.json", "..sigstore.json", ".a.b.sigstore.json")
    ]

    assert attestation_bundles(FILE, [*listed, f"{FILE}.sbom.attestation"]) == (f"{FILE}.sbom.sigstore.json",)
