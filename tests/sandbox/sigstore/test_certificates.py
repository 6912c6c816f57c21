"""Certificates contain what Fulcio would write into them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.certificate_transparency import LogEntryType
from cryptography.x509.oid import ExtendedKeyUsageOID

from pip_warden.sandbox.sigstore import Lie, SigstoreRefusal, SigstoreService, TokenRefused
from sandbox.sigstore.pipeline import CLAIMS, NOON, SUBJECT

HTTP_ISSUER = "http://127.0.0.1:8080"
EXPECTED = {
    1: "https://gitlab.example.com",
    8: "https://gitlab.example.com",
    9: SUBJECT,
    10: "89abcdef0123456789abcdef0123456789abcdef",
    11: "gitlab-hosted",
    12: "https://gitlab.example.com/acme/widgets",
    13: "0123456789abcdef0123456789abcdef01234567",
    14: "refs/tags/v1.0",
    15: "4711",
    16: "https://gitlab.example.com/acme",
    17: "42",
    18: SUBJECT,
    19: "89abcdef0123456789abcdef0123456789abcdef",
    20: "push",
    21: "https://gitlab.example.com/acme/widgets/-/jobs/815",
    22: "private",
    24: "project_path:acme/widgets:ref_type:tag:ref:v1.0",
}


def issue(
    service: SigstoreService, changes: Mapping[str, object] | None = None, lie: Lie | None = None
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return service.issue(CLAIMS | dict(changes or {}), key.public_key(), lie=lie)[0]


def raw_extensions(leaf: x509.Certificate) -> dict[int, bytes]:
    arc = "1.3.6.1.4.1.57264.1."
    return {
        int(extension.oid.dotted_string.removeprefix(arc)): extension.value.public_bytes()
        for extension in leaf.extensions
        if extension.oid.dotted_string.startswith(arc)
    }


def extensions(leaf: x509.Certificate) -> dict[int, str]:
    raw = raw_extensions(leaf)
    assert all(value[:1] == b"\x0c" for number, value in raw.items() if number != 1)
    return {number: (value if number == 1 else _text(value)).decode() for number, value in raw.items()}


def _text(value: bytes) -> bytes:
    assert len(value) < 130
    return value[3:] if value[1] & 0x80 else value[2:]


def subject(leaf: x509.Certificate) -> str:
    extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert extension.critical
    (name,) = extension.value
    return str(name.value)


def test_every_extension_is_written_and_only_the_first_is_raw(service: SigstoreService) -> None:
    assert extensions(issue(service)) == EXPECTED


@pytest.mark.parametrize(
    ("environment", "expected"), [("production", "production"), ("", None), (None, "<nil>")]
)
def test_the_environment_is_absent_when_the_claim_is_empty_and_an_odd_word_when_it_is_null(
    service: SigstoreService, environment: object, expected: str | None
) -> None:
    assert extensions(issue(service, {"environment": environment})).get(23) == expected


def test_urls_follow_the_issuer_and_the_subject_is_always_https(service: SigstoreService) -> None:
    leaf = issue(
        service, {"iss": HTTP_ISSUER, "ci_config_ref_uri": "127.0.0.1:8080/a/b//.gitlab-ci.yml@refs/heads/x"}
    )

    written = extensions(leaf)
    assert subject(leaf) == "https://127.0.0.1:8080/a/b//.gitlab-ci.yml@refs/heads/x"
    assert written[8] == HTTP_ISSUER
    assert written[12] == f"{HTTP_ISSUER}/acme/widgets"
    assert written[21] == f"{HTTP_ISSUER}/acme/widgets/-/jobs/815"


def test_a_branch_is_under_heads(service: SigstoreService) -> None:
    assert extensions(issue(service, {"ref_type": "branch", "ref": "main"}))[14] == "refs/heads/main"


def test_a_ref_outside_ascii_is_escaped_in_the_subject(service: SigstoreService) -> None:
    leaf = issue(service, {"ci_config_ref_uri": "gitlab.example.com/a/b//.gitlab-ci.yml@refs/heads/é"})

    assert subject(leaf).endswith("@refs/heads/%C3%A9")
    assert extensions(leaf)[9].endswith("@refs/heads/é")


NAMES = {
    "ci_config_ref_uri": 'executing "" at <.ci_config_ref_uri>: map has no entry',
    "ref": "template: :1:64: ",
    "job_id": "template: :1:41: ",
    "sha": "value <sha> not present in either claims or defaults",
    "project_visibility": '"ExtensionName": "SourceRepositoryVisibilityAtSigning"',
}


@pytest.mark.parametrize("name", NAMES)
def test_a_claim_that_is_missing_is_named(service: SigstoreService, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(SigstoreRefusal) as refusal:
        service.issue({other: value for other, value in CLAIMS.items() if other != name}, key.public_key())

    assert refusal.value.status == 400
    assert NAMES[name] in refusal.value.message


def test_without_an_environment_there_is_none(service: SigstoreService) -> None:
    assert "environment" not in CLAIMS
    assert 23 not in extensions(issue(service))


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "https://<nil>"), ("", "https:"), (True, "https://true")]
)
def test_a_claim_without_text_is_written_as_go_prints_it(
    service: SigstoreService, value: object, expected: str
) -> None:
    assert subject(issue(service, {"ci_config_ref_uri": value})) == expected


def test_without_a_token_subject_that_extension_is_missing(service: SigstoreService) -> None:
    assert 24 not in extensions(issue(service, {"sub": None}))


HERE = "gitlab.example.com/a/b//.gitlab-ci.yml@refs/heads"


@pytest.mark.parametrize(
    ("ref", "written"),
    [
        ("%41", "%41"),
        ("%C3%A9", "%C3%A9"),
        ("a%2Fb<", "a/b%3C"),
        ("'a\"b<c>]^`{|}", "%27a%22b%3Cc%3E%5D%5E%60%7B%7C%7D"),
        ("fix#12", "fix#12"),
        ("fix#é'", "fix#%C3%A9%27"),
        ("a!b$&c(*)+,;=", "a!b$&c(*)+,;="),
        ("a b", "a%20b"),
        ("\x1b[2J", "%1B%5B2J"),  # refused by the real one; see `urls.normal`
    ],
)
def test_a_subject_is_written_as_go_writes_urls(service: SigstoreService, ref: str, written: str) -> None:
    leaf = issue(service, {"ci_config_ref_uri": f"{HERE}/{ref}"})

    assert subject(leaf) == f"https://{HERE}/{written}"
    assert extensions(leaf)[9] == f"https://{HERE}/{ref}"


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("100%", 'invalid URL escape "%"'),
        ("%zzz", 'invalid URL escape "%zz"'),
        ("x?é", "cannot be encoded as an IA5String"),
    ],
)
def test_a_subject_that_is_no_url_is_refused(service: SigstoreService, ref: str, message: str) -> None:
    with pytest.raises(SigstoreRefusal) as refusal:
        issue(service, {"ci_config_ref_uri": f"{HERE}/{ref}"})

    assert (refusal.value.status, refusal.value.message.endswith(message)) == (400, True)


def test_without_an_issuer_there_is_no_certificate(service: SigstoreService) -> None:
    with pytest.raises(TokenRefused, match="iss"):
        issue(service, {"iss": None})


def test_a_mail_address_is_a_subject_without_a_project(service: SigstoreService) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = service.issue({"iss": "https://accounts.example.com", "email": "a@example.com"}, key.public_key())[
        0
    ]

    assert subject(leaf) == "a@example.com"
    assert set(extensions(leaf)) == {1, 8}


def test_a_certificate_has_sigstores_profile(service: SigstoreService) -> None:
    leaf = issue(service)

    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert leaf.subject == x509.Name([])
    assert leaf.not_valid_before_utc == NOON
    assert leaf.not_valid_after_utc == NOON + timedelta(minutes=10)
    assert usage.critical
    assert usage.value.digital_signature
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CODE_SIGNING
    ]
    (promise,) = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    assert promise.entry_type is LogEntryType.PRE_CERTIFICATE
    assert promise.log_id == service.ct_logs.current.log_id
    assert len(service.ct_logs.current.tree) == 1


def test_a_lie_changes_or_drops_any_extension_and_the_subject(service: SigstoreService) -> None:
    leaf = issue(
        service, lie=Lie(extensions={15: "666", 20: None, 5: "acme/other"}, san="https://evil.example/x")
    )

    written = raw_extensions(leaf)
    assert subject(leaf) == "https://evil.example/x"
    assert written[15] == b"\x0c\x03666"
    assert 20 not in written
    assert written[5] == b"acme/other"
