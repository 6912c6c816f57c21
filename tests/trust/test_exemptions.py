"""What is pinned by hash is edited file by file, and a diff shows just that."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.digests import Digest, digest_of
from pip_warden.errors import TrustFileError, UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.edit import add_source, new_file_text
from pip_warden.trust.editing.exemptions import (
    add_hash_entry,
    remove_release,
    replace_all,
    replace_releases,
)
from pip_warden.trust.editing.removal import remove_package
from pip_warden.trust.file import parse
from pip_warden.trust.model import Entry, HashEntry, Source, TrustFile
from pip_warden.trust.overview import pinned_packages

PATH = Path("/project/pytrust.toml")
PYPI = Source(
    name="pypi", type="simple", url="https://pypi.org/simple", hash_reason="nobody signs it; reviewed weekly"
)
IDNA = ProjectName("idna")
OLD, NEW = Version("3.20"), Version("3.21")


def digest(name: str, salt: str = "") -> Digest:
    return digest_of((name + salt).encode())


def files_of(project: str, version: Version) -> tuple[tuple[str, Digest], ...]:
    """A wheel and an sdist."""
    stem = f"{project.replace('-', '_')}-{version}"
    return tuple((name, digest(name)) for name in (f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"))


def release(version: Version = OLD, project: str = "idna", **changes: object) -> HashEntry:
    values = {
        "project": ProjectName(project),
        "version": version,
        "source": "pypi",
        "files": files_of(project, version),
        "reason": PYPI.hash_reason,
    }
    return HashEntry(**(values | changes))  # type: ignore[arg-type]


def base() -> str:
    return add_source(new_file_text(), PYPI, PATH)


def pinned(*entries: HashEntry, text: str = "") -> str:
    text = text or base()
    for entry in entries:
        text = add_hash_entry(text, entry, PATH)
    return text


def versioned(version: Version = OLD, project: str = "idna") -> str:
    """A table as it was written before releases shared one."""
    entry = release(version, project)
    listed = "".join(f'  "{name}" = "{digest}"\n' for name, digest in entry.files)
    return (
        f'\n[[package]]\nname = "{entry.project}"\nsource = "pypi"\nversion = "{version}"  # the one we use\n'
        f'reason = "old"\n\n  [package.sha256]\n{listed}'
    )


def read(text: str) -> TrustFile:
    return parse(text, PATH)


def changes(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that a diff takes out and puts in."""
    diff = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    return [line[1:] for line in diff if line[0] == "-"], [line[1:] for line in diff if line[0] == "+"]


def test_a_package_is_written_so_that_releases_can_join_it() -> None:
    text = pinned(release(NEW), release())

    assert text.endswith(f"""\
[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
hash-reason = "nobody signs it; reviewed weekly"

[[package]]
name = "idna"
source = "pypi"

  [package.sha256]
  "idna-3.20-py3-none-any.whl" = "{digest("idna-3.20-py3-none-any.whl")}"
  "idna-3.20.tar.gz" = "{digest("idna-3.20.tar.gz")}"
  "idna-3.21-py3-none-any.whl" = "{digest("idna-3.21-py3-none-any.whl")}"
  "idna-3.21.tar.gz" = "{digest("idna-3.21.tar.gz")}"
""")
    assert {*read(text).entries} == {release(), release(NEW)}
    assert read(text).tables == (0, 0)


def test_versions_are_sorted_as_versions() -> None:
    text = pinned(release(Version("3.10")), release(Version("3.9")))

    assert text.index("idna-3.9.tar.gz") < text.index("idna-3.10-py3")


def test_what_has_other_terms_gets_a_table_of_its_own() -> None:
    until = date(2027, 6, 30)
    text = pinned(release(), release(NEW, expires=until), release(Version("4"), reason="looked at by two"))

    assert text.count("[[package]]") == 3
    assert "expires = 2027-06-30\n" in text
    assert {*read(text).entries} == {
        release(),
        release(NEW, expires=until),
        release(Version("4"), reason="looked at by two"),
    }
    joined = pinned(release(Version("5"), expires=until), text=text)
    assert read(joined).tables == (0, 1, 1, 2)


def test_a_package_in_the_older_form_stays_in_it() -> None:
    text = pinned(release(NEW), text=base() + versioned())

    assert text.startswith(base() + versioned())
    assert text.count('\nversion = "3.2') == 2
    assert read(text).tables == (0, 1)


