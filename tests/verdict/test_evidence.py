"""Steps 6 to 10 over several items of evidence: each is proved and read once, however many others it speaks for."""

from __future__ import annotations

import json
from collections import Counter

import pytest

import making
from pip_warden._sigstore.proved import Envelope, Proved
from pip_warden.digests import Digest
from pip_warden.evidence.model import Form, Item
from pip_warden.faults import Fault
from pip_warden.trust.pins import Identity, Requirements
from pip_warden.verdict import judge
from pip_warden.verdict.model import Accepted, Exhibit, Refused, Verdict
from pip_warden.verdict.statement import PAYLOAD_TYPE, PROVENANCE, PUBLISH, Statement, read_statement

MANY = 40
ROOTS = {"default": object(), "other": object()}


def _statement(type_: str, predicate: object) -> Envelope:
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": making.WHEEL, "digest": {"sha256": making.DIGEST.hex}}],
        "predicateType": type_,
        "predicate": predicate,
    }
    return Envelope(payload_type=PAYLOAD_TYPE, payload=json.dumps(document).encode())


PUBLISHED = _statement(PUBLISH, None)
BUILT = _statement(
    PROVENANCE,
    {
        "buildDefinition": {
            "resolvedDependencies": [
                {"uri": "git+https://gitlab.example.com/acme/widgets", "digest": {"gitCommit": "0" * 40}}
            ]
        }
    },
)


class Sigstore:
    """Proves what a bundle's name says, and counts."""

    def __init__(self) -> None:
        self.proved: Counter[tuple[bytes, int]] = Counter()
        self.read = 0

    def prove(self, bundle: bytes, _digest: Digest, root: object) -> Proved:
        self.proved[bundle, id(root)] += 1
        claims = making.claims(source_digest="0" * 40)
        envelope = BUILT if bundle.startswith(b"built") else PUBLISHED
        return Proved(claims=claims, envelope=envelope, log_index=1, log_time=claims.not_before)

    def read_statement(self, envelope: Envelope) -> Statement | Fault:
        self.read += 1
        return read_statement(envelope)


@pytest.fixture
def sigstore(monkeypatch: pytest.MonkeyPatch) -> Sigstore:
    counting = Sigstore()
    monkeypatch.setattr(judge, "prove", counting.prove)
    monkeypatch.setattr(judge, "read_statement", counting.read_statement)
    return counting


def _judge(*bundles: bytes, identities: tuple[Identity, ...] = ()) -> Verdict:
    evidence = tuple(Item(label="a", form=Form.PEP740, bundle=bundle, is_dsse=True) for bundle in bundles)
    exhibit = Exhibit(artifact=making.artifact(), candidate=None, page=None, evidence=evidence)
    entry = making.entry(*identities, require=Requirements(provenance=PROVENANCE))
    return judge.judge(exhibit, trust=making.trust(entry), roots=ROOTS)  # type: ignore[arg-type]  # prove is replaced


def test_b05_each_item_is_proved_once_where_statements_are_required(sigstore: Sigstore) -> None:
    verdict = _judge(*(f"published {number}".encode() for number in range(MANY)))

    assert isinstance(verdict, Refused)
    assert (verdict.code, len(verdict.bad_items)) == ("provenance-missing", MANY)
    assert len(sigstore.proved) == MANY
    assert set(sigstore.proved.values()) == {1}
    assert sigstore.read == MANY


def test_b05_each_item_is_proved_once_under_each_root(sigstore: Sigstore) -> None:
    identities = (making.identity(issuer="https://other.example.com"), making.identity(root="other"))
    verdict = _judge(*(f"published {number}".encode() for number in range(MANY)), identities=identities)

    assert isinstance(verdict, Refused)
    assert len(sigstore.proved) == 2 * MANY
    assert set(sigstore.proved.values()) == {1}


@pytest.mark.usefixtures("sigstore")
def test_the_statement_of_another_item_counts() -> None:
    verdict = _judge(b"published", b"built")

    assert isinstance(verdict, Accepted)
    assert verdict.bad_items == ()
