"""Another last day or reason changes the lines that say them, in whatever form the table is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.terms import Terms, with_terms
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry

PATH = Path("/project/pytrust.toml")
ACME, DAY = ProjectName("acme"), date(2027, 6, 30)
HEAD = """version = 1
source.pypi = { type = "simple", url = "https://pypi.org/simple", hash-reason = "usual" }
"""
FILE, OTHER = '"acme-1.0.tar.gz"', '"acme-2.0.tar.gz"'
DIGEST = f'"{"a" * 64}"'
TABLES = {
    "usual": f'[[package]]\nname = "acme"\nsource = "pypi"\n\n  [package.sha256]\n  {FILE} = {DIGEST}\n',
    "dotted": f'[[package]]\n  name = "acme"\n  sha256.{FILE} = {DIGEST}\n  source = "pypi"\n',
    "inline": f'[[package]]\nname = "acme"\nsource = "pypi"\nsha256 = {{ {FILE} = {DIGEST} }}  # x',
    "one version": '[[package]]\nname = "acme"\nsource = "pypi"\nversion = "1.0"\n'
    f"sha256 = {{ {FILE} = {DIGEST} }}\n",
    "literal": f"[[package]]\nexpires = 2026-01-31# then\nreason='''a # b'''#c\nname = 'acme'\n"
    f'source = "pypi"\n[package.sha256]\n{FILE} = {DIGEST}\n',
}  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("terms", [Terms(expires=DAY), Terms(reason='a "b"'), Terms(expires=DAY, reason="x")])
def test_only_the_lines_of_the_terms_change(table: str, end: str, terms: Terms) -> None:
    text = (HEAD + table).replace("\n", end)
    changed = with_terms(text, {ACME: [Version("1.0")]}, terms, PATH)
    (before,), (after,) = parse(text, PATH).entries, parse(changed, PATH).entries
    assert isinstance(before, HashEntry)
    assert after == terms.of(before) != before
    assert with_terms(changed, {ACME: [Version("1.0")]}, terms, PATH) == changed
    lines = [line for line in text.splitlines() if not line.startswith(("expires", "reason"))]
    kept = [line for line in changed.splitlines() if not line.lstrip().startswith(("expires", "reason"))]
    assert kept == lines
    assert changed.count("\n") == changed.count(end)
    assert ("# then" in changed, "#c" in changed) == ("# then" in text, "#c" in text)


def test_releases_that_leave_their_table_join_one_that_has_the_terms() -> None:
    shared = f"{TABLES['usual']}  {OTHER} = {DIGEST}\n"
    first = with_terms(HEAD + shared, {ACME: [Version("1.0")]}, Terms(expires=DAY), PATH)
    both = with_terms(first, {ACME: [Version("2.0")]}, Terms(expires=DAY), PATH)
    assert {entry.expires for entry in parse(both, PATH).entries if isinstance(entry, HashEntry)} == {DAY}
    assert first.count("[[package]]") == both.count("[[package]]") == 2


def test_what_is_not_pinned_by_hash_has_no_terms() -> None:
    with pytest.raises(UsageError) as caught:
        with_terms(HEAD + TABLES["usual"], {ACME: [Version("2.0")]}, Terms(expires=DAY), PATH)
    assert caught.value.code == "not-in-trust-file"
