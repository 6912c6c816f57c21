"""Client configuration, made by cosign 3 from the stack's keys as by an operator, and its TUF repository."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from interop.stack.places import BIN, HOST, KEYS, STATE, TRUST, Port
from interop.stack.supervisor import StackError

ISSUER = Port.GITLAB.url
LOGS = {
    "v1": (Port.REKOR1, 1),
    "v2": (Port.REKOR2, 2),
    "fresh-v1": (Port.FRESH_REKOR1, 1),
    "fresh-v2": (Port.FRESH_REKOR2, 2),
}
"""Signing configurations: the port of the log that each writes to, and that log's major version."""

_TRUST_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


def make() -> None:
    """Write ``trusted_root.json`` and the configurations of each of `LOGS`.

    These are ``signing_config.json`` and ``trust_config.json`` in a directory of its name.
    """
    if (TRUST / "tuf").exists():
        return
    TRUST.mkdir(parents=True, exist_ok=True)
    root = TRUST / "trusted_root.json"
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    _cosign("trusted-root", "create", f"--out={root}", *_trusted(since))
    document = json.loads(root.read_bytes())
    document["tlogs"].sort(
        key=lambda log: log["baseUrl"]
    )  # sigstore-python looks a pair up in the first, Rekor v1; cosign has no order
    root.write_text(json.dumps(document), encoding="utf-8")
    for name, (port, version) in LOGS.items():
        directory = TRUST / name
        directory.mkdir(exist_ok=True)
        config = directory / "signing_config.json"
        _cosign("signing-config", "create", f"--out={config}", *_services(port, version, since))
        both = {
            "mediaType": _TRUST_CONFIG,
            "trustedRoot": json.loads(root.read_bytes()),
            "signingConfig": json.loads(config.read_bytes()),
        }
        (directory / "trust_config.json").write_text(json.dumps(both), encoding="utf-8")
        (directory / "trusted_root.json").write_bytes(root.read_bytes())
    _repository(TRUST / "tuf", root.read_bytes())


def _trusted(since: str) -> list[str]:
    keys = KEYS
    return [
        f"--fulcio=url={Port.FULCIO.url},certificate-chain={keys / 'ca.pem'},start-time={since}",
        f"--ctfe=url={Port.CT.url},public-key={keys / 'ct.pub'},start-time={since}",
        f"--rekor=url={Port.REKOR1.url},public-key={keys / 'rekor1.pub'},start-time={since}",
        f"--rekor=url={Port.REKOR2.url},public-key={keys / 'rekor2.pub'},start-time={since},origin={HOST}",
        (
            f"--tsa=url={Port.TSA.url}/api/v1/timestamp,"
            f"certificate-chain={keys / 'tsa-chain.pem'},start-time={since}"
        ),
    ]


def _services(log: Port, version: int, since: str) -> list[str]:
    def service(kind: str, url: str, version: int = 1) -> str:
        return f"--{kind}=url={url},api-version={version},start-time={since},operator=stack"

    return [
        service("fulcio", Port.FULCIO.url),
        service("oidc-provider", ISSUER),
        service("rekor", log.url, version),
        "--rekor-config=ANY",
        service("tsa", f"{Port.TSA.url}/api/v1/timestamp"),
        "--tsa-config=ANY",
    ]


def _cosign(*words: str) -> None:
    result = subprocess.run(
        [str(BIN / "cosign"), *words], env={"HOME": str(STATE)}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise StackError(f"cosign {' '.join(words)} failed:\n{result.stderr}")


def _repository(directory: Path, trusted_root: bytes) -> None:
    """Write a TUF repository (specification 1.0, consistent snapshots): one target, one key for all roles."""
    signer = CryptoSigner.generate_ecdsa()
    expires = datetime.now(UTC) + timedelta(days=3650)
    root = Root(expires=expires)
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    name = "trusted_root.json"
    target = TargetFile.from_data(name, trusted_root)
    targets = Targets(expires=expires, targets={name: target})
    (directory / "targets").mkdir(parents=True)
    (directory / "targets" / f"{target.hashes['sha256']}.{name}").write_bytes(trusted_root)
    snapshot = Snapshot(expires=expires, meta={"targets.json": MetaFile(1)})
    timestamp = Timestamp(expires=expires, snapshot_meta=MetaFile(1))
    for file, metadata in (
        ("1.targets.json", Metadata(targets)),
        ("1.snapshot.json", Metadata(snapshot)),
        ("timestamp.json", Metadata(timestamp)),
        ("1.root.json", Metadata(root)),
    ):
        metadata.sign(signer)
        metadata.to_file(str(directory / file))