def test_another_last_day_of_a_pinned_release_is_a_conflict() -> None:
    text = pinned(release(expires=date(2027, 6, 30)))

    with pytest.raises(UsageError) as caught:
        add_hash_entry(text, release(expires=date(2028, 6, 30)), PATH)
    assert caught.value.code == "pin-conflict"
    assert add_hash_entry(text, release(), PATH) == text


def test_a_bump_of_thirty_packages_changes_a_line_for_each_file() -> None:
    names = [f"package-{number:02}" for number in range(30)]
    text = pinned(*(release(OLD, name) for name in names)).replace(
        "\n[[package]]\n", "\n# of us all\n[[package]]  # one\n"
    )

    bumped = text
    for name in names:
        bumped = replace_releases(bumped, ProjectName(name), {NEW: files_of(name, NEW)}, PATH)

    removed, added = changes(text, bumped)
    assert len(removed) == len(added) == 60
    assert len(bumped.splitlines()) == len(text.splitlines())
    assert all("3.20" in line for line in removed)
    assert all("3.21" in line for line in added)
    assert {*read(bumped).entries} == {release(NEW, name) for name in names}
    for name in names:
        assert replace_releases(bumped, ProjectName(name), {NEW: files_of(name, NEW)}, PATH) == bumped


def test_many_packages_are_changed_as_one_by_one() -> None:
    names = ["alpha", "beta", "gamma", "delta"]
    text = pinned(*(release(OLD, name) for name in names)) + versioned(project="older") + versioned()
    wanted = {ProjectName(name): {NEW: files_of(name, NEW)} for name in (*names, "older")}

    bumped = text
    for project, releases in wanted.items():
        bumped = replace_releases(bumped, project, releases, PATH)

    assert replace_all(text, wanted, PATH) == bumped
    assert replace_all(bumped, wanted, PATH) == bumped
    removed, added = changes(text, bumped)
    assert len(removed) == len(added) == 2 * len(wanted) + 1  # the older form says its version, too


def test_a_package_of_which_no_release_stays_loses_its_tables_of_hashes() -> None:
    text = pinned(release(OLD, "beta"), release(OLD), release(NEW)) + versioned(Version("2"))

    changed = replace_all(text, {IDNA: {}, ProjectName("beta"): {NEW: files_of("beta", NEW)}}, PATH)

    assert read(changed).entries == (release(NEW, "beta"),)
    with pytest.raises(UsageError, match="idna"):
        replace_all(changed, {IDNA: {}}, PATH)


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_file_without_a_last_end_of_line_is_changed_as_well(last: str) -> None:
    text = pinned(release(OLD)).rstrip("\n") + last

    changed = replace_all(text, {IDNA: {OLD: files_of("idna", OLD), NEW: files_of("idna", NEW)}}, PATH)

    removed, added = changes(text, changed)
    assert not removed
    assert all("3.21" in line for line in added)
    assert len(added) == 2


def test_a_release_in_the_older_form_is_bumped_in_place() -> None:
    text = base() + versioned() + versioned(Version("2"), project="other")

    bumped = replace_releases(text, IDNA, {NEW: files_of("idna", NEW)}, PATH)

    removed, added = changes(text, bumped)
    assert (len(removed), len(added)) == (3, 3)
    assert 'version = "3.21"  # the one we use' in added
    assert read(bumped).entries[0] == release(NEW, reason="old")


@pytest.mark.parametrize("quotes", ["'", '"""', "'''"])
def test_a_version_is_bumped_however_it_is_quoted(quotes: str) -> None:
    text = base() + versioned().replace('"3.20"', f"{quotes}3.20{quotes}", 1)

    bumped = replace_releases(text, IDNA, {NEW: files_of("idna", NEW)}, PATH)

    assert 'version = "3.21"  # the one we use' in bumped


def test_more_releases_in_the_older_form_are_tables_and_fewer_are_none() -> None:
    text = base() + versioned() + versioned(Version("2"), project="other")
    wanted = {version: files_of("idna", version) for version in (NEW, Version("4"))}

    more = replace_releases(text, IDNA, wanted, PATH)
    fewer = replace_releases(more, IDNA, {NEW: wanted[NEW]}, PATH)

    assert [str(e.version) for e in read(more).entries if isinstance(e, HashEntry)] == ["3.21", "2", "4"]
    assert fewer == replace_releases(text, IDNA, {NEW: wanted[NEW]}, PATH)


