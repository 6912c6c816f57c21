"""What is measured without a registry: starting, and verdicts per second."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import Version
from sigstore.hashes import Hashed
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

from bench import tools
from bench.measure import Taken, in_turn
from bench.results import Row
from pip_warden._sigstore.root import load_root
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest, digest_of
from pip_warden.evidence.bundle import read_bundle
from pip_warden.names import parse_artifact_name
from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import SigstoreService
from pip_warden.session.settings import utc_now
from pip_warden.trust.file import parse as parse_trust
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted

GITLAB = "https://gitlab.example.com"
SUBJECT = f"{GITLAB}/acme/widgets//.gitlab-ci.yml@refs/heads/main"
WHEEL = "acme_widgets-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n"
CLAIMS: dict[str, object] = {
    "iss": GITLAB,
    "sub": "project_path:acme/widgets:ref_type:branch:ref:main",
    "aud": "sigstore",
    "project_id": "4711",
    "project_path": "acme/widgets",
    "namespace_id": "42",
    "namespace_path": "acme",
    "project_visibility": "private",
    "job_id": "815",
    "pipeline_source": "push",
    "ref": "main",
    "ref_type": "branch",
    "sha": "0" * 40,
    "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/heads/main",
    "ci_config_sha": "0" * 40,
}
TRUST = f"""version = 1
[sigstore]
trusted-root = "root"
trusted-root-sha256 = "{"0" * 64}"
issuers = ["{GITLAB}"]
[source.acme]
type = "gitlab"
url = "{GITLAB}"
[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
[[package.identity]]
issuer = "{GITLAB}"
subject = "{SUBJECT}"
"""


def start(*, repeat: int) -> Iterator[tuple[str, Row]]:
    """Yield the row of ``safe-install --help`` beside an empty Python."""
    found = {
        "safe-install --help": tools.command(str(tools.BIN / "safe-install"), "--help"),
        "an empty Python": tools.command(sys.executable, "-I", "-c", "pass"),
    }
    yield "start", Row(tools=in_turn(found, repeat=repeat))


def verdicts(*, repeat: int, count: int = 50) -> Iterator[tuple[str, Row]]:
    """Yield the row of judging so many files, hashed already, from the bytes of their bundles on.

    Beside it, the sigstore library by itself: it reads the same bundles, verifies them for the same digests,
    and compares one identity. One thread of this process does it all, in turn.
    """
    service = SigstoreService(SandboxClock(datetime(2026, 6, 1, tzinfo=UTC)), issuers=[GITLAB])
    files = [f"file {number}".encode() for number in range(count)]
    bundles = [json.dumps(service.sign_blob(each, CLAIMS)).encode() for each in files]
    pairs = [(_hashed(digest_of(each)), bundle) for each, bundle in zip(files, bundles, strict=True)]
    root = json.dumps(service.trusted_root()).encode()
    passes = {"pip-warden": _ours(root), "sigstore-python": _theirs(root)}
    taken = {name: Taken() for name in passes}
    for number in range(repeat + 1):
        for name, judged in passes.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for artifact, bundle in pairs:
                judged(artifact, bundle)
            if number:  # the first round warms both
                taken[name].wall.append(round(time.perf_counter() - wall, 4))
                taken[name].cpu.append(round(time.process_time() - cpu, 4))
    yield f"{count} files", Row(facts={"files": count}, tools=taken)


def _hashed(digest: Digest) -> Artifact:
    """Return what both begin with: a file that was hashed and read."""
    name = parse_artifact_name(WHEEL)
    contents = Contents(
        project=name.project, version=Version("1.0"), metadata=METADATA.encode(), tags=name.tags
    )
    return Artifact(name=name, path=Path("/nowhere"), digest=digest, size=9, contents=contents)


def _ours(root: bytes) -> Callable[[Artifact, bytes], None]:
    roots, trust = {"default": load_root(root)}, parse_trust(TRUST, Path("/nowhere/pytrust.toml"))

    def judged(artifact: Artifact, bundle: bytes) -> None:
        verdict = judge(
            artifact, [read_bundle("a", bundle)], trust=trust, roots=roots, today=utc_now().date()
        )
        if not isinstance(verdict, Accepted):
            raise SystemExit(f"a good file was refused: {verdict.code}")

    return judged


def library_verifier(root: bytes) -> Verifier:
    """Return the sigstore library's verifier for a whole trusted root."""
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads(root),
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)


def _theirs(root: bytes) -> Callable[[Artifact, bytes], None]:
    verifier, policy = library_verifier(root), Identity(identity=SUBJECT, issuer=GITLAB)

    def judged(artifact: Artifact, bundle: bytes) -> None:
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=artifact.digest.raw())
        verifier.verify_artifact(hashed, Bundle.from_json(bundle), policy)

    return judged
