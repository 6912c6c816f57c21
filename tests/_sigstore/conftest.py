"""Fixtures: an embedded Sigstore for the tests of a module, and its root."""

from __future__ import annotations

import pytest

from _sigstore.samples import root_of, service
from pip_warden._sigstore.root import Root
from pip_warden.sandbox.sigstore import SigstoreService


@pytest.fixture(scope="module")
def sigstore() -> SigstoreService:
    return service()


@pytest.fixture(scope="module")
def root(sigstore: SigstoreService) -> Root:
    return root_of(sigstore)