ENDS = "expires = 2027-01-01\n"


@pytest.mark.parametrize(
    "older",
    [
        versioned(Version("1")),  # its table comes first and goes, so it is free
        versioned(Version("1")).replace('version = "1"  # the one we use\n', ""),  # others can join it
    ],
)
def test_what_is_new_has_the_terms_of_the_newest_release_and_never_an_older_one_s(older: str) -> None:
    """An older release is exempt for ever; the newest one ends, and so does what takes its place."""
    ending = versioned().replace('reason = "old"\n', f'reason = "old"\n{ENDS}')
    text = base() + older + ending

    bumped = replace_releases(text, IDNA, {NEW: files_of("idna", NEW)}, PATH)
    (entry,) = read(bumped).entries
    assert isinstance(entry, HashEntry)
    assert (entry.version, entry.expires) == (NEW, date(2027, 1, 1))

    both = {Version("1"): files_of("idna", Version("1")), NEW: files_of("idna", NEW)}
    ends = {
        e.version: e.expires
        for e in read(replace_releases(text, IDNA, both, PATH)).entries
        if isinstance(e, HashEntry)
    }
    assert ends == {Version("1"): None, NEW: date(2027, 1, 1)}


def test_what_stays_keeps_its_table_and_its_line() -> None:
    kept = release()
    text = pinned(kept, release(NEW, reason="other")).replace('.whl" =', '.whl"   =')

    edited = replace_releases(
        text, IDNA, {OLD: kept.files, Version("4"): files_of("idna", Version("4"))}, PATH
    )

    removed, added = changes(text, edited)
    assert (len(removed), len(added)) == (2, 2)
    assert {*read(edited).entries} == {kept, release(Version("4"), reason="other")}


def test_a_file_with_another_digest_takes_its_line() -> None:
    text = pinned(release())
    files = ((release().files[0][0], digest("x")), release().files[1])

    edited = replace_releases(text, IDNA, {OLD: files}, PATH)

    removed, added = changes(text, edited)
    assert (len(removed), len(added)) == (1, 1)
    assert str(digest("x")) in added[0]


def test_comments_stay_by_what_they_are_about() -> None:
    text = pinned(release(), release(NEW))
    text = text.replace('  "idna-3.21-py3', '  # looked at on Monday\n  "idna-3.21-py3')
    text = text.replace("[package.sha256]", "[package.sha256]  # all of them\n  # before the first")

    edited = replace_releases(
        text, IDNA, {NEW: release(NEW).files, Version("3.20.1"): files_of("idna", Version("3.20.1"))}, PATH
    )

    assert [line.strip() for line in edited.splitlines()][-7:] == [
        "[package.sha256]  # all of them",
        "# before the first",
        f'"idna-3.20.1-py3-none-any.whl" = "{digest("idna-3.20.1-py3-none-any.whl")}"',
        f'"idna-3.20.1.tar.gz" = "{digest("idna-3.20.1.tar.gz")}"',
        "# looked at on Monday",
        f'"idna-3.21-py3-none-any.whl" = "{digest("idna-3.21-py3-none-any.whl")}"',
        f'"idna-3.21.tar.gz" = "{digest("idna-3.21.tar.gz")}"',
    ]


@pytest.mark.parametrize("form", ["inline", "dotted", "literal", "crlf", "no last line"])
def test_every_form_of_a_table_is_edited(form: str) -> None:
    (wheel, of_wheel), (sdist, of_sdist) = release().files
    head = base() + '\n[[package]]\nname = "idna"\nsource = "pypi"\n'
    text = {
        "inline": f'{head}sha256 = {{ "{wheel}" = "{of_wheel}", "{sdist}" = "{of_sdist}" }}  # kept }} "\n',
        "dotted": f'{head}sha256."{wheel}" = "{of_wheel}"\n  sha256.\'{sdist}\' = """{of_sdist}"""\n',
        "literal": f"{head}[package.'sha256']\n'{wheel}' = '{of_wheel}'\n'{sdist}' = '''\n{of_sdist}'''\n",
        "crlf": pinned(release()).replace("\n", "\r\n"),
        "no last line": pinned(release()).rstrip(),
    }[form]
    assert read(text).entries == (release(),)

    added = pinned(release(NEW), text=text)
    bumped = replace_releases(text, IDNA, {NEW: files_of("idna", NEW)}, PATH)

    assert {*read(added).entries} == {release(), release(NEW)}
    assert {*read(bumped).entries} == {release(NEW)}
    assert remove_release(added, IDNA, OLD, PATH) == bumped
    assert bumped.count("\r\n") == (bumped.count("\n") if form == "crlf" else 0)
    assert ('# kept } "' in bumped) == (form == "inline")


