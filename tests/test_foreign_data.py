"""B04, T14: on untrusted input a reader raises only its own error, and a bad item hides no good one."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

import samples
from _sigstore.samples import CLAIMS, DATA, NOON, STATEMENT, root_of, service
from builds import ours
from foreign import BINARIES, SPELLINGS, TOML_SPELLINGS, mutants, paths, respelled, spellings
from pip_warden._sigstore.rekor import find_log_entry
from pip_warden._sigstore.result import Envelope, VerificationResult
from pip_warden._sigstore.root import load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of
from pip_warden.errors import RegistryError, TrustFileError, TrustRootError, UsageError, WardenError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import Pair, complete, read_pair
from pip_warden.evidence.locate import locate
from pip_warden.evidence.model import BadItem, Evidence, EvidenceForm, Item
from pip_warden.evidence.pep740 import read_attestation, read_provenance
from pip_warden.evidence.siblings import Siblings
from pip_warden.faults import Fault
from pip_warden.index.gitlab import GitLab
from pip_warden.index.simple import parse_page
from pip_warden.publish.token import read_token
from pip_warden.report import json as report_json
from pip_warden.report import text as report_text
from pip_warden.report.model import Report, line_of
from pip_warden.sandbox.sigstore import BundleForm, MediaType
from pip_warden.strict_json import JSONValue
from pip_warden.transport import Response, Transport, error_for
from pip_warden.trust.file import parse as parse_trust
from pip_warden.trust.model import Requirements
from pip_warden.vault import Vault
from pip_warden.verdict.attested import ANNOTATIONS, SignedStatement
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted, Verdict
from pip_warden.verdict.statement import (
    EVIDENCE_OF_PUBLICATION,
    PAYLOAD_TYPE,
    PROVENANCE,
    check_subject,
    read_statement,
)
from trust.test_file import PATH as TRUST_PATH
from trust.test_file import WHOLE as TRUST

DIGEST = digest_of(DATA)
SIGSTORE = service()
SIGSTORE.sign_blob(b"entry 0", CLAIMS)
ROOT = root_of(SIGSTORE)
SIG, CRT = SIGSTORE.sign_detached(DATA, CLAIMS)
BLOB: dict[str, Any] = SIGSTORE.sign_blob(DATA, CLAIMS, form=BundleForm(timestamp=True))
OLD: dict[str, Any] = SIGSTORE.sign_blob(DATA, CLAIMS, form=BundleForm(media_type=MediaType.V01))
DSSE: dict[str, Any] = SIGSTORE.sign_statement(STATEMENT, CLAIMS)
ATTESTATION: dict[str, Any] = SIGSTORE.pep740(STATEMENT, CLAIMS)
ATTESTED = {
    "version": 1,
    "attestation_bundles": [{"publisher": {"kind": "GitLab"}, "attestations": [ATTESTATION]}],
}
PAIR = cast("Pair", read_pair("a.sig", SIG, CRT))
LOGGED: list[Any] = [
    entry.rekor_json() for entry in SIGSTORE.rekor.by_proposal(PAIR.wanted(DIGEST).proposed())
]
BUILT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": samples.WHEEL, "digest": {"sha256": DIGEST.hex}}],
    "predicateType": PROVENANCE,
    "predicate": ours() | {"annotations": {"reviewed": "yes"}},
}
PAGE = {
    "meta": {"api-version": "1.0"},
    "name": "acme-widgets",
    "files": [
        {
            "filename": samples.WHEEL,
            "url": f"https://files.example.com/{samples.WHEEL}",
            "hashes": {"sha256": DIGEST.hex},
            "requires-python": ">=3.11",
            "size": 9,
            "upload-time": "2026-01-02T03:04:05Z",
            "yanked": "broken",
            "provenance": "https://files.example.com/provenance",
            "core-metadata": {"sha256": DIGEST.hex},
        }
    ],
}
PACKAGE = {"id": 5, "name": "acme_widgets", "version": "1.0", "project_id": 7, "project_path": "acme/widgets"}
ROW = {
    "id": 9,
    "package_id": 5,
    "file_name": samples.WHEEL,
    "file_sha256": DIGEST.hex,
    "created_at": "2026-01-02T03:04:05Z",
}
PROJECT = {
    "id": 7,
    "path_with_namespace": "acme/widgets",
    "default_branch": "main",
    "visibility": "private",
    "web_url": "https://gitlab.example.com/acme/widgets",
}
TOKEN = {
    "iss": "https://gitlab.example.com",
    "aud": ["sigstore"],
    "exp": 4_000_000_000,
    "project_path": "acme/widgets",
    "project_id": "7",
    "job_project_id": "7",
    "pipeline_source": "push",
    "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
}
PERSON = {"iss": "https://accounts.example.com", "aud": "sigstore", "exp": 4_000_000_000, "email": "a@b.c"}
REMEMBERED = {
    "items": [
        {
            "label": "a.sigstore.json",
            "form": "bundle",
            "bundle": base64.b64encode(json.dumps(BLOB).encode()).decode(),
        }
    ]
}


class Answers:
    """A transport that responds to each request with the next of some bodies, then with the last again."""

    def __init__(
        self, *bodies: bytes, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.bodies, self.status, self.headers = list(bodies), status, headers

    def get(self, url: str, **_: object) -> Response:
        return self._next(url)

    def post_json(self, url: str, _payload: JSONValue, *, max_bytes: int) -> Response:  # noqa: ARG002
        return self._next(url)

    def has_credentials(self, _url: str) -> bool:
        return True

    def _next(self, url: str) -> Response:
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Response(
            status=self.status, url=url, headers=self.headers, body=body, sent_credentials=bool(self.bodies)
        )


def gitlab(*bodies: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> GitLab:
    return GitLab(cast("Transport", Answers(*bodies, headers=headers)), "https://gitlab.example.com")


def own(error: type[WardenError], work: Callable[[], object], *codes: str) -> None:
    """Do work that may end in this error and no other; its text can be written anywhere."""
    said: WardenError | None = None
    try:
        work()
    except error as err:
        said = err
    if said is not None:
        assert not codes or said.code in codes
        (report_text.render_error(said) + report_json.render_error("x", said)).encode("utf-8")


def item(found: Item | BadItem) -> None:
    """Prove an item, or read the fault of a bad one."""
    if isinstance(found, Item):
        assert isinstance(verify_bundle(found.wire, DIGEST, ROOT), VerificationResult | Fault)
    else:
        writable(found.fault)


def writable(fault: Fault) -> None:
    (fault.expected + fault.found + fault.hint).encode("utf-8")


def of_bundle(raw: bytes) -> None:
    for form in (EvidenceForm.BUNDLE, EvidenceForm.DSSE_BUNDLE):
        item(read_bundle("a", raw, form))


def of_attestation(raw: bytes) -> None:
    item(read_attestation("a", raw))


def of_provenance(raw: bytes) -> None:
    found = read_provenance("a", raw)
    assert found
    for one in found:
        item(one)


def of_statement(raw: bytes) -> None:
    envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=raw)
    statement = read_statement(envelope)
    fault = check_subject(statement, samples.artifact(), EVIDENCE_OF_PUBLICATION)
    if fault is not None:
        writable(fault)
    if isinstance(statement, Fault):
        writable(statement)
        return
    witness = SignedStatement(statement=statement, claims=samples.claims(source_digest="0" * 40))
    for require in (
        Requirements(provenance=PROVENANCE, source_revision="0" * 40),
        Requirements(annotations=(("reviewed", "yes"),)),
    ):
        for kind in (PROVENANCE, ANNOTATIONS):
            changed = SignedStatement(
                statement=type(statement)(
                    predicate_type=kind, subjects=statement.subjects, predicate=statement.predicate
                ),
                claims=witness.claims,
            )
            if said := samples.unmet(require, (changed,)):
                writable(said)


def of_log_answer(raw: bytes) -> None:
    for status in (200, 400, 500):
        wanted = PAIR.wanted(DIGEST)
        answers = Answers(raw, status=status)
        own(
            RegistryError,
            lambda answers=answers, wanted=wanted: item(  # type: ignore[misc]
                complete(PAIR, DIGEST, find_log_entry(answers, ["https://rekor.example"], wanted))
            ),
            "bad-rekor-answer",
        )


def of_root(raw: bytes) -> None:
    own(TrustRootError, lambda: load_root(raw).rekor_v1_urls, "bad-trusted-root")


def of_page(raw: bytes) -> None:
    def read() -> None:
        page = parse_page(
            project=samples.PROJECT,
            source="acme",
            url=samples.page_url(),
            content_type="application/vnd.pypi.simple.v1+json",
            body=raw,
        )
        for candidate in page.candidates:
            assert isinstance(candidate.claimed_size, int | None)
            assert isinstance(candidate.claimed_requires_python, str | None)
            assert isinstance(candidate.claimed_yanked, str | None)
            repr(candidate).encode("utf-8")

    own(RegistryError, read, "bad-index-page")


def of_project(raw: bytes) -> None:
    own(RegistryError, lambda: gitlab(raw).project_info(7), "bad-answer")


def of_packages(raw: bytes) -> None:
    rows = json.dumps([ROW]).encode()
    own(RegistryError, lambda: gitlab(raw, rows, b"[]").package_files(7, "acme_widgets", "1.0"), "bad-answer")
    own(
        RegistryError,
        lambda: gitlab(raw, rows, b"[]").owner_of(
            "acme", samples.PROJECT, Version("1.0"), samples.WHEEL, DIGEST
        ),
        "bad-answer",
        "no-owner",
        "ambiguous-owner",
    )


def of_rows(raw: bytes) -> None:
    packages = json.dumps([PACKAGE]).encode()
    own(
        RegistryError,
        lambda: gitlab(packages, raw, b"[]").package_files(7, "acme_widgets", "1.0"),
        "bad-answer",
    )


def of_failure(raw: bytes) -> None:
    for status in (400, 401, 404, 429, 500):
        reply = Response(status=status, url="https://gitlab.example.com/x", headers={}, body=raw)
        own(WardenError, lambda reply=reply: _raise(error_for(reply, "it")))  # type: ignore[misc]


def _raise(error: WardenError) -> None:
    raise error


def of_token(raw: bytes) -> None:
    body = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    for is_public_good in (False, True):
        own(
            UsageError,
            lambda is_public_good=is_public_good: (
                read_token(  # type: ignore[misc]
                    f"e30.{body}.x", now=NOON, is_public_good=is_public_good
                )
                .in_words()
                .encode("utf-8")
            ),
        )


READERS: dict[str, tuple[Callable[[bytes], None], tuple[Any, ...]]] = {
    "bundle": (of_bundle, (BLOB, OLD, DSSE)),
    "attestation": (of_attestation, (ATTESTATION,)),
    "provenance": (of_provenance, (ATTESTED,)),
    "statement": (of_statement, (BUILT,)),
    "log answer": (of_log_answer, (LOGGED, {"code": 400, "message": "no"})),
    "trusted root": (of_root, (SIGSTORE.trusted_root(),)),
    "page": (of_page, (PAGE,)),
    "project": (of_project, (PROJECT,)),
    "packages": (of_packages, ([PACKAGE],)),
    "rows": (of_rows, ([ROW],)),
    "failure": (of_failure, ({"message": "no", "error": "x"},)),
    "token": (of_token, (TOKEN, PERSON)),
}


@pytest.mark.parametrize("name", READERS)
def test_b04_any_value_in_the_place_of_any_other(name: str) -> None:
    read, documents = READERS[name]
    for document in documents:
        read(json.dumps(document).encode())
        for raw in mutants(document):
            read(raw)


@settings(max_examples=50)
@given(st.data())
@pytest.mark.parametrize("name", READERS)
def test_b04_anything_in_the_place_of_any_value(name: str, data: st.DataObject) -> None:
    read, documents = READERS[name]
    document = data.draw(st.sampled_from(documents))
    way = data.draw(st.sampled_from(list(paths(document))))

    read(respelled(document, way, data.draw(spellings)))


@settings(max_examples=50)
@given(st.binary(max_size=200) | st.sampled_from(BINARIES))
@pytest.mark.parametrize("name", READERS)
def test_b04_bytes_that_are_nothing(name: str, raw: bytes) -> None:
    READERS[name][0](raw)


@given(*[st.binary(max_size=200) | st.sampled_from((*BINARIES, SIG, CRT, base64.b64encode(CRT)))] * 2)
def test_b04_a_pair_of_anything(signature: bytes, certificate: bytes) -> None:
    found = read_pair("a", signature, certificate)
    if isinstance(found, Pair):
        item(complete(found, DIGEST, None))
    else:
        writable(found)


HERE = "HERE-AND-NOWHERE-ELSE"


@cache
def _marked_trust() -> tuple[str, ...]:
    """Return the trust file once for each of its values, with a placeholder for that."""
    marked = []
    for way in filter(None, paths(tomllib.loads(TRUST))):
        changed = tomllib.loads(TRUST)
        place: Any = changed
        for step in way[:-1]:
            place = place[step]
        place[way[-1]] = HERE
        marked.append(tomlkit.dumps(changed))
    return tuple(marked)


@pytest.mark.parametrize("text", TOML_SPELLINGS)
def test_b04_any_value_in_a_trust_file(text: str) -> None:
    for marked in _marked_trust():
        raw = marked.replace(f'"{HERE}"', text)
        own(TrustFileError, lambda raw=raw: parse_trust(raw, TRUST_PATH))  # type: ignore[misc]


@pytest.mark.parametrize(
    "headers",
    [
        {"link": '<https://[>; rel="next"'},
        {"link": '<//[::1>; rel="next"'},
        {"link": '<https://elsewhere.example/>; rel="next"'},
        {"x-next-page": "²"},
        {"x-next-page": "1" * 5000},
        {"x-next-page": "-1"},
    ],
)
def test_b04_a_next_page_that_is_nowhere(headers: dict[str, str]) -> None:
    packages = json.dumps([PACKAGE | {"name": "other"}]).encode()
    with pytest.raises(RegistryError) as caught:
        gitlab(packages, headers=headers).package_files(7, "acme_widgets", "1.0")
    assert caught.value.code == "bad-answer"


def test_b05_a_link_header_without_a_next_page_is_read_once() -> None:
    packages = json.dumps([PACKAGE | {"name": "other"}]).encode()

    assert gitlab(packages, headers={"link": "<a>;" * 16_000}).package_files(7, "acme_widgets", "1.0") == ()


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset*=a\x00b''x",
        "text/html; charset*=utf-8''%ff",
        "text/html; charset*0*=undefined''a; charset*2=b",
        "text/html; charset=idna",
        "text/html; charset=\udcff",
        "\x00",
        "text/html; charset",
        ";" * 60_000,
        'text/html; a="' + "\\" * 60_000,
    ],
)
def test_b04_a_content_type_that_is_none(content_type: str) -> None:
    own(
        RegistryError,
        lambda: parse_page(
            project=samples.PROJECT,
            source="a",
            url=samples.page_url(),
            content_type=content_type,
            body=b"<a>",
        ),
        "bad-index-page",
    )


# One bad item next to a good one.

NAME = samples.WHEEL
GOOD: dict[str, bytes] = {
    f"{NAME}.sigstore.json": json.dumps(BLOB).encode(),
    f"{NAME}.publish.attestation": json.dumps(ATTESTATION).encode(),
    f"{NAME}.slsa.sigstore.json": json.dumps(DSSE).encode(),
}


def judged(evidence: Evidence) -> Verdict:
    verdict = judge(
        samples.artifact(), evidence, trust=samples.trust(), roots={"default": ROOT}, today=samples.TODAY
    )
    report = Report(command="x", exit_code=0, lines=(line_of(verdict),))
    (report_text.render(report) + report_json.render(report)).encode("utf-8")
    return verdict


@dataclass
class Rows:
    """A store with bad rows above the good one of every name."""

    bad: bytes
    good: str

    def fetch(self, _name: str, *, max_bytes: int) -> bytes | None:  # noqa: ARG002
        return self.bad

    def rows(self, name: str, *, max_bytes: int) -> Any:  # noqa: ARG002
        yield "#2", self.bad
        if name == self.good:
            yield "#3", GOOD[name]

    def names(self, _prefix: str) -> None:
        return None


@pytest.mark.parametrize("good", GOOD)
@pytest.mark.parametrize("spelling", [s for s in SPELLINGS if len(s) < 5000])
def test_b04_a_bad_item_of_each_kind_masks_no_good_one(good: str, spelling: str) -> None:
    for document, place in (
        (BLOB, ("verificationMaterial", "tlogEntries", 0, "kindVersion", "kind")),
        (BLOB, ("verificationMaterial", "tlogEntries", 0, "integratedTime")),
        (DSSE, ("dsseEnvelope", "payloadType")),
        (ATTESTATION, ("version",)),
        (ATTESTED, ()),
    ):
        bad = respelled(document, place, spelling)
        found = tuple(locate(NAME, DIGEST, [Rows(bad, good)], lambda _: None))

        assert isinstance(judged(found), Accepted), bad


@settings(max_examples=50)
@given(st.data())
def test_b04_anything_at_all_masks_no_good_one(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from((BLOB, OLD, DSSE, ATTESTATION)))
    way = data.draw(st.sampled_from(list(paths(document))))
    bad = respelled(document, way, data.draw(spellings))

    beside = (read_bundle("bad", bad), read_attestation("bad", bad), *read_provenance("bad", bad))
    good = read_bundle("good", GOOD[f"{NAME}.sigstore.json"])

    assert isinstance(judged((*beside, good)), Accepted)


@pytest.mark.parametrize("document", [BLOB, DSSE, ATTESTATION])
@pytest.mark.parametrize("half", [r'"\ud800"', r'"a\udfff"', r'{"\udc00": "x"}'])
def test_b04_half_a_character_anywhere_is_a_bad_item(document: dict[str, Any], half: str) -> None:
    for way in paths(document):
        raw = respelled(document, way, half)

        found = read_attestation("a", raw) if document is ATTESTATION else read_bundle("a", raw)

        assert isinstance(found, BadItem), way
        assert found.fault.code == ("bad-attestation" if document is ATTESTATION else "bad-bundle")


def test_b04_a_file_name_that_is_no_text_is_no_evidence(tmp_path: Path) -> None:
    odd = tmp_path / f"{NAME}.\udcff.sigstore.json"
    try:
        odd.write_bytes(json.dumps(DSSE).encode())
    except OSError:
        pytest.skip("this file system has no such names")

    assert not list(locate(NAME, DIGEST, [Siblings(tmp_path)], lambda _: None))


def test_b04_what_the_vault_remembers_may_be_anything(tmp_path: Path) -> None:
    place = tmp_path / "v1" / DIGEST.hex[:2] / DIGEST.hex
    place.mkdir(parents=True, mode=0o700)
    tmp_path.chmod(0o700)
    vault, kept = Vault(tmp_path), place / "evidence.json"
    for raw in mutants(REMEMBERED):
        kept.write_bytes(raw)
        assert vault.entry(PAIR.wanted(DIGEST)) is None
