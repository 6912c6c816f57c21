"""Services in process with a stopped clock, and on loopback in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sigstore.verify import Verifier

from pip_warden.sandbox.clock import Clock
from pip_warden.sandbox.sigstore import SigstoreService, Urls
from sandbox.sigstore.pipeline import ISSUER, NOON, Issuer, listening, verifier_of


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def service(clock: Clock, issuer: Issuer) -> SigstoreService:
    return SigstoreService(clock, jwks_for=issuer.jwks, issuers=[ISSUER])


@pytest.fixture
def live(issuer: Issuer) -> Iterator[SigstoreService]:
    """Services on loopback, in real time: sigstore-python looks at the real clock."""
    service = SigstoreService(jwks_for=issuer.jwks, issuers=[ISSUER])
    with (
        listening(service.fulcio_app()) as fulcio,
        listening(service.rekor_app()) as rekor,
        listening(service.tsa_app()) as tsa,
    ):
        service.urls = Urls(fulcio=fulcio, rekor=rekor, tsa=tsa)
        yield service


@pytest.fixture
def verifier(service: SigstoreService) -> Callable[[], Verifier]:
    """Return a verifier of the trusted root as it is when called."""
    return lambda: verifier_of(service)
