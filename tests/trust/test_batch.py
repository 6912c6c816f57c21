"""Many packages are added in one edit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.errors import UsageError
from pip_warden.names import parse_project_name
from pip_warden.trust.editing import batch, exemptions
from pip_warden.trust.editing.batch import add_entries
from pip_warden.trust.editing.changed import checked_as
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry, TrustFile

PATH = Path("pytrust.toml")
TEXT = """version = 1

[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
hash-reason = "reviewed"
"""


def entry(name: str, version: str, digit: str = "1", source: str = "pypi", **more: str) -> HashEntry:
    file = f"{name}-{version}-py3-none-any.whl"
    return HashEntry(
        project=parse_project_name(name),
        version=Version(version),
        source=source,
        files=((file, Digest(digit * 64)),),
        reason=more.get("reason", "reviewed"),
    )


def test_two_hundred_packages_are_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []

    def noted(text: str, expected: TrustFile) -> str:
        checks.append(text)
        return checked_as(text, expected)

    monkeypatch.setattr(batch, "checked_as", noted)
    entries = [entry(f"package{number}", "1.0") for number in range(200)]
    trust = parse(add_entries(TEXT, entries, PATH), PATH)
    assert set(trust.entries) == set(entries)
    assert len(checks) == 1


def test_two_hundred_releases_join_what_is_pinned_in_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"package{number}" for number in range(200)]
    before = add_entries(TEXT, [entry(name, "1.0") for name in names], PATH)
    checks: list[str] = []

    def noted(text: str, expected: TrustFile) -> str:
        checks.append(text)
        return checked_as(text, expected)

    monkeypatch.setattr(exemptions, "checked_as", noted)
    trust = parse(add_entries(before, [entry(name, "2.0", "2") for name in names], PATH), PATH)
    assert len(trust.entries) == 400
    assert len(checks) == 1


def test_releases_of_a_new_package_share_a_table_in_order() -> None:
    text = add_entries(TEXT, [entry("acme", "9.0"), entry("acme", "10.0", "2")], PATH)
    assert text.count("[[package]]") == 1
    assert text.index("acme-9.0") < text.index("acme-10.0")


def test_a_release_joins_what_is_pinned_on_its_terms() -> None:
    before = add_entries(TEXT, [entry("acme", "1.0", reason="looked at")], PATH)
    text = add_entries(before, [entry("acme", "2.0", "2"), entry("zoo", "1.0")], PATH)
    assert [
        (e.project, str(e.version), e.reason) for e in parse(text, PATH).entries if isinstance(e, HashEntry)
    ] == [
        ("acme", "1.0", "looked at"),
        ("acme", "2.0", "looked at"),
        ("zoo", "1.0", "reviewed"),
    ]
    assert text.count("[[package]]") == 2


def test_a_release_that_is_to_end_joins_nothing_that_does_not() -> None:
    """The last day was asked for, and shown to nobody else: it must not be dropped."""
    before = add_entries(TEXT, [entry("acme", "1.0")], PATH)
    ending = [replace(entry("acme", version), expires=date(2027, 1, 1)) for version in ("2.0", "3.0")]

    text = add_entries(before, [*ending, entry("zoo", "1.0")], PATH)

    assert {*parse(text, PATH).entries} == {entry("acme", "1.0"), *ending, entry("zoo", "1.0")}
    assert text.count("[[package]]") == 3
    with pytest.raises(UsageError) as error:
        add_entries(before, [replace(entry("acme", "1.0"), expires=date(2027, 1, 1))], PATH)
    assert error.value.code == "pin-conflict"
    assert add_entries(text, [replace(ending[0], expires=None)], PATH) == text


@pytest.mark.parametrize("other", [entry("acme", "1.0", "2"), entry("acme", "2.0", source="other")])
def test_what_contradicts_a_pin_is_refused(other: HashEntry) -> None:
    before = add_entries(TEXT, [entry("acme", "1.0")], PATH)
    with pytest.raises(UsageError) as error:
        add_entries(before, [other], PATH)
    assert error.value.code == "pin-conflict"


def test_nothing_changes_nothing() -> None:
    assert add_entries(TEXT, [], PATH) == TEXT
