"""``pip-warden inspect`` tells what something says: verified is only what was proved meanwhile."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import archives
import samples
from cli.terminal import Said, typed
from flow.user import User
from foreign import paths, respelled, spellings
from pip_warden._sigstore.described import describe_certificate
from pip_warden.cli.inspected import as_json, text
from pip_warden.digests import digest_of
from pip_warden.environments.receipt import Receipt, receipt_json
from pip_warden.evidence.model import EvidenceForm as EvidenceKind
from pip_warden.evidence.siblings import Siblings
from pip_warden.explain import catalogue
from pip_warden.faults import Fault
from pip_warden.inspection.contents import pieces_in
from pip_warden.inspection.model import ClaimedPiece, InspectedFile, Inspection
from pip_warden.inspection.once import StoreReadOnce
from pip_warden.inspection.proving import marked, proved
from pip_warden.report.formats import FORMATS
from pip_warden.report.layout import Layout
from pip_warden.report.model import Report, line_of
from pip_warden.sandbox import File, Job, Project, Sandbox
from pip_warden.sandbox.faults import Answer
from pip_warden.sandbox.signing import EvidenceForm
from pip_warden.verdict.model import Accepted, PinnedByHash, SignedBy

DATA = Path(__file__).parent.parent / "data"
STACK, REAL = DATA / "stack", DATA / "real"
BUNDLE = STACK / "v1.pip-warden-attest.sigstore.json"
EVIL = "\x1b[2J\u202e\r::error::"
CODES = frozenset(catalogue())


@pytest.fixture
def user(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    return User(
        sandbox=sandbox, home=home, patch=monkeypatch, target=home, token=sandbox.token(scopes=("api",))
    )


def signed(
    user: User, *forms: EvidenceForm, job: Job | None = None, pinned: bool = True
) -> tuple[Project, File]:
    """Put a wheel and its evidence into the working directory."""
    project = user.project()
    wheel = user.wheel(project)
    Path(wheel.name).write_bytes(wheel.data)
    signer = job or user.sandbox.job(project, tag="v1.0")
    for name, data in user.sandbox.sign(wheel, signer, forms or ("bundle",)).items():
        Path(name).write_bytes(data)
    if pinned:
        user.pin(project)
    return project, wheel


def inspect(*words: str) -> Said:
    return typed("inspect", *words)


def seen(*words: str, code: int = 0) -> Any:
    said = inspect(*words, "--format", "json")
    assert said.code == code, said
    return said.json


def marks(found: Any) -> dict[str, bool]:
    """Return what is marked as verified: the files, and each piece of evidence."""
    files = {file["file"]: file["verified"] for file in found["inspected_files"]}
    pieces = [piece for file in found["inspected_files"] for piece in file["evidence"]]
    return files | {piece["evidence"]: piece["verified"] for piece in pieces}


def test_a_wheel_is_told_of_with_what_lies_beside_it_and_nobody_is_asked(user: User) -> None:
    project, wheel = signed(user, "bundle", "slsa-bundle", "pep740", "detached", pinned=False)
    (user.home / "pytrust.toml").unlink()
    before = len(user.sandbox.requests)
    said = inspect(wheel.name)
    found = seen(wheel.name)

    assert said.code == 0, said
    assert said.out.startswith(f"UNVERIFIED: what {wheel.name} says; anybody could have written it\n")
    assert "verified: " not in said.out.replace("UNVERIFIED: ", "")
    assert said.out.count("UNVERIFIED: ") == 6
    job = user.sandbox.job(project, tag="v1.0")
    assert said.out.count(f"signer               {job.san}\n") == 4
    assert f"project-id           {project.id}\n" in said.out
    assert f"subject              {wheel.name} sha256:{wheel.sha256}\n" in said.out
    assert f"of a file            sha256 {wheel.sha256}\n" in said.out
    assert f"gitCommit:{job.claims()['sha']}\n" in said.out
    assert "with an inclusion proof" in said.out
    assert len(user.sandbox.requests) == before

    assert (found["verified"], found["exit_code"], found["command"]) == (False, 0, "inspect")
    assert not any(marks(found).values())
    (file,) = found["inspected_files"]
    assert (file["sha256"], file["metadata"]["version"]) == (wheel.sha256, "1.0")
    kinds = [piece["kind"] for piece in file["evidence"]]
    assert kinds == ["Sigstore bundle", "PEP 740 attestation", "Sigstore bundle", "detached signature"]
    assert all(piece["certificate"]["subjects"] == [job.san] for piece in file["evidence"])
    assert file["evidence"][2]["statement"]["provenance"]["builder"].startswith(user.sandbox.issuer)


def test_what_is_verified_in_the_same_call_is_headed_so(user: User) -> None:
    _, wheel = signed(user, "bundle", "slsa-bundle", "pep740", "detached")
    said, found = inspect(wheel.name, "--verify"), seen(wheel.name, "--verify")

    assert said.code == 0, said
    # Only the piece that the verdict rests on is proved, and every statement: the other signature is not.
    names = marks(found)
    assert names.pop(f"{wheel.name}.sig") is False
    assert all(names.values())
    assert len(names) == 4
    assert said.out.startswith("UNVERIFIED: ")
    assert f"  verified: {wheel.name}.sigstore.json" in said.out

    for half in ("sig", "crt"):
        Path(f"{wheel.name}.{half}").unlink()
    said, found = inspect(wheel.name, "--verify"), seen(wheel.name, "--verify")
    assert said.out.startswith(
        f"verified: {wheel.name} was accepted, and all of its evidence is by who is pinned\n"
    )
    assert "UNVERIFIED" not in said
    assert (found["verified"], found["files"][0]["outcome"]) == (True, "accepted")


def test_a_detached_signature_is_verified_with_its_log_entry(user: User) -> None:
    _, wheel = signed(user, "detached")
    assert seen(wheel.name)["inspected_files"][0]["evidence"][0]["log_entry"] is None
    found = seen(wheel.name, "--verify")

    assert found["verified"] is True
    assert found["inspected_files"][0]["evidence"][0]["log_entry"]["has_proof"] is True
    for name in (f"{wheel.name}.sig", f"{wheel.name}.crt"):
        assert seen(name)["inspected_evidence"][0]["certificate"] is not None
        assert seen(name, "--verify")["files"][0]["outcome"] == "accepted"


@pytest.mark.parametrize("form", ["bundle", "slsa-bundle", "pep740"])
def test_a_piece_of_evidence_is_verified_for_the_file_beside_it(user: User, form: EvidenceForm) -> None:
    _, wheel = signed(user, form)
    (name,) = {path.name for path in user.home.glob(f"{wheel.name}.*")}
    assert seen(name)["verified"] is False
    found = seen(name, "--verify")
    assert (found["verified"], marks(found)) == (True, {wheel.name: True, name: True})

    Path(wheel.name).write_bytes(wheel.data + b"x")
    refused = seen(name, "--verify", code=1)
    assert refused["verified"] is False
    assert not any(marks(refused).values())

    Path(wheel.name).unlink()
    assert seen(name, "--verify", code=2)["error"]["code"] == "evidence-alone"


def test_what_is_refused_stays_unverified(user: User) -> None:
    _, wheel = signed(user, pinned=False)
    said, found = inspect(wheel.name, "--verify"), seen(wheel.name, "--verify", code=1)

    assert said.code == 1
    assert said.out.startswith("UNVERIFIED: ")
    assert "verified: " not in said.out.replace("UNVERIFIED: ", "")
    assert "[not-pinned]" in said.err
    assert found["verified"] is False
    assert found["files"][0]["refused"]["code"] == "not-pinned"
    assert not any(marks(found).values())


def test_what_is_judged_is_told_in_every_format_and_what_is_not_in_none(user: User) -> None:
    _, wheel = signed(user, pinned=False)
    told = [word for name in FORMATS for word in ("--output", f"{name}=told.{name}")]
    said = inspect(wheel.name, "--verify", *told)
    assert (said.code, said.out.startswith("UNVERIFIED: ")) == (1, True)
    for name in FORMATS:
        assert "not-pinned" in Path(f"told.{name}").read_text(encoding="utf-8")

    for words in (told, ("--html", "told.html"), ("--format", "junit")):
        said = inspect(wheel.name, *words)
        assert (said.code, "[usage]" in said, "add --verify" in said) == (2, True, True)
    assert "accepted" not in Path("told.junit").read_text(encoding="utf-8")


def test_evidence_by_another_is_not_verified_with_that_of_the_pinned(user: User) -> None:
    _, wheel = signed(user, "bundle", "slsa-bundle")
    stranger = user.sandbox.job(user.project(), tag="v1.0")
    for name, data in user.sandbox.sign(wheel, stranger, ("pep740",)).items():
        Path(name).write_bytes(data)
    said, found = inspect(wheel.name, "--verify"), seen(wheel.name, "--verify")

    assert (found["exit_code"], found["verified"]) == (0, False)
    assert said.out.startswith("UNVERIFIED: ")
    assert [name for name, is_verified in marks(found).items() if not is_verified] == [
        f"{wheel.name}.publish.attestation"
    ]


def test_two_pieces_of_one_label_are_not_taken_for_each_other() -> None:
    """Two places of a registry can have evidence of one name, of which one is good."""
    signed_by = SignedBy(
        label="a",
        form=EvidenceKind.BUNDLE,
        claims=samples.claims(),
        log_index=1,
        log_time=datetime(2026, 1, 1, tzinfo=UTC),
        root="default",
    )
    accepted = Accepted(artifact=samples.artifact(), basis=signed_by)
    good = ClaimedPiece(label="a", kind="Sigstore bundle")
    other = replace(good, sha256="1")
    bad = replace(good, fault=Fault(code="bad-bundle", expected="", found=""))

    def are_verified(*pieces: ClaimedPiece, by: Accepted = accepted) -> list[bool]:
        return [each.is_verified for each in proved(pieces, by)]

    assert are_verified(good, good) == [True, True]
    assert are_verified(good, other) == [False, False]
    assert are_verified(bad) == [False]
    assert are_verified(good, by=replace(accepted, basis=PinnedByHash(reason="x"))) == [False]


def test_a_release_is_told_of_from_its_pinned_source(user: User) -> None:
    project = user.published(forms=("bundle", "slsa-bundle"))
    name = f"{project.record.name}==1.0"
    told, proved = seen(name), seen(name, "--verify")
    said = inspect(name)

    assert told["verified"] is False
    assert not any(marks(told).values())
    assert said.out.startswith(f"UNVERIFIED: what {name} says")
    assert proved["verified"] is True
    assert len(marks(proved)) == 3
    assert all(marks(proved).values())
    assert inspect(name, "--verify").out.startswith("verified: ")
    assert seen(f"{project.record.name}==9", code=1)["error"]["code"] == "no-release"
    assert seen("nobody==1", code=1)["error"]["code"] == "not-pinned"
    assert seen(f"{project.record.name}==x", code=2)["error"]["code"] == "invalid-version"


def test_a_release_without_evidence_is_refused_where_it_is_verified(user: User) -> None:
    project = user.published(forms=())
    name = f"{project.record.name}==1.0"

    assert seen(name)["inspected_files"][0]["evidence"] == []
    assert "evidence             none was found" in inspect(name).out
    refused = seen(name, "--verify", code=1)
    assert (refused["verified"], refused["files"][0]["refused"]["code"]) == (False, "no-evidence")


def test_what_is_told_of_a_release_and_what_is_judged_are_the_same_bytes(user: User) -> None:
    project = user.published(forms=("bundle",))
    before = len(user.sandbox.requests)
    seen(f"{project.record.name}==1.0", "--verify")
    asked = [each.path for each in user.sandbox.requests[before:] if each.status == 200]

    assert len(asked) == len(set(asked))


def test_what_is_refused_whatever_its_content_is_not_fetched(user: User) -> None:
    project = user.published(pinned=False)
    wheel = user.wheel(project)
    user.pin_hash(user.wheel(project, "2.0"), name=project.record.name, source="acme", project=project)
    before = len(user.sandbox.requests)
    (file,) = seen(f"{project.record.name}==1.0")["inspected_files"]

    assert (file["file"], file["fault"]["code"], file["verified"]) == (
        wheel.name,
        "version-not-pinned",
        False,
    )
    assert not [each for each in user.sandbox.requests[before:] if each.path.endswith(".whl")]


def test_a_hash_proves_the_file_and_nobody_who_signed_it(user: User) -> None:
    _, wheel = signed(user, pinned=False)
    user.pin_hash(wheel, name=wheel.name.partition("-")[0])
    found = seen(wheel.name, "--verify")

    assert found["verified"] is False
    assert marks(found) == {wheel.name: True, f"{wheel.name}.sigstore.json": False}

    Path(f"{wheel.name}.sigstore.json").unlink()
    head = inspect(wheel.name, "--verify").out.splitlines()[0]
    assert head == f"verified: {wheel.name} was accepted by its hash alone", "by nobody who is pinned"


def test_a_place_is_read_once(tmp_path: Path) -> None:
    store = StoreReadOnce(Siblings(tmp_path))
    found = []
    for content in (b"told of", b"judged"):
        (tmp_path / content.decode()).write_bytes(b"")
        (tmp_path / "file").write_bytes(content)
        found.append((store.fetch("file", max_bytes=9), store.names("")))

    assert found == [(b"told of", ["file", "told of"])] * 2


def test_another_file_of_the_name_is_not_marked() -> None:
    accepted = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="x"))
    report = Report(command="inspect", exit_code=0, lines=(line_of(accepted),))
    same = InspectedFile(filename=samples.WHEEL, artifact=samples.artifact())
    other = replace(same, artifact=samples.artifact(digest=digest_of(b"other")))

    assert [marked(each, report).is_verified for each in (same, other)] == [True, False]


def url_of(user: User, filename: str) -> str:
    """Return the URL at which the sandbox has a file of the last requests."""
    found = [each.path for each in user.sandbox.requests if each.path.endswith(filename)]
    return user.sandbox.gitlab_url + found[-1]


def test_a_url_is_fetched_with_the_token_of_its_origin(user: User) -> None:
    project = user.published(forms=("bundle",))
    wheel = seen(f"{project.record.name}==1.0")["inspected_files"][0]["file"]
    there = url_of(user, f"{wheel}.sigstore.json")
    found = seen(there)
    file = seen(url_of(user, wheel))["inspected_files"][0]

    assert (found["verified"], found["about"]) == (False, there)
    assert found["inspected_evidence"][0]["certificate"]["issuer"] == user.sandbox.issuer
    assert (file["file"], file["verified"], file["evidence"]) == (wheel, False, [])
    user.patch.delenv("GITLAB_TOKEN")
    assert seen(there, code=3)["error"]["code"] in {"credentials-needed", "not-found"}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/a.sigstore.json", "insecure-url"),
        ("ftp://example.com/a", "insecure-url"),
        ("https://user:secret@example.com/a", "insecure-url"),
        ("https://[/", "insecure-url"),
    ],
)
def test_a_url_that_may_not_be_asked(user: User, url: str, code: str) -> None:
    said = inspect(url, "--format", "json")
    assert (said.code, said.json["error"]["code"]) == (3, code)
    assert "secret" not in said


def test_a_url_is_not_verified(user: User) -> None:
    said = inspect("https://user:secret@example.com/a", "--verify")
    assert (said.code, "error[usage]" in said.err, "secret" in said) == (2, True, False)


def test_a_page_in_the_place_of_evidence(user: User) -> None:
    user.sandbox.fault(Answer(status=200, body=b"<html>sign in"), "isp-page")
    url = f"{user.sandbox.gitlab_url}/isp-page"
    assert seen(url, code=1)["error"]["code"] == "evidence-is-web-page"


def written(name: str, content: bytes) -> str:
    Path(name).write_bytes(content)
    return name


def statement(**changes: Any) -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": f"a{EVIL}", "digest": {"sha256": "0" * 64, "md5": "1"}}],
            "predicateType": "https://slsa.dev/provenance/v0.2",
            "predicate": {
                "builder": {"id": f"https://builder{EVIL}"},
                "materials": [{"uri": "git+https://x", "digest": {"sha1": "abc"}}, None],
                "annotations": {f"k{EVIL}": f"v{EVIL}", "n": 1},
            },
        }
        | changes
    ).encode()


def test_what_nobody_signed_is_told_too_and_escaped(home: Path) -> None:
    envelope = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(statement()).decode(),
        "signatures": [{"sig": "AAAA"}],
    }
    for name in (written("s.json", statement()), written("e.json", json.dumps(envelope).encode())):
        said = inspect(name)
        assert said.code == 0, said
        assert said.out.startswith("UNVERIFIED: ")
        assert "git+https://x sha1:abc" in said
        assert "annotation           k\\u001b[2J\\u202e" in said.out
        assert not any(char in said for char in "\x1b\u202e\r")
        (piece,) = seen(name)["inspected_evidence"]
        assert piece["statement"]["annotations"] == [{"name": f"k{EVIL}", "value": f"v{EVIL}"}]
        assert piece["statement"]["provenance"]["builder"] == f"https://builder{EVIL}"


SECRET = "https://me:SECRET@gitlab.example/acme.whl?sig=SECRET"
BARE = "https://…@gitlab.example/acme.whl?…"


def test_what_lets_somebody_in_is_not_told(home: Path) -> None:
    """Whoever wrote it let it slip; a report of it may be public."""
    Path("acme_widgets-1.0-py3-none-any.whl").write_bytes(
        archives.wheel(
            {f"{archives.INFO}/METADATA": f"{archives.METADATA.rstrip()}\nRequires-Dist: acme @ {SECRET}\n"}
        )
    )
    told = statement(subject=[{"name": SECRET, "digest": {"sha256": "00" * 32}}])
    told = told.replace(b"git+https://x", f"git+{SECRET}".encode()).replace(
        b"https://builder", SECRET.encode()
    )
    for name in ("acme_widgets-1.0-py3-none-any.whl", written("s.json", told)):
        assert "gitlab.example/acme.whl?…" in inspect(name).out
        assert "SECRET" not in inspect(name)
        assert "SECRET" not in json.dumps(seen(name))
    found = seen("acme_widgets-1.0-py3-none-any.whl")["inspected_files"][0]["metadata"]
    assert found["requires"] == [f"acme @ {BARE}"]


def certificate() -> bytes:
    bundle = json.loads(BUNDLE.read_bytes())
    return base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])


RECEIPT = Receipt(
    archive=samples.WHEEL,
    sha256=samples.DIGEST,
    basis="identity",
    evidence=digest_of(b"evidence"),
    pin=digest_of(b"pin"),
)


def test_a_receipt_is_told_and_proves_nothing(user: User) -> None:
    said = inspect(written("pip-warden.json", receipt_json(RECEIPT)))
    (piece,) = seen("pip-warden.json")["inspected_evidence"]

    assert said.out.startswith("UNVERIFIED: ")
    assert f"archive              {samples.WHEEL}\n" in said.out
    assert (piece["sha256"], piece["verified"]) == (samples.DIGEST.hex, False)
    assert seen("pip-warden.json", "--verify", code=2)["error"]["code"] == "evidence-alone"
    edited = receipt_json(RECEIPT).replace(b"identity", b"whatever")
    assert seen(written("edited.json", edited), code=1)["error"]["code"] == "receipt-differs"


def test_a_certificate_in_every_form(home: Path) -> None:
    der = certificate()
    lines = base64.encodebytes(der).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n".encode()
    forms = [der, pem, base64.b64encode(pem)]
    found = [seen(written(f"c{n}.crt", form))["inspected_evidence"][0] for n, form in enumerate(forms)]

    assert found[0]["kind"] == "certificate"
    assert "2026-11-21" in found[0]["certificate"]["not_before"]
    assert [each["certificate"] for each in found] == [found[0]["certificate"]] * 3


def test_a_certificate_of_no_signer_is_told_with_what_is_wrong(home: Path) -> None:
    root = json.loads((REAL / "trusted_root.public-good.json").read_bytes())
    der = base64.b64decode(root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"])
    (piece,) = seen(written("ca.crt", der))["inspected_evidence"]

    assert piece["fault"]["code"] == "bad-subject"
    assert piece["certificate"]["issued_by"] == "CN=sigstore,O=sigstore.dev"


@pytest.mark.parametrize(
    "name",
    [
        "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation",
        "abi3info-2024.10.3-py3-none-any.whl.provenance",
    ],
)
def test_real_attestations(home: Path, name: str) -> None:
    (piece,) = seen(str(REAL / name))["inspected_evidence"]
    assert piece["statement"]["predicate_type"] == "https://docs.pypi.org/attestations/publish/v1"
    assert piece["fault"] is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-evidence"),
        (b"hello", "not-inspectable"),
        (b"{", "not-inspectable"),
        (b'{"a": 1, "a": 2}', "not-inspectable"),
        (b'{"verificationMaterial": {}}', "bad-bundle"),
        (b'{"attestation_bundles": [], "version": 1}', "no-attestations"),
        (b'{"payloadType": "x"}', "bad-envelope"),
        (b'{"_type": "x"}', "bad-statement"),
        (b"\x30\x03\x02\x01\x01", "bad-certificate"),
        (b"\x30\x82", "not-inspectable"),
        (b"<html>", "evidence-is-web-page"),
        (b" " * ((8 << 20) + 1), "evidence-too-large"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_code(home: Path, content: bytes, code: str) -> None:
    said = inspect(written("x", content), "--format", "json")
    exit_code = 2 if code == "not-inspectable" else 1
    assert (said.code, said.json["error"]["code"]) == (exit_code, code)
    assert inspect("x").err.startswith(f"error[{code}]: x: expected ")


def test_a_wheel_that_is_none(home: Path) -> None:
    written("a-1.0-py3-none-any.whl", b"no zip")
    said = inspect("a-1.0-py3-none-any.whl", "--format", "json")
    assert said.code == 1
    assert said.json["error"]["code"] in CODES


@pytest.mark.parametrize("name", ["none", ".", "a\0b", "x" * 5000, "./a==1"])
def test_what_is_not_there(home: Path, name: str) -> None:
    said = inspect(name).err
    assert said.startswith("error[no-such-file]"), said
    assert ("hint: A release is named NAME==VERSION." in said) == (name != ".")


def test_without_a_trust_file_nothing_is_verified(user: User) -> None:
    _, wheel = signed(user)
    (user.home / "pytrust.toml").unlink()
    for words in ((wheel.name, "--verify"), ("a==1",)):
        assert seen(*words, code=2)["error"]["code"] == "no-trust-file"


def assert_told(raw: bytes) -> None:
    """Check that anything is told without an exception, in harmless text, with known codes."""
    pieces = pieces_in("x", raw)
    found = Inspection(about="x", pieces=pieces)
    lines = "\n".join(text(found, Layout()))
    assert pieces
    assert lines.replace("\n", "").isprintable()
    assert lines.startswith("UNVERIFIED: ")
    json.dumps(as_json(found), allow_nan=False).encode()
    assert all(piece.fault is None or piece.fault.code in CODES for piece in pieces)
    assert not found.is_verified


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"0\x80")
def test_any_bytes(raw: bytes) -> None:
    assert_told(raw)


_DOCUMENTS = [
    json.loads(BUNDLE.read_bytes()),
    json.loads((REAL / "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation").read_bytes()),
    json.loads(statement()),
    json.loads(receipt_json(RECEIPT)),
    json.loads((REAL / "abi3info-2024.10.3-py3-none-any.whl.provenance").read_bytes()),
]


@given(st.data())
def test_any_value_in_the_place_of_another(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(_DOCUMENTS))
    way = data.draw(st.sampled_from(list(paths(document))))
    assert_told(respelled(document, way, data.draw(spellings)))


@given(st.data())
def test_any_change_of_a_certificate(data: st.DataObject) -> None:
    der = bytearray(certificate())
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    describe_certificate(bytes(der))
    assert_told(bytes(der))


def test_a_serial_number_that_no_ca_may_give_is_told_without_a_warning() -> None:
    der = bytearray(certificate())
    der[bytes(der).index(bytes.fromhex("0214")) + 2] |= 0x80
    found = describe_certificate(bytes(der))

    assert not isinstance(found, Fault)
    assert found.serial.startswith("-")
