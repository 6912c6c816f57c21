"""An edit adds what it should, keeps every comment, and never makes an invalid file."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.errors import TrustFileError, UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.edit import (
    add_identity,
    add_identity_entry,
    add_root,
    add_source,
    new_file_text,
    replace_root_digest,
    write,
)
from pip_warden.trust.editing.exemptions import add_hash_entry
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry, Identity, IdentityEntry, Requirements, RootPin, Source
from pip_warden.trust.subject import parse_ref, parse_subject

PATH = Path("/project/pytrust.toml")
ISSUER = "https://gitlab.example.com"
ROOT = RootPin(name="default", path=PATH.parent / "root.json", sha256=Digest("a" * 64), issuers=(ISSUER,))
ACME = Source(name="acme", type="gitlab", url=ISSUER)
PYPI = Source(name="pypi", type="simple", url="https://pypi.org/simple")
SIGNER = Identity(
    issuer=ISSUER,
    subject=parse_subject(f"{ISSUER}/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"),
    project_id="4711",
)
WIDGETS = IdentityEntry(
    project=ProjectName("acme-widgets"),
    source="acme",
    registry="acme/widgets",
    registry_id=7,
    identities=(SIGNER,),
)
IDNA = HashEntry(
    project=ProjectName("idna"),
    version=Version("3.20"),
    source="pypi",
    files=(("idna-3.20.tar.gz", Digest("b" * 64)),),
    reason="nobody signs it",
)
WHEEL = ("idna-3.20-py3-none-any.whl", Digest("c" * 64))
SECOND = replace(SIGNER, not_after=date(2027, 1, 1))


def base() -> str:
    text = add_root(new_file_text(), ROOT, PATH)
    return add_source(add_source(text, ACME, PATH), PYPI, PATH)


def whole() -> str:
    return add_hash_entry(add_identity_entry(base(), WIDGETS, PATH), IDNA, PATH)


def comments(text: str) -> list[str]:
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def test_a_new_file_trusts_nobody() -> None:
    trust = parse(new_file_text(), PATH)

    assert (trust.roots, trust.sources, trust.entries, trust.revoked) == ((), (), (), ())


def test_what_is_added_is_what_is_read() -> None:
    trust = parse(whole(), PATH)

    assert trust.roots == (ROOT,)
    assert trust.sources == (ACME, PYPI)
    assert trust.entries == (WIDGETS, IDNA)


def test_the_layout_is_a_readers() -> None:
    text = add_identity(whole(), WIDGETS.project, SECOND, PATH)

    assert text.endswith(
        f"""\
