"""Names of images: one text, one place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import UsageError
from pip_warden.oci.names import parse_image, parse_reference, parse_repository, spelled

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("registry.example.com/acme/app", "https://registry.example.com/v2/acme/app"),
        ("Registry.Example.com:443/acme/app", "https://registry.example.com/v2/acme/app"),
        (
            "gitlab.example.com:5050/acme/a.b_c__d--e/f",
            "https://gitlab.example.com:5050/v2/acme/a.b_c__d--e/f",
        ),
        ("127.0.0.1:5000/app", "http://127.0.0.1:5000/v2/app"),
        ("localhost/app", "http://localhost/v2/app"),
        ("LOCALHOST:443/app", "http://localhost:443/v2/app"),
        ("[::1]:443/app", "http://[::1]:443/v2/app"),
        ("[::1]:5000/app", "http://[::1]:5000/v2/app"),
        ("localhost:443/app", "http://localhost:443/v2/app"),
        ("127.0.0.1:80/app", "http://127.0.0.1/v2/app"),
        ("registry.example.com:80/app", "https://registry.example.com:80/v2/app"),
        ("[0:0::1]:80/app", "http://[::1]/v2/app"),
        ("[2001:DB8:0::1]:443/app", "https://[2001:db8::1]/v2/app"),
        ("127.evil.example/app", "https://127.evil.example/v2/app"),
        ("localhost.example.com/app", "https://localhost.example.com/v2/app"),
    ],
)
def test_where_a_repository_is(text: str, url: str) -> None:
    repository = parse_repository(text)
    assert repository.url == url
    assert parse_repository(str(repository)) == repository


def test_what_an_image_names() -> None:
    both = parse_image(f"registry.example.com/acme/app:1.0@sha256:{HEX}")
    assert (both.tag, both.digest and spelled(both.digest)) == ("1.0", f"sha256:{HEX}")
    assert str(both) == f"registry.example.com/acme/app:1.0@sha256:{HEX}"
    assert parse_image("localhost:5000/app:x").tag == "x"
    assert parse_image(f"localhost:5000/app@sha256:{HEX}").tag is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "app", "app:1.0", "acme/app:1.0", "registry.example.com", "registry.example.com/", "/app:1"),
        *(
            "registry.example.com/acme/app",
            "registry.example.com/acme/app:",
            "registry.example.com/acme/app@",
        ),
        *("https://registry.example.com/acme/app:1", "user@registry.example.com/acme/app:1"),
        *("registry.example.com:0/app:1", "registry.example.com:70000/app:1", "registry.example.com:x/app:1"),
        *(
            "registry.example.com/Acme/app:1",
            "registry.example.com/acme//app:1",
            "registry.example.com/../app:1",
        ),
        *(
            "registry.example.com/acme/app:.1",
            "registry.example.com/acme/app:1/2",
            "registry.example.com/a___b:1",
        ),
        *(
            "registry.example.com/app:1\n",
            "registry.example.com/äpp:1",
            "\u212aube.example.com/app:1",  # the sign of Kelvin, a k in lower case
            "registry.example.com/app:" + "x" * 129,
        ),
        *(f"registry.example.com/app@sha512:{HEX}{HEX}", f"registry.example.com/app@sha256:{HEX.upper()}"),
        *(f"registry.example.com/app@sha256:{HEX}@sha256:{HEX}", f"registry.example.com/app@{HEX}"),
        *("registry.example.com/" + "a" * 256 + ":1", "-registry.example.com/app:1", "registry..com/app:1"),
    ],
)
def test_what_names_no_image(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_image(text)
    assert (caught.value.code, caught.value.exit_code) == ("invalid-image", 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("registry.example.com/acme/app:1.0", "a tag or a digest names one image"),
        (f"registry.example.com/acme/app@sha256:{HEX}", "a tag or a digest names one image"),
        ("https://registry.example.com/acme/app", "without a scheme"),
        ("acme/app", "host comes first"),
        ("registry.example.\N{KELVIN SIGN}om/app", "host comes first"),
        ("[:::]/app", "no IPv6 address"),
        ("[1.2.3.4]/app", "no IPv6 address"),
        ("registry.example.com/acme/app/", "a path has"),
    ],
)
def test_what_is_no_repository_is_told_in_words_of_repositories(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_repository(text)
    assert (caught.value.code, why in caught.value.message) == ("invalid-image", True)
    assert "project:1.0" not in caught.value.message
    assert "tag" not in caught.value.hint


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:5000/acme/app:1.0", "acme/app:1.0", "app:1.0", "host.example/App:1"]
)
def test_what_is_no_image_is_told_whole_and_in_words_of_images(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_image(text)
    assert f"found `{text}`" in caught.value.message
    assert "project:1.0" in caught.value.message
    assert "tag or digest" in caught.value.hint


@pytest.mark.parametrize("read", [parse_repository, parse_image])
@pytest.mark.parametrize(
    "text",
    [
        "user:secret@registry.example.com/acme/app",
        f"secret@registry.example.com/acme/app@sha256:{HEX}",
        "https://user:secret@registry.example.com/acme/app:1",
    ],
)
def test_no_message_shows_a_password(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.code == "invalid-image"
    assert "secret" not in caught.value.message


@given(st.text("aA0.-_:/@[]%\n é") | st.text())
def test_whatever_is_read_is_read_again_as_the_same(text: str) -> None:
    image = None
    with suppress(UsageError):
        image = parse_image(text)
    assert image is None or parse_image(str(image)) == image


@given(st.text(max_size=60) | st.from_regex(r"[a-z.]{1,9}/[a-z/]{1,9}(:[a-z]{1,3})?(@sha256:[0-9a-f]{64})?"))
def test_a_reference_is_an_image_or_a_repository(text: str) -> None:
    """What is read of one is what the stricter readers read, and nothing else is one."""
    found = None
    with suppress(UsageError):
        found = parse_reference(text)
    if found is not None and found.tag is None and found.digest is None:
        assert found.repository == parse_repository(text)
    elif found is not None:
        assert found == parse_image(text)