def test_a_table_apart_from_its_files_is_one() -> None:
    """TOML lets the tables of an array's last element follow later."""
    text = pinned(release())
    head, files = text.split("\n  [package.sha256]\n")
    apart = f'{head}\n[source.later]\ntype = "simple"\nurl = "https://example.com/simple"\n\n[package.sha256]\n{files}'
    assert read(apart).entries == (release(),)

    bumped = replace_releases(apart, IDNA, {NEW: files_of("idna", NEW)}, PATH)

    assert read(bumped).entries == (release(NEW),)
    assert bumped.index("[source.later]") < bumped.index("[package.sha256]")
    assert read(remove_package(apart, IDNA, PATH)).entries == ()


@pytest.mark.parametrize(
    "packages",
    [
        'package = [{ name = "idna", source = "pypi", sha256 = { FILE } }]\n',
        '[[package]]\nname = "idna"\nsource = "pypi"\n[package.sha256]\n"idna-3.20\\u002etar.gz" = DIGEST\n',
    ],
)
def test_what_is_not_understood_is_not_edited(packages: str) -> None:
    (name, of_file) = release().files[1]
    packages = packages.replace("FILE", f'"{name}" = "{of_file}"').replace("DIGEST", f'"{of_file}"')
    text = packages + base() if packages.startswith("package") else base() + packages

    attempts: tuple[Callable[[], str], ...] = (
        lambda: replace_releases(text, IDNA, {NEW: files_of("idna", NEW)}, PATH),
        lambda: add_hash_entry(text, release(NEW), PATH),
    )
    for attempt in attempts:
        with pytest.raises(UsageError) as caught:
            attempt()
        assert caught.value.code == "trust-file-uneditable"


def test_nothing_is_pinned_by_no_file_and_nothing_absent_is_removed() -> None:
    text = pinned(release())
    attempts: dict[str, list[Callable[[], str]]] = {
        "nothing-to-pin": [
            lambda: replace_releases(text, IDNA, {}, PATH),
            lambda: replace_releases(text, IDNA, {NEW: ()}, PATH),
        ],
        "not-in-trust-file": [
            lambda: replace_releases(text, ProjectName("other"), {NEW: files_of("other", NEW)}, PATH),
            lambda: remove_release(text, IDNA, NEW, PATH),
            lambda: remove_release(text, ProjectName("other"), OLD, PATH),
        ],
    }

    for code, calls in attempts.items():
        for call in calls:
            with pytest.raises(UsageError) as caught:
                call()
            assert caught.value.code == code


def test_a_file_of_another_package_makes_no_valid_text() -> None:
    with pytest.raises(TrustFileError):
        replace_releases(pinned(release()), IDNA, {NEW: files_of("other", NEW)}, PATH)


# Any edit of any valid file

versions = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
projects = st.sampled_from(["idna", "acme-tools", "zope-x"])
terms = st.tuples(
    st.sampled_from([PYPI.hash_reason, "older", 'odd " = [[x]] #']),
    st.sampled_from([None, date(2027, 6, 30)]),
)
entries_ = st.lists(
    st.tuples(projects, versions, terms), unique_by=lambda item: (item[0], Version(item[1])), max_size=6
)
comments = st.sampled_from(["", "# plain", "  # [[package]]", '# "quoted = 1"', "\t"])


def _entry(item: tuple[str, str, tuple[str, date | None]]) -> HashEntry:
    project, version, (reason, expires) = item
    return release(Version(version), project, reason=reason, expires=expires)


def _decorated(text: str, notes: Iterable[str], ends: str) -> str:
    """Put a comment or a blank line above each table, and one at the end of some lines."""
    lines, notes = [], [*notes, ""]
    for number, line in enumerate(text.splitlines()):
        note = notes[number % len(notes)]
        if line.lstrip().startswith("[") and note:
            lines.append(note)
        with_note = line and note.startswith("#") and number % 3 == 0
        lines.append(f"{line}  {note}" if with_note else line)
    return ends.join([*lines, ""])


