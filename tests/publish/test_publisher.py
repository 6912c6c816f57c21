"""The publisher's half as a pipeline uses it: sign, attest, publish; and what a consumer then sees."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from documents import described
from interop.stack import places
from pip_warden._sigstore.wire_reader import parse_bundle
from pip_warden.errors import UsageError
from pip_warden.publish.sign import detached_pair
from pip_warden.publish.token import read_token
from pip_warden.sandbox import Answer
from publish.conftest import BIN, Publisher

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SDIST = "acme_widgets-1.0.tar.gz"


def _ok(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def _code(result: subprocess.CompletedProcess[str]) -> str:
    return result.stderr.partition("[")[2].partition("]")[0]


def _pin(publisher: Publisher) -> None:
    """Pin the publisher's package as a consumer does on first use."""
    where = ["--project", "acme/acme-widgets", "--source", publisher.sandbox.gitlab_url]
    words = ["trust", "add", "acme-widgets", *where, "--trusted-root", "trusted_root.json", "--yes"]
    _ok(publisher.run("pip-warden", *words, GITLAB_TOKEN=publisher.sandbox.token(scopes=("api",))))


def _identity(publisher: Publisher) -> list[str]:
    """Name the publisher's identity, as ours and cosign's options do."""
    who = ["--certificate-identity", publisher.job.san]
    return [
        *who, "--certificate-oidc-issuer", publisher.sandbox.issuer, "--trusted-root", "trusted_root.json",
    ]  # fmt: skip


def test_what_is_signed_attested_and_published_is_what_a_consumer_accepts(publisher: Publisher) -> None:
    """The scripts themselves, one after the other."""
    publisher = publisher.apart()
    said = _ok(publisher.sign("--detached", *publisher.files())).stderr
    assert publisher.job.san in said
    _ok(publisher.attest(*publisher.files()))
    assert {path.name for path in publisher.dist.iterdir() if path.name.startswith(WHEEL)} == {
        WHEEL,
        *(
            f"{WHEEL}.{suffix}"
            for suffix in (
                "sigstore.json",
                "sig",
                "crt",
                "slsa.sigstore.json",
                "slsa.attestation",
                "annotations.sigstore.json",
            )
        ),
    }
    _ok(publisher.run("pip-warden", "publish", *publisher.files()))

    _pin(publisher)
    released = _ok(publisher.run("pip-warden", "verify-release", "acme-widgets==1.0", "--format", "json"))

    files = described(released.stdout)["files"]
    assert {line["file"]: line["outcome"] for line in files} == {WHEEL: "accepted", SDIST: "accepted"}
    _ok(publisher.run("pip-warden", "verify", *publisher.files()))


def test_each_kind_of_evidence_alone_is_enough_for_a_local_file(publisher: Publisher) -> None:
    _ok(publisher.sign("--detached", "--crt-format", "base64", *publisher.files()))
    _ok(publisher.attest(*publisher.files()))
    pinned = [*_identity(publisher), f"dist/{WHEEL}"]

    for evidence in ("sigstore.json", "slsa.sigstore.json", "slsa.attestation"):
        _ok(publisher.run("pip-warden", "verify", "--bundle", f"dist/{WHEEL}.{evidence}", *pinned))
    pair = ["--signature", f"dist/{WHEEL}.sig", "--certificate", f"dist/{WHEEL}.crt"]
    _ok(publisher.run("pip-warden", "verify", *pair, *pinned))
    annotations = publisher.run(
        "pip-warden", "verify", "--bundle", f"dist/{WHEEL}.annotations.sigstore.json", *pinned
    )
    assert (annotations.returncode, "predicate-type-refused" in annotations.stderr) == (1, True)


def test_publishing_again_does_nothing_and_other_content_is_an_error(publisher: Publisher) -> None:
    _ok(publisher.sign(*publisher.files()))
    _ok(publisher.run("pip-warden", "publish", *publisher.files()))
    again = _ok(publisher.run("pip-warden", "publish", *publisher.files()))
    assert {line.partition(":")[0] for line in again.stdout.splitlines()} == {"already there"}

    publisher.put(
        publisher.sandbox.wheel("acme-widgets", "1.0", files={"acme_widgets/__init__.py": "x = 1\n"})
    )
    _ok(publisher.sign("--overwrite", f"dist/{WHEEL}"))
    other = publisher.run("pip-warden", "publish", f"dist/{WHEEL}")

    assert (other.returncode, _code(other)) == (1, "other-content")