[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
registry-id = 7

  [[package.identity]]
  issuer = "{ISSUER}"
  subject = "{ISSUER}/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"
  project-id = 4711

  [[package.identity]]
  issuer = "{ISSUER}"
  subject = "{ISSUER}/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"
  project-id = 4711
  not-after = 2027-01-01

[[package]]
name = "idna"
source = "pypi"
reason = "nobody signs it"

  [package.sha256]
  "idna-3.20.tar.gz" = "{"b" * 64}"
"""
    )


def commented(text: str) -> str:
    """Add a comment to every line that can have one, and one before every table."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        if line.strip().startswith("["):
            lines.append(f"# before {line.strip()}")
        lines.append(f"{line}  # {number}" if line.strip() and not line.startswith("#") else line)
    return "\n".join([*lines, "# the end", ""])


def test_comments_survive_every_edit_in_their_order() -> None:
    text = commented(whole())
    kept = comments(text)

    edited = add_identity(text, WIDGETS.project, SECOND, PATH)
    edited = add_hash_entry(edited, replace(IDNA, files=(WHEEL,)), PATH)
    edited = add_root(edited, replace(ROOT, issuers=("https://other.example",)), PATH)
    edited = add_source(edited, replace(PYPI, name="mirror"), PATH)
    edited = replace_root_digest(edited, replace(ROOT, sha256=Digest("d" * 64)), PATH)

    assert comments(edited) == kept
    trust = parse(edited, PATH)
    assert trust.roots[0].issuers == (ISSUER, "https://other.example")
    assert trust.roots[0].sha256 == Digest("d" * 64)
    assert trust.entries == (
        replace(WIDGETS, identities=(SIGNER, SECOND)),
        replace(IDNA, files=(WHEEL, *IDNA.files)),
    )


def test_a_comment_stays_above_the_table_it_speaks_of() -> None:
    text = whole().replace('[[package]]\nname = "idna"', '# about idna\n[[package]]\nname = "idna"')

    edited = add_identity(text, WIDGETS.project, SECOND, PATH)

    assert '# about idna\n[[package]]\nname = "idna"' in edited


def test_every_edit_twice_is_the_same_as_once() -> None:
    text = add_identity(whole(), WIDGETS.project, SECOND, PATH)

    assert add_root(text, ROOT, PATH) == text
    assert add_source(text, ACME, PATH) == text
    assert add_identity(text, WIDGETS.project, SECOND, PATH) == text
    assert add_hash_entry(text, IDNA, PATH) == text
    assert add_identity_entry(whole(), WIDGETS, PATH) == whole()


@pytest.mark.parametrize(
    "form",
    [
        'identity = [{ issuer = "ISSUER", subject = "SUBJECT", project-id = 4711 }]\n',
        (
            '[[package.identity]]\nissuer = "ISSUER"\nsubject = "SUBJECT"\nproject-id = 4711\n'
            '[package.require]\nvisibility = "public" # r\n'
        ),
    ],
)
def test_an_identity_joins_whatever_way_the_first_is_written(form: str) -> None:
    head = '\n[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/widgets"\n'
    text = base() + head + form.replace("ISSUER", ISSUER).replace("SUBJECT", SIGNER.subject.text)

    entry = parse(add_identity(text, WIDGETS.project, SECOND, PATH), PATH).entries[0]

    assert isinstance(entry, IdentityEntry)
    assert entry.identities == (SIGNER, SECOND)


def test_an_identity_joins_its_package_behind_releases_that_share_a_table() -> None:
    """Releases that share a table are several entries: the number of an entry is not that of its table."""
    text = base()
    for version in ("3.20", "3.21"):
        files = ((f"idna-{version}.tar.gz", Digest("b" * 64)),)
        text = add_hash_entry(text, replace(IDNA, version=Version(version), files=files), PATH)
    for project in ("acme-widgets", "acme-tools"):
        text = add_identity_entry(text, replace(WIDGETS, project=ProjectName(project)), PATH)
    for project in ("acme-widgets", "acme-tools"):
        changed = parse(add_identity(text, ProjectName(project), SECOND, PATH), PATH)
        signers = {
            entry.project: entry.identities for entry in changed.entries if isinstance(entry, IdentityEntry)
        }
        assert [name for name, each in signers.items() if each == (SIGNER, SECOND)] == [project]


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("source = { pypi = { type = 'simple', url = 'https://a.example' } }\n", "source"),
        ("package = []\n", "package"),
    ],
)
def test_what_cannot_be_joined_is_not_called_no_toml(text: str, edit: str) -> None:
    """The user's file is TOML, and is not what is at fault."""
    text = f"version = 1\n{text}"
    if edit == "package":
        text += "[source.pypi]\ntype = 'simple'\nurl = 'https://pypi.org/simple'\n"
    parse(text, PATH)
    with pytest.raises(UsageError) as raised:
        add_source(text, replace(PYPI, name="other"), PATH) if edit == "source" else add_hash_entry(
            text, IDNA, PATH
        )
    assert raised.value.code == "trust-file-uneditable"


def test_a_file_joins_an_inline_table() -> None:
    text = base() + (
        f'\n[[package]]\nname = "idna"\nsource = "pypi"\nversion = "3.20"\nreason = "nobody signs it"\n'
        f'sha256 = {{ "idna-3.20.tar.gz" = "{"b" * 64}" }} # kept\n'
    )

    edited = add_hash_entry(text, replace(IDNA, files=(WHEEL,)), PATH)

    assert "# kept" in edited
    assert parse(edited, PATH).entries == (replace(IDNA, files=(WHEEL, *IDNA.files)),)


