"""The evidence of a file as it is stored: JSON, read as strictly as fetched evidence."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from pip_warden.digests import Digest, digest_of
from pip_warden.disk import open_regular
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import Evidence, EvidenceForm, Item
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

_LARGEST = 64 << 20


def evidence_json(evidence: Evidence) -> bytes:
    """Write the items of evidence that can be judged again; a bad item cannot."""
    items: list[JSONValue] = [
        {
            "label": item.label,
            "form": item.form.value,
            "bundle": base64.b64encode(item.wire.to_json()).decode("ascii"),
        }
        for item in evidence
        if isinstance(item, Item)
    ]
    return json.dumps({"items": items}).encode()


def evidence_digest(evidence: Evidence) -> Digest | None:
    """Return the digest of evidence as it is stored; None where there is none."""
    return digest_of(evidence_json(evidence)) if evidence else None


def read_evidence(path: Path) -> Evidence:
    """Read stored evidence as strictly as fetched; empty on any error, and then it is fetched again."""
    try:
        items = loads_object(kept_bytes(path), max_bytes=_LARGEST).get("items")
    except MalformedError:
        return ()
    if not isinstance(items, list):
        return ()
    found = [_read_item(item) for item in items]
    return tuple(item for item in found if item is not None) if None not in found else ()


def kept_bytes(path: Path) -> bytes:
    """Read a small file; empty on any error."""
    try:
        with open_regular(path, follow=False) as stream:
            return stream.read(_LARGEST + 1)
    except OSError:
        return b""


def _read_item(item: JSONValue) -> Item | None:
    if not isinstance(item, dict) or item.keys() != {"label", "form", "bundle"}:
        return None
    label, form, bundle = item["label"], item["form"], item["bundle"]
    if not (isinstance(label, str) and isinstance(form, str) and isinstance(bundle, str)):
        return None
    try:
        read = read_bundle(label, base64.b64decode(bundle, validate=True), EvidenceForm(form))
    except ValueError:
        return None
    return read if isinstance(read, Item) else None
