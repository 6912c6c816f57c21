"""The digest of a pin: the same for the same words, and another for any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from packaging.version import Version

import samples
from pip_warden.digests import digest_of
from pip_warden.trust.digest import pin_digest
from pip_warden.trust.model import Entry

ENTRY = samples.entry()
BY_HASH = samples.hash_entry()


def test_every_word_of_a_pin_counts() -> None:
    entry, (identity,) = ENTRY, ENTRY.identities
    require = replace(entry.require, build_trigger=frozenset({"push", "schedule"}))
    entries: list[Entry] = [
        entry,
        replace(entry, source="other"),
        replace(entry, registry_id=7),
        replace(entry, require=require),
        replace(entry, identities=(replace(identity, issuer="https://other.example.com"),)),
        replace(entry, identities=(replace(identity, not_after=date(2030, 1, 1)),)),
        replace(entry, identities=(identity, identity)),
        BY_HASH,
        replace(BY_HASH, files=((samples.WHEEL, digest_of(b"b")),)),
        replace(BY_HASH, expires=date(2030, 1, 1)),
        replace(BY_HASH, version=Version("1.1")),
    ]

    assert len({pin_digest(each) for each in entries}) == len(entries)


def test_it_is_the_same_in_every_process() -> None:
    """Sets have no order: two runs must not write two receipts."""
    triggers = ["schedule", "push", "web", "api", "trigger"]
    first, second = (
        replace(ENTRY, require=replace(ENTRY.require, build_trigger=frozenset(each)))
        for each in (triggers, reversed(triggers))
    )

    assert pin_digest(first) == pin_digest(second)
    assert pin_digest(BY_HASH) == pin_digest(replace(BY_HASH))
    assert pin_digest(BY_HASH).hex.startswith("f306de11cc6a")
