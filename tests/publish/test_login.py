"""A person signs: logged in with a browser, asked before anything is signed, and never in a job."""

from __future__ import annotations

import base64
import gc
import json
import threading
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from _sigstore.samples import NOON
from cli.terminal import Said, typed
from pip_warden.publish.token import read_token
from pip_warden.sandbox import Sandbox

pytestmark = [  # the library leaves the socket open at which the browser comes back
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FILE = "acme_widgets-1.0.tar.gz"
LOGGED = ("/api/v2/signingCert", "/api/v1/log/entries")


class Browser(webbrowser.BaseBrowser):
    """A browser whose user logs in at once.

    Attributes:
        opened: What it was asked to open.
    """

    def __init__(self) -> None:
        super().__init__("test")
        self.opened: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002
        self.opened.append(url)
        threading.Thread(target=lambda: urllib.request.urlopen(url, timeout=60).read()).start()  # noqa: S310
        return True


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    made = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda _using=None: made)
    monkeypatch.setattr(webbrowser, "open", made.open)
    return made


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for name in ("CI", "GITLAB_CI", "GITHUB_ACTIONS", "SIGSTORE_ID_TOKEN", "SIGSTORE_IDENTITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_bytes(b"the sdist")
    with Sandbox() as sandbox:
        sandbox.write_trust(tmp_path)
        yield sandbox
    gc.collect()  # what was left open is found here, and by no other test


def _sign(*words: str, answers: str | None = None) -> Said:
    return typed("sign", "--trust-config", "trust_config.json", FILE, *words, answers=answers)


def _is_anything_logged(sandbox: Sandbox) -> bool:
    return any(request.path in LOGGED for request in sandbox.requests)


def test_a_person_is_offered_to_log_in_and_asked_before_signing(world: Sandbox, browser: Browser) -> None:
    said = _sign(answers="y\ny\n")

    assert said.code == 0, said.err
    assert len(browser.opened) == 1
    assert f"Log in at {world.people.issuer} with your browser?" in said.err
    assert "signing as jo@example.com" in said.err
    assert "warning: the log shows this address to everybody, for ever" in said.err
    assert said.err.index("for ever") < said.err.index("Sign as jo@example.com?")
    bundle = json.loads(Path(f"{FILE}.sigstore.json").read_bytes())
    certificate = base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    assert b"jo@example.com" in certificate


def test_asked_for_it_is_not_offered(world: Sandbox, browser: Browser) -> None:
    said = _sign("--browser", answers="y\n")

    assert said.code == 0, said.err
    assert "with your browser?" not in said.err
    assert len(browser.opened) == 1
    assert _is_anything_logged(world)


@pytest.mark.parametrize("answers", ["n\n", "y\nn\n"])
def test_after_a_no_nothing_is_signed(world: Sandbox, browser: Browser, answers: str) -> None:
    said = _sign(answers=answers)

    assert said.code == 1
    assert "[not-confirmed]" in said.err
    assert len(browser.opened) == answers.count("y")
    assert not _is_anything_logged(world)


def test_signing_again_as_the_same_person_keeps_the_evidence(world: Sandbox, browser: Browser) -> None:
    assert _sign("--browser", answers="y\n").code == 0
    world.clear_requests()
    same = _sign("--browser", answers="y\n")
    world.people.mail = "kim@example.com"
    other = _sign("--browser", answers="y\n")

    assert (same.code, other.code, len(browser.opened)) == (0, 2, 3)
    assert "already signed" in same.out
    assert "signed by jo@example.com" in other.err
    assert not _is_anything_logged(world)


def test_without_a_browser_the_code_is_typed(world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library prints a link, and asks for the code that is shown there."""
    monkeypatch.setattr(webbrowser, "open", lambda *_args, **_options: False)
    said = _sign("--browser", "--format", "json", answers="wrong\n")

    assert said.code == 3
    assert said.json["error"]["code"] == "login-failed", "standard output is for JSON alone"
    assert "verification code" in said.err
    assert f"{world.people.issuer}/auth?" in said.err
    assert not _is_anything_logged(world)


@pytest.mark.parametrize("ci", ["true", "1"])
@pytest.mark.usefixtures("world")
def test_a_job_is_never_asked(monkeypatch: pytest.MonkeyPatch, browser: Browser, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    offered, wanted = _sign(answers="y\ny\n"), _sign("--browser", answers="y\ny\n")

    assert (offered.code, wanted.code) == (2, 2)
    assert "[no-identity-token]" in offered.err
    assert "[no-terminal]" in wanted.err
    assert browser.opened == []


@pytest.mark.usefixtures("world")
def test_nobody_is_asked_without_a_terminal(browser: Browser) -> None:
    offered, wanted = _sign(), _sign("--browser")

    assert (offered.code, wanted.code) == (2, 2)
    assert "[no-identity-token]" in offered.err
    assert "--browser" in offered.err
    assert "[no-terminal]" in wanted.err
    assert browser.opened == []


def test_a_login_that_is_refused_or_reaches_nobody(world: Sandbox, browser: Browser) -> None:
    world.people.is_refusing = True
    refused = _sign("--browser", answers="y\n")
    nobody = _sign("--browser", "--oidc-issuer", "http://127.0.0.1:9", answers="y\n")

    assert (refused.code, nobody.code, len(browser.opened)) == (3, 3, 1)
    assert "access_denied" in refused.err
    assert "[login-failed]" in nobody.err
    assert "http://127.0.0.1:9" in nobody.err
    assert not _is_anything_logged(world)


def test_a_trust_config_that_names_no_issuer_needs_one(world: Sandbox, browser: Browser) -> None:
    config = json.loads(Path("trust_config.json").read_bytes())
    del config["signingConfig"]["oidcUrls"]
    Path("trust_config.json").write_text(json.dumps(config))
    without = _sign("--browser", answers="y\n")
    named = _sign("--browser", "--oidc-issuer", world.people.issuer, answers="y\n")

    assert (without.code, named.code, len(browser.opened)) == (2, 0, 1)
    assert "[no-login]" in without.err


def test_a_token_for_another_client_says_so(world: Sandbox, browser: Browser) -> None:
    """The CA alone decides which audiences it takes."""
    said = _sign("--browser", "--oidc-client-id", "ours", answers="y\n")

    assert (said.code, len(browser.opened)) == (3, 1)
    assert "the certificate authority (Fulcio)" in said.err
    assert world.fulcio_url in said.err


def test_behind_a_provider_for_several_the_one_that_it_asked_is_pinned() -> None:
    claims = {
        "iss": "https://oauth2.sigstore.dev/auth",
        "aud": "sigstore",
        "exp": int(NOON.timestamp()) + 60,
        "email": "jo@example.com",
        "federated_claims": {"connector_id": "https://github.com/login/oauth"},
    }
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    claimed = read_token(f"e30.{body}.x", now=NOON, is_public_good=True)

    assert claimed.is_person
    assert claimed.claimed_certificate_issuer == "https://github.com/login/oauth"
    assert "issued by https://github.com/login/oauth" in claimed.in_words()
