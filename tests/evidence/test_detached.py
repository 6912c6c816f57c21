"""Detached signatures: read strictly, completed from the transparency log or not at all."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Message

from _sigstore.samples import CLAIMS, DATA, root_of, service
from pip_warden._sigstore.rekor import Hashedrekord, find_log_entry
from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of
from pip_warden.errors import NetworkError, RegistryError
from pip_warden.evidence.detached import Pair, complete, read_pair
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.sandbox.sigstore.rekor_app import rekor_app
from pip_warden.strict_json import JSONValue

DIGEST = digest_of(DATA)
URLS = ("https://rekor.sandbox.invalid",)
SIGSTORE = service()
SIGSTORE.sign_blob(b"entry 0", CLAIMS)
SIG, PEM = SIGSTORE.sign_detached(DATA, CLAIMS)
OTHER_SIG, OTHER_PEM = SIGSTORE.sign_detached(b"another wheel", CLAIMS)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


def retrieve(payload: JSONValue) -> Reply:
    """Sends requests to the sandbox's log, without a socket."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(payload).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/log/entries/retrieve",
        "headers": [],
        "query_string": b"",
    }
    asyncio.run(rekor_app(SIGSTORE)(scope, receive, send))
    return Reply(sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]))


class Rekor:
    """Responds as the sandbox's log does, with a test's change to the response."""

    def __init__(self, twist: Callable[[bytes], bytes] = bytes, status: int | None = None) -> None:
        self.twist, self.status = twist, status
        self.asked: list[str] = []

    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Reply:  # noqa: ARG002
        self.asked.append(url)
        answer = retrieve(payload)
        return Reply(self.status or answer.status, self.twist(answer.body))


class Unreachable:
    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Reply:  # noqa: ARG002
        raise NetworkError("no-answer", "nobody there")


def pair(signature: bytes = SIG, certificate: bytes = PEM) -> Pair:
    found = read_pair("a.sig", signature, certificate)
    assert isinstance(found, Pair), found
    return found


