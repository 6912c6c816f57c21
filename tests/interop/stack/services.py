"""The servers of a Sigstore, in the order in which they need each other."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from interop.stack.install import found
from interop.stack.operated import FRESH, SCRIPT, ran, settle
from interop.stack.places import BIN, HOST, STATE, TRUST, Port
from interop.stack.supervisor import Service, StackError

ISSUER = Port.GITLAB.url


def services() -> tuple[Service, ...]:
    """Return every service, in the order in which to start them."""
    return (
        _operated("mysql", _database_answers, after=lambda: ran("databases")),
        _operated(
            "trillian-server", _answers(f"{Port.TRILLIAN_HTTP.url}/healthz"), after=lambda: ran("trees")
        ),
        _operated("trillian-signer", _answers(f"{Port.SIGNER_HTTP.url}/healthz")),
        _operated("ct-log", _answers(f"{Port.CT.url}/ct/ct/v1/get-sth")),
        gitlab(),
        _operated("fulcio", _answers(f"{Port.FULCIO.url}/api/v2/configuration")),
        # Before any Rekor v1: both want port 2112 for metrics, and only Rekor can do without.
        timestamps(),
        rekor_v1(),
        _operated("rekor-v2", _answers(f"{Port.REKOR2.url}/healthz")),
        _tuf(),
    )


def gitlab() -> Service:
    """Return the sandbox's GitLab: the issuer that Fulcio knows. A test replaces it by its own."""
    command = ("sandbox", f"--port={Port.GITLAB.value}", f"--directory={STATE / 'sandbox'}")
    return Service(
        name="gitlab",
        command=lambda: [str(Path(sys.executable).with_name("pip-warden")), *command],
        ready=_answers(f"{ISSUER}/.well-known/openid-configuration"),
    )


def timestamps() -> Service:
    """Return the time-stamp authority."""
    return _operated("timestamps", _answers(f"{Port.TSA.url}/ping"))


def rekor_v1() -> Service:
    """Return Rekor v1."""
    return _operated("rekor-v1", _answers(f"{Port.REKOR1.url}/api/v1/log"))


def fresh(name: str) -> Service:
    """Return the second Rekor of a version, ``fresh-v1`` or ``fresh-v2``, for tests that need an empty log.

    It has the keys of the first.
    """
    if name == "fresh-v1":
        ready = _answers(f"{Port.FRESH_REKOR1.url}/api/v1/log")
        return _operated("rekor-v1", ready, name=name, before=lambda: ran("trees", state=FRESH), state=FRESH)
    return _operated("rekor-v2", _answers(f"{Port.FRESH_REKOR2.url}/healthz"), name=name, state=FRESH)


def forget(name: str) -> None:
    """Delete a stopped log's entries, so that the next one of its name begins empty."""
    shutil.rmtree(FRESH / ("trees" if name == "fresh-v1" else "rekor-v2"), ignore_errors=True)


def distribution(config: Path) -> Service:
    """Return CNCF distribution, which keeps nothing; a test that needs it starts it with its own GitLab."""
    return Service(
        name="distribution",
        command=lambda: [str(BIN / "distribution"), "serve", str(config)],
        ready=_answers(f"{Port.DISTRIBUTION_HEALTH.url}/debug/health"),
        environment={"OTEL_TRACES_EXPORTER": "none"},
    )


def ggcr_registry() -> Service:
    """Return go-containerregistry's registry, which keeps nothing and asks nobody who they are."""
    return Service(
        name="ggcr-registry",
        command=lambda: [str(BIN / "ggcr-registry"), f"{HOST}:{Port.GGCR.value}"],
        ready=_answers(f"{Port.GGCR.url}/v2/"),
    )


def _nothing() -> None:
    return


def _operated(
    server: str,
    ready: Callable[[], bool],
    *,
    name: str = "",
    before: Callable[[], None] = _nothing,
    after: Callable[[], None] = _nothing,
    state: Path = STATE,
) -> Service:
    """Return a server as the operator's script serves it."""

    def settled() -> None:
        settle(state)
        before()

    return Service(
        name=name or server,
        command=lambda: [str(SCRIPT), "serve", server],
        ready=ready,
        before=settled,
        after=after,
        environment={"SIGSTORE_SETTINGS": str(state / "settings")},
    )


def _tuf() -> Service:
    """Return the TUF server of the trust root, for the one client that takes it in no other way."""
    from interop.stack import trust

    serve = ("-m", "http.server", "--bind", HOST, "--directory", str(TRUST / "tuf"), str(Port.TUF.value))
    return Service(
        name="tuf",
        command=lambda: [sys.executable, *serve],
        ready=_answers(f"{Port.TUF.url}/1.root.json"),
        before=trust.make,
    )


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own loopback URLs
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return ready


def _database_answers() -> bool:
    program = found("mariadb")
    if program is None:
        raise StackError("mariadb is not there")
    words = [program, "--no-defaults", f"--socket={STATE / 'mysql.sock'}", "--execute=SELECT 1"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
