"""The conformance client accepts what is valid, refuses what is not, and never ends in a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pip_warden.sandbox import Job, Sandbox

CLIENT = Path(__file__).parent.parent / "scripts" / "conformance-client"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    sandbox: Sandbox
    job: Job
    directory: Path

    def verify(self, *, identity: str = "", file: str = "a.whl") -> subprocess.CompletedProcess[str]:
        words = [
            "verify-bundle",
            "--bundle",
            "a.sigstore.json",
            "--certificate-identity",
            identity or self.job.san,
        ]
        words += [
            "--certificate-oidc-issuer",
            self.sandbox.issuer,
            "--trusted-root",
            "trusted_root.json",
            file,
        ]
        return subprocess.run(
            [sys.executable, str(CLIENT), *words],
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Sandbox() as sandbox:
        job = sandbox.job(sandbox.project("acme/widgets"))
        wheel = sandbox.wheel("acme-widgets", "1.0")
        (tmp_path / "a.whl").write_bytes(wheel.data)
        (tmp_path / "a.sigstore.json").write_bytes(sandbox.sign(wheel, job)[f"{wheel.name}.sigstore.json"])
        sandbox.write_trust(tmp_path)
        yield Bench(sandbox=sandbox, job=job, directory=tmp_path)


def test_t17_a_good_bundle_is_accepted_by_file_and_by_digest(bench: Bench) -> None:
    import hashlib

    digest = hashlib.sha256((bench.directory / "a.whl").read_bytes()).hexdigest()

    assert bench.verify().returncode == 0
    assert bench.verify(file=f"sha256:{digest}").returncode == 0


@pytest.mark.parametrize("spoil", ["identity", "file", "bundle", "noise", "missing"])
def test_t17_anything_else_is_an_error_message(bench: Bench, spoil: str) -> None:
    bundle = bench.directory / "a.sigstore.json"
    if spoil == "file":
        (bench.directory / "a.whl").write_bytes(b"other")
    if spoil == "bundle":
        document = json.loads(bundle.read_bytes())
        document["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"
        bundle.write_text(json.dumps(document), encoding="utf-8")
    if spoil == "noise":
        bundle.write_bytes(b"\\xff\\x00")
    result = bench.verify(
        identity="https://else" if spoil == "identity" else "", file="none" if spoil == "missing" else "a.whl"
    )

    assert result.returncode == 1
    assert result.stderr
    assert "Traceback" not in result.stderr


def test_t17_it_signs_what_it_verifies(bench: Bench) -> None:
    (bench.directory / "a.sigstore.json").unlink()
    words = [
        "sign-bundle",
        "--identity-token",
        bench.job.id_token(),
        "--bundle",
        "a.sigstore.json",
        "--trusted-root",
        "trusted_root.json",
    ]
    words += ["--signing-config", "signing_config.json", "a.whl"]
    signed = subprocess.run(
        [sys.executable, str(CLIENT), *words],
        cwd=bench.directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert signed.returncode == 0, signed.stderr
    assert bench.verify().returncode == 0


def test_b23_a_statement_is_judged_by_its_subjects(bench: Bench) -> None:
    wheel = bench.sandbox.wheel("acme-widgets", "1.0")
    made = bench.sandbox.sign(wheel, bench.job, forms=("slsa-bundle",))
    (bench.directory / "a.sigstore.json").write_bytes(next(iter(made.values())))

    assert bench.verify().returncode == 0
    (bench.directory / "a.whl").write_bytes(b"other")
    other = bench.verify()
    assert other.returncode == 1
    assert other.stderr.startswith("subject-mismatch")
