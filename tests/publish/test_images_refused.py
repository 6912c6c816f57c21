"""What can be known to fail fails before anything is logged; what is lost is listed again, or told."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import pytest

from documents import described
from pins import image_trust_text
from pip_warden.digests import digest_of
from pip_warden.oci.names import parse_image, spelled
from pip_warden.oci.referrers import add_referrer
from pip_warden.publish import images
from pip_warden.publish.attest import LARGEST_STATEMENT
from pip_warden.sandbox import Answer
from publish.conftest import Shop, code, ok


def _is_refused(shop: Shop, wanted: tuple[int, str], *words: str, name: str = "", **changes: str) -> str:
    """Check that signing ends with a code, and that no log knows of it."""
    said = shop.run("sign", *words, name=name, **changes)
    assert code(said) == wanted, said.stdout + said.stderr
    assert (said.stdout, shop.logged()) == ("", 0)
    for secret in (shop.publisher.job.job_token, "eyJ"):
        assert secret not in said.stderr
    return said.stderr


def _fallback(shop: Shop) -> str:
    return shop.image.digest.replace(":", "-")


@pytest.mark.parametrize("has_config", [False, True])
def test_who_may_not_push_finds_out_before_the_log(shop: Shop, has_config: bool) -> None:
    if has_config:
        shop.repository.put_blob(b"{}")
    reads = shop.publisher.sandbox.token("deploy", scopes=("read_registry",), project=shop.publisher.project)
    login = {"CI_JOB_TOKEN": "", "CI_DEPLOY_USER": "d", "CI_DEPLOY_PASSWORD": reads}

    said = _is_refused(shop, (3, "credentials-refused"), **login)
    assert "CI_DEPLOY_PASSWORD" in said
    assert reads not in said


def test_a_taken_fallback_tag_is_found_before_the_log(shop: Shop) -> None:
    other = shop.publisher.sandbox.image({"other": "2"})
    shop.publisher.sandbox.push_image(shop.publisher.project, other, _fallback(shop))

    _is_refused(shop, (3, "fallback-tag-taken"))
    assert shop.repository.tags[_fallback(shop)] == other.digest


@pytest.mark.parametrize("path", ["/referrers/", "/manifests/sha256-", "/manifests/1.0", "/blobs/uploads/"])
def test_a_registry_that_fails_is_found_before_the_log(shop: Shop, path: str) -> None:
    shop.publisher.sandbox.fault(Answer(status=500), path, origin="registry", times=None)

    assert "[" in _is_refused(shop, (3, "server-error"), "--retries", "0")


@pytest.mark.parametrize(
    ("words", "changes", "wanted"),
    [
        (("-a", "no equals sign"), {}, "bad-annotation"),
        ((), {"SIGSTORE_ID_TOKEN": ""}, "no-identity-token"),
        (("--token-file", "secret"), {}, "token-file"),
        (("--trust", "absent.toml"), {}, "no-trust-file"),
    ],
)
def test_what_is_typed_wrong_asks_nobody(
    shop: Shop, words: tuple[str, ...], changes: dict[str, str], wanted: str
) -> None:
    _is_refused(shop, (2, wanted), *words, **changes)
    assert shop.publisher.sandbox.requests == ()


def test_a_variable_that_is_not_utf8_is_told_and_nothing_is_logged(shop: Shop) -> None:
    """Whoever may push a branch chooses its name."""
    said = _is_refused(shop, (2, "bad-predicate"), CI_COMMIT_REF_NAME=os.fsdecode(b"caf\xe9"))
    assert "caf" in said


def test_what_nobody_would_read_is_found_before_the_log(shop: Shop) -> None:
    predicate = shop.publisher.directory / "sbom.json"
    words = ("--predicate", str(predicate), "--predicate-type", "https://spdx.dev/Document")
    predicate.write_text(json.dumps({"a": "x" * LARGEST_STATEMENT}), encoding="utf-8")
    said = shop.run("attest", *words)
    assert (code(said), shop.logged()) == ((2, "bad-predicate"), 0)

    predicate.write_text(json.dumps({"a": "x" * (LARGEST_STATEMENT - 400)}), encoding="utf-8")
    ok(shop.run("attest", *words))


def test_a_tag_that_moved_is_not_signed(shop: Shop) -> None:
    other = shop.publisher.sandbox.push_image(
        shop.publisher.project, shop.publisher.sandbox.image({"other": "2"})
    )
    _is_refused(shop, (1, "image-tag-moved"), name=f"{shop.name}@{other}")
    ok(shop.run("sign", name=f"{shop.name}@{shop.image.digest}"))


def test_of_a_digest_no_tag_is_said(shop: Shop) -> None:
    named = shop.name.replace(":1.0", f"@{shop.image.digest}")
    said = ok(shop.run("sign", name=named))

    assert said.stdout.startswith(f"{named}: signed (log index ")
    assert len(annotations := shop.statements()[0]["subject"][0]["annotations"]) == 10
    assert "tag" not in annotations


def test_one_artifact_too_many_for_any_consumer_is_not_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MOST_REFERRERS", 2)
    ok(shop.run("sign"))
    ok(shop.run("sign", "-a", "a=b"))
    before = shop.logged()
    said = shop.run("sign", "-a", "a=c")

    assert (code(said), shop.logged()) == ((3, "too-many-referrers"), before)
    assert "already signed" in ok(shop.run("sign")).stdout


def test_what_others_stored_is_no_reason_not_to_sign(shop: Shop) -> None:
    """Whoever may push can add what is broken, or what another one signed."""
    sandbox, project = shop.publisher.sandbox, shop.publisher.project
    for data in (b"", b"{}", b"not JSON"):
        sandbox.attach(project, shop.image.digest, sandbox.artifact(data, subject=shop.image))
    sandbox.attach(
        project, shop.image.digest, sandbox.artifact(b"x", artifact_type="a/sbom", subject=shop.image)
    )

    assert "signed (log index" in ok(shop.run("sign")).stdout
    assert "already signed" in ok(shop.run("sign")).stdout


@pytest.mark.parametrize(("claim", "value"), [("project_id", "99"), ("sha", "f" * 40)])
def test_a_signature_of_another_place_does_not_stay_for_ours(shop: Shop, claim: str, value: str) -> None:
    """The same statement, signed under the same subject for another project or commit."""
    other = shop.publisher.sandbox.job(shop.publisher.project, tag="v1.0", **{claim: value})
    ok(shop.run("sign", SIGSTORE_ID_TOKEN=other.id_token()))

    assert ": signed (log index" in ok(shop.run("sign")).stdout
    assert len(shop.manifests()) == 2


def test_what_is_lost_in_the_end_is_listed_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    times = _overwriting(shop, monkeypatch, 2)

    said = ok(shop.run("sign"))
    assert (len(times), len(shop.manifests()), shop.logged()) == (3, 1, 1)
    assert ": signed" in said.stdout


def test_what_does_not_stay_listed_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    times = _overwriting(shop, monkeypatch, 99)

    assert code(shop.run("sign")) == (3, "referrers-lost")
    assert len(times) == 4


def _overwriting(shop: Shop, monkeypatch: pytest.MonkeyPatch, most: int) -> list[str]:
    """Have another writer overwrite the list after each of the first times."""
    times: list[str] = []

    def adding(*arguments: Any) -> Any:
        digest = add_referrer(*arguments)
        times.append(spelled(digest))
        if len(times) <= most:
            if shop.publisher.sandbox.registry.referrers:
                del shop.repository.manifests[spelled(digest)]
            else:
                shop.publisher.sandbox.drop_referrer(
                    shop.publisher.project, shop.image.digest, spelled(digest)
                )
        return digest

    monkeypatch.setattr(images, "add_referrer", adding)
    return times


def test_a_new_signature_that_does_not_verify_is_not_stored(shop: Shop) -> None:
    shop.publisher.sandbox.rotate("rekor", forget=True)
    said = shop.run("sign")

    assert code(said) == (3, "unverifiable-signature")
    assert shop.manifests() == []
    assert str(parse_image(shop.name).repository) in said.stderr
    assert "Nothing was written or stored" in said.stderr


def test_a_failure_is_told_as_data(shop: Shop) -> None:
    said = shop.run("sign", "--format", "json", name=shop.name.replace(":1.0", ":2.0"))

    told = described(said.stdout)
    assert (said.returncode, told["error"]["code"], shop.logged()) == (3, "not-found", 0)


def test_quiet_says_nothing(shop: Shop) -> None:
    said = ok(shop.run("sign", "-q"))

    assert (said.stdout, said.stderr) == ("", "")


def test_a_name_with_a_password_is_not_shown(shop: Shop) -> None:
    said = shop.run("sign", name=f"user:hunter2@{shop.name}")

    assert code(said) == (2, "invalid-image")
    assert "hunter2" not in said.stdout + said.stderr


def test_outside_of_ci_a_realm_is_asked_that_the_trust_file_pins(shop: Shop) -> None:
    publisher, sandbox = shop.publisher, shop.publisher.sandbox
    login = base64.b64encode(f"gitlab-ci-token:{publisher.job.job_token}".encode()).decode()
    (publisher.directory / "config.json").write_text(
        json.dumps({"auths": {sandbox.registry_host: {"auth": login}}})
    )
    outside = {name: "" for name in publisher.job.variables() if name.startswith(("CI", "GITLAB"))}
    outside |= {"DOCKER_CONFIG": str(publisher.directory)}
    _is_refused(shop, (3, "registry-realm"), **outside)

    root = digest_of((publisher.directory / "trusted_root.json").read_bytes())
    text = image_trust_text(
        root_sha256=root.hex,
        issuer=sandbox.issuer,
        repository=publisher.project.image,
        subjects=[publisher.job.san],
        realm=f"{sandbox.gitlab_url}/jwt/auth",
    )
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    ok(shop.run("sign", **outside))

    (statement,) = shop.statements()
    assert statement["subject"][0]["annotations"] == {"tag": "1.0"}
