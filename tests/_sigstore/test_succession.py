"""What a new trusted root removes from the one before it: a real root, edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from _sigstore import samples
from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.succession import is_of_another_instance, removed, reopened

REAL = Path(__file__).parent.parent / "data" / "real" / "trusted_root.public-good.json"
PARTS = {
    "tlogs": "transparency log https://log2025-1.rekor.sigstore.dev",
    "certificateAuthorities": "certificate authority CN=sigstore-intermediate,O=sigstore.dev",
    "ctlogs": "CT log https://ctfe.sigstore.dev/2022",
    "timestampAuthorities": "time-stamp authority ",
}


def real() -> dict[str, Any]:
    return dict(json.loads(REAL.read_bytes()))


def edited(edit: Callable[[dict[str, Any]], object]) -> Root:
    root = real()
    edit(root)
    return load_root(json.dumps(root).encode())


def changes(edit: Callable[[dict[str, Any]], object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    old, new = load_root(REAL.read_bytes()), edited(edit)
    return removed(old, new), reopened(old, new)


def window(root: dict[str, Any], kind: str, at: int) -> dict[str, Any]:
    part = root[kind][at]
    return dict.__getitem__(part.get("publicKey", part), "validFor")


@pytest.mark.parametrize("kind", PARTS)
def test_b15_what_is_gone_is_named(kind: str) -> None:
    (gone,), again = changes(lambda root: root[kind].pop())

    assert gone.startswith(PARTS[kind])
    assert len(gone.rpartition(" ")[2].rstrip(")")) == 64, "with its digest"
    assert again == ()


@pytest.mark.parametrize("end", [None, "2023-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
@pytest.mark.parametrize("kind", ["certificateAuthorities", "ctlogs"])
def test_b15_an_end_that_is_removed_or_moved_is_named(kind: str, end: str | None) -> None:
    def edit(root: dict[str, Any]) -> None:
        part = window(root, kind, 0)
        del part["end"]
        part |= {"end": end} if end else {}

    gone, (again,) = changes(edit)

    assert gone == ()
    assert again.endswith(
        f"now {window(real(), kind, 0)['start'].replace('Z', '+00:00')} to "
        + (end.replace("Z", "+00:00") if end else "now")
    )


def test_b15_a_second_window_for_a_key_that_was_over_is_named() -> None:
    def edit(root: dict[str, Any]) -> None:
        again = json.loads(json.dumps(root["certificateAuthorities"][0]))
        again["validFor"] = {"start": "2026-01-01T00:00:00Z"}
        root["certificateAuthorities"].append(again)

    gone, again = changes(edit)
    assert (gone, len(again)) == ((), 1)


def test_b15_one_window_over_two_and_the_gap_between_them_is_named() -> None:
    def two(root: dict[str, Any]) -> None:
        later = json.loads(json.dumps(root["certificateAuthorities"][0]))
        later["validFor"] = {"start": "2026-01-01T00:00:00Z"}
        root["certificateAuthorities"].append(later)

    def one(root: dict[str, Any]) -> None:
        del root["certificateAuthorities"][0]["validFor"]["end"]

    old, new = edited(two), edited(one)
    assert (removed(old, new), len(reopened(old, new))) == ((), 1)
    assert (removed(new, old), reopened(new, old)) == ((), ())
    assert reopened(old, old) == ()


def test_b15_a_log_that_loses_an_id_is_named() -> None:
    def with_id(root: dict[str, Any]) -> None:
        root["tlogs"][0]["checkpointKeyId"] = {"keyId": "AAAA"}

    old, new = edited(with_id), load_root(REAL.read_bytes())
    assert (len(removed(old, new)), len(removed(new, old))) == (1, 0)


def _added(root: dict[str, Any]) -> None:
    other = json.loads(json.dumps(samples.service().trusted_root()))
    for kind in PARTS:
        root[kind] += other[kind]


def _ended(root: dict[str, Any]) -> None:
    for kind in PARTS:
        for at in range(len(root[kind])):
            window(root, kind, at).setdefault("end", "2027-01-01T00:00:00Z")


def _ended_earlier(root: dict[str, Any]) -> None:
    window(root, "certificateAuthorities", 0)["end"] = "2022-01-01T00:00:00Z"


def _from_earlier(root: dict[str, Any]) -> None:
    window(root, "tlogs", 1)["start"] = "2025-01-01T00:00:00Z"


def _reordered(root: dict[str, Any]) -> None:
    for kind in PARTS:
        root[kind].reverse()


@pytest.mark.parametrize("edit", [_added, _ended, _ended_earlier, _from_earlier, _reordered, dict])
def test_b15_what_roots_are_expected_to_do_is_no_change(edit: Callable[[dict[str, Any]], object]) -> None:
    assert changes(edit) == ((), ())


def test_b15_roots_of_two_instances_have_no_authority_in_common() -> None:
    public, private = load_root(REAL.read_bytes()), samples.root_of(samples.service())

    assert is_of_another_instance(private, public)
    assert is_of_another_instance(public, private)
    assert not is_of_another_instance(public, edited(lambda root: root["certificateAuthorities"].pop(0)))
    assert len(removed(private, public)) == 4
