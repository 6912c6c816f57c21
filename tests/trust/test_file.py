"""A trust file is valid as a whole, or every fault is named with its path."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pip_warden.digests import digest_of
from pip_warden.errors import TrustFileError, TrustRootError
from pip_warden.explain import catalogue
from pip_warden.names import parse_project_name
from pip_warden.trust.file import LARGEST_TRUST_FILE, find_trust_file, load, parse
from pip_warden.trust.model import HashEntry, IdentityEntry, RootPin
from pip_warden.trust.roots import read_root

PATH = Path("/project/pytrust.toml")
ROOT = f"""
[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{"a" * 64}"
issuers = ["https://gitlab.example.com"]
"""
SOURCES = """
[source.acme]
type = "gitlab"
url = "https://gitlab.example.com/"
[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
"""
WIDGETS = """
[[package]]
name = "Acme_Widgets"
source = "acme"
project = "acme/widgets"
  [[package.identity]]
  issuer = "https://gitlab.example.com"
  subject = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}"
  project-id = 4711
  not-after = 2027-06-30
  [package.require]
  runner-environment = "gitlab-hosted"
  build-trigger = ["push"]
"""
IDNA = f"""
[[package]]
name = "idna"
source = "pypi"
version = "3.20"
sha256 = {{ "idna-3.20-py3-none-any.whl" = "{"b" * 64}" }}
reason = "publisher does not sign"
"""
REVOKED = """
[[revoked]]
name = "idna"
version = "3.19"
reason = "yanked"
"""
WHOLE = "version = 1\n" + ROOT + SOURCES + WIDGETS + IDNA + REVOKED


def faults(text: str) -> dict[str, str]:
    with pytest.raises(TrustFileError) as caught:
        parse(text, PATH)
    assert caught.value.code == "trust-file-invalid"
    return dict(caught.value.faults)


def test_a_build_is_confirmed_by_provenance() -> None:
    built = WIDGETS + '  provenance = "https://slsa.dev/provenance/v1"\n'
    head = "version = 1\n" + ROOT + SOURCES

    (entry,) = parse(f"{head}{built}  confirmed-build = true\n", PATH).entries
    assert isinstance(entry, IdentityEntry)
    assert entry.require.confirmed_build
    (entry,) = parse(head + built, PATH).entries
    assert isinstance(entry, IdentityEntry)
    assert not entry.require.confirmed_build
    for wrong in (f"{built}  confirmed-build = 1\n", f"{WIDGETS}  confirmed-build = true\n"):
        (path,) = faults(head + wrong)
        assert path.startswith("package[0].require")


def test_a_valid_file_is_values() -> None:
    trust = parse(WHOLE, PATH)

    assert trust.roots[0].path == Path("/project/trusted_root.json")
    assert trust.source("acme").url == "https://gitlab.example.com"
    widgets, idna = trust.entries
    assert isinstance(widgets, IdentityEntry)
    assert widgets.project == "acme-widgets"
    assert widgets.identities[0].project_id == "4711"
    assert widgets.identities[0].not_after == date(2027, 6, 30)
    assert widgets.require.runner_environment == "gitlab-hosted"
    assert isinstance(idna, HashEntry)
    assert trust.entry_for(parse_project_name("idna"), Version("3.20.0")) == idna
    assert trust.revoked[0].version == Version("3.19")


def test_the_name_of_a_source_is_plain() -> None:
    assert list(faults(WHOLE.replace("[source.acme]", '[source."a b"]'))) == [
        'source."a b"',
        "package[0].source",
    ]


def test_three_faults_are_three_paths() -> None:
    text = (
        WHOLE.replace('issuer = "https://gitlab.example.com"', 'issuer = "gitlab.example.com"')
        .replace('source = "pypi"', 'source = "pipy"')
        .replace('url = "https://pypi.org/simple"', 'url = "https://me@pypi.org/simple"')
    )

    assert set(faults(text)) == {"package[0].identity[0].issuer", "package[1].source", "source.pypi.url"}


WRONG = [
    ("version = 1", "", "version"),
    ("version = 1", "version = 2", "version"),
    ("version = 1", "version = true", "version"),
    ("version = 1", "version = 1.0", "version"),
    ("version = 1", "version = 1\nunknown = 1", "unknown"),
    ("[sigstore]", "[sigstore]\nissuer = 1", "sigstore.issuer"),
    ('issuers = ["https://gitlab.example.com"]', "issuers = []", "sigstore.issuers"),
    ('issuers = ["https://gitlab.example.com"]', "", "sigstore.issuers"),
    (
        'issuers = ["https://gitlab.example.com"]',
        'issuers = ["http://gitlab.example.com"]',
        "sigstore.issuers[0]",
    ),
    (
        'issuers = ["https://gitlab.example.com"]',
        'issuers = ["https://gitlab.com"]',
        "package[0].identity[0].issuer",
    ),
    (
        'issuers = ["https://gitlab.example.com"]',
        'issuers = ["https://gitlab.example.com/"]',
        "package[0].identity[0].issuer",
    ),
    (ROOT, "", "package[0].identity[0].sigstore"),
    ("[sigstore]", "[sigstore.default]", "sigstore.default"),
    ("a" * 64, "A" * 64, "sigstore.trusted-root-sha256"),
    ('type = "simple"', 'type = "pypi"', "source.pypi.type"),
    ('type = "simple"', 'type = "simple"\nevidence = "{name}/{version}"', "source.pypi"),
    ('type = "gitlab"', 'type = "gitlab"\nevidence = "{name}"', "source.acme.evidence"),
    ('type = "gitlab"', 'type = "gitlab"\nevidence = "{0}/{version}"', "source.acme.evidence"),
    ('type = "gitlab"', 'type = "gitlab"\nevidence = []', "source.acme.evidence"),
    ('type = "gitlab"', 'type = "gitlab"\nevidence = "../{version}"', "source.acme.evidence"),
    ("https://pypi.org/simple", "http://pypi.org/simple", "source.pypi.url"),
    ("https://pypi.org/simple", "https://pypi.org/simple?x", "source.pypi.url"),
    ("https://pypi.org/simple", "https://pypi.org/simple#", "source.pypi.url"),
    ("https://pypi.org/simple", "https://PyPI.org/simple", "source.pypi.url"),
    ("https://pypi.org/simple", "https://pypi.org/../simple", "source.pypi.url"),
    ("https://pypi.org/simple", "https://[/simple", "source.pypi.url"),
    ("https://pypi.org/simple", "https:///simple", "source.pypi.url"),
    ("https://pypi.org/simple", "https://pypi.org\\tx/simple", "source.pypi.url"),
    ('"Acme_Widgets"', '"-"', "package[0].name"),
    ('name = "Acme_Widgets"', "", "package[0].name"),
    ('project = "acme/widgets"', "", "package[0].project"),
    ('project = "acme/widgets"', 'project = "widgets"', "package[0].project"),
    ('project = "acme/widgets"', 'project = "acme/../widgets"', "package[0].project"),
    ('project = "acme/widgets"', "project = 5\nregistry-id = 6", "package[0]"),
    ('project = "acme/widgets"', 'project = "acme/widgets"\nversion = "1"', "package[0]"),
    ("project-id = 4711", "project-id = 0", "package[0].identity[0].project-id"),
    ("project-id = 4711", "project-id = true", "package[0].identity[0].project-id"),
    ("project-id = 4711", 'project-id = "04711"', "package[0].identity[0].project-id"),
    ("project-id = 4711", "project-id = 0x" + "f" * 9000, "package[0].identity[0].project-id"),
    ("project-id = 4711", "account = true", "package[0].identity[0]"),
    ("project-id = 4711", 'sigstore = "other"', "package[0].identity[0].sigstore"),
    ("project-id = 4711", "projectid = 4711", "package[0].identity[0].projectid"),
    ("not-after = 2027-06-30", 'not-after = "2027-06-30"', "package[0].identity[0].not-after"),
    ("not-after = 2027-06-30", "not-after = 2027-06-30T00:00:00Z", "package[0].identity[0].not-after"),
    ("not-after = 2027-06-30", "not-after = 2027-06-30\nnot-before = 2028-01-01", "package[0].identity[0]"),
    ("//.gitlab-ci.yml", "/.gitlab-ci.yml", "package[0].identity[0].subject"),
    ('build-trigger = ["push"]', "build-trigger = []", "package[0].require.build-trigger"),
    ('build-trigger = ["push"]', 'build-trigger = "push"', "package[0].require.build-trigger"),
    ('build-trigger = ["push"]', 'source-ref = "main"', "package[0].require.source-ref"),
    ('build-trigger = ["push"]', 'environment = "production "', "package[0].require.environment"),
    ('build-trigger = ["push"]', 'environment = "prod\u200buction"', "package[0].require.environment"),
    ('build-trigger = ["push"]', 'runner = "x"', "package[0].require.runner"),
    ('source = "pypi"', 'source = "pypi"\nproject = "a/b"', "package[1].project"),
    ('reason = "publisher does not sign"', "", "package[1].reason"),
    ('reason = "publisher does not sign"', 'reason = "r"\nexpires = "2027-06-30"', "package[1].expires"),
    (
        'url = "https://pypi.org/simple"',
        'url = "https://pypi.org/simple"\nhash-reason = ""',
        "source.pypi.hash-reason",
    ),
    ('version = "3.20"', 'version = "x"', "package[1].version"),
    ('reason = "publisher does not sign"', 'reason = " "', "package[1].reason"),
    (
        '"idna-3.20-py3-none-any.whl"',
        '"idna-3.21-py3-none-any.whl"',
        'package[1].sha256."idna-3.21-py3-none-any.whl"',
    ),
    ('"idna-3.20-py3-none-any.whl"', '"other-3.20.tar.gz"', 'package[1].sha256."other-3.20.tar.gz"'),
    ('"idna-3.20-py3-none-any.whl"', '"idna.exe"', 'package[1].sha256."idna.exe"'),
    ("b" * 64, "b" * 63, 'package[1].sha256."idna-3.20-py3-none-any.whl"'),
    (f'{{ "idna-3.20-py3-none-any.whl" = "{"b" * 64}" }}', "{}", "package[1].sha256"),
    (REVOKED, REVOKED + f'sha256 = "{"c" * 64}"', "revoked[0]"),
    ('name = "idna"\nversion = "3.19"', "", "revoked[0]"),
    ('reason = "yanked"', "", "revoked[0].reason"),
    (IDNA, IDNA + IDNA, "package[2].name"),
    (IDNA, IDNA + IDNA.replace('"3.20"', '"3.20.0"'), "package[2].name"),
    (WIDGETS, WIDGETS + WIDGETS, "package[1].name"),
    (IDNA, IDNA.replace("idna", "acme_widgets"), "package[1].source"),
    (IDNA, IDNA + "[package.identity]\n", "package[1]"),
]


@pytest.mark.parametrize(("old", "new", "path"), WRONG)
def test_one_fault_is_one_path(old: str, new: str, path: str) -> None:
    assert old in WHOLE

    found = faults(WHOLE.replace(old, new))

    assert list(found) == [path]
    assert "expected" in found[path] or "required" in found[path] or "not a key" in found[path]


@pytest.mark.parametrize(
    "text",
    [
        "package = 3",
        "sigstore = 3",
        "source = []",
        "revoked = {}",
        "[package]",
        "package = [3]",
        "source = {a = 3}",
    ],
)
def test_tables_of_another_kind_are_faults(text: str) -> None:
    assert len(faults("version = 1\n" + text)) == 1


def test_a_subject_without_a_project_is_an_account() -> None:
    text = WHOLE.replace("project-id = 4711", "").replace(
        "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}", "me@example.com"
    )

    assert list(faults(text)) == ["package[0].identity[0]"]
    entry = parse(text.replace("not-after", "account = true\nnot-after"), PATH).entries[0]
    assert isinstance(entry, IdentityEntry)
    assert entry.identities[0].is_account


def test_t61_an_identity_belongs_to_its_own_root() -> None:
    other = ROOT.replace("[sigstore]", "[sigstore.other]").replace(
        "https://gitlab.example.com", "https://other.example"
    )
    text = WHOLE.replace(SOURCES, other + SOURCES)

    assert parse(text, PATH).roots[1].name == "other"
    assert list(faults(text.replace("project-id = 4711", 'sigstore = "other"'))) == [
        "package[0].identity[0].issuer"
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(("", "1", "2"))))
def test_whatever_records_the_id_of_a_project_records_the_same(order: tuple[str, ...]) -> None:
    """An entry without one does not hide two that differ."""
    digest = "0" * 64
    text = 'version = 1\n[source.acme]\ntype = "gitlab"\nurl = "https://gitlab.example.com"\n'
    for number, recorded in enumerate(order):
        registry_id = f"registry-id = {recorded}\n" if recorded else ""
        text += (
            '[[package]]\nname = "acme"\nsource = "acme"\nproject = "acme/acme"\n'
            f'version = "1.{number}"\n{registry_id}'
            f'reason = "r"\nsha256 = {{ "acme-1.{number}.tar.gz" = "{digest}" }}\n'
        )
    with pytest.raises(TrustFileError) as caught:
        parse(text, Path("/nowhere/pytrust.toml"))

    later = max(at for at, recorded in enumerate(order) if recorded)
    assert [path for path, _ in caught.value.faults] == [f"package[{later}].registry-id"]


def test_t28_an_identity_needs_an_issuer() -> None:
    text = WHOLE.replace('  issuer = "https://gitlab.example.com"\n', "")

    assert list(faults(text)) == ["package[0].identity[0].issuer"]


def test_loopback_may_be_http_and_a_numeric_project_is_its_id() -> None:
    text = WHOLE.replace('https://gitlab.example.com/"', 'http://127.0.0.1:8000"').replace(
        '"acme/widgets"', "15"
    )

    trust = parse(text, PATH)

    assert trust.source("acme").url == "http://127.0.0.1:8000"
    assert (trust.entries[0].registry, trust.entries[0].registry_id) == ("15", 15)


@pytest.mark.parametrize(
    "text", ["x", "a = 1\na = 2", "x = " + "[" * 5000, "\ufeffversion = 1", "a = " + "9" * 5000, "\ud800"]
)
def test_t14_what_is_not_toml(text: str) -> None:
    with pytest.raises(TrustFileError) as caught:
        parse(text, PATH)

    assert caught.value.code == "trust-file-not-toml"


scalars = st.one_of(
    st.integers(),
    st.booleans(),
    st.text(max_size=8),
    st.floats(),
    st.dates(),
    st.just([]),
    st.just({}),
    st.just([1]),
    st.just([{}]),
)
PIECES = [line for line in WHOLE.splitlines() if line]


@given(
    st.lists(st.sampled_from([*PIECES, "= 1", "[[package]]", "[package.identity]", "x = [{}]", "'''"])).map(
        "\n".join
    )
    | st.text()
)
def test_t14_parse_raises_only_trust_file_errors(text: str) -> None:
    try:
        parse(text, PATH)
    except TrustFileError as err:
        assert err.code in {"trust-file-not-toml", "trust-file-invalid"}  # noqa: PT017 -- either outcome is right


@given(st.data())
def test_t14_any_value_anywhere_is_a_fault_or_a_value(data: st.DataObject) -> None:
    import tomlkit

    document = tomllib.loads(WHOLE)
    table = data.draw(
        st.sampled_from(
            [
                document,
                document["sigstore"],
                document["source"],
                document["package"][0],
                document["package"][0]["identity"][0],
                document["package"][0]["require"],
                document["package"][1],
                document["revoked"][0],
            ]
        )
    )
    table[data.draw(st.sampled_from([*table, "x", ""]))] = data.draw(scalars)
    try:
        parse(tomlkit.dumps(document), PATH)
    except TrustFileError as err:
        assert err.code in {"trust-file-not-toml", "trust-file-invalid"}  # noqa: PT017 -- either outcome is right


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory that holds a home directory with a project in it, and trust files wherever none counts."""
    (tmp_path / "home" / "work" / "project" / "src").mkdir(parents=True)
    for place in (tmp_path, tmp_path / "home"):
        (place / "pytrust.toml").touch()
    return tmp_path.resolve()


def _found(start: Path, home: Path | None) -> Path | None:
    found = find_trust_file(start, home)
    return found and found.parent


@pytest.mark.parametrize("git", ["directory", "file of a worktree or a submodule", "broken link"])
def test_in_a_repository_the_file_is_found_up_to_its_root(machine: Path, git: str) -> None:
    project = machine / "home" / "work" / "project"
    (project.parent / ".git").mkdir()
    (project.parent / "pytrust.toml").touch()
    match git:
        case "directory":
            (project / ".git").mkdir()
        case "broken link":
            (project / ".git").symlink_to("nowhere")
        case _:
            (project / ".git").write_text("gitdir: ../.git/modules/project\n")

    assert _found(project / "src", machine / "home") is None, "not the outer repository's"
    (project / "pytrust.toml").touch()
    assert _found(project / "src", machine / "home") == project


def test_without_a_repository_the_home_directory_is_not_looked_in_from_below(machine: Path) -> None:
    home, project = machine / "home", machine / "home" / "work" / "project"

    assert _found(project / "src", home) is None
    (home / "work" / "pytrust.toml").touch()
    assert _found(project / "src", home) == home / "work"
    assert _found(home, home) == home, "the working directory is looked in, whichever it is"


@pytest.mark.parametrize("home", ["elsewhere", "below", None, "/"])
def test_outside_the_home_directory_only_the_working_directory_is_looked_in(
    machine: Path, home: str | None
) -> None:
    shared = machine / "shared" / "project"
    shared.mkdir(parents=True)
    (machine / "shared" / "pytrust.toml").touch()
    places = {"elsewhere": machine / "home", "below": shared / "home", "/": Path("/")}
    theirs = places[home] if home else None

    assert _found(shared, theirs) is None
    (shared / "pytrust.toml").touch()
    assert _found(shared, theirs) == shared


def test_a_home_directory_that_is_a_repository_is_one(machine: Path) -> None:
    (machine / "home" / ".git").mkdir()

    assert _found(machine / "home" / "work", machine / "home") == machine / "home"


def test_links_to_the_working_and_the_home_directory_are_followed_first(machine: Path) -> None:
    project = machine / "home" / "work" / "project"
    (machine / "here").symlink_to(project / "src")
    (machine / "linked").symlink_to(machine / "home")

    assert _found(machine / "here", machine / "linked") is None
    (project / "pytrust.toml").touch()
    assert _found(machine / "here", machine / "linked") == project


def test_a_broken_link_is_found_and_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "pytrust.toml").symlink_to("nowhere")

    found = find_trust_file(tmp_path, tmp_path)

    assert found is not None
    with pytest.raises(TrustFileError) as caught:
        load(found, check_owner=True)
    assert caught.value.code == "no-trust-file"


