"""File names: one plain path segment, and a bounded number of tags; digests: one spelling."""

from __future__ import annotations

import pytest
from packaging.version import Version

from pip_warden.digests import Digest, digest_of
from pip_warden.errors import UsageError
from pip_warden.names import parse_artifact_name, parse_name_or_release, parse_project_name, parse_release


@pytest.mark.parametrize(
    "name",
    [
        "a/b-1.0.tar.gz",
        "../b-1.0.tar.gz",
        "a\\b-1.0.tar.gz",
        "-b-1.0.tar.gz",
        ".b-1.0.tar.gz",
        "b-1.0.tar.gz\n",
        "\u0430-1.0.tar.gz",
        "b-1.0 .tar.gz",
        "a" * 260 + "-1.0.tar.gz",
        "b-1.0.zip",
        "b-1.0.egg",
        "b-1.0.tar.gz/",
    ],
)
def test_what_is_no_plain_file_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_artifact_name(name)
    assert (caught.value.code, caught.value.exit_code) == ("invalid-filename", 2)


def test_the_tags_of_a_wheel_are_counted_before_they_are_made() -> None:
    tags = ".".join(f"t{number}" for number in range(17))
    fits = ".".join(f"t{number}" for number in range(16))

    assert len(parse_artifact_name(f"b-1.0-{fits}-{fits}-any.whl").tags) == 256
    with pytest.raises(UsageError):
        parse_artifact_name(f"b-1.0-{tags}-{fits}-any.whl")


@pytest.mark.parametrize("name", ["", "-", "a b", "a/b", ".a", "a\n"])
def test_what_is_no_project_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_project_name(name)
    assert caught.value.code == "invalid-name"


def test_a_release_is_a_name_and_a_version() -> None:
    assert parse_release("Acme.Widgets==1.0") == ("acme-widgets", Version("1.0"))
    assert parse_name_or_release("Acme.Widgets==1.0") == ("acme-widgets", Version("1.0"))
    assert parse_name_or_release("Acme.Widgets") == ("acme-widgets", None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a", "version-needed"),
        ("a b", "version-needed"),
        ("a=1.0", "version-needed"),
        ("a>=1.0", "version-needed"),
        ("", "version-needed"),
        ("==1.0", "invalid-name"),
        ("a b==1.0", "invalid-name"),
        ("a==", "invalid-version"),
        ("a===1.0", "invalid-version"),
        ("a==1.*", "invalid-version"),
        ("a==1.0==1.0", "invalid-version"),
    ],
)
def test_what_is_no_release(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_release(text)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    if code == "version-needed":
        assert caught.value.message == f"expected NAME==VERSION, found {text!r}"


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "invalid-name"), ("a>=1.0", "invalid-name"), ("==1.0", "invalid-name"), ("a==", "invalid-version")],
)
def test_what_is_neither_a_name_nor_a_release(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name_or_release(text)
    assert caught.value.code == code


HEX = digest_of(b"x").hex


@pytest.mark.parametrize(
    "text", ["", HEX[:-1], HEX + "0", HEX + "\n", HEX.upper(), HEX[:-1] + "\u0660", "sha256:" + HEX]
)
def test_a_digest_has_one_spelling(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Digest(text)
    assert caught.value.code == "invalid-digest"


def test_a_digest_matches_itself_alone() -> None:
    assert Digest(HEX).matches(digest_of(b"x"))
    assert not Digest(HEX).matches(digest_of(b"y"))