@pytest.mark.parametrize("name", [WHEEL, WHEEL.replace("acme_widgets", "Acme.Widgets")])
def test_b09_other_content_beside_the_same_is_an_error(publisher: Publisher, name: str) -> None:
    _ok(publisher.sign(*publisher.files()))
    _ok(publisher.run("pip-warden", "publish", *publisher.files()))
    evil = publisher.sandbox.wheel("acme-widgets", "1.0", files={"acme_widgets/__init__.py": "x = 1\n"})
    publisher.sandbox.put_files(publisher.project, [replace(evil, name=name)])

    again = publisher.run("pip-warden", "publish", *publisher.files())

    assert (again.returncode, _code(again)) == (1, "other-content")


def test_b09_the_same_content_in_another_spelling_is_published_in_ours_too(publisher: Publisher) -> None:
    _ok(publisher.sign(f"dist/{WHEEL}"))
    same = publisher.sandbox.wheel("acme-widgets", "1.0")
    publisher.sandbox.put_files(publisher.project, [replace(same, name=WHEEL.replace("acme_", "Acme."))])

    said = _ok(publisher.run("pip-warden", "publish", f"dist/{WHEEL}"))

    assert f"uploaded: {WHEEL}" in said.stdout.splitlines(), said.stdout


def test_one_certificate_serves_all_files_of_a_call(publisher: Publisher) -> None:
    publisher.sandbox.clear_requests()
    _ok(publisher.sign(*publisher.files()))

    assert [request.origin for request in publisher.sandbox.requests].count("fulcio") == 1


def test_what_a_registry_holds_now_is_judged_not_what_the_vault_remembers(publisher: Publisher) -> None:
    _ok(publisher.sign(*publisher.files()))
    _ok(publisher.run("pip-warden", "publish", *publisher.files()))
    _pin(publisher)
    _ok(publisher.run("pip-warden", "verify", *publisher.files()))
    publisher.sandbox.delete_evidence(publisher.project, f"{WHEEL}.sigstore.json")

    result = publisher.run("pip-warden", "verify-release", "acme-widgets==1.0")

    assert (result.returncode, "[no-evidence]" in result.stderr) == (1, True), result.stderr


def test_an_epoch_is_escaped_in_the_generic_registry(publisher: Publisher) -> None:
    job = publisher.sandbox.job(publisher.project)
    publisher.put(publisher.sandbox.wheel("acme-widgets", "1!2.0"))
    name = "acme_widgets-1!2.0-py3-none-any.whl"
    environment = {"SIGSTORE_ID_TOKEN": job.id_token()}
    _ok(
        publisher.run(
            "pip-warden", "sign", "--trust-config", "trust_config.json", f"dist/{name}", **environment
        )
    )
    _ok(publisher.run("pip-warden", "publish", f"dist/{name}"))

    assert publisher.sandbox.evidence(publisher.project, f"{name.replace('!', '__')}.sigstore.json")


def test_a_dry_run_uploads_nothing(publisher: Publisher) -> None:
    _ok(publisher.sign(*publisher.files()))
    publisher.sandbox.clear_requests()
    said = _ok(publisher.run("pip-warden", "publish", "--dry-run", *publisher.files()))

    assert {line.partition(":")[0] for line in said.stdout.splitlines()} == {"would be uploaded"}
    assert {request.method for request in publisher.sandbox.requests} == {"GET"}


@pytest.mark.parametrize("path", ["/packages/generic/", "/packages/pypi"])
def test_a_failed_upload_is_resumed(publisher: Publisher, path: str) -> None:
    _ok(publisher.sign(*publisher.files()))
    method = "PUT" if "generic" in path else "POST"
    publisher.sandbox.fault(
        Answer(status=500, body=b'{"message":"500 Internal Server Error"}'), path, method=method
    )
    assert publisher.run("pip-warden", "publish", *publisher.files()).returncode == 3

    _ok(publisher.run("pip-warden", "publish", *publisher.files()))


