"""Signing under trouble: each server that fails is named, in time, with its words, and the token never is."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sigstore.oidc import IdentityToken

from _sigstore.samples import DATA
from pip_warden._sigstore.sign import Signatory
from pip_warden.digests import digest_of
from pip_warden.errors import UndecidedError, UsageError
from pip_warden.publish.sign import sign_files
from pip_warden.sandbox import Answer, Hold
from publish.conftest import Publisher, signing
from publish.test_side_by_side import CERTIFICATE, LOG, asked, bundles, put

STAMP = "/api/v1/timestamp"
SOON = 0.2
"""Seconds after which a server that never answers is given up."""


def _failure(publisher: Publisher, **options: Any) -> UndecidedError:
    with signing(publisher, **options) as by, pytest.raises(UndecidedError) as caught:
        by.sign_digest(digest_of(DATA))
    assert caught.value.exit_code == 3
    return caught.value


def _config(publisher: Publisher) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((publisher.directory / "trust_config.json").read_bytes())
    return found


def _configure(publisher: Publisher, config: dict[str, Any]) -> None:
    (publisher.directory / "trust_config.json").write_text(json.dumps(config), encoding="utf-8")


def test_a_dead_time_stamp_authority_is_no_silent_success(publisher: Publisher) -> None:
    """The library only logs it, and the bundle of a Rekor v1 log verifies without."""
    files = put(publisher, 3)
    publisher.sandbox.fault(Answer(status=503, body=b"down for maintenance"), STAMP, times=None)
    result = publisher.sign(*files)

    assert result.returncode == 3
    assert "[no-timestamp]" in result.stderr
    assert f"{publisher.sandbox.tsa_url}{STAMP}" in result.stderr
    assert "HTTP 503: down for maintenance" in result.stderr
    assert "--allow-no-timestamp" in result.stderr
    assert asked(publisher, LOG) == 0
    assert bundles(publisher) == []


def test_a_stamp_may_be_missing_where_that_is_allowed(publisher: Publisher) -> None:
    files = put(publisher, 2)
    publisher.sandbox.fault(Answer(status=503), STAMP, times=None)
    result = publisher.sign("--allow-no-timestamp", *files)

    assert result.returncode == 0, result.stderr
    assert result.stderr.count("warning: signed without a time stamp of") == 1
    assert bundles(publisher) == files


def test_a_log_of_version_2_needs_the_stamp(publisher: Publisher) -> None:
    config = _config(publisher)
    config["signingConfig"]["rekorTlogUrls"][0]["majorApiVersion"] = 2
    _configure(publisher, config)
    publisher.sandbox.fault(Answer(status=503), STAMP, times=None)
    failure = _failure(publisher, allow_no_timestamp=True)

    assert failure.code == "no-timestamp"
    assert "--allow-no-timestamp" not in failure.hint
    assert asked(publisher, "/api/v2/log/entries") == 0


def test_a_log_of_version_2_without_any_authority_is_found_before_anything_is_asked(
    publisher: Publisher,
) -> None:
    files = put(publisher, 1)
    config = _config(publisher)
    config["signingConfig"]["rekorTlogUrls"][0]["majorApiVersion"] = 2
    config["signingConfig"]["tsaUrls"] = []
    _configure(publisher, config)
    result = publisher.sign(*files)

    assert result.returncode == 2
    assert "[bad-trust-config]" in result.stderr
    assert "without a time-stamp authority" in result.stderr
    assert publisher.sandbox.requests == ()


def test_detached_on_a_log_of_version_2_is_found_before_anything_is_asked(publisher: Publisher) -> None:
    files = put(publisher, 2)
    config = _config(publisher)
    config["signingConfig"]["rekorTlogUrls"][0]["majorApiVersion"] = 2
    _configure(publisher, config)
    result = publisher.sign("--detached", *files)

    assert result.returncode == 2
    assert "[detached-needs-rekor-v1]" in result.stderr
    assert publisher.sandbox.requests == ()


def test_a_directory_that_cannot_be_written_is_found_before_anything_is_asked(publisher: Publisher) -> None:
    files = put(publisher, 2)
    (publisher.directory / "taken").write_bytes(b"a file")
    (publisher.dist / "file01-1.0.tar.gz.sigstore.json").mkdir()
    for words, told in ((["--output-directory", "taken/below"], "taken"), (["--overwrite"], "file01")):
        result = publisher.sign(*words, *files)
        assert result.returncode == 2
        assert "[cannot-write]" in result.stderr
        assert told in result.stderr
    assert publisher.sandbox.requests == ()


def test_a_directory_in_which_nobody_may_write(publisher: Publisher) -> None:
    """Not one without permissions, which mean nothing to root."""
    files = [publisher.directory / file for file in put(publisher, 1)]
    with signing(publisher) as by, pytest.raises(UsageError) as caught:
        sign_files(files, by, directory=Path("/proc/self/fdinfo"))

    assert caught.value.code == "cannot-write"
    assert publisher.sandbox.requests == ()


@pytest.mark.parametrize(
    ("path", "named", "hint"),
    [
        (
            CERTIFICATE,
            "the certificate authority (Fulcio) at {fulcio}",
            "the CT log behind it is probably down",
        ),
        (LOG, "the transparency log (Rekor) at {rekor}", "may still take the entry"),
        (STAMP, "the time-stamp authority at {tsa}", "Nothing was logged for this file"),
    ],
)
def test_a_server_that_does_not_answer_is_named_in_time(
    publisher: Publisher, path: str, named: str, hint: str
) -> None:
    """A CA whose CT log is dead does not answer either."""
    hold = Hold()
    publisher.sandbox.fault(hold, path, times=None)
    failure = _failure(publisher, seconds=SOON)
    hold.until.set()

    sandbox = publisher.sandbox
    assert (
        named.format(fulcio=sandbox.fulcio_url, rekor=sandbox.rekor_url, tsa=sandbox.tsa_url)
        in failure.message
    )
    assert hint in failure.hint


def test_no_server_is_waited_for_longer_than_half_a_minute(publisher: Publisher) -> None:
    with signing(publisher) as by:
        assert by._seconds <= 30  # a person waits for it


@pytest.mark.parametrize(
    ("service", "named", "hint"),
    [
        ("caUrls", "the certificate authority (Fulcio) at http://127.0.0.1:9", "caUrls"),
        ("rekorTlogUrls", "the transparency log (Rekor) at http://127.0.0.1:9", "rekorTlogUrls"),
        ("tsaUrls", "the time-stamp authority at http://127.0.0.1:9", "--allow-no-timestamp"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named(
    publisher: Publisher, service: str, named: str, hint: str
) -> None:
    config = _config(publisher)
    config["signingConfig"][service][0]["url"] = "http://127.0.0.1:9"
    _configure(publisher, config)
    failure = _failure(publisher)

    assert named in failure.message
    assert "Connection refused" in failure.message
    assert hint in failure.hint


@pytest.mark.parametrize(
    ("path", "status", "body", "said", "hint"),
    [
        (
            CERTIFICATE,
            400,
            '{"code":3,"message":"no such \\u001b[31missuer"}',
            "HTTP 400: no such",
            "some issuers",
        ),
        (CERTIFICATE, 500, '{"code":13,"message":"error entering certificate in CTL"}', "in CTL", "CT log"),
        (LOG, 400, '{"code":400,"message":"too young"}', "HTTP 400: too young", "does not take the entry"),
        (LOG, 503, "<html>busy</html>", "HTTP 503: <html>busy</html>", "failed itself"),
        (LOG, 201, "<html>sign in</html>", "the transparency log (Rekor)", "does a proxy stand before it?"),
        (CERTIFICATE, 200, "{}", "the certificate authority (Fulcio)", "trusted root"),
    ],
)
def test_what_a_server_said_is_told(
    publisher: Publisher, path: str, status: int, body: str, said: str, hint: str
) -> None:
    publisher.sandbox.fault(Answer(status=status, body=body.encode()), path, times=None)
    failure = _failure(publisher)

    assert failure.code == "signing-failed"
    assert said in failure.message
    assert hint in failure.hint
    assert "\x1b" not in failure.message


@pytest.mark.parametrize("path", [CERTIFICATE, LOG, STAMP])
@pytest.mark.parametrize("part", ["whole", "cut", "signature", "long"])
def test_the_token_is_never_told(publisher: Publisher, path: str, part: str) -> None:
    token = publisher.job.id_token()
    words = {
        "whole": token,
        "cut": token[: len(token) // 2],
        "signature": token.rpartition(".")[2],
        "long": "x" * 280 + token,
    }
    body = json.dumps({"message": f"I do not like Bearer {words[part]}"}).encode()
    publisher.sandbox.fault(Answer(status=401, body=body), path, times=None)
    failure = _failure(publisher, token=token)

    assert "I do not like Bearer" in failure.message
    said = failure.message + failure.hint
    assert [piece for piece in token.split(".") if piece[:20] in said] == []
    assert len(failure.message) < 600


def test_a_password_in_a_url_is_not_told(publisher: Publisher) -> None:
    config = _config(publisher)
    for service in ("caUrls", "rekorTlogUrls"):
        config["signingConfig"][service][0]["url"] = "http://jo:hunter2@127.0.0.1:9"
        _configure(publisher, config)
        failure = _failure(publisher)
        assert "127.0.0.1:9" in failure.message
        assert "hunter2" not in failure.message + failure.hint


def test_a_statement_that_is_none_is_no_fault_of_the_log(publisher: Publisher) -> None:
    with signing(publisher) as by, pytest.raises(UsageError) as caught:
        by.sign_statement(b"{}")

    assert caught.value.code == "bad-predicate"
    assert publisher.sandbox.requests == ()


def test_a_failure_of_the_ca_is_waited_for_once(publisher: Publisher) -> None:
    files = put(publisher, 8)
    publisher.sandbox.fault(Answer(status=500), CERTIFICATE, times=None)
    result = publisher.sign(*files)

    assert result.returncode == 3
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (1, 0)


def _old_token(publisher: Publisher) -> str:
    """Return a token that was good an hour ago, too, by which time the sandbox signs meanwhile."""
    early = int((publisher.sandbox.clock.now() - timedelta(hours=1)).timestamp())
    return publisher.sandbox.job(publisher.project, tag="v1.0", nbf=early, iat=early).id_token()


def _ends_soon(publisher: Publisher, by: Signatory) -> None:
    """Have the signer's certificate end within its margin, and let the sandbox's time be real again."""
    publisher.sandbox.clock.advance(timedelta(minutes=-9, seconds=-30))
    by.sign_digest(digest_of(DATA))
    publisher.sandbox.clock.set(None)


def test_a_certificate_that_runs_out_is_replaced_by_one_for_all(publisher: Publisher) -> None:
    with signing(publisher, _old_token(publisher)) as by:
        _ends_soon(publisher, by)
        publisher.sandbox.clear_requests()
        files = [publisher.directory / file for file in put(publisher, 6)]
        signed = sign_files(files, by)

    assert [each.path for each in signed] == files
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (1, 6)


def test_a_certificate_that_is_over_is_replaced(publisher: Publisher) -> None:
    """It ended before a first bundle showed how long it lives."""
    passed, held = Hold(), Hold()
    passed.until.set()
    publisher.sandbox.clock.advance(timedelta(minutes=-11))
    for hold in (passed, held):
        publisher.sandbox.fault(hold, CERTIFICATE)
    signed: list[bytes] = []
    with signing(publisher, _old_token(publisher)) as by:
        thread = threading.Thread(target=lambda: signed.append(by.sign_digest(digest_of(DATA))))
        thread.start()
        assert held.reached.wait(60)
        publisher.sandbox.clock.set(None)
        held.until.set()
        thread.join(60)

    assert len(signed) == 1
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (2, 1)


def test_certificates_that_are_always_over_end_it(publisher: Publisher) -> None:
    token = _old_token(publisher)
    publisher.sandbox.clock.advance(timedelta(minutes=-11))
    failure = _failure(publisher, token=token)

    assert (failure.code, asked(publisher, CERTIFICATE), asked(publisher, LOG)) == ("signing-failed", 2, 0)
    assert "clocks" in failure.hint


def test_a_token_that_has_run_out_leaves_what_was_written(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _old_token(publisher)
    files = [publisher.directory / file for file in put(publisher, 3)]
    with signing(publisher, token) as by:
        publisher.sandbox.clock.advance(timedelta(minutes=-9, seconds=-30))
        sign_files(files[:1], by)
        monkeypatch.setattr(IdentityToken, "in_validity_period", lambda _token: False)
        with pytest.raises(UndecidedError) as caught:
            sign_files(files[1:], by)

    assert (caught.value.code, caught.value.exit_code) == ("token-ran-out", 3)
    assert "signs what is missing" in caught.value.hint
    assert token not in caught.value.message + caught.value.hint
    assert bundles(publisher) == ["dist/file00-1.0.tar.gz"]
