"""sigstore-python refuses the sandbox's forgeries; the two that it accepts, the design must refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sigstore.errors import Error, VerificationError
from sigstore.verify import Verifier

from pip_warden.sandbox.sigstore import BundleForm, Lie, SigstoreService
from sandbox.sigstore.pipeline import CLAIMS, POLICY, parse

DATA = b"the bytes of a wheel"
STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"t"}'
STAMPED = BundleForm(promise=False, timestamp=True)
LIES = {
    "foreign CA": (Lie(ca="foreign"), BundleForm(), "certificate chain"),
    "SCT by an unknown log": (Lie(sct="foreign"), BundleForm(), "SCT"),
    "SCT forged": (Lie(sct="forged"), BundleForm(), "SCT"),
    "no SCT": (Lie(sct="absent"), BundleForm(), "SCT|timestamp extension"),
    "expired certificate, late entry": (
        Lie(certificate_age=timedelta(hours=1)),
        BundleForm(),
        "certificate chain",
    ),
    "certificate of another time than the stamp": (
        Lie(certificate_age=timedelta(hours=1)),
        STAMPED,
        "certificate chain",
    ),
    "entry of another signature": (Lie(entry="another"), BundleForm(), "inconsistent|do not match"),
    "forged promise": (Lie(promise="forged"), BundleForm(), "SET"),
    "forged checkpoint": (Lie(checkpoint="forged"), BundleForm(), "checkpoint"),
    "broken proof": (Lie(proof="broken"), BundleForm(), "inclusion proof"),
    "signature by another key": (Lie(signature="foreign"), BundleForm(), "[Ss]ignature"),
    "time by an unknown authority": (
        Lie(timestamp="foreign"),
        STAMPED,
        "not enough sources of verified time",
    ),
    "time of other bytes": (Lie(timestamp="other"), STAMPED, "not enough sources of verified time"),
    "another subject": (Lie(san="https://evil.example/x"), BundleForm(), "SAN|Identity"),
    "another issuer": (Lie(extensions={1: "https://evil.example", 8: None}), BundleForm(), "Issuer"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_blob_that_lies_is_refused(
    service: SigstoreService, verifier: Callable[[], Verifier], name: str
) -> None:
    lie, form, expected = LIES[name]
    bundle = service.sign_blob(DATA, CLAIMS, form=form, lie=lie)

    with pytest.raises(VerificationError, match=expected):
        verifier().verify_artifact(DATA, parse(bundle), POLICY)


@pytest.mark.parametrize("name", LIES)
def test_a_statement_that_lies_is_refused(
    service: SigstoreService, verifier: Callable[[], Verifier], name: str
) -> None:
    lie, form, expected = LIES[name]
    bundle = service.sign_statement(STATEMENT, CLAIMS, form=form, lie=lie)

    with pytest.raises(VerificationError, match=expected):
        verifier().verify_dsse(parse(bundle), POLICY)


def test_a_broken_proof_is_broken_in_a_grown_log_too(
    service: SigstoreService, verifier: Callable[[], Verifier]
) -> None:
    service.sign_blob(b"first", CLAIMS)
    bundle = service.sign_blob(DATA, CLAIMS, lie=Lie(proof="broken"))

    with pytest.raises(VerificationError, match="inclusion proof"):
        verifier().verify_artifact(DATA, parse(bundle), POLICY)


def test_a_window_that_ended_before_the_signature_is_not_seen_by_sigstore_python(
    service: SigstoreService, verifier: Callable[[], Verifier]
) -> None:
    """The known gap that the design's step 7 closes; when this test fails, sigstore-python has closed it."""
    bundle = service.sign_blob(DATA, CLAIMS)
    for lineage in (service.authorities, service.ct_logs, service.rekor.shards):
        lineage.generations[0].end = service.start

    verifier().verify_artifact(DATA, parse(bundle), POLICY)


def test_services_lie_until_they_are_told_not_to(
    service: SigstoreService, verifier: Callable[[], Verifier]
) -> None:
    service.lie(sct="forged")
    lying = service.sign_blob(DATA, CLAIMS)
    service.lie()
    honest = service.sign_blob(DATA, CLAIMS)

    with pytest.raises(Error):
        verifier().verify_artifact(DATA, parse(lying), POLICY)
    verifier().verify_artifact(DATA, parse(honest), POLICY)