texts = st.builds(
    lambda items, notes, ends, old: _decorated(
        pinned(*map(_entry, items), text=base() + (versioned(Version("0.1")) if old else "")), notes, ends
    ),
    entries_.filter(lambda items: all((p, Version(v)) != ("idna", Version("0.1")) for p, v, _ in items)),
    st.lists(comments, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def _sorted(entry: Entry) -> Entry:
    return replace(entry, files=tuple(sorted(entry.files))) if isinstance(entry, HashEntry) else entry


def _hashed(entries: Iterable[Entry]) -> list[HashEntry]:
    return [entry for entry in entries if isinstance(entry, HashEntry)]


def _is_subsequence(shorter: list[str], longer: list[str]) -> bool:
    rest = iter(longer)
    return all(line in rest for line in shorter)


@settings(max_examples=40)
@given(texts, projects, versions, terms)
@example(base(), "idna", "1", (PYPI.hash_reason, None))
def test_remove_after_add_is_the_text_that_was(
    text: str, project: str, version: str, stated: tuple[str, date | None]
) -> None:
    entry = _entry((project, version, stated))
    if read(text).entry_for(entry.project, entry.version) is not None:
        return

    added = add_hash_entry(text, entry, PATH)

    assert {*read(added).entries} == {*read(text).entries, entry}
    assert _is_subsequence(text.splitlines(), added.splitlines())
    assert remove_release(added, entry.project, entry.version, PATH) == text


@settings(max_examples=40)
@given(texts, st.data())
def test_a_replacement_changes_only_the_lines_of_what_it_replaces(text: str, data: st.DataObject) -> None:
    trust = read(text)
    if not trust.entries:
        return
    project = data.draw(st.sampled_from(sorted({entry.project for entry in trust.entries})))
    chosen = data.draw(st.lists(versions.map(Version), min_size=1, max_size=4, unique=True))
    releases = {version: files_of(project, version) for version in chosen}
    before = {entry for entry in trust.entries if isinstance(entry, HashEntry) and entry.project == project}

    edited = replace_releases(text, project, releases, PATH)

    after = read(edited)
    ours = {entry for entry in after.entries if entry.project == project}
    assert {*after.entries} - ours == {*trust.entries} - before
    assert {
        entry.version: tuple(sorted(entry.files)) for entry in ours if isinstance(entry, HashEntry)
    } == releases
    for entry in before:
        if entry.version in releases:
            assert replace(entry, files=releases[entry.version]) in {_sorted(each) for each in ours}
    newest = max(before, key=lambda entry: entry.version)
    known = {entry.version for entry in before}
    assert all(
        (e.reason, e.expires) == (newest.reason, newest.expires)
        for e in _hashed(ours)
        if e.version not in known
    )
    foreign = [line for line in text.splitlines() if project.replace("-", "_") not in line]
    if len({(e.reason, e.expires) for e in before}) == 1 and len(
        {trust.tables[trust.entries.index(entry)] for entry in before}
    ) == len({after.tables[after.entries.index(entry)] for entry in ours}):
        mine = [line for line in foreign if not line.startswith("version = ")]
        assert _is_subsequence(mine, edited.splitlines())
    assert replace_releases(edited, project, releases, PATH) == edited


@settings(max_examples=40)
@given(texts, st.data())
def test_a_removal_takes_out_lines_and_touches_none(text: str, data: st.DataObject) -> None:
    trust = read(text)
    if not trust.entries:
        return
    entry = data.draw(st.sampled_from(trust.entries))
    assert isinstance(entry, HashEntry)

    one = remove_release(text, entry.project, entry.version, PATH)
    every = remove_package(text, entry.project, PATH)

    assert {*read(one).entries} == {*trust.entries} - {entry}
    assert {*read(every).entries} == {e for e in trust.entries if e.project != entry.project}
    for edited in (one, every):
        assert _is_subsequence(edited.splitlines(), text.splitlines())
        assert edited.count("\r\n") == (edited.count("\n") if "\r" in text else 0)


def test_packages_are_listed_by_name_with_what_they_share() -> None:
    trust = read(pinned(release(NEW), release(), release(Version("4"), reason="z", expires=date(2027, 1, 1))))

    first, second = pinned_packages(replace(trust, entries=(*reversed(trust.entries),)))

    assert (first.releases, first.until, first.is_by_hash) == ((OLD, NEW), None, True)
    assert (second.releases, second.until, second.reason) == ((Version("4"),), date(2027, 1, 1), "z")
