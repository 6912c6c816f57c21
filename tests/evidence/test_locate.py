"""Where evidence is looked up, in which order, and how little of it is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest

from _sigstore.samples import CLAIMS, DATA, STATEMENT, service
from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.digests import digest_of
from pip_warden.errors import NetworkError, UndecidedError, UsageError
from pip_warden.evidence.locate import (
    GenericPackage,
    generic_packages,
    locate,
    locate_provenance,
    refuse_lookup,
)
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.siblings import Siblings
from pip_warden.names import parse_artifact_name
from pip_warden.sandbox.sigstore import SigstoreService

FILE = "acme_widgets-1.0-py3-none-any.whl"
DIGEST = digest_of(DATA)
SIGSTORE: SigstoreService = service()
BUNDLE = json.dumps(SIGSTORE.sign_blob(DATA, CLAIMS)).encode()
DSSE = json.dumps(SIGSTORE.sign_statement(STATEMENT, CLAIMS)).encode()
ATTESTATION = json.dumps(SIGSTORE.pep740(STATEMENT, CLAIMS)).encode()
SIG, CRT = SIGSTORE.sign_detached(DATA, CLAIMS)


@dataclass
class Store:
    """A generic package's version: rows by name, the newest last, and a log of the requests."""

    held: dict[str, list[bytes]] = field(default_factory=dict)
    lists: bool = True
    asked: list[str] = field(default_factory=list)

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        self.asked.append(name.removeprefix(FILE))
        rows = self.held.get(name)
        return rows[-1][: max_bytes + 1] if rows else None

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
        for at, row in enumerate(reversed(self.held.get(name, [])[:-1]), start=2):
            self.asked.append(f"{name.removeprefix(FILE)}#{at}")
            yield f"#{at}", row[: max_bytes + 1]

    def names(self, prefix: str) -> Sequence[str] | None:
        return [name for name in self.held if name.startswith(prefix)] if self.lists else None


class Broken(Store):
    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        raise NetworkError("no-answer", f"nobody there for {name} of {max_bytes}")


def store(**held: bytes | list[bytes]) -> Store:
    """Make a store; ``sigstore_json`` is ``FILE.sigstore.json``."""
    return Store(
        {
            f"{FILE}.{name.replace('_', '.')}": rows if isinstance(rows, list) else [rows]
            for name, rows in held.items()
        }
    )


def nothing(_wanted: Hashedrekord) -> LogEntry | None:
    return None


def found(*stores: Store) -> list[tuple[str, EvidenceForm, str]]:
    return [
        (item.label.removeprefix(FILE), item.form, item.fault.code if isinstance(item, BadItem) else "read")
        for item in locate(FILE, DIGEST, stores, nothing)
    ]


def test_every_form_is_found_best_first() -> None:
    everything = store(
        crt=CRT,
        sig=SIG,
        slsa_attestation=ATTESTATION,
        sbom_sigstore_json=DSSE,
        provenance_sigstore_json=DSSE,
        publish_attestation=ATTESTATION,
        sigstore_json=BUNDLE,
    )

    assert found(everything) == [
        (".sigstore.json", EvidenceForm.BUNDLE, "read"),
        (".publish.attestation", EvidenceForm.PEP740, "read"),
        (".slsa.attestation", EvidenceForm.PEP740, "read"),
        (".provenance.sigstore.json", EvidenceForm.DSSE_BUNDLE, "read"),
        (".sbom.sigstore.json", EvidenceForm.DSSE_BUNDLE, "read"),
        (".sig", EvidenceForm.DETACHED, "no-log-entry"),
    ]


def test_nothing_is_fetched_beyond_the_first_that_is_taken() -> None:
    full = store(sigstore_json=[BUNDLE, BUNDLE], sig=SIG, crt=CRT)

    (first,) = islice(locate(FILE, DIGEST, [full], nothing), 1)

    assert isinstance(first, Item)
    assert full.asked == [".sigstore.json"]


def test_nothing_at_all() -> None:
    assert found(store(), Store(lists=False)) == []


def test_t22_a_bad_newest_row_leads_to_the_others() -> None:
    rows = store(sigstore_json=[BUNDLE, b"", b"<html>"])

    assert found(rows) == [
        (".sigstore.json", EvidenceForm.BUNDLE, "evidence-is-web-page"),
        (".sigstore.json#2", EvidenceForm.BUNDLE, "empty-evidence"),
        (".sigstore.json#3", EvidenceForm.BUNDLE, "read"),
    ]


