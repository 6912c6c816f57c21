"""Which image of a repository is looked at, and whose GitLab a registry is of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.errors import RefusedError, UsageError
from pip_warden.first_use.doubts import instance_of
from pip_warden.first_use.image_look import choose_tag
from pip_warden.oci.names import parse_repository

APP = parse_repository("registry.example.com/acme/app")
EVIDENCE = f"sha256-{'ab' * 32}"
HOST = "registry.example.com"
GITLAB = "https://gitlab.example.com"


@pytest.mark.parametrize(
    ("tags", "best"),
    [
        (["latest"], "latest"),
        (["main", EVIDENCE, f"{EVIDENCE}.sig"], "main"),
        (["1.0", "1.10", "1.9"], "1.10"),
        (["v1.0", "v2.0", "latest"], "v2.0"),
        (["1", "1.2", "1.2.3"], "1.2.3"),
        (["1.0", "2.0rc1", "2.0.dev1"], "1.0"),
        (["2.0rc1", "2.0rc2"], "2.0rc2"),
        (["1.2", "20261129", "12345678"], "1.2"),
        (["1.0-alpine", "1.0"], "1.0"),
    ],
)
def test_the_only_tag_or_that_of_the_highest_version(tags: list[str], best: str) -> None:
    assert choose_tag(APP, tags) == choose_tag(APP, tags[::-1]) == best


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["latest", "edge"], "2 tags without a version"),
        (["1", "2"], "2 tags without a version"),
        (["v1.0", "1.0", "0.9"], "one version in 1.0, v1.0"),
        (["1.0", "1.0.0"], "one version in 1.0, 1.0.0"),
    ],
)
def test_what_does_not_stand_out_is_not_guessed(tags: list[str], found: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_tag(APP, tags)
    assert (caught.value.code, caught.value.exit_code, found in caught.value.message) == (
        "tag-needed",
        2,
        True,
    )


@pytest.mark.parametrize("tags", [[], [EVIDENCE, f"{EVIDENCE}.att"]])
def test_a_repository_without_an_image(tags: list[str]) -> None:
    with pytest.raises(RefusedError) as caught:
        choose_tag(APP, tags)
    assert (caught.value.code, caught.value.exit_code) == ("no-release", 1)


@given(
    st.lists(st.from_regex(r"v?[0-9]\.[0-9](rc[0-9])?|[a-z]{1,4}", fullmatch=True), unique=True, max_size=6)
)
def test_no_other_version_is_higher(tags: list[str]) -> None:
    try:
        best = choose_tag(APP, tags)
    except (RefusedError, UsageError):
        return
    finals = [Version(tag) for tag in tags if "." in tag and "rc" not in tag]
    assert tags == [best] or (Version(best) == max(finals) if finals else "rc" in best)


def test_many_tags_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may push can add any number of them."""
    compared = 0

    class Counted(Version):
        def __gt__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return bool(super().__gt__(other))  # type: ignore[operator]

    monkeypatch.setattr("pip_warden.first_use.image_look.Version", Counted)
    assert choose_tag(APP, [f"1.{minor}" for minor in range(200)]) == "1.199"
    assert compared < 200


@pytest.mark.parametrize(
    ("realms", "environ", "instance"),
    [
        ((), {}, None),
        ((f"{GITLAB}/jwt/auth",), {}, GITLAB),
        ((f"{GITLAB}/sub/jwt/auth",), {}, f"{GITLAB}/sub"),
        ((f"{GITLAB}/token",), {}, None),
        ((f"{GITLAB}/jwt/auth", "https://other.example.com/jwt/auth"), {}, None),
        ((), {"CI_REGISTRY": "Registry.example.com:443", "CI_SERVER_URL": f"{GITLAB}/"}, GITLAB),
        ((), {"CI_REGISTRY": "other.example.com", "CI_SERVER_URL": GITLAB}, None),
        ((), {"CI_REGISTRY": HOST}, None),
    ],
)
def test_whose_registry_it_is(realms: tuple[str, ...], environ: dict[str, str], instance: str | None) -> None:
    assert instance_of(HOST, realms, environ) == instance
