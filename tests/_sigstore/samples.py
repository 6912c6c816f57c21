"""An embedded Sigstore that signs for the tests of `_sigstore`, and helpers for its bundles."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.faults import Fault
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import SigstoreService

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ISSUER = "https://gitlab.example.com"
SUBJECT = f"{ISSUER}/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
DATA = b"the wheel"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "acme_widgets-1.0-py3-none-any.whl", "digest": {"sha256": digest_of(DATA).hex}}],
    "predicateType": "https://docs.pypi.org/attestations/publish/v1",
    "predicate": None,
}
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "sub": "project_path:acme/widgets:ref_type:tag:ref:v1.0",
    "aud": "sigstore",
    "project_id": "4711",
    "project_path": "acme/widgets",
    "namespace_id": "42",
    "namespace_path": "acme",
    "project_visibility": "private",
    "job_id": "815",
    "pipeline_source": "push",
    "ref": "v1.0",
    "ref_type": "tag",
    "sha": "0123456789abcdef0123456789abcdef01234567",
    "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
    "ci_config_sha": "89abcdef0123456789abcdef0123456789abcdef",
}


def service() -> SigstoreService:
    return SigstoreService(SandboxClock(NOON), issuers=[ISSUER])


def root_of(sigstore: SigstoreService) -> Root:
    return load_root(json.dumps(sigstore.trusted_root()).encode())


def outcome(value: Mapping[str, Any], root: Root, data: bytes = DATA) -> VerificationResult | Fault:
    """Read a bundle or PEP 740 attestation strictly, and prove it."""
    raw = json.dumps(value).encode()
    item: Item | BadItem = read_bundle("b", raw) if "mediaType" in value else read_attestation("a", raw)
    return item.fault if isinstance(item, BadItem) else verify_bundle(item.wire, digest_of(data), root)


def code(found: VerificationResult | Fault) -> str:
    """Return the code of a fault, ``proved`` for a proof."""
    return found.code if isinstance(found, Fault) else "proved"


def changed(value: Mapping[str, Any], path: str, new: object) -> dict[str, Any]:
    """Return a copy with the value at ``a.0.b`` replaced; ``...`` removes it."""
    result = copy.deepcopy(dict(value))
    *way, last = path.split(".")
    at: Any = result
    for step in way:
        at = at[int(step) if isinstance(at, list) else step]
    if new is ...:
        del at[last]
    elif isinstance(at, list):
        at[int(last)] = new
    else:
        at[last] = new
    return result