def test_twine_and_publish_evidence_interoperate(publisher: Publisher) -> None:
    _ok(publisher.sign(*publisher.files()))
    _ok(publisher.run("pip-warden", "publish-evidence", *publisher.files()))
    credentials = {"TWINE_USERNAME": "gitlab-ci-token", "TWINE_PASSWORD": publisher.job.job_token}
    upload = [
        "upload",
        "--disable-progress-bar",
        "--repository-url",
        publisher.project.pypi_url,
        *publisher.files(),
    ]
    _ok(publisher.run("twine", *upload, **credentials))

    assert set(_ok(publisher.run("pip-warden", "publish", *publisher.files())).stdout.splitlines()) == {
        f"already there: {name}"
        for name in (WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json")
    }


def test_plain_pip_installs_what_was_published(publisher: Publisher) -> None:
    _ok(publisher.sign(*publisher.files()))
    _ok(publisher.run("pip-warden", "publish", *publisher.files()))
    index = publisher.project.index_url()
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--isolated",
        "--no-deps",
        "--target",
        str(publisher.directory / "t"),
        "--index-url",
        index,
    ]
    result = subprocess.run(
        [*words, "acme-widgets==1.0"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sign"], "nothing-to-sign"),
        (["sign", "dist/*.whl"], "no-such-file"),
        (["sign", "dist"], "no-such-file"),
        (["attest"], "nothing-to-sign"),
        (["publish"], "nothing-to-publish"),
        (["publish", f"dist/{WHEEL}"], "unsigned"),
        (["publish", "dist/none.whl"], "no-such-file"),
    ],
)
def test_t35_nothing_to_do_is_an_error(publisher: Publisher, words: list[str], code: str) -> None:
    result = publisher.run("pip-warden", *words)

    assert (result.returncode, _code(result)) == (2, code), result.stderr


def test_a_file_that_could_be_taken_for_an_envelope_is_not_signed(publisher: Publisher) -> None:
    (publisher.dist / WHEEL).write_bytes(b"DSSEv1 28 application/vnd.in-toto+json")

    assert _code(publisher.sign(f"dist/{WHEEL}")) == "not-signable"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"ci_config_ref_uri": None}, "config-not-in-project"),
        ({"pipeline_source": "merge_request_event", "job_project_id": "99"}, "fork-pipeline"),
    ],
)
def test_known_traps_are_named_before_anything_is_signed(
    publisher: Publisher, claims: dict[str, Any], code: str
) -> None:
    job = publisher.sandbox.job(publisher.project, tag="v1.0", **claims)
    result = publisher.run(
        "pip-warden",
        "sign",
        "--trust-config",
        "trust_config.json",
        f"dist/{WHEEL}",
        SIGSTORE_ID_TOKEN=job.id_token(),
    )

    assert (result.returncode, _code(result)) == (2, code), result.stderr
    assert job.id_token() not in result.stderr


def test_the_other_traps(publisher: Publisher) -> None:
    now = datetime.now(UTC)
    cases = [
        (publisher.job.id_token("other"), {"is_public_good": False, "now": now}, "wrong-audience"),
        (publisher.job.id_token(), {"is_public_good": True, "now": now}, "unknown-issuer"),
        (
            publisher.job.id_token(),
            {"is_public_good": False, "now": datetime(2100, 1, 1, tzinfo=UTC)},
            "expired-token",
        ),
        ("noise", {"is_public_good": False, "now": now}, "bad-identity-token"),
        ("a.b.c", {"is_public_good": False, "now": now}, "bad-identity-token"),
    ]
    for token, arguments, code in cases:
        with pytest.raises(UsageError) as caught:
            read_token(token, **arguments)  # type: ignore[arg-type]
        assert caught.value.code == code
    missing = publisher.run("pip-warden", "sign", f"dist/{WHEEL}", SIGSTORE_ID_TOKEN="")
    assert (missing.returncode, _code(missing)) == (2, "no-identity-token")


def test_a_token_of_no_gitlab_is_read_too() -> None:
    claims = {
        "aud": "sigstore",
        "exp": 4102444800,
        "iss": "https://accounts.example.com",
        "email": "me@example.com",
    }
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    claimed = read_token(f"e30.{body}.x", now=datetime.now(UTC), is_public_good=True)

    assert (claimed.claimed_subject, claimed.claimed_issuer) == (
        "me@example.com",
        "https://accounts.example.com",
    )


