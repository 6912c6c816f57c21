"""The conformance client accepts what is valid, refuses what is not, and never ends in a traceback."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import runpy
import subprocess
import sys
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

    def verify(self, *, identity: str = "", file: str = "a.whl") -> tuple[int, str]:
        """Call the client's main function here, and return its exit code and what it says of an error."""
        words = [
            *("verify-bundle", "--bundle", "a.sigstore.json"),
            *("--certificate-identity", identity or self.job.san),
            *("--certificate-oidc-issuer", self.sandbox.issuer),
            *("--trusted-root", "trusted_root.json", file),
        ]
        err = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(err):
            patch.chdir(self.directory)
            patch.setattr(sys, "argv", [str(CLIENT), *words])
            code = runpy.run_path(str(CLIENT))["main"]()
        return code, err.getvalue()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the client as the conformance suite does."""
        return subprocess.run(
            [sys.executable, str(CLIENT), *words],
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def bench(sandbox: Sandbox, tmp_path: Path) -> Bench:
    job = sandbox.job(sandbox.project("acme/widgets"))
    wheel = sandbox.wheel("acme-widgets", "1.0")
    (tmp_path / "a.whl").write_bytes(wheel.data)
    (tmp_path / "a.sigstore.json").write_bytes(sandbox.sign(wheel, job)[f"{wheel.name}.sigstore.json"])
    sandbox.write_trust(tmp_path)
    return Bench(sandbox=sandbox, job=job, directory=tmp_path)


def test_t17_a_good_bundle_is_accepted_by_file_and_by_digest(bench: Bench) -> None:
    digest = hashlib.sha256((bench.directory / "a.whl").read_bytes()).hexdigest()

    assert bench.verify() == (0, "")
    assert bench.verify(file=f"sha256:{digest}") == (0, "")


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
    code, said = bench.verify(
        identity="https://else" if spoil == "identity" else "", file="none" if spoil == "missing" else "a.whl"
    )

    assert code == 1
    assert said
    assert "Traceback" not in said


def test_t17_it_signs_what_it_verifies(bench: Bench) -> None:
    (bench.directory / "a.sigstore.json").unlink()
    signed = bench.run(
        *("sign-bundle", "--identity-token", bench.job.id_token(), "--bundle", "a.sigstore.json"),
        *("--trusted-root", "trusted_root.json", "--signing-config", "signing_config.json", "a.whl"),
    )

    assert signed.returncode == 0, signed.stderr
    assert bench.verify() == (0, "")


def test_b23_a_statement_is_judged_by_its_subjects(bench: Bench) -> None:
    wheel = bench.sandbox.wheel("acme-widgets", "1.0")
    made = bench.sandbox.sign(wheel, bench.job, forms=("slsa-bundle",))
    (bench.directory / "a.sigstore.json").write_bytes(next(iter(made.values())))

    assert bench.verify() == (0, "")
    (bench.directory / "a.whl").write_bytes(b"other")
    code, said = bench.verify()
    assert code == 1
    assert said.startswith("subject-mismatch")
