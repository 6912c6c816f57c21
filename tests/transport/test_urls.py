"""URLs: each can be read in one way only, and no secret is shown."""

from __future__ import annotations

import pytest

from pip_warden.errors import NetworkError
from pip_warden.transport import origin_of, redacted_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://GitLab.example.com/a?b", "https://gitlab.example.com"),
        ("https://gitlab.example.com:443/", "https://gitlab.example.com"),
        ("https://gitlab.example.com:8443", "https://gitlab.example.com:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert str(origin_of(url)) == origin


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.exa\tmple.com/",
        "https://gitlab.exa\nmple.com/",
        " https://gitlab.example.com/",
        "https://gitlab.example.com/a b",
        "https://gitlab.example.com/é",
        "https://gitlab.example.com/\x7f",
        "https://gitlab.example.com/\\@evil.example",
        'https://gitlab.example.com/"',
        "https://gitlab.example.com:0/",
        "https://gitlab.example.com:99999/",
        "https://gitlab.example.com:١/",
        "https://user@gitlab.example.com/",
        "https://@gitlab.example.com/",
        "https://gitlab.example.com@evil.example/",
        "https://gitlab.example.com,evil.example/",
        "http://gitlab.example.com/",
        "http://localhost.evil.example/",
        "file:///etc/passwd",
    ],
)
def test_what_parsers_could_read_differently_is_not_asked(url: str) -> None:
    with pytest.raises(NetworkError) as caught:
        origin_of(url)
    assert caught.value.code == "insecure-url"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:hunter2@h.example/p?sig=hunter2#hunter2", "https://h.example/p"),
        ("https://u@hunter2@h.example/p", "https://h.example/p"),
        ("https://[hunter2", "(not a URL)"),
        ("https://h.example/\x1b[2J", "https://h.example/\\u001b[2J"),
    ],
)
def test_nothing_secret_is_shown(url: str, shown: str) -> None:
    assert redacted_url(url) == shown
