"""``{tag}`` in a pattern stands for exactly the tag of the image that is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.trust.placeholders import suggest_image_subject
from pip_warden.trust.segments import ImageTag, fill, spelled_for
from pip_warden.trust.subject import parse_ref, parse_subject

BASE = "https://gitlab.example.com/acme/app//.gitlab-ci.yml@"
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", fullmatch=True)
NO_TAG = ImageTag(None)


@pytest.mark.parametrize(
    ("pattern", "ref", "tag", "fits"),
    [
        ("refs/tags/v{tag}", "refs/tags/v1.9", "1.9", True),
        ("refs/tags/v{tag}", "refs/tags/v01.9", "1.9", False),
        ("refs/tags/v{tag}", "refs/tags/v1.9.0", "1.9", False),
        ("refs/tags/v{tag}", "refs/tags/v1.9", "v1.9", False),
        ("refs/tags/{tag}", "refs/tags/latest", "latest", True),
        ("refs/tags/{tag}", "refs/tags/Latest", "latest", False),
        ("refs/tags/{tag}", "refs/heads/latest", "latest", False),
        ("refs/tags/*/{tag}-final", "refs/tags/a/1-final", "1", True),
        ("refs/tags/{tag}", "refs/tags/a/1", "1", False),
        ("refs/tags/a{tag}a", "refs/tags/a", "a", False),
        ("refs/tags/a{tag}a", "refs/tags/aaa", "a", True),
        ("refs/tags/{tag}", "refs/tags/1..2", "1..2", False),
        ("refs/tags/{tag}", "refs/tags/{tag}", "{tag}", False),
        ("refs/tags/v{tag}", "refs/tags/v", "", False),
        ("refs/tags/v{tag}", "refs/tags/v", None, False),
        ("refs/tags/{tag}", "refs/tags/None", None, False),
        ("refs/tags/v1", "refs/tags/v1", None, True),
        ("refs/tags/v{version}", "refs/tags/v1.9", "1.9", False),
    ],
)
def test_it_is_the_tag_and_nothing_like_it(pattern: str, ref: str, tag: str | None, fits: bool) -> None:
    assert parse_ref(pattern).matches(ref, ImageTag(tag)) is fits
    assert parse_subject(BASE + pattern).matches(BASE + ref, ImageTag(tag)) is fits


def test_a_package_has_no_tag() -> None:
    assert not parse_ref("refs/tags/v{tag}").matches("refs/tags/v1.9", Version("1.9"))


@pytest.mark.parametrize(
    "text",
    ["refs/tags/{tag}{tag}", "refs/tags/{tag}/{version}", "refs/tags/{version{tag}}", "refs/tags/{ta}"],
)
def test_one_placeholder_stands_once(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ref(text)
    assert caught.value.code == "invalid-ref"


@pytest.mark.parametrize(
    "text", ["https://h.example/{tag}/x//c@refs/tags/v1", "https://{tag}.example/a/x//c@refs/tags/v"]
)
def test_it_stands_in_the_ref_alone(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_subject(text)
    assert caught.value.code == "invalid-subject"


@given(TAGS, TAGS)
def test_no_ref_is_of_two_tags(one: str, other: str) -> None:
    pattern, ref = parse_ref("refs/tags/v{tag}"), f"refs/tags/v{one}"

    assert pattern.matches(ref, ImageTag(one)) is (".." not in one)
    assert not pattern.matches(ref, ImageTag(other)) or one == other
    assert not pattern.matches(ref, NO_TAG)


def test_a_text_is_filled_with_the_release() -> None:
    assert fill("v{version}-{tag}", Version("1.0")) == "v1.0-{tag}"
    assert fill("v{tag}-{version}", ImageTag("1")) == "v1-{version}"
    assert (fill("v{tag}", NO_TAG), fill("v{tag}", ImageTag("")), fill("v1", NO_TAG)) == (None, None, "v1")
    assert spelled_for("v{version}", Version("1.0")) == "v{version} with {version} = 1.0"
    assert spelled_for("v{tag}", ImageTag("1")) == "v{tag} with {tag} = 1"
    assert spelled_for("v1", NO_TAG) == "v1"
    assert spelled_for("v{tag}", NO_TAG).startswith("v{tag}: name the image by its tag")


@pytest.mark.parametrize(
    ("ref", "tag", "pattern"),
    [
        ("refs/tags/1.0", "1.0", "refs/tags/{tag}"),
        ("refs/tags/v1.0", "1.0", "refs/tags/v{tag}"),
        ("refs/tags/v1.0", "v1.0", "refs/tags/{tag}"),
        ("refs/tags/app/1.0", "1.0", "refs/tags/app/{tag}"),
        ("refs/tags/release-1.0", "1.0", "refs/tags/release-{tag}"),
        ("refs/tags/latest", "latest", "refs/tags/{tag}"),
        ("refs/tags/1.0/1.0", "1.0", "refs/tags/1.0/{tag}"),
        ("refs/tags/11.0", "1.0", None),
        ("refs/tags/1.1.0", "1.0", None),
        ("refs/tags/prelatest", "latest", None),
        ("refs/tags/v1.0-final", "1.0", None),
        ("refs/tags/v1.0", "2.0", None),
        ("refs/tags/v1.0", "", None),
        ("refs/tags/v1.0", None, None),
        ("refs/heads/1.0", "1.0", None),
        ("refs/merge-requests/1/head", "head", None),
    ],
)
def test_what_is_suggested_for_a_subject(ref: str, tag: str | None, pattern: str | None) -> None:
    assert suggest_image_subject(BASE + ref, tag) == BASE + (pattern or ref)
    assert suggest_image_subject("me@example.com", tag) == "me@example.com"


@given(TAGS, st.sampled_from(["", "v", "app/", "release-", "1", "1."]))
def test_what_is_suggested_fits_where_it_came_from(tag: str, before: str) -> None:
    subject = f"{BASE}refs/tags/{before}{tag}"
    suggested = suggest_image_subject(subject, tag)
    if suggested != subject:
        assert parse_subject(suggested).matches(subject, ImageTag(tag))
        assert not parse_subject(suggested).matches(subject, ImageTag(f"{tag}0"))