def der(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


@pytest.mark.parametrize(
    ("signature", "certificate"),
    [
        (SIG, PEM),
        (SIG + b"\n", base64.b64encode(PEM)),
        (SIG + b"\r\n", base64.b64encode(PEM) + b"\n"),
        (SIG, der(PEM)),
        (SIG, PEM.replace(b"\n", b"\r\n")),
        (SIG + b"\n", PEM + b"\n"),  # sigstore-python's
        (SIG, PEM.rstrip()),
    ],
)
def test_a_pair_is_completed_and_proved(signature: bytes, certificate: bytes) -> None:
    found = pair(signature, certificate)

    item = complete(found, DIGEST, find_log_entry(Rekor(), URLS, found.wanted(DIGEST)))

    assert isinstance(item, Item)
    assert isinstance(verify_bundle(item.wire, DIGEST, root_of(SIGSTORE)), VerificationResult)


@pytest.mark.parametrize(
    ("signature", "certificate", "data"),
    [(SIG, PEM, b"changed"), (OTHER_SIG, PEM, DATA), (SIG, OTHER_PEM, DATA), (OTHER_SIG, OTHER_PEM, DATA)],
)
def test_t02_parts_of_two_pairs_have_no_entry(signature: bytes, certificate: bytes, data: bytes) -> None:
    found, digest = pair(signature, certificate), digest_of(data)

    item = complete(found, digest, find_log_entry(Rekor(), URLS, found.wanted(digest)))

    assert isinstance(item, BadItem)
    assert item.fault.code == "no-log-entry"


def test_every_log_is_asked() -> None:
    rekor = Rekor()
    two = ("https://one.invalid/", "https://two.invalid")

    assert find_log_entry(rekor, two, Hashedrekord(digest=digest_of(b"x"), signature=b"s", pem=PEM)) is None
    assert rekor.asked == [f"{url.rstrip('/')}/api/v1/log/entries/retrieve" for url in two]


def edited(change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def twist(body: bytes) -> bytes:
        answer = json.loads(body)
        change(next(iter(answer[0].values())))
        return json.dumps(answer).encode()

    return twist


def always(answer: bytes) -> Callable[[bytes], bytes]:
    return lambda _body: answer


def _proof_of(entry: dict[str, object]) -> dict[str, object]:
    verification = entry["verification"]
    assert isinstance(verification, dict)
    proof: dict[str, object] = verification["inclusionProof"]
    return proof


def another(body: bytes) -> bytes:
    """Return the entry of another pair."""
    wanted = pair(OTHER_SIG, OTHER_PEM).wanted(digest_of(b"another wheel")).proposed()
    return retrieve({"entries": [wanted]}).body


@pytest.mark.parametrize(
    "twist",
    [
        another,
        lambda body: json.dumps(json.loads(body) * 2).encode(),
        always(b"<html>"),
        always(b""),
        always(b"{}"),
        always(b"[{}]"),
        edited(lambda entry: entry.update(logIndex="1")),
        edited(lambda entry: entry.update(logIndex=True)),
        edited(lambda entry: entry.update(logID="AB" * 32)),
        edited(lambda entry: entry.pop("verification")),
        edited(lambda entry: entry.update(integratedTime=-1)),
        edited(lambda entry: _proof_of(entry).update(treeSize=99)),
        edited(lambda entry: _proof_of(entry).update(rootHash="ab" * 32)),
        edited(lambda entry: _proof_of(entry).update(logIndex=2**62)),
    ],
)
def test_an_answer_that_makes_no_sense_decides_nothing(twist: Callable[[bytes], bytes]) -> None:
    with pytest.raises(RegistryError) as caught:
        find_log_entry(Rekor(twist), URLS, pair().wanted(DIGEST))

    assert caught.value.code == "bad-rekor-answer"


@pytest.mark.parametrize("status", [201, 400, 403, 429, 500, 503])
def test_a_log_that_fails_decides_nothing(status: int) -> None:
    with pytest.raises(RegistryError) as caught:
        find_log_entry(Rekor(status=status), URLS, pair().wanted(DIGEST))

    assert (caught.value.code, caught.value.status) == ("bad-rekor-answer", status)


def test_a_log_that_cannot_be_reached_decides_nothing() -> None:
    with pytest.raises(NetworkError):
        find_log_entry(Unreachable(), URLS, pair().wanted(DIGEST))


def test_not_found_is_no_entry() -> None:
    assert find_log_entry(Rekor(status=404), URLS, pair().wanted(DIGEST)) is None


@pytest.mark.parametrize(
    ("signature", "certificate", "code"),
    [
        (b"", PEM, "empty-evidence"),
        (SIG, b"", "empty-evidence"),
        (b"This resource has been moved temporarily", PEM, "evidence-is-redirect-text"),
        (SIG, b"<!DOCTYPE html>", "evidence-is-web-page"),
        (b" " + SIG, PEM, "bad-detached-signature"),
        (SIG + b"\n\n", PEM, "bad-detached-signature"),
        (base64.b64decode(SIG), PEM, "bad-detached-signature"),
        (base64.b64encode(base64.b64decode(SIG) + b"\0"), PEM, "bad-detached-signature"),
        (SIG, PEM + PEM, "bad-detached-signature"),
        (SIG, b"text before\n" + PEM, "bad-detached-signature"),
        (SIG, PEM + b"\n\n", "bad-detached-signature"),
        (SIG, der(PEM) + b"\0", "bad-detached-signature"),
        (SIG, base64.b64encode(der(PEM)), "bad-detached-signature"),
        (SIG, b"\xff\xfe", "bad-detached-signature"),
        (b"A" * 70000, PEM, "evidence-too-large"),
    ],
)
def test_t36_what_is_no_pair(signature: bytes, certificate: bytes, code: str) -> None:
    found = read_pair("a.sig", signature, certificate)

    assert isinstance(found, Fault)
    assert found.code == code


@given(signature=st.binary(max_size=100), certificate=st.binary(max_size=100))
@example(signature=b"0\x02\x00\x00", certificate=b"0\x02\x00\x00")
def test_t14_garbage_is_a_fault(signature: bytes, certificate: bytes) -> None:
    """What has the frame of a certificate is read as one when it is verified."""
    assert isinstance(read_pair("a", signature, PEM), Fault)
    found = read_pair("a", SIG, certificate)
    assert isinstance(found, Fault) or (found.certificate == certificate and certificate[:1] == b"0")
