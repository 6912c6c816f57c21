"""Services in process with a stopped clock, and on loopback in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sigstore.verify import Verifier

from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import SigstoreService, Urls
from pip_warden.sandbox.sigstore.fulcio_app import fulcio_app
from pip_warden.sandbox.sigstore.rekor_app import rekor_app
from pip_warden.sandbox.sigstore.tsa_app import tsa_app
from sandbox.sigstore.pipeline import ISSUER, NOON, Issuer, Stage, listening, verifier_of


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock(NOON)


@pytest.fixture
def service(clock: SandboxClock, issuer: Issuer) -> SigstoreService:
    return SigstoreService(clock, jwks_for=issuer.jwks, issuers=[ISSUER])


@pytest.fixture(scope="session")
def stages() -> Iterator[tuple[Stage, ...]]:
    """Three addresses on loopback."""
    with ExitStack() as stack:
        stages = tuple(Stage() for _ in range(3))
        for stage in stages:
            stage.url = stack.enter_context(listening(stage))
        yield stages


@pytest.fixture
def stage(stages: tuple[Stage, ...]) -> Stage:
    return stages[0]


@pytest.fixture
def live(issuer: Issuer, stages: tuple[Stage, ...]) -> SigstoreService:
    """Services on loopback, in real time: sigstore-python looks at the real clock."""
    named = Urls(rekor="http://127.0.0.1")
    service = SigstoreService(jwks_for=issuer.jwks, issuers=[ISSUER], urls=named)
    apps = (fulcio_app(service), rekor_app(service), tsa_app(service))
    fulcio, rekor, tsa = (stage.play(app) for stage, app in zip(stages, apps, strict=True))
    service.urls = Urls(fulcio=fulcio, rekor=rekor, tsa=tsa)
    return service


@pytest.fixture
def verifier(service: SigstoreService) -> Callable[[], Verifier]:
    """Return a verifier of the trusted root as it is when called."""
    return lambda: verifier_of(service)
