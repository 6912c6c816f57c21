"""The identity token that a CI system offers: fetched by a library, under a deadline."""

from __future__ import annotations

import threading

from pip_warden._sigstore.sign import ambient_token


def test_what_is_offered_is_taken() -> None:
    assert ambient_token(detect=lambda: "a.b.c") == "a.b.c"
    assert ambient_token(detect=lambda: None) is None


def test_b17_a_ci_system_that_never_answers_offers_none() -> None:
    never = threading.Event()

    def wait() -> str:
        never.wait()
        return ""

    assert ambient_token(seconds=0.01, detect=wait) is None
    never.set()
