"""pip's options: the table is the same as pip's own, and nothing else is accepted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import UsageError
from pip_warden.installer.options import OPTIONS, OWN_OPTIONS, Option, Treatment, parse_arguments

_DUMP = """
import json
from pip._internal.commands import create_command
rows = set()
for verb in ("install", "download"):
    for option in create_command(verb).parser.option_list_all:
        rows.add((" ".join(sorted(option._long_opts + option._short_opts)), option.takes_value()))
print(json.dumps(sorted(rows)))
"""


def test_the_table_is_pips_own() -> None:
    result = subprocess.run([sys.executable, "-I", "-c", _DUMP], capture_output=True, text=True, check=True)
    # safe-install prints its own version.
    pips = {
        (frozenset(names.split()), takes_value)
        for names, takes_value in json.loads(result.stdout)
        if "--version" not in names.split()
    }

    assert {(frozenset(option.names), option.takes_value) for option in OPTIONS} == pips


def test_no_name_means_two_things() -> None:
    names = [name for option in (*OPTIONS, *OWN_OPTIONS) for name in option.names]

    assert len(names) == len(set(names))


def test_every_refusal_has_its_reason() -> None:
    assert all(bool(option.reason) == (option.treatment is Treatment.REFUSED) for option in OPTIONS)


def _code(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_arguments(words)
    return caught.value.code


@pytest.mark.parametrize(
    "word",
    [
        "--no-proxy",
        "--index",
        "--idx",
        "--extra-index",
        "--find",
        "--prox=http://x",
        "--Pre",
        "-Z",
        "-vZ",
        "--",
        "---",
    ],
)
def test_unknown_and_abbreviated_options_are_refused(word: str) -> None:
    if word == "--":
        assert parse_arguments(["--", "--index-url"]).requirements == ("--index-url",)
    else:
        assert _code(word, "x") == "unknown-option"


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.treatment is Treatment.REFUSED], ids=lambda o: o.names[0]
)
def test_t29_t57_refused_options_are_refused_in_every_spelling(option: Option) -> None:
    for name in option.names:
        words = [name, "value"] if option.takes_value else [name]
        assert _code(*words) == "refused-option"
        if option.takes_value:
            assert _code(f"{name}=value" if name.startswith("--") else f"{name}value") == "refused-option"


def test_spellings_of_one_thing() -> None:
    for words in (
        ["-U", "-r", "a.txt"],
        ["-Ura.txt"],
        ["-U", "-r=a.txt"],
        ["--upgrade", "--requirement=a.txt"],
    ):
        parsed = parse_arguments(words)
        assert (parsed.passed, parsed.ours) == (("--upgrade",), (("--requirement", "a.txt"),))


@pytest.mark.parametrize("words", [["--upgrade=yes"], ["--target"], ["-t"], ["-r"]])
def test_values_that_are_missing_or_too_many(words: list[str]) -> None:
    assert _code(*words) == "option-value"


_NAMES = sorted(name for option in (*OPTIONS, *OWN_OPTIONS) for name in option.names)


@given(
    st.lists(
        st.one_of(st.sampled_from(_NAMES), st.sampled_from(["--", "-", "x", "=", ""]), st.text(max_size=8)),
        max_size=6,
    )
)
def test_nothing_but_usage_errors_escapes(words: list[str]) -> None:
    refused = {
        name for option in OPTIONS if option.treatment is not Treatment.PASSED for name in option.names
    }
    taking = {name for option in OPTIONS if option.takes_value for name in option.names}
    try:
        parsed = parse_arguments(words)
    except UsageError:
        return
    rest = iter(parsed.passed)
    for word in rest:
        assert word not in refused
        if word in taking:
            next(rest)