def test_t51_a_file_of_somebody_else_is_refused_unless_named(tmp_path: Path) -> None:
    path = tmp_path / "pytrust.toml"
    path.write_text("version = 1\n")
    os.chmod(path, 0o666)  # noqa: S103 -- a runner's umask: says nothing
    owner = path.stat().st_uid

    assert load(path, check_owner=True, uid=owner).path == path
    assert load(path, check_owner=False, uid=owner + 1).path == path
    if owner != 0:
        with pytest.raises(TrustFileError) as caught:
            load(path, check_owner=True, uid=owner + 1)
        assert caught.value.code == "trust-file-owner"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("given_away", ["link", "target"])
def test_t51_a_link_and_its_target_are_both_checked(tmp_path: Path, given_away: str) -> None:
    target, link = tmp_path / "target", tmp_path / "pytrust.toml"
    target.write_text("version = 1\n")
    link.symlink_to(target)
    os.chown(link if given_away == "link" else target, 4242, -1, follow_symlinks=False)

    assert load(link, check_owner=True, uid=4242).path == link
    with pytest.raises(TrustFileError) as caught:
        load(link, check_owner=True, uid=1000)
    assert caught.value.code == "trust-file-owner"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"version = 1 # \xff", "trust-file-not-toml"),
        (b"#" * (LARGEST_TRUST_FILE + 1), "trust-file-invalid"),
        ("version = 1".encode("utf-16"), "trust-file-not-toml"),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "pytrust.toml"
    path.write_bytes(content)

    with pytest.raises(TrustFileError) as caught:
        load(path, check_owner=True)

    assert caught.value.code == code