def test_an_issuer_that_the_ca_does_not_know_is_named_as_the_likely_cause(publisher: Publisher) -> None:
    publisher.sandbox.settings.issuer = "https://gitlab.other.example"
    stranger = publisher.sandbox.job(publisher.project, tag="v1.0").id_token()
    publisher.sandbox.settings.issuer = None
    result = publisher.run(
        "pip-warden",
        "sign",
        "--trust-config",
        "trust_config.json",
        f"dist/{WHEEL}",
        SIGSTORE_ID_TOKEN=stranger,
    )

    assert (result.returncode, _code(result)) == (3, "signing-failed"), result.stderr
    assert "it knows only some issuers" in result.stderr
    assert stranger not in result.stderr


def test_a_detached_signature_needs_a_log_that_can_be_asked(publisher: Publisher) -> None:
    _ok(publisher.sign(f"dist/{WHEEL}"))
    bundle = json.loads((publisher.dist / f"{WHEEL}.sigstore.json").read_bytes())
    bundle["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["version"] = "0.0.2"

    with pytest.raises(UsageError) as caught:
        detached_pair(Path(WHEEL), parse_bundle(json.dumps(bundle).encode()), "pem")

    assert caught.value.code == "detached-needs-rekor-v1"


SIGN = ("pip-warden", "sign", "--trust-config", "trust_config.json")


def test_evidence_that_is_there_is_not_replaced_unasked(publisher: Publisher) -> None:
    _ok(publisher.sign(f"dist/{WHEEL}"))
    before = (publisher.dist / f"{WHEEL}.sigstore.json").read_bytes()
    other = publisher.sandbox.job(publisher.project, tag="v2.0").id_token()

    assert _code(publisher.run(*SIGN, f"dist/{WHEEL}", SIGSTORE_ID_TOKEN=other)) == "evidence-exists"
    assert (publisher.dist / f"{WHEEL}.sigstore.json").read_bytes() == before


def test_provenance_needs_the_variables_of_a_job_and_names_all_that_are_missing(publisher: Publisher) -> None:
    result = publisher.attest(f"dist/{WHEEL}", CI_COMMIT_SHA="", CI_JOB_URL="")

    assert (result.returncode, _code(result)) == (2, "not-in-ci")
    assert "CI_COMMIT_SHA, CI_JOB_URL" in result.stderr


def test_a_predicate_of_ones_own(publisher: Publisher) -> None:
    (publisher.directory / "p.json").write_text('{"tests": "passed"}', encoding="utf-8")
    own = ["--predicate", "p.json", "--predicate-type", "https://example.com/tests/v1", "--kind", "tests"]
    _ok(publisher.attest(*own, f"dist/{WHEEL}"))

    assert (publisher.dist / f"{WHEEL}.tests.sigstore.json").exists()
    assert _code(publisher.attest("--predicate", "p.json", f"dist/{WHEEL}")) == "predicate-options"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--kind", "a.b"), "a.b"),  # no consumer reads that name
        (("--kind", "../up"), "../up"),
        (("--kind", "a/b"), "a/b"),
        (("--kind", "a b"), "a b"),
        (("--kind", "-a"), "-a"),
        (("--annotation", "reviewed=yes"), "--annotation"),
        (("--predicate-type", ""), "predicate type"),
        (("--predicate-type", "tests"), "tests"),
        (("--predicate-type", "https://example.com/a b"), "a b"),
    ],
)
def test_a_statement_of_ones_own_that_nobody_would_read_is_not_logged(
    publisher: Publisher, words: tuple[str, ...], told: str
) -> None:
    (publisher.directory / "p.json").write_text("{}", encoding="utf-8")
    own = ["--predicate", "p.json", "--predicate-type", "https://example.com/tests/v1", *words]
    result = publisher.attest(*own, f"dist/{WHEEL}")

    assert (result.returncode, _code(result)) == (2, "predicate-options"), result.stderr
    assert told in result.stderr
    assert publisher.sandbox.requests == ()


