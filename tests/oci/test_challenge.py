"""``WWW-Authenticate`` is read by its grammar, whatever a server sends."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.oci.challenge import Challenge, parse_challenges
from pip_warden.strict_json import MalformedError

GITLAB = 'Bearer realm="https://gitlab.example.com/jwt/auth",service="container_registry",scope="repository:g/p:pull"'


def _read(header: str) -> list[tuple[str, dict[str, str]]]:
    return [(each.scheme, dict(each.parameters)) for each in parse_challenges(header)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        (
            GITLAB,
            [
                (
                    "bearer",
                    {
                        "realm": "https://gitlab.example.com/jwt/auth",
                        "service": "container_registry",
                        "scope": "repository:g/p:pull",
                    },
                )
            ],
        ),
        ('BASIC REALM="a \\"b\\" \\\\"', [("basic", {"realm": 'a "b" \\'})]),
        ("Basic realm=plain", [("basic", {"realm": "plain"})]),
        (
            'Basic realm = "a" , Bearer realm="b, c", x=y',
            [("basic", {"realm": "a"}), ("bearer", {"realm": "b, c", "x": "y"})],
        ),
        ("Bearer realm=", [("bearer", {})]),
        ("Negotiate, Basic", [("negotiate", {}), ("basic", {})]),
        ("Negotiate abc/+==, Basic realm=a", [("negotiate", {}), ("basic", {"realm": "a"})]),
        (", ,Basic realm=a,, ", [("basic", {"realm": "a"})]),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert _read(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        '"Bearer"',
        'Bearer realm="a" service="b"',
        'Bearer realm="a',
        'Bearer realm="a"b',
        'Bearer realm="a",realm="b"',
        'Bearer realm="a",Realm="b"',
        'Bearer realm="\x00"',
        'Bearer realm="\x7f"',
        'Bearer realm="\xe4"',
        "Bearer realm=a/b",
        "Negotiate Basic realm=a",
        "=",
        "Bearer " + "a" * 9000,
    ],
)
def test_what_is_no_challenge(header: str) -> None:
    with pytest.raises(MalformedError):
        parse_challenges(header)


@given(st.text(st.sampled_from('Bearer realm=",\\ \tx/:\x00é'), max_size=40) | st.text(max_size=40))
def test_whatever_a_server_sends_is_read_or_malformed(header: str) -> None:
    try:
        found = parse_challenges(header)
    except MalformedError:
        return
    assert all(re.fullmatch(r"[!-~]+", each.scheme) for each in found)
    assert all(value.isprintable() for each in found for value in each.parameters.values())


_WORD = st.text(st.sampled_from("abcXYZ019-_.~"), min_size=1, max_size=8)
_VALUES = st.dictionaries(
    _WORD.map(str.lower), st.text(st.characters(min_codepoint=32, max_codepoint=126)), max_size=4
)


@given(st.lists(st.tuples(_WORD, _VALUES), max_size=4))
def test_what_is_written_by_the_grammar_is_read_as_it_was(
    challenges: list[tuple[str, dict[str, str]]],
) -> None:
    header = ", ".join(
        f"{scheme} "
        + ",".join(
            f'{name}="{value.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'
            for name, value in values.items()
        )
        for scheme, values in challenges
    )

    assert _read(header) == [(scheme.lower(), values) for scheme, values in challenges]


def test_parameters_cannot_be_changed() -> None:
    found: Challenge = parse_challenges(GITLAB)[0]

    with pytest.raises(TypeError):
        found.parameters["realm"] = "x"  # type: ignore[index]
