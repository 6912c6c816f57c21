"""Patterns match exactly what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.trust.subject import SubjectPattern, parse_ref, parse_subject, read_subject, suggest_pattern

BASE = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@"
TAG = BASE + "refs/tags/v{version}"
GITHUB = "https://github.com/acme/widgets/.github/workflows/release.yml@refs/tags/v{version}"
V = Version("1.9")

releases = st.lists(st.integers(0, 3000), min_size=1, max_size=4)
versions = st.builds(
    lambda epoch, release, rest: Version(f"{epoch}!{'.'.join(map(str, release))}{rest}"),
    st.integers(0, 2),
    releases,
    st.sampled_from(["", "rc1", ".post2", ".dev3", "a4.post5", "+local.6"]),
)


def test_reads_a_gitlab_subject() -> None:
    subject = read_subject("https://gitlab.example.com:8443/a/b/c//ci/main.yml@refs/heads/main")

    assert subject is not None
    assert (subject.host, subject.project) == ("gitlab.example.com:8443", "gitlab.example.com:8443/a/b/c")
    assert (subject.config, subject.ref) == ("ci/main.yml", "refs/heads/main")


def test_reads_a_github_subject() -> None:
    subject = read_subject(GITHUB.replace("{version}", "1.9"))

    assert subject is not None
    assert (subject.project, subject.config) == ("github.com/acme/widgets", ".github/workflows/release.yml")


def test_a_pattern_says_what_it_is_about() -> None:
    pattern = parse_subject(TAG)

    assert pattern.project == "gitlab.example.com/acme/widgets"
    assert pattern.host == "gitlab.example.com"
    assert pattern.ref == parse_ref("refs/tags/v{version}")
    assert parse_subject("me@example.com").project is None


ODD = [
    "https://evil.example/?x=https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    BASE + "refs/tags/v1.9?x",
    BASE + "refs/tags/v1.9#x",
    BASE + "refs/tags/v1.9/",
    BASE + "refs/tags/v1.9 ",
    BASE + "refs/tags/v1.9\n",
    BASE + "refs/tags//v1.9",
    BASE + "refs/tags/x/../v1.9",
    BASE + "refs/tags/v1..9",
    BASE + "refs/tags/..v1.9",
    BASE + "refs/tags/v1%2e9",
    BASE + "refs/heads/v1.9",
    BASE + "refs/heads/x@refs/tags/v1.9",
    BASE + "v1.9",
    " " + BASE + "refs/tags/v1.9",
    "http" + BASE[5:] + "refs/tags/v1.9",
    "HTTPS" + BASE[5:] + "refs/tags/v1.9",
    "https://gitlab.example.com/acme/widgets/.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/widgets///.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme//widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com//acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/../acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/./widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/widgets//x/../.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml/@refs/tags/v1.9",
    "https://gitlab.example.com/acme/widgets/x//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com/acme/Widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://GitLab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com./acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com:443/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com.evil/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlabxexample.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://user@gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    "https://gitlab.example.com\\@evil/acme/widgets//.gitlab-ci.yml@refs/tags/v1.9",
    BASE + "refs/tags/v1\uff0e9",
    BASE + "refs/tags/v1.\u0669",
    BASE + "refs/tags/v{version}",
    BASE.replace(".gitlab-ci.yml", "other.yml") + "refs/tags/v1.9",
    BASE.replace(".gitlab-ci.yml", "ci/.gitlab-ci.yml") + "refs/tags/v1.9",
    BASE + "refs/merge-requests/1/head",
    "",
]


@pytest.mark.parametrize("claimed", ODD)
@pytest.mark.parametrize("pattern", [TAG, BASE + "refs/tags/*", BASE + "refs/tags/v1.9"])
def test_t12_t26_t27_odd_subjects_match_nothing(claimed: str, pattern: str) -> None:
    assert parse_subject(BASE + "refs/tags/v{version}").matches(BASE + "refs/tags/v1.9", V)
    assert not parse_subject(pattern).matches(claimed, V)


@pytest.mark.parametrize(
    "claimed",
    [
        BASE + "refs/merge-requests/1/head",
        BASE + "refs/heads",
        BASE + "refs/tags/*",
        BASE + "refs/tags/v{version}",
        "https://gitlab.example.com/acme/*//.gitlab-ci.yml@refs/tags/v1.9",
    ],
)
def test_what_names_no_branch_or_tag_of_one_project(claimed: str) -> None:
    assert read_subject(claimed) is None


def test_t26_a_branch_named_like_a_tag_is_no_tag() -> None:
    assert not parse_subject(BASE + "refs/heads/*").matches(BASE + "refs/tags/v1.9", V)
    assert not parse_ref("refs/tags/*").matches("refs/heads/v1.9", V)
    assert not parse_ref("refs/heads/*").matches("refs/heads/refs/tags/v1.9", V)


def test_t26_the_two_shapes_are_not_mixed_up() -> None:
    gitlab = "https://github.com/acme/widgets//.github/workflows/release.yml@refs/tags/v1.9"

    assert parse_subject(GITHUB).matches(GITHUB.replace("{version}", "1.9"), V)
    assert not parse_subject(GITHUB).matches(gitlab, V)


@pytest.mark.parametrize(
    ("spelling", "version", "fits"),
    [
        ("1.9", "1.9", True),
        ("01.9", "1.9", True),
        ("1.09", "1.9", True),
        ("1.9.0", "1.9", False),
        ("1.9.0", "1.9.0", True),
        ("1.9", "1.9.0", False),
        ("v1.9", "1.9", False),
        ("0!1.9", "1.9", False),
        ("1!1.9", "1!1.9", True),
        ("1.9", "1!1.9", False),
        ("2024.10.03", "2024.10.3", True),
        ("1.9RC1", "1.9rc1", False),
        ("1.9-rc1", "1.9rc1", False),
        ("1.9rc1", "1.9rc1", True),
        ("1.9rc1", "1.9", False),
        ("1.9", "1.9rc1", False),
        ("1.9rc01", "1.9rc1", False),
        ("1.90", "1.9", False),
        (".1.9", "1.9", False),
        ("1.9+", "1.9", False),
        ("+1.9", "1.9", False),
        ("0" * 2000 + "1.9", "1.9", True),
        ("", "1.9", False),
    ],
)
def test_t63_spellings_of_a_version(spelling: str, version: str, fits: bool) -> None:
    ref = f"refs/tags/v{spelling}"

    assert parse_ref("refs/tags/v{version}").matches(ref, Version(version)) is fits


@given(versions, versions)
def test_t63_no_tag_stands_for_two_versions(one: Version, other: Version) -> None:
    pattern = parse_ref("refs/tags/v{version}")
    tag = f"refs/tags/v{one}"

    assert pattern.matches(tag, one)
    assert not pattern.matches(tag, other) or one == other


def test_t62_a_star_is_one_whole_segment() -> None:
    pattern = parse_subject("https://gitlab.example.com/acme/*//.gitlab-ci.yml@refs/tags/*")

    assert pattern.matches("https://gitlab.example.com/acme/x//.gitlab-ci.yml@refs/tags/y", V)
    assert not pattern.matches("https://gitlab.example.com/acme/x/z//.gitlab-ci.yml@refs/tags/y", V)
    assert not pattern.matches("https://gitlab.example.com/acme///.gitlab-ci.yml@refs/tags/y", V)
    assert not pattern.matches("https://gitlab.example.com/acme/x//.gitlab-ci.yml@refs/tags/y/z", V)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "caf\u00e9@example.com",
        "me*@example.com",
        "me@{version}",
        "https://gitlab.example.com/acme/widgets/.gitlab-ci.yml@refs/tags/v1",
        "https://*/acme/widgets//.gitlab-ci.yml@refs/tags/v1",
        "https://gitlab.example.com/*/widgets//.gitlab-ci.yml@refs/tags/v1",
        "https://gitlab.example.com/acme/w*//.gitlab-ci.yml@refs/tags/v1",
        "https://gitlab.example.com/acme/{version}//.gitlab-ci.yml@refs/tags/v1",
        "https://gitlab.example.com/acme/widgets//*@refs/tags/v1",
        BASE + "main",
        BASE + "refs/*/main",
        BASE + "refs/tags/v*",
        BASE + "refs/tags/{version}-{version}",
        BASE + "refs/tags/{vers}",
        BASE + "refs/tags/",
        BASE + "refs/merge-requests/1/head",
        "x" * 5000,
    ],
)
def test_a_subject_that_cannot_be_right_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_subject(text)

    assert caught.value.code == "invalid-subject"
    assert ".gitlab-ci.yml@refs/tags/v{version}" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "main", "refs/tags", "refs/tags/", "refs/tags/a*", "refs/tags/{x}", "refs/tags/a b"]
)
def test_a_ref_that_cannot_be_right_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ref(text)

    assert caught.value.code == "invalid-ref"


@pytest.mark.parametrize(
    "text",
    ["me@example.com", "spiffe://example.com/ns/a", "https://kubernetes.io/namespaces/a/serviceaccounts/b"],
)
def test_an_account_is_exact(text: str) -> None:
    assert parse_subject(text).matches(text, V)
    assert not parse_subject(text).matches(text.upper(), V)
    assert not parse_subject(text).matches(text + "/", V)


@pytest.mark.parametrize(
    ("ref", "version", "suggested"),
    [
        ("refs/tags/v1.9", "1.9", "refs/tags/v{version}"),
        ("refs/tags/v2024.10.03", "2024.10.3", "refs/tags/v{version}"),
        ("refs/tags/widgets/1.9", "1.9", "refs/tags/widgets/{version}"),
        ("refs/tags/release-1.9-final", "1.9", "refs/tags/release-{version}-final"),
        ("refs/heads/v1.9", "1.9", "refs/heads/v1.9"),
        ("refs/tags/v1.9.0", "1.9", "refs/tags/v1.9.0"),
        ("refs/tags/v11.9", "1.9", "refs/tags/v11.9"),
        ("refs/tags/v1.9rc1", "1.9", "refs/tags/v1.9rc1"),
        ("refs/tags/1.9/1.9", "1.9", "refs/tags/1.9/1.9"),
        ("refs/tags/latest", "1.9", "refs/tags/latest"),
    ],
)
def test_a_pattern_is_suggested(ref: str, version: str, suggested: str) -> None:
    pattern = suggest_pattern(BASE + ref, Version(version))

    assert pattern == BASE + suggested
    assert parse_subject(pattern).matches(BASE + ref, Version(version))


def test_no_pattern_is_suggested_for_what_cannot_be_read() -> None:
    assert suggest_pattern("me1.9@example.com", V) == "me1.9@example.com"


@given(versions)
def test_a_suggestion_fits_what_it_was_made_from(version: Version) -> None:
    claimed = f"{BASE}refs/tags/v{version}"

    pattern = suggest_pattern(claimed, version)

    assert pattern == TAG
    assert parse_subject(pattern).matches(claimed, version)


@given(st.text(alphabet="htps:/@*{}version.a1-%\u00e9\n", max_size=60) | st.text(max_size=40))
def test_t14_reading_a_subject_never_fails_otherwise(text: str) -> None:
    read_subject(text)
    suggest_pattern(text, V)
    parse_subject(TAG).matches(text, V)
    try:
        pattern = SubjectPattern(text)
    except UsageError as err:
        assert err.code == "invalid-subject"  # noqa: PT017 -- either outcome is right
    else:
        pattern.matches(text, V)
