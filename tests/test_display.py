"""B20: untrusted lines, and the last check of everything that is printed."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pip_warden.display import (
    bare_url,
    escape_line,
    escape_output,
    escape_text,
    near,
    nearest,
    some_of,
    without_credentials,
)

HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
COMMAND = re.compile(r"^\s*::|##[A-Za-z]*\[", re.MULTILINE)
"""Commands to CI runners: GitHub's two forms (the second anywhere in a line), Azure's and TeamCity's."""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("  ::add-mask::x", "  \\u003a:add-mask::x"),
        ("\t::x", "        \\u003a:x"),
        ("a ##[group]b", "a \\u0023#[group]b"),
        ("##vso[task.complete]", "\\u0023#vso[task.complete]"),
        ("###[x]", "#\\u0023#[x]"),
        ("##teamcity[x]", "\\u0023#teamcity[x]"),
        ("section_start:1:x\r\x1b[0Khidden", "section_start:1:x\\u000d\\u001b[0Khidden"),
        ("a :: b ## c [d]", "a :: b ## c [d]"),
        ("ok\x1b]0;title\x07", "ok\\u001b]0;title\\u0007"),
        ("x" * 5000, "x" * 3999 + "…"),
    ],
)
def test_b20_lines_of_strangers(line: str, expected: str) -> None:
    assert escape_line(line) == expected


@given(st.text(alphabet=st.one_of(st.sampled_from(" :#[\t\r\nvso\x1b\u202e"), st.characters())))
def test_b20_no_line_drives_a_terminal_or_a_runner(line: str) -> None:
    assert not HIDDEN.search(escape_line(line))
    assert not COMMAND.search(escape_line(line))
    assert not re.search(r"##[A-Za-z]*\[", escape_text(line))


@given(st.text(alphabet=st.one_of(st.sampled_from("\n\t\x1b[0m;1K\r\u202e:# \x7f"), st.characters())))
@example("::error::x\n")
@example("a\n  ::error::x")
@example("a ##[group]x")
def test_b20_the_last_net_leaves_lines_and_colours_alone(text: str) -> None:
    for coloured in (False, True):
        found = escape_output(text, coloured=coloured)
        bare = re.sub(r"\x1b\[[0-9;]*m", "", found) if coloured else found
        assert not HIDDEN.search(re.sub("[\n\t]", "", bare))
        if text.isascii() and not coloured:
            assert json.loads(escape_output(json.dumps(text), coloured=coloured)) == text
        assert found.count("\n") == text.count("\n")
        assert escape_output(found, coloured=coloured) == found
        assert not COMMAND.search(bare)
    assert escape_output("\x1b[1mbold\x1b[0m\n", coloured=True) == "\x1b[1mbold\x1b[0m\n"
    assert escape_output("\x1b[1mbold", coloured=False) == "\\u001b[1mbold"


def test_t68_format_characters_are_shown_and_not_obeyed() -> None:
    """Characters that reverse the direction, join, or have no width make one name look like another."""
    assert escape_text("a\u202eb\u200bc\ufeff") == "a\\u202eb\\u200bc\\ufeff"
    assert escape_text("\x1b\x9b\ud800\U000e0001") == "\\u001b\\u009b\\ud800\\U000e0001"


def test_b20_the_last_net_takes_commands_of_a_jobs_log_away() -> None:
    assert escape_output("a\n::error::x\n", coloured=True) == "a\n\\u003a:error::x\n"
    assert escape_output("a ##[group]x", coloured=False) == "a \\u0023#[group]x"
    assert escape_output("a\x1b[2Jb\x1b[31mc", coloured=True) == "a\\u001b[2Jb\x1b[31mc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("verfy", ("verify",)),
        (" VERIFY ", ("verify",)),
        ("xyzzy", ()),
        ("", ()),
    ],
)
def test_the_nearest_words(text: str, found: tuple[str, ...]) -> None:
    assert nearest(text, ["verify", "verify-release", "sign"]) == found


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_the_first_few_of_many(names: list[str], said: str) -> None:
    assert some_of(names, 2) == said


def test_a_path_is_said_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert near(tmp_path) == "./"
    assert near(tmp_path / "a" / "b") == "./a/b"
    assert near(Path("/elsewhere")) == "/elsewhere"


def test_b20_no_hidden_character_passes_for_a_printable_one() -> None:
    """Printable text is not looked at character by character."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for char in map(chr, (*range(0x3100), *range(0xD700, 0x10000), *range(0xE0000, 0xE0200))):
        assert (escape_text(char) != char) == (unicodedata.category(char) in hidden)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://a.example/x/y.whl", "https://a.example/x/y.whl"),
        ("https://me:secret@a.example:1/x", "https://a.example:1/x"),
        ("https://me:p@ss@a.example/x@1", "https://a.example/x@1"),
        ("https://a.example/x?X-Signature=secret#sha256=1", "https://a.example/x"),
        ("https://a.example?secret", "https://a.example"),
        ("https://me:secret@[::1/x", "https://[::1/x"),
        ("", ""),
    ],
)
def test_what_may_let_somebody_in_is_not_in_a_bare_url(url: str, bare: str) -> None:
    assert bare_url(url) == bare


@given(st.text())
def test_no_text_is_too_odd_for_a_bare_url(text: str) -> None:
    found = bare_url(f"https://me:secret@a.example/{text}")
    assert found.startswith("https://a.example/")
    assert not set("?#") & set(found)
    assert bare_url(bare_url(text)) == bare_url(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acme @ https://me:SECRET@a.example/x.whl#sha256=00", "acme @ https://…@a.example/x.whl#sha256=00"),
        ("git+ssh://git@a.example/x.git@v1", "git+ssh://…@a.example/x.git@v1"),
        ("https://a.example:8080/x?sig=SECRET#SECRET end", "https://a.example:8080/x?… end"),
        ("https://me:SECRET/SECRET@a.example/x", "https://…@a.example/x"),
        ("https://me:SECRET?SECRET@a.example/x", "https://…?…"),
        ("https://me:SECRET#SECRET@a.example/x", "https://…@a.example/x"),
        ("https://me:SECRET", "https://…"),
        (
            "a=https://me:SECRET@a.example,https://me:SECRET@b.example",
            "a=https://…@a.example,https://…@b.example",
        ),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        (
            "https://a.example/g/p//.gitlab-ci.yml@refs/heads/a#1",
            "https://a.example/g/p//.gitlab-ci.yml@refs/heads/a#1",
        ),
        ("me@a.example: a?b", "me@a.example: a?b"),
        ("://", "://"),
    ],
)
def test_what_lets_somebody_in_is_not_shown(text: str, told: str) -> None:
    assert without_credentials(text) == told
    assert without_credentials(told) == told


@given(st.text(st.sampled_from("a:/@?#[] 1") | st.characters()))
def test_what_is_without_credentials_stays_so(text: str) -> None:
    told = without_credentials(text)
    assert without_credentials(told) == told
    assert text == told or "://" in text


def test_a_long_text_takes_no_longer_than_it_is_long() -> None:
    """Where the time grew with the square, this would be minutes."""
    for piece in ("://", "a", "://a@", ":", "://?", "://["):
        assert without_credentials(piece * 50_000)