def test_t18_rows_are_not_read_for_ever() -> None:
    codes = [code for _, _, code in found(store(sigstore_json=[b"{}"] * 100))]

    assert codes == ["bad-bundle"] * 33 + ["too-much-evidence"]


def test_t18_pairs_are_not_looked_up_for_ever() -> None:
    codes = [code for _, _, code in found(store(sig=[SIG] * 20, crt=[CRT] * 20))]

    assert codes == ["no-log-entry"] * 33 + ["too-much-evidence"]


def test_stores_are_asked_in_order() -> None:
    assert found(store(), store(sigstore_json=BUNDLE)) == [(".sigstore.json", EvidenceForm.BUNDLE, "read")]


def test_the_older_name_counts_only_alone() -> None:
    assert found(store(sigstore=BUNDLE)) == [(".sigstore", EvidenceForm.BUNDLE, "read")]
    assert [code for _, _, code in found(store(sigstore_json=b"{}", sigstore=BUNDLE))] == [
        "bad-bundle",
        "two-bundles",
    ]


@pytest.mark.parametrize("half", ["sig", "crt"])
def test_half_a_pair(half: str) -> None:
    assert found(store(**{half: SIG})) == [
        (f".{half}", EvidenceForm.DETACHED, "incomplete-detached-signature")
    ]


def test_an_error_is_not_nothing() -> None:
    with pytest.raises(NetworkError):
        list(locate(FILE, DIGEST, [Broken()], nothing))


def test_offline_a_detached_signature_decides_nothing() -> None:
    with pytest.raises(UndecidedError) as caught:
        list(locate(FILE, DIGEST, [store(sig=SIG, crt=CRT)], refuse_lookup))

    assert caught.value.code == "log-lookup-offline"


def test_a_provenance_object() -> None:
    content = json.dumps(
        {"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": [json.loads(ATTESTATION)]}]}
    ).encode()

    (item,) = locate_provenance("https://pypi.org/x/provenance", lambda _url, _most: content)

    assert isinstance(item, Item)
    assert item.label == "provenance"
    assert list(locate_provenance("https://pypi.org/x/provenance", lambda _url, _most: None)) == []


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (FILE, [("widgets", "1.0"), ("acme-widgets", "1.0")]),
        ("Acme.Widgets-1.0.tar.gz", [("widgets", "1.0"), ("acme-widgets", "1.0")]),
        (
            "acme_widgets-1!2.0-py3-none-any.whl",
            [("widgets", "1__2.0"), ("acme-widgets", "1__2.0")],
        ),
        (
            "acme_widgets-1.0.0.RC1-py3-none-any.whl",
            [
                ("widgets", "1.0.0rc1"),
                ("acme-widgets", "1.0.0rc1"),
                ("widgets", "1.0.0.RC1"),
                ("acme-widgets", "1.0.0.RC1"),
            ],
        ),
    ],
)
def test_places(filename: str, expected: list[tuple[str, str]]) -> None:
    templates = ("{project-name}/{version}", "{name}/{version}")

    assert generic_packages(templates, parse_artifact_name(filename), "acme/widgets") == tuple(
        GenericPackage(package=package, version=version) for package, version in expected
    )


def test_siblings_of_a_local_file(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.sigstore.json").write_bytes(BUNDLE)
    (tmp_path / f"{FILE}.sbom.sigstore.json").write_bytes(DSSE)

    items = list(locate(FILE, DIGEST, [Siblings(tmp_path)], nothing))

    assert [(item.label, item.form) for item in items] == [
        (f"{FILE}.sigstore.json", EvidenceForm.BUNDLE),
        (f"{FILE}.sbom.sigstore.json", EvidenceForm.DSSE_BUNDLE),
    ]


def test_a_sibling_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.sigstore.json").mkdir()

    with pytest.raises(UsageError) as caught:
        list(locate(FILE, DIGEST, [Siblings(tmp_path)], nothing))

    assert caught.value.code == "unreadable-evidence"


def test_a_missing_directory_holds_nothing(tmp_path: Path) -> None:
    assert list(locate(FILE, DIGEST, [Siblings(tmp_path / "gone")], nothing)) == []