def test_tables_out_of_order_stay_where_they_are_readable() -> None:
    text = add_source(whole(), replace(ACME, name="late"), PATH)
    later = replace(IDNA, version=Version("3.21"), files=(("idna-3.21.tar.gz", Digest("e" * 64)),))
    text = add_hash_entry(text, later, PATH)

    edited = add_identity(text, WIDGETS.project, SECOND, PATH)
    edited = add_hash_entry(edited, replace(IDNA, files=(WHEEL,)), PATH)

    trust = parse(edited, PATH)
    assert trust.entries == (
        replace(WIDGETS, identities=(SIGNER, SECOND)),
        replace(IDNA, files=(WHEEL, *IDNA.files)),
        later,
    )
    assert [source.name for source in trust.sources] == ["acme", "pypi", "late"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_no_table_is_moved_and_no_other_line_is_changed(end: str) -> None:
    """As `trust add` writes them with each further source: tables of packages are not in a row."""
    text = add_source(whole(), replace(ACME, name="late"), PATH)
    text = add_identity_entry(text, replace(WIDGETS, project=ProjectName("acme-tools"), source="late"), PATH)
    text = commented(text).replace("issuers = [", "issuers = [ # i\n  ").replace("\n", end)
    before = text.splitlines(keepends=True)

    edits = [
        (add_identity(text, WIDGETS.project, SECOND, PATH), 0),
        (add_identity(text, ProjectName("acme-tools"), SECOND, PATH), 0),
        (add_root(text, replace(ROOT, issuers=("https://other.example",)), PATH), 1),
        (replace_root_digest(text, replace(ROOT, sha256=Digest("d" * 64)), PATH), 1),
    ]

    for edited, changed in edits:
        after = edited.splitlines(keepends=True)
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        assert sum(block.size for block in matcher.get_matching_blocks()) == len(before) - changed
        assert all(line.endswith(end) for line in after)


def test_a_pin_is_never_replaced() -> None:
    text = whole()
    attempts: tuple[Callable[[], str], ...] = (
        lambda: add_root(text, replace(ROOT, sha256=Digest("f" * 64)), PATH),
        lambda: add_source(text, replace(ACME, url="https://evil.example"), PATH),
        lambda: add_identity_entry(text, replace(WIDGETS, identities=(SECOND,)), PATH),
        lambda: add_hash_entry(text, replace(IDNA, files=(("idna-3.20.tar.gz", Digest("f" * 64)),)), PATH),
        lambda: add_hash_entry(text, replace(IDNA, source="acme", registry="a/b"), PATH),
    )

    for attempt in attempts:
        with pytest.raises(UsageError) as caught:
            attempt()
        assert caught.value.code == "pin-conflict"


def test_what_is_absent_cannot_be_changed() -> None:
    attempts: tuple[Callable[[], str], ...] = (
        lambda: add_identity(base(), WIDGETS.project, SIGNER, PATH),
        lambda: replace_root_digest(new_file_text(), ROOT, PATH),
    )

    for attempt in attempts:
        with pytest.raises(UsageError) as caught:
            attempt()
        assert caught.value.code == "not-in-trust-file"


def test_no_edit_makes_an_invalid_file() -> None:
    with pytest.raises(TrustFileError) as caught:
        add_identity_entry(new_file_text(), WIDGETS, PATH)

    assert caught.value.code == "trust-file-invalid"
    assert {path for path, _ in caught.value.faults} == {
        "package[0].source",
        "package[0].identity[0].sigstore",
    }


def test_everything_an_entry_can_hold_is_written() -> None:
    require = Requirements(
        build_trigger=frozenset({"push", "schedule"}),
        runner_environment="self-hosted",
        source_ref=parse_ref("refs/tags/*"),
        source_repository=f"{ISSUER}/acme/widgets",
        environment='re"lease',
        visibility="private",
        predicate_types=frozenset({"https://example.com/p/v1"}),
        provenance="https://slsa.dev/provenance/v1",
        confirmed_build=True,
    )
    other = replace(ROOT, name="other", path=Path("/elsewhere/root.json"))
    account = Identity(issuer=ISSUER, subject=parse_subject("me@example.com"), root="other", is_account=True)
    dated = replace(SIGNER, not_before=date(2024, 2, 29), not_after=date(2024, 2, 29))
    entry = replace(WIDGETS, identities=(dated, account), require=require, evidence=("{name}/{version}",))
    source = replace(ACME, name="full", evidence=("x-{project-name}/{version}",))

    text = add_identity_entry(add_source(add_root(base(), other, PATH), source, PATH), entry, PATH)

    trust = parse(text, PATH)
    assert trust.roots == (ROOT, other)
    assert trust.source("full") == source
    assert trust.entries == (entry,)


releases = st.lists(st.integers(0, 99), min_size=1, max_size=3).map(
    lambda parts: Version(".".join(map(str, parts)))
)
reasons = st.text(min_size=1, max_size=30).filter(str.strip)
digests = st.text(alphabet="0123456789abcdef", min_size=64, max_size=64).map(Digest)


@given(st.lists(st.tuples(releases, reasons, digests), unique_by=lambda item: item[0], max_size=5))
def test_editing_then_reading_gives_back_what_was_added(items: list[tuple[Version, str, Digest]]) -> None:
    entries = tuple(
        replace(IDNA, version=version, reason=reason, files=((f"idna-{version}.tar.gz", digest),))
        for version, reason, digest in items
    )
    text = commented(base())
    kept = comments(text)

    for entry in entries:
        text = add_hash_entry(text, entry, PATH)

    assert {*parse(text, PATH).entries} == {*entries}
    assert comments(text)[: len(kept)] == kept


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "real.toml", tmp_path / "pytrust.toml"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)

    write(link, "new \u00e9\n")

    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new \u00e9\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pytrust.toml", "real.toml"]


def test_a_new_file_is_readable_for_others(tmp_path: Path) -> None:
    write(tmp_path / "pytrust.toml", "x")

    assert stat.S_IMODE((tmp_path / "pytrust.toml").stat().st_mode) == 0o644


def test_t56_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "pytrust.toml").mkdir()

    for path in (tmp_path / "pytrust.toml", tmp_path / "missing" / "pytrust.toml"):
        with pytest.raises(UsageError) as caught:
            write(path, "x")
        assert caught.value.code == "trust-file-unwritable"
    assert [file.name for file in tmp_path.iterdir()] == ["pytrust.toml"]
