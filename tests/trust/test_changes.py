"""Each kind of change of a trust file, there and back: its kind and its effect."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

import samples
from pip_warden.digests import digest_of
from pip_warden.trust.comparing.change import Change, Effect
from pip_warden.trust.comparing.changes import changes
from pip_warden.trust.comparing.covering import are_disjoint, covers, covers_ref, covers_subject
from pip_warden.trust.file import parse
from pip_warden.trust.model import (
    HashEntry,
    Identity,
    IdentityEntry,
    Requirements,
    Revocation,
    RootPin,
    Source,
    TrustFile,
)
from pip_warden.trust.subject import parse_ref, parse_subject

PATH = Path("/project/pytrust.toml")
WIDE, NARROW, SAME = Effect.WIDENED, Effect.NARROWED, Effect.NEUTRAL
BASE = f"""version = 1
[sigstore]
trusted-root = "root.json"
trusted-root-sha256 = "{"a" * 64}"
issuers = ["https://gitlab.example.com", "https://accounts.example.com"]
[sigstore.b]
trusted-root = "b.json"
trusted-root-sha256 = "{"b" * 64}"
issuers = ["https://gitlab.example.com"]
[source.acme]
type = "gitlab"
url = "https://gitlab.example.com"
[source.same]
type = "gitlab"
url = "https://gitlab.example.com"
[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
[source.unused]
type = "simple"
url = "https://unused.example.com/simple"
[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
registry-id = 815
evidence = ["{{name}}/{{version}}"]
  [[package.identity]]
  issuer = "https://gitlab.example.com"
  subject = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"
  project-id = 815
  not-before = 2026-01-01
  not-after = 2026-12-31
  [package.require]
  build-trigger = ["push"]
  runner-environment = "gitlab-hosted"
  source-ref = "refs/tags/v{{version}}"
  predicate-types = ["https://acme.example/a"]
  provenance = "https://slsa.dev/provenance/v1"
  confirmed-build = true
  annotations = {{ tag = "v{{version}}" }}
[[package]]
name = "idna"
source = "pypi"
version = "3.20"
reason = "reviewed"
  [package.sha256]
  "idna-3.20-py3-none-any.whl" = "{"c" * 64}"
[[revoked]]
name = "acme-widgets"
version = "1.4.0"
reason = "broken into"
[[revoked]]
name = "acme-tools"
reason = "abandoned"
"""
SECOND = """
  [[package.identity]]
  issuer = "https://gitlab.example.com"
  subject = "https://gitlab.example.com/legacy/widgets//.gitlab-ci.yml@refs/heads/main"
"""
ANOTHER = """
[[package]]
name = "sdist-only"
source = "pypi"
version = "1.0"
reason = "reviewed"
sha256 = { "sdist_only-1.0.tar.gz" = "DIGEST" }
""".replace("DIGEST", "d" * 64)
OLDER = """
[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
version = "0.1"
reason = "was not signed"
sha256 = { "acme_widgets-0.1.tar.gz" = "DIGEST" }
""".replace("DIGEST", "d" * 64)


def told(old: str, new: str) -> set[tuple[str, str, Effect]]:
    found = changes(parse(old, PATH), parse(new, PATH))
    assert all(change.words for change in found)
    return {(change.kind, change.subject, change.effect) for change in found}


CASES: dict[str, tuple[str, str, tuple[str, str], Effect, Effect]] = {
    "root's digest": (f'"{"a" * 64}"', f'"{"e" * 64}"', ("root-digest", "trusted root"), WIDE, WIDE),
    "root's file": ('"b.json"', '"c.json"', ("root-file", "trusted root b"), SAME, SAME),
    "source's place": (
        'url = "https://pypi.org/simple"',
        'url = "https://evil.example/simple"',
        ("source-moved", "source pypi"),
        WIDE,
        WIDE,
    ),
    "unused source's place": (
        "unused.example.com",
        "u.example.com",
        ("source-moved", "source unused"),
        SAME,
        SAME,
    ),
    "same place by another name": (
        'source = "acme"',
        'source = "same"',
        ("package-source", "acme-widgets"),
        SAME,
        SAME,
    ),
    "registry project": ('"acme/widgets"', '"evil/widgets"', ("package-project", "acme-widgets"), WIDE, WIDE),
    "registry-id": ("registry-id = 815\n", "", ("package-registry-id", "acme-widgets"), WIDE, WIDE),
    "evidence": (
        'evidence = ["{name}/{version}"]',
        'evidence = ["{name}/{version}", "x/{version}"]',
        ("package-evidence", "acme-widgets"),
        WIDE,
        SAME,
    ),
    "signer's project": ("widgets//.git", "tools//.git", ("signer-changed", "acme-widgets"), WIDE, WIDE),
    "signer's ref": ("tags/v{version}", "tags/*", ("signer-changed", "acme-widgets"), WIDE, NARROW),
    "signer's number": ("  project-id = 815\n", "", ("signer-changed", "acme-widgets"), WIDE, NARROW),
    "signer's first day": ("2026-01-01", "2025-01-01", ("signer-changed", "acme-widgets"), WIDE, NARROW),
    "signer's last day": ("2026-12-31", "2027-12-31", ("signer-changed", "acme-widgets"), WIDE, NARROW),
    "no last day": ("  not-after = 2026-12-31\n", "", ("signer-changed", "acme-widgets"), WIDE, NARROW),
    "signer's root": (
        "project-id = 815\n  not",
        'project-id = 815\n  sigstore = "b"\n  not',
        ("signer-changed", "acme-widgets"),
        WIDE,
        WIDE,
    ),
    "trigger": ('["push"]', '["push", "schedule"]', ("requirement", "acme-widgets"), WIDE, NARROW),
    "runner": ('  runner-environment = "gitlab-hosted"\n', "", ("requirement", "acme-widgets"), WIDE, NARROW),
    "other runner": ('"gitlab-hosted"', '"self-hosted"', ("requirement", "acme-widgets"), WIDE, WIDE),
    "ref": ('"refs/tags/v{version}"', '"refs/tags/*"', ("requirement", "acme-widgets"), WIDE, NARROW),
    "no ref": ('  source-ref = "refs/tags/v{version}"\n', "", ("requirement", "acme-widgets"), WIDE, NARROW),
    "types": (
        '["https://acme.example/a"]',
        '["https://acme.example/a", "b"]',
        ("requirement", "acme-widgets"),
        WIDE,
        NARROW,
    ),
    "confirmed build": ("  confirmed-build = true\n", "", ("requirement", "acme-widgets"), WIDE, NARROW),
    "provenance's type": ("provenance/v1", "provenance/v2", ("requirement", "acme-widgets"), WIDE, WIDE),
    "annotation": (
        '  annotations = { tag = "v{version}" }\n',
        "",
        ("requirement", "acme-widgets"),
        WIDE,
        NARROW,
    ),
    "annotation's value": ('"v{version}" }', '"{version}" }', ("requirement", "acme-widgets"), WIDE, WIDE),
    "file": (
        f'any.whl" = "{"c" * 64}"\n',
        f'any.whl" = "{"c" * 64}"\n  "idna-3.20.tar.gz" = "{"d" * 64}"\n',
        ("file-added", "idna 3.20"),
        WIDE,
        NARROW,
    ),
    "digest": (f'"{"c" * 64}"', f'"{"d" * 64}"', ("file-digest", "idna 3.20"), WIDE, WIDE),
    "reason": ('reason = "reviewed"', 'reason = "read"', ("exemption-reason", "idna 3.20"), SAME, SAME),
    "last day": (
        'reason = "reviewed"',
        'reason = "reviewed"\nexpires = 2027-06-30',
        ("exemption-expiry", "idna 3.20"),
        NARROW,
        WIDE,
    ),
    "default of a source": (
        'url = "https://pypi.org/simple"',
        'url = "https://pypi.org/simple"\nhash-reason = "not signed"',
        ("source-reason", "source pypi"),
        SAME,
        SAME,
    ),
    "evidence of an index": (
        'url = "https://pypi.org/simple"',
        'url = "https://pypi.org/simple"\nevidence = "https://evil.example/{filename}"',
        ("source-evidence", "source pypi"),
        WIDE,
        WIDE,
    ),
    "evidence of an unused index": (
        "https://unused.example.com/simple",
        'https://unused.example.com/simple"\nevidence = "https://unused.example.com/{filename}',
        ("source-evidence", "source unused"),
        SAME,
        SAME,
    ),
    "reason of a revocation": (
        "broken into",
        "stolen",
        ("revocation-reason", "acme-widgets 1.4.0"),
        SAME,
        SAME,
    ),
    "wider revocation": (
        'name = "acme-widgets"\nversion = "1.4.0"',
        'name = "acme-widgets"',
        ("revocation-added", "acme-widgets"),
        NARROW,
        WIDE,
    ),
}
BACK = {"file-added": "file-removed", "revocation-added": "revocation-removed"}


@pytest.mark.parametrize("name", CASES)
def test_one_change_and_its_reverse(name: str) -> None:
    text, other, (kind, subject), there, back = CASES[name]
    assert BASE.count(text) >= 1
    at = BASE.index('[[package]]\nname = "idna"') if "reason" in name else 0
    changed = BASE[:at] + BASE[at:].replace(text, other, 1)

    assert (kind, subject, there) in told(BASE, changed)
    assert (BACK.get(kind, kind), subject, back) in told(changed, BASE)
    for one, two in ((BASE, changed), (changed, BASE)):
        effects = {effect for _, _, effect in told(one, two)}
        expected = there if one == BASE else back
        assert (WIDE in effects) == (expected is WIDE), told(one, two)


def test_each_pin_added_and_removed() -> None:
    without = BASE[: BASE.index("[[package]]")] + BASE[BASE.index("[[revoked]]") :]

    assert told(without, BASE) == {
        ("pin-added", "acme-widgets", WIDE),
        ("exemption-added", "idna 3.20", WIDE),
    }
    assert told(BASE, without) == {
        ("pin-removed", "acme-widgets", NARROW),
        ("exemption-removed", "idna 3.20", NARROW),
    }
    assert told(BASE, BASE + ANOTHER) == {("exemption-added", "sdist-only 1.0", WIDE)}


def test_an_exemption_of_a_signed_package_widens_when_it_comes_and_when_it_goes() -> None:
    assert told(BASE, BASE + OLDER) == {("exemption-added", "acme-widgets 0.1", WIDE)}
    assert told(BASE + OLDER, BASE) == {("exemption-removed", "acme-widgets 0.1", WIDE)}


def test_a_signer_added_and_removed() -> None:
    wider = BASE.replace("  [package.require]", SECOND + "  [package.require]")

    assert told(BASE, wider) == {("signer-added", "acme-widgets", WIDE)}
    assert told(wider, BASE) == {("signer-removed", "acme-widgets", NARROW)}


def test_roots_issuers_and_sources_added_and_removed() -> None:
    head = BASE.index("[sigstore.b]"), BASE.index("[source.acme]")
    without = BASE[: head[0]] + BASE[head[1] :]
    fewer = BASE.replace(', "https://accounts.example.com"', "")
    unused = BASE.replace('[source.unused]\ntype = "simple"\nurl = "https://unused.example.com/simple"\n', "")

    assert told(without, BASE) == {("root-added", "trusted root b", WIDE)}
    assert told(BASE, without) == {("root-removed", "trusted root b", NARROW)}
    assert told(fewer, BASE) == {("root-issuer-added", "trusted root", WIDE)}
    assert told(BASE, fewer) == {("root-issuer-removed", "trusted root", NARROW)}
    assert told(unused, BASE) == {("source-added", "source unused", SAME)}
    assert told(BASE, unused) == {("source-removed", "source unused", SAME)}


@pytest.mark.parametrize(
    ("was", "now", "effect"),
    [(("a", "b"), ("b", "a"), SAME), (("a", "b"), ("a",), SAME), (("a",), ("b",), WIDE), (("a",), (), WIDE)],
)
def test_evidence_that_is_looked_for_elsewhere_is_widened(
    was: tuple[str, ...], now: tuple[str, ...], effect: Effect
) -> None:
    """Without a template it is where the index says: that is another place than before."""
    old, new = (
        replace(samples.trust(), sources=(replace(samples.SOURCE, evidence=places),)) for places in (was, now)
    )

    assert [(c.kind, c.effect) for c in changes(old, new)] == [("source-evidence", effect)]


def test_a_template_that_is_spelled_out_is_the_default_s() -> None:
    spelled = 'evidence = "https://pypi.org/integrity/{name}/{version}/{filename}/provenance"'
    url = 'url = "https://pypi.org/simple"'

    assert told(BASE, BASE.replace(url, f"{url}\n{spelled}")) == set()


def test_a_later_last_day_is_widened_and_a_sooner_one_is_not() -> None:
    ends, later = (
        BASE.replace('"reviewed"', f'"reviewed"\nexpires = {day}') for day in ("2027-01-31", "2027-02-01")
    )

    assert told(ends, later) == {("exemption-expiry", "idna 3.20", WIDE)}
    assert told(later, ends) == {("exemption-expiry", "idna 3.20", NARROW)}


def test_the_reason_of_a_source_is_told_once() -> None:
    named = BASE.replace('/pypi.org/simple"', '/pypi.org/simple"\nhash-reason = "not signed"')
    silent = named.replace('reason = "reviewed"\n', "")
    other = silent.replace('"not signed"', '"compared with the tag"')

    assert told(silent, other) == {("source-reason", "source pypi", SAME)}
    assert told(named, silent) == {("exemption-reason", "idna 3.20", SAME)}


def test_a_release_that_joins_the_table_of_its_package_is_the_same() -> None:
    joined = BASE.replace('source = "pypi"\nversion = "3.20"', 'source = "pypi"')

    assert joined != BASE
    assert told(BASE, joined) == set()


def test_a_name_that_moves_between_sources_is_widened() -> None:
    moved = BASE.replace('name = "idna"\nsource = "pypi"', 'name = "idna"\nsource = "unused"')

    assert told(BASE, moved) == {("package-source", "idna", WIDE)}


def test_a_release_is_the_same_however_its_version_is_spelled() -> None:
    spelled = BASE.replace('version = "1.4.0"', 'version = "1.4"')

    assert {effect for _, _, effect in told(BASE, spelled)} == {SAME}


def test_order_comments_and_place_mean_nothing() -> None:
    start, end = BASE.index('[[package]]\nname = "idna"'), BASE.index("[[revoked]]")
    first = BASE.index('[[package]]\nname = "acme-widgets"')
    turned = BASE[:first] + "# ours\n" + BASE[start:end] + BASE[first:start] + BASE[end:]

    assert changes(parse(BASE, PATH), parse(turned, Path("/else/where.toml"))) == ()


def _all(effect: Effect, found: tuple[Change, ...]) -> bool:
    return bool(found) and all(change.effect is effect for change in found)


def _pinned(*identities: Identity, **require: Any) -> TrustFile:
    return samples.trust(samples.entry(*identities, require=Requirements(**require)))


NARROWER, WIDER = (
    samples.identity(not_after=date(2026, 1, 1)),
    samples.identity(project_id=None),
)


def test_a_signer_that_another_one_covers_changes_nothing() -> None:
    assert _all(Effect.NEUTRAL, changes(_pinned(WIDER), _pinned(WIDER, NARROWER)))
    assert _all(Effect.NEUTRAL, changes(_pinned(WIDER, NARROWER), _pinned(WIDER)))
    assert _all(Effect.NARROWED, changes(_pinned(WIDER, NARROWER), _pinned(NARROWER)))
    assert changes(_pinned(WIDER, NARROWER), _pinned(NARROWER, WIDER)) == ()


def test_statements_count_under_the_first_signer_so_its_removal_widens() -> None:
    """The publication matches both, the annotations only the wider one: refused, until the first is gone."""
    required = {"annotations": (("tag", "v1"),)}
    old = _pinned(NARROWER, WIDER, **required)

    for new in (_pinned(WIDER, **required), _pinned(WIDER, NARROWER, **required)):
        assert {(c.kind, c.effect) for c in changes(old, new)} >= {("signer-order", WIDE)}
    other = samples.identity(issuer="https://gitlab.example.org")
    assert _all(NARROW, changes(_pinned(other, WIDER, **required), _pinned(WIDER, **required)))


FULL = TrustFile(
    path=PATH,
    roots=(RootPin(name="default", path=PATH, sha256=digest_of(b"1"), issuers=("https://a.example",)),),
    sources=(Source(name="acme", type="gitlab", url=samples.GITLAB),),
    entries=(samples.entry(), replace(samples.hash_entry(), version=Version("0.1"))),
    revoked=(Revocation(reason="a", project=samples.PROJECT, version=Version("3")),),
)
OF = {
    RootPin: "roots",
    Source: "sources",
    IdentityEntry: "entries",
    HashEntry: "entries",
    Revocation: "revoked",
}
NOTHING_BY_ITSELF = {(RootPin, "path"), (Source, "name")}


class _Other:
    """A value that nothing equals and that means nothing to anybody."""

    name = text = "other"
    version = Version("9")

    def __str__(self) -> str:
        return "other"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, field.name)
        for kind in (HashEntry, Source, Revocation, RootPin)
        for field in fields(kind)
        if field.compare and field.init
    ],
)
def test_no_field_is_overlooked(kind: type, name: str) -> None:
    """A field that somebody adds is told, and is widened until it is known what it means."""
    from pip_warden.trust.comparing.change import unknown_changes

    (value,) = (each for each in getattr(FULL, OF[kind]) if isinstance(each, kind))
    other: Any = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(other, field.name, getattr(value, field.name))
    object.__setattr__(other, name, _Other())

    (told_,) = unknown_changes("it", value, other, frozenset(), "changed")
    assert (told_.effect, told_.words.endswith(", is other")) == (WIDE, True)


@pytest.mark.parametrize(
    ("module", "known", "kind"),
    [
        ("changes", "_FILE", TrustFile),
        ("changes", "_ROOT", RootPin),
        ("changes", "_SOURCE", Source),
        ("changes", "_REVOCATION", Revocation),
        ("package_changes", "_IDENTITY", IdentityEntry),
        ("package_changes", "_HASH", HashEntry),
        ("requirement_changes", "_KNOWN", Requirements),
        ("identity_changes", "_WORDS", Identity),
    ],
)
def test_every_field_of_today_is_compared_by_name(module: str, known: str, kind: type) -> None:
    import importlib

    names = set(getattr(importlib.import_module(f"pip_warden.trust.comparing.{module}"), known))
    unknown = {field.name for field in fields(kind) if field.compare and field.init} - names

    assert unknown <= {"demanded", "demanded_repository", "source_revision"}, "of the command line"


@pytest.mark.parametrize(
    ("wide", "narrow", "is_wider"),
    [
        ("a/b//c@refs/tags/*", "a/b//c@refs/tags/v{version}", True),
        ("a/b//c@refs/tags/*", "a/b//c@refs/tags/v1", True),
        ("a/*//c@refs/tags/v1", "a/b//c@refs/tags/v1", True),
        ("a/b//c@refs/tags/v{version}", "a/b//c@refs/tags/v1.0", False),
        ("a/b//c@refs/tags/v1.0", "a/b//c@refs/tags/v{version}", False),
        ("a/b//c@refs/tags/*", "a/b//c@refs/heads/main", False),
        ("a/b//c@refs/tags/*", "a/b//c@refs/tags/a/b", False),
        ("a/b//c@refs/tags/*", "a/b//d@refs/tags/v1", False),
        ("a/*//c@refs/tags/*", "a/b/b//c@refs/tags/v1", False),
        ("a/*//c@refs/tags/*", "x/b//c@refs/tags/v1", False),
    ],
)
def test_a_pattern_that_covers_another(wide: str, narrow: str, is_wider: bool) -> None:
    one, two = (parse_subject(f"https://gitlab.example.com/{text}") for text in (wide, narrow))

    assert covers_subject(one, two) is is_wider
    assert not covers_subject(two, one)
    assert covers_subject(one, one)


def test_the_two_forms_of_subjects_never_cover_each_other() -> None:
    form = "https://github.com/a/b/{}.github/workflows/r.yml@refs/tags/*"
    hub, lab = parse_subject(form.format("")), parse_subject(form.format("/"))

    assert (covers_subject(hub, lab), covers_subject(lab, hub)) == (False, False)
    assert not covers_subject(hub, parse_subject("a@example.com"))
    assert covers_ref(parse_ref("refs/tags/*"), parse_ref("refs/tags/v{version}"))
    assert not covers_ref(parse_ref("refs/tags/v{version}"), parse_ref("refs/tags/*"))


@pytest.mark.parametrize(
    ("other", "apart"),
    [
        ({"issuer": "https://gitlab.example.org"}, True),
        ({"project_id": "1"}, True),
        ({"project_id": None}, False),
        ({"not_after": date(2025, 1, 1)}, True),
        ({"not_after": date(2026, 1, 1)}, False),
        ({"root": "other"}, False),
        ({"subject": parse_subject("a@example.com"), "project_id": None, "is_account": True}, True),
        ({"subject": parse_subject(samples.SUBJECT.replace("widgets", "tools"))}, True),
        ({"subject": parse_subject(samples.SUBJECT)}, False),
        ({"subject": parse_subject(samples.SUBJECT.replace("tags", "heads"))}, True),
        ({"subject": parse_subject(samples.SUBJECT.replace("acme/widgets", "acme/*"))}, False),
    ],
)
def test_identities_that_no_certificate_can_be_both_of(other: dict[str, Any], apart: bool) -> None:
    one = samples.identity(not_before=date(2026, 1, 1))

    assert are_disjoint(one, samples.identity(**other)) is apart
    assert are_disjoint(samples.identity(**other), one) is apart
    assert not are_disjoint(one, one)
    assert covers(samples.identity(), one)
