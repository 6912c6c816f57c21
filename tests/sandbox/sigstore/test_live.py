"""sigstore-python signs with the services over loopback, and verifies the result."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest
from sigstore._internal.fulcio.client import FulcioClient, FulcioClientError
from sigstore._internal.rekor.client import RekorClient
from sigstore.dsse import StatementBuilder, Subject
from sigstore.errors import VerificationError
from sigstore.models import Bundle
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from pip_warden.sandbox.sigstore import SigstoreService
from pip_warden.sandbox.sigstore.wire import pem
from sandbox.sigstore.pipeline import POLICY, Issuer, client_config, verifier_of

DATA = b"the bytes of a wheel"


def token(issuer: Issuer) -> IdentityToken:
    return IdentityToken(issuer.token(datetime.now(UTC)))


def sign(service: SigstoreService, issuer: Issuer, data: bytes = DATA) -> Bundle:
    context = SigningContext.from_trust_config(client_config(service))
    with context.signer(token(issuer)) as signer:
        return signer.sign_artifact(data)


def test_sigstore_python_signs_a_file(live: SigstoreService, issuer: Issuer) -> None:
    bundles = [sign(live, issuer, b"%d" % number) for number in range(3)]

    for number, bundle in enumerate(bundles):
        again = Bundle.from_json(bundle.to_json())
        verifier_of(live).verify_artifact(b"%d" % number, again, POLICY)
        assert len(json.loads(bundle.to_json())["verificationMaterial"]["timestampVerificationData"]) == 1


def test_sigstore_python_signs_a_statement(live: SigstoreService, issuer: Issuer) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    statement = (
        StatementBuilder()
        .subjects([Subject(name="acme_widgets-1.0.tar.gz", digest={"sha256": digest})])
        .predicate_type("https://slsa.dev/provenance/v1")
        .predicate({})
        .build()
    )
    context = SigningContext.from_trust_config(client_config(live))
    with context.signer(token(issuer)) as signer:
        bundle = signer.sign_dsse(statement)

    kind, payload = verifier_of(live).verify_dsse(bundle, POLICY)
    assert kind == "application/vnd.in-toto+json"
    assert json.loads(payload)["subject"][0]["digest"] == {"sha256": digest}


def test_sigstore_python_reads_the_log(live: SigstoreService, issuer: Issuer) -> None:
    logged = [sign(live, issuer, data).log_entry for data in (b"one", b"two")]
    client = RekorClient(live.urls.rekor)

    info = client.log.get()
    assert (info.tree_size, info.tree_id) == (2, str(live.rekor.shards.current.tree_id))
    assert (
        client.log.entries.get(log_index=1)._inner.canonicalized_body == logged[1]._inner.canonicalized_body
    )
    client._session.close()


def test_sigstore_python_reads_the_trust_bundle(live: SigstoreService) -> None:
    (chain,) = FulcioClient(live.urls.fulcio).trust_bundle.get().trust_bundle

    assert [pem(certificate) for certificate in chain] == [
        pem(item) for item in live.authorities.current.chain
    ]


def test_sigstore_python_notices_a_forged_promise_while_signing(
    live: SigstoreService, issuer: Issuer
) -> None:
    live.lie(sct="forged")

    with pytest.raises(VerificationError, match="SCT"):
        sign(live, issuer)


def test_sigstore_python_is_told_that_the_token_is_refused(live: SigstoreService, issuer: Issuer) -> None:
    identity = IdentityToken(issuer.token(datetime.now(UTC), ci_config_ref_uri=None))
    context = SigningContext.from_trust_config(client_config(live))

    with pytest.raises(FulcioClientError), context.signer(identity):
        pass


def test_after_a_rotation_sigstore_python_still_signs_and_verifies(
    live: SigstoreService, issuer: Issuer
) -> None:
    before = sign(live, issuer, b"before")
    for rotate in (live.rotate_ca, live.rotate_ct, live.rotate_rekor, live.rotate_tsa):
        rotate(end=False)
    after = sign(live, issuer, b"after")

    verifier_of(live).verify_artifact(b"before", before, POLICY)
    verifier_of(live).verify_artifact(b"after", after, POLICY)
