"""Compares a new trusted root with the one before it: removed parts, and keys whose window was reopened.

A root grows: keys are added, and a key that is retired gets an end date, so that what it signed before still
verifies. A root that drops a key loses old releases; a root that moves or removes an end date makes a key
valid again that was retired for a reason. Both happen by mistake, when a root of another instance or an old
copy is taken for the new one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pip_warden._sigstore.root import Root
from pip_warden._sigstore.root_parts import Authority, Log, Window
from pip_warden.values import dataclass

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """One part of a root.

    Attributes:
        name: Its name for people.
        kind: What it is; one key may have two uses.
        key: Its public key.
        claims: All that must still be present for earlier signatures to verify.
        window: When it is valid.
    """

    name: str
    kind: str
    key: Hashable
    claims: frozenset[bytes]
    window: Window


def is_of_another_instance(old: Root, new: Root) -> bool:
    """Return whether two roots have no certificate authority in common, by its key."""
    return not {_key_of(ca) for ca in old.authorities} & {_key_of(ca) for ca in new.authorities}


def removed(old: Root, new: Root) -> tuple[str, ...]:
    """Name every key, certificate authority and log of the old root that the new one does not have."""
    there = list(_parts(new))
    return tuple(
        part.name
        for part in _parts(old)
        if not any(
            (part.kind, part.key) == (other.kind, other.key) and part.claims <= other.claims
            for other in there
        )
    )


def reopened(old: Root, new: Root) -> tuple[str, ...]:
    """Name every key that had ended in the old root and is valid later in the new one, with both windows."""
    before, after = _by_key(old), _by_key(new)
    return tuple(
        f"{before[key][0].name}: valid {_spelled(before[key])}, now {_spelled(after[key])}"
        for key in before
        if key in after
        and _is_reopened([part.window for part in before[key]], [part.window for part in after[key]])
    )


def _is_reopened(before: list[Window], after: list[Window]) -> bool:
    """Compare at every moment at which a window begins or has just ended: in between nothing changes."""
    windows = [*before, *after]
    moments = {window.start for window in windows} | {w.end + _A_MOMENT for w in windows if w.end is not None}
    return any(
        _holds(after, moment)
        and not _holds(before, moment)
        and any(window.end is not None and window.end < moment for window in before)
        for moment in moments
    )


def _holds(windows: Iterable[Window], moment: datetime) -> bool:
    return any(window.holds(moment) for window in windows)


def _by_key(root: Root) -> dict[tuple[str, Hashable], list[_Part]]:
    found: dict[tuple[str, Hashable], list[_Part]] = {}
    for part in _parts(root):
        found.setdefault((part.kind, part.key), []).append(part)
    return found


def _spelled(parts: list[_Part]) -> str:
    return " and ".join(sorted(str(part.window) for part in parts))


def _parts(root: Root) -> Iterator[_Part]:
    yield from (_authority("certificate authority", authority) for authority in root.authorities)
    yield from (_log("CT log", log) for log in root.ct_logs)
    yield from (_log("transparency log", log) for log in root.logs)
    yield from (_authority("time-stamp authority", authority) for authority in root.timestamp_authorities)


def _authority(kind: str, authority: Authority) -> _Part:
    first = authority.certificates[0]
    return _Part(
        name=f"{kind} {first.subject.rfc4514_string()} (SHA-256 {first.fingerprint(SHA256()).hex()})",
        kind=kind,
        key=_key_of(authority),
        claims=frozenset(certificate.fingerprint(SHA256()) for certificate in authority.certificates),
        window=authority.window,
    )


def _key_of(authority: Authority) -> bytes:
    """Return the issuing key: a certificate may be renewed, and what counts is which key can sign."""
    key = authority.certificates[0].public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _log(kind: str, log: Log) -> _Part:
    return _Part(
        name=f"{kind} {log.url} (key {log.key_digest.hex()})",
        kind=kind,
        key=log.key_digest,
        claims=log.ids,
        window=log.window,
    )