def test_a_short_name_without_a_predicate_is_not_left_out_silently(publisher: Publisher) -> None:
    result = publisher.attest("--kind", "tests", f"dist/{WHEEL}")

    assert (result.returncode, _code(result)) == (2, "predicate-options"), result.stderr
    assert publisher.sandbox.requests == ()


COSIGN = str(places.BIN / "cosign")


@pytest.mark.interop
def test_cosign_accepts_what_we_sign_and_attest(publisher: Publisher) -> None:
    _ok(publisher.sign(f"dist/{WHEEL}"))
    _ok(publisher.attest(f"dist/{WHEEL}"))
    pinned = _identity(publisher)

    _ok(
        publisher.run(
            COSIGN, "verify-blob", "--bundle", f"dist/{WHEEL}.sigstore.json", *pinned, f"dist/{WHEEL}"
        )
    )
    slsa = ["--type", "https://slsa.dev/provenance/v1", "--bundle", f"dist/{WHEEL}.slsa.sigstore.json"]
    _ok(publisher.run(COSIGN, "verify-blob-attestation", *slsa, *pinned, f"dist/{WHEEL}"))


@pytest.mark.interop
def test_sigstore_python_accepts_what_we_sign(publisher: Publisher) -> None:
    _ok(publisher.sign(f"dist/{WHEEL}"))
    pinned = [
        "--cert-identity",
        publisher.job.san,
        "--cert-oidc-issuer",
        publisher.sandbox.issuer,
        "--offline",
    ]
    words = [str(BIN / "sigstore"), "--trust-config", "trust_config.json", "verify", "identity", *pinned]

    _ok(publisher.run(*words, "--bundle", f"dist/{WHEEL}.sigstore.json", f"dist/{WHEEL}"))


@pytest.mark.interop
def test_we_accept_what_cosign_signs_and_attests(publisher: Publisher, tmp_path: Path) -> None:
    config = [
        "--signing-config",
        "signing_config.json",
        "--trusted-root",
        "trusted_root.json",
        "--identity-token",
        publisher.job.id_token(),
        "--yes",
    ]
    _ok(publisher.run(COSIGN, "sign-blob", *config, "--bundle", "c.sigstore.json", f"dist/{WHEEL}"))
    (tmp_path / "p.json").write_text('{"buildDefinition": {}, "runDetails": {}}', encoding="utf-8")
    slsa = ["--type", "slsaprovenance1", "--predicate", "p.json", "--bundle", "c.slsa.json"]
    _ok(publisher.run(COSIGN, "attest-blob", *config, *slsa, f"dist/{WHEEL}"))
    pinned = [*_identity(publisher), f"dist/{WHEEL}"]

    for bundle in ("c.sigstore.json", "c.slsa.json"):
        _ok(publisher.run("pip-warden", "verify", "--bundle", bundle, *pinned))


@pytest.mark.interop
@pytest.mark.parametrize("quiet", ["-q", "-qq"])
def test_quiet_tells_nothing_of_what_went_well(publisher: Publisher, quiet: str) -> None:
    if quiet == "-q":  # libraries write where they want to, however quiet we are
        publisher = publisher.apart()
    for said in (
        publisher.sign(quiet, *publisher.files()),
        publisher.attest(quiet, *publisher.files()),
        publisher.run("pip-warden", "publish-evidence", quiet, *publisher.files()),
        publisher.run("pip-warden", "publish", quiet, *publisher.files()),
    ):
        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    publisher = replace(publisher, is_apart=False)
    refused = publisher.run("pip-warden", "publish", quiet, "dist/absent.whl")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error[")
    document = publisher.run("pip-warden", "publish", quiet, "--format", "json", *publisher.files())
    assert {upload["outcome"] for upload in described(document.stdout)["uploads"]} == {"already_there"}


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_what_is_told_fits_the_terminal(publisher: Publisher, width: int) -> None:
    for said in (
        publisher.run(
            "pip-warden",
            "sign",
            "--trust-config",
            "trust_config.json",
            *publisher.files(),
            COLUMNS=str(width),
        ),
        publisher.attest(*publisher.files(), COLUMNS=str(width)),
        publisher.run("pip-warden", "publish", *publisher.files(), COLUMNS=str(width)),
    ):
        assert said.returncode == 0, said.stderr
        assert [line for line in (said.stdout + said.stderr).splitlines() if len(line) > width] == []