@pytest.mark.parametrize("name", ["directory", "pipe", "missing", "nul\0"])
def test_only_a_regular_file_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TrustFileError) as caught:
        load(tmp_path / name, check_owner=False)

    assert caught.value.code == "no-trust-file"


def test_t15_a_swapped_root_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trusted_root.json"
    pin = RootPin(name="default", path=path, sha256=digest_of(b"{}"), issuers=("https://gitlab.com",))

    with pytest.raises(TrustRootError) as missing:
        read_root(pin)
    path.write_bytes(b"{}")
    assert read_root(pin) == b"{}"
    path.write_bytes(b"{} ")
    with pytest.raises(TrustRootError) as swapped:
        read_root(pin)

    assert (missing.value.code, swapped.value.code) == ("trusted-root-missing", "trusted-root-digest")


def test_the_documented_example_is_valid() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "trust-file.md").read_text(encoding="utf-8")
    example = guide.split("```toml\n")[1].split("```")[0]

    trust = parse(example, PATH)

    assert len(guide.splitlines()) < 150
    assert (len(trust.roots), len(trust.sources), len(trust.entries), len(trust.revoked)) == (2, 2, 4, 1)


def test_every_code_of_this_room_is_explained() -> None:
    raised = {
        "no-trust-file", "trust-file-owner", "trust-file-not-toml", "trust-file-invalid",
        "trust-file-unwritable", "trust-file-uneditable", "trust-file-changed",
        "trusted-root-missing", "trusted-root-digest", "invalid-subject", "invalid-ref", "invalid-url",
        "invalid-registry-project", "invalid-evidence-template", "pin-conflict", "not-in-trust-file",
        "expires-past", "still-used", "git-needed", "no-repository", "no-such-revision",
    }  # fmt: skip

    assert {code for code, entry in catalogue().items() if entry.room == "trust"} == raised


