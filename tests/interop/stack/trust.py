"""Client configuration, made by the operator's script, and its TUF repository."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from interop.stack.operated import FRESH, ran
from interop.stack.places import STATE, TRUST

LOGS = {"v1": STATE, "v2": STATE, "fresh-v1": FRESH, "fresh-v2": FRESH}
"""Signing configurations: the state of the log that each writes to. A name ends with the log's version."""


def make() -> None:
    """Write ``trusted_root.json`` and the configurations of each of `LOGS`.

    These are ``signing_config.json`` and ``trust_config.json`` in a directory of its name.
    """
    if (TRUST / "tuf").exists():
        return
    for state in (STATE, FRESH):
        ran("trust", state=state)
    root = json.loads((TRUST / "trusted_root.json").read_bytes())
    root["tlogs"].sort(
        key=lambda log: log["baseUrl"]
    )  # sigstore-python looks a pair up in the first, Rekor v1; cosign has no order
    for name, state in LOGS.items():
        made, directory = state / "trust" / name[-2:], TRUST / name
        directory.mkdir(exist_ok=True)
        config = json.loads((made / "trust_config.json").read_bytes()) | {"trustedRoot": root}
        signing = (made / "signing_config.json").read_bytes()
        (directory / "signing_config.json").write_bytes(signing)
        (directory / "trust_config.json").write_text(json.dumps(config), encoding="utf-8")
        (directory / "trusted_root.json").write_text(json.dumps(root), encoding="utf-8")
    (TRUST / "trusted_root.json").write_text(json.dumps(root), encoding="utf-8")
    _repository(TRUST / "tuf", (TRUST / "trusted_root.json").read_bytes())


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
