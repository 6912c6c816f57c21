"""The public-good root: fetched under a deadline, and every failure is an error of pip-warden."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sigstore._internal.tuf import DEFAULT_TUF_URL
from sigstore.models import TrustedRoot

from pip_warden._sigstore import tuf
from pip_warden._sigstore.root import load_root
from pip_warden._sigstore.tuf import fetch_public_good_root
from pip_warden.errors import TrustRootError

REAL = Path(__file__).parent.parent / "data" / "real" / "trusted_root.public-good.json"


def test_what_is_fetched_says_what_the_distributed_root_says() -> None:
    raw = fetch_public_good_root(source=TrustedRoot.from_file(str(REAL))._inner.to_json)

    fetched, distributed = load_root(raw), load_root(REAL.read_bytes())
    assert fetched.dropped == ()
    assert fetched.authorities == distributed.authorities
    assert fetched.logs == distributed.logs
    assert fetched.ct_logs == distributed.ct_logs


def test_any_failure_is_ours() -> None:
    def fail() -> str:
        raise ValueError("broken metadata")

    with pytest.raises(TrustRootError) as caught:
        fetch_public_good_root(source=fail)

    assert caught.value.code == "tuf-failed"
    assert "broken metadata" in caught.value.message


def test_the_repository_that_cannot_be_reached_is_named_with_the_cause() -> None:
    def fail() -> str:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as err:
            raise ValueError("Failed to refresh TUF metadata") from err

    with pytest.raises(TrustRootError) as caught:
        fetch_public_good_root(source=fail)

    assert (caught.value.code, caught.value.exit_code) == ("tuf-failed", 3)
    assert caught.value.message.endswith(
        "(https://tuf-repo-cdn.sigstore.dev), found: Failed to refresh TUF metadata (Connection refused)"
    )


def test_the_repository_is_the_one_that_the_library_asks() -> None:
    assert tuf._REPOSITORY == DEFAULT_TUF_URL


def test_a_repository_that_never_answers() -> None:
    never = threading.Event()

    def wait() -> str:
        never.wait()
        return ""

    with pytest.raises(TrustRootError) as caught:
        fetch_public_good_root(seconds=0.01, source=wait)
    never.set()

    assert caught.value.code == "tuf-failed"


def test_a_root_that_cannot_be_used() -> None:
    with pytest.raises(TrustRootError) as caught:
        fetch_public_good_root(source=lambda: "{}")

    assert caught.value.code == "bad-trusted-root"
