"""The digest of a pin: it tells whether what was accepted once was accepted by the same words."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

from pip_warden.digests import Digest, digest_of
from pip_warden.strict_json import JSONValue
from pip_warden.trust.model import Entry


def pin_digest(entry: Entry) -> Digest:
    """Return the digest of an entry: of its values as JSON, sorted and without spaces.

    Comments, order and layout of the trust file are not in it, nor are trusted roots.
    """
    return digest_of(json.dumps(_plain(entry), sort_keys=True, separators=(",", ":")).encode())


def _plain(value: object) -> JSONValue:
    if is_dataclass(value):
        # What is derived from the others is not compared, and not told.
        named = {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.compare}
        return {"type": type(value).__name__, **named}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return [*sorted(map(str, value))]
    return value if value is None or isinstance(value, bool) else str(value)
