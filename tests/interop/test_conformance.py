"""The conformance client signs with the real servers; it and a peer verify the result."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from interop.clients import SLSA, Bench, Evidence, by_cosign
from interop.stack.places import TRUST
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop
CLIENT = Path(__file__).parent.parent.parent / "scripts" / "conformance-client"


@pytest.mark.parametrize("log", ["v1", "v2"])
@pytest.mark.parametrize("kind", ["blob", "statement"])
def test_what_it_signs_verifies(gitlab: Sandbox, tmp_path: Path, log: str, kind: str) -> None:
    job = gitlab.job(gitlab.project("acme/widgets"))
    (tmp_path / "artifact").write_bytes(b"anything at all")
    digest = hashlib.sha256(b"anything at all").hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "artifact", "digest": {"sha256": digest}}],
        "predicateType": SLSA,
        "predicate": {},
    }
    (tmp_path / "statement.json").write_text(json.dumps(statement), encoding="utf-8")
    bench = Bench(directory=tmp_path, file="artifact", subject=job.san, issuer=gitlab.issuer)
    config = (
        "--trusted-root",
        TRUST / log / "trusted_root.json",
        "--signing-config",
        TRUST / log / "signing_config.json",
    )
    what = ("--in-toto",) if kind == "statement" else ()
    signed = "statement.json" if kind == "statement" else "artifact"
    bench.must(
        sys.executable,
        CLIENT,
        "sign-bundle",
        *what,
        "--identity-token",
        job.id_token(),
        "--bundle",
        "b.json",
        *config,
        signed,
    )
    who = ("--certificate-identity", job.san, "--certificate-oidc-issuer", gitlab.issuer)
    verify = (sys.executable, CLIENT, "verify-bundle", "--bundle", "b.json", *who, *config[:2])
    results = [
        bench.run(*verify, target).returncode
        for target in ("artifact", f"sha256:{digest}", f"sha256:{'0' * 64}")
    ]
    peer = by_cosign(bench, Evidence(bundle=tmp_path / "b.json", statement=kind == "statement"))

    assert results == [0, 0, 1]
    assert peer is not None
    assert peer.returncode == 0, peer.stderr