def test_values_and_patterns_load_neither_pydantic_nor_tomlkit() -> None:
    code = (
        "import sys, pip_warden.trust.model, pip_warden.trust.subject, pip_warden.trust.file\n"
        "sys.exit(bool({'pydantic', 'tomlkit'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_t31_a_password_in_a_url_is_refused_and_not_shown() -> None:
    text = 'version = 1\n[source.acme]\ntype = "gitlab"\nurl = "https://me:s3cret@gitlab.example.com"\n'

    with pytest.raises(TrustFileError) as caught:
        parse(text, PATH)

    assert "s3cret" not in str(caught.value) + str(caught.value.faults)


def test_b05_each_of_many_faults_is_one_line() -> None:
    many = 2000
    sources = "".join(f'[source.s{at}]\ntype = "simple"\nurl = "https://h/{at}"\n' for at in range(many))
    packages = "".join(
        f'[[package]]\nname = "p{at}"\nsource = "nowhere"\nversion = "1"\nreason = "r"\n'
        f'sha256 = {{ "p{at}-1.tar.gz" = "{"b" * 64}" }}\n'
        for at in range(many)
    )
    found = faults("version = 1\n" + sources + packages)

    assert len(found) == many
    assert max(len(text) for text in found.values()) < 200
    assert "s7 and 1992 more" in found["package[0].source"]
