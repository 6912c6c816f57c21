"""``trust list``, ``trust remove``, and releases that are pinned by hash until a day."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Person, Said, typed

SIGNER = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}"
GOOD = f"""\
version = 1

[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{"cd" * 32}"
issuers = ["https://gitlab.example.com"]

[source.acme]
type = "gitlab"
url = "https://gitlab.example.com"

[source.pypi]
type = "simple"
url = "https://pypi.org/simple"
hash-reason = "not signed"

# ours
[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
  [[package.identity]]
  issuer = "https://gitlab.example.com"
  subject = "{SIGNER}"
  project-id = "4711"
  not-before = 2024-01-01

# theirs
[[package]]
name = "idna"
source = "pypi"
expires = 2020-02-29

  [package.sha256]
  "idna-3.20-py3-none-any.whl" = "{"ab" * 32}"
  "idna-3.9-py3-none-any.whl" = "{"ef" * 32}"

[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
version = "0.1"
reason = "older than our signing"
sha256 = {{ "acme_widgets-0.1.tar.gz" = "{"ab" * 32}" }}
"""


@pytest.fixture
def file(alone: Path) -> Path:
    path = alone / "pytrust.toml"
    path.write_text(GOOD)
    return path


def test_a_list_is_a_line_for_each_package(file: Path) -> None:
    assert file.exists()
    said = typed("trust", "list")

    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()] == [
        ["package", "pinned", "by", "who", "or", "what", "since", "until", "source"],
        ["acme-widgets", "identity", SIGNER, "2024-01-01", "acme"],
        ["acme-widgets", "hash", "0.1", "acme"],
        ["idna", "hash", "3.9,", "3.20", "2020-02-29", "(over)", "pypi"],
    ]


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_a_list_fits_the_terminal(file: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    assert file.exists()
    monkeypatch.setenv("COLUMNS", str(width))
    said = typed("trust", "list")

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= width
    assert SIGNER in "".join(said.out.split())
    assert "(over)" in said.out.replace("\n", "")


def test_a_list_as_json(file: Path) -> None:
    document = typed("trust", "list", "--format", "json", "--trust", str(file)).json

    assert (document["schema_version"], document["command"], document["exit_code"]) == (1, "trust list", 0)
    assert document["packages"] == [
        {
            "project": "acme-widgets",
            "source": "acme",
            "kind": "identity",
            "subjects": [SIGNER],
            "build_trigger": ["push"],
            "not_before": "2024-01-01",
            "not_after": None,
        },
        {
            "project": "acme-widgets",
            "source": "acme",
            "kind": "hash",
            "versions": ["0.1"],
            "reason": "older than our signing",
            "expires": None,
            "expired": False,
        },
        {
            "project": "idna",
            "source": "pypi",
            "kind": "hash",
            "versions": ["3.9", "3.20"],
            "reason": "not signed",
            "expires": "2020-02-29",
            "expired": True,
        },
    ]


def test_a_list_tells_unusual_triggers_and_this_machine_s_mirrors(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require = '  [package.require]\n  build-trigger = ["workflow_dispatch", "release"]\n\n# theirs'
    file.write_text(GOOD.replace("# theirs", require))
    monkeypatch.setenv("PIP_WARDEN_MIRROR_PYPI", "https://mirror.example/simple")
    said = typed("trust", "list")

    assert said.code == 0
    head, signed, hashed, _, last = said.out.splitlines()
    assert head.split()[6:] == ["trigger", "since", "until", "source"]
    assert "release, workflow_dispatch  2024-01-01" in signed
    assert hashed.split() == ["acme-widgets", "hash", "0.1", "acme"]
    assert last == "pypi: here, pages and files come from the mirror https://mirror.example/simple"

    document = typed("trust", "list", "--format", "json").json
    assert document["packages"][0]["build_trigger"] == ["release", "workflow_dispatch"]
    assert document["mirrors"] == [{"source": "pypi", "url": "https://mirror.example/simple"}]


@pytest.mark.parametrize(
    "words", [("remove", "nonsense"), ("remove", "idma"), ("update", "nonsense", "--expires", "2999-01-31")]
)
def test_nobody_who_takes_out_or_changes_a_pin_is_told_to_add_one(file: Path, words: tuple[str, ...]) -> None:
    said = typed("trust", *words, "--yes")

    assert (said.code, "[not-in-trust-file]" in said.err) == (2, True), said.err
    assert "trust add" not in said.err
    assert "`pip-warden trust list` shows what is pinned." in " ".join(said.err.split())
    assert file.read_text() == GOOD


def test_a_file_that_pins_nothing_lists_nothing(file: Path) -> None:
    file.write_text("version = 1\n")

    assert typed("trust", "list").out.endswith("pins nothing\n")
    assert typed("trust", "list", "--format", "json").json["packages"] == []


def test_the_last_day_is_shown(file: Path) -> None:
    assert file.exists()
    assert typed("trust", "show", "idna").out.count("  until   2020-02-29 (over)\n") == 2
    shown = typed("trust", "show", "--format", "json").json["packages"]
    assert [package.get("expires") for package in shown] == [None, "2020-02-29", "2020-02-29", None]


def test_remove_asks_and_says_what_it_takes(file: Path) -> None:
    assert typed("trust", "remove", "Acme.Widgets").code == 2, "nobody can be asked"
    said = typed("trust", "remove", "Acme.Widgets", answers="n\n")
    assert (said.code, file.read_text()) == (1, GOOD), said.err
    assert SIGNER in said.out
    assert "acme-widgets 0.1  by hash, 1 file\n" in said.out

    said = typed("trust", "remove", "Acme.Widgets", answers="y\n")

    assert said.code == 0, said.err
    ours, theirs = GOOD.index("# ours"), GOOD.index("# theirs")
    assert (
        file.read_text()
        == GOOD[:ours]
        + GOOD[
            theirs : GOOD.index(
                '\n[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/widgets"\nversion'
            )
        ]
    )


def test_remove_one_release(file: Path) -> None:
    said = typed("trust", "remove", "idna==3.9", "acme-widgets==0.1", "--yes")

    assert said.code == 0, said.err
    assert "From then on acme-widgets 0.1 is accepted if a signer of acme-widgets has signed it." in said.out
    left = tomllib.loads(file.read_text())["package"]
    assert [package["name"] for package in left] == ["acme-widgets", "idna"]
    assert [*left[1]["sha256"]] == ["idna-3.20-py3-none-any.whl"]
    assert "# theirs" in file.read_text()


@pytest.mark.parametrize("names", [("other",), ("idna==3.21",), ("idna", "idna==3.20"), ("acme-widgets==2",)])
def test_what_is_not_there_is_not_removed_and_nothing_else_is(file: Path, names: tuple[str, ...]) -> None:
    said = typed("trust", "remove", *names, "--yes")

    assert (said.code, "error[not-in-trust-file]" in said.err) == (2, True), said.err
    assert file.read_text() == GOOD


@pytest.mark.parametrize("name", ["acme-widget", "acme-widget==0.1"])
def test_a_name_that_is_not_there_names_what_was_meant(file: Path, name: str) -> None:
    said = typed("trust", "remove", name, "--yes")

    assert (said.code, "[not-in-trust-file]: did you mean acme-widgets? expected" in said.err) == (2, True)
    assert file.read_text() == GOOD


def test_a_file_that_changes_while_remove_asks_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = GOOD + "# somebody else's\n"

    def say_yes(*_args: object, **_options: object) -> bool:
        file.write_text(other)
        return True

    monkeypatch.setattr("click.confirm", say_yes)
    said = typed("trust", "remove", "idna", answers="y\n")

    assert (said.code, "error[trust-file-changed]" in said.err) == (2, True), said.err
    assert file.read_text() == other


# trust add --hash


def upstream(person: Person, name: str, *versions: str) -> None:
    files = [person.sandbox.wheel(name, version) for version in versions]
    person.sandbox.upstream.add(name, files)


def by_hash(person: Person, *words: str) -> Said:
    return typed("trust", "add", *words, "--source", person.sandbox.pypi_url, "--hash", "--yes")


def packages(person: Person) -> list[Any]:
    return list(tomllib.loads(person.file.read_text())["package"])


def give_reason(person: Person) -> None:
    text = person.file.read_text()
    person.file.write_text(text.replace('type = "simple"', 'type = "simple"\nhash-reason = "not signed"'))


def test_a_source_gives_the_reason_once(person: Person) -> None:
    upstream(person, "keep-a", "1.0", "2.0", "3.0")
    assert by_hash(person, "keep-a==1.0").code == 2
    assert by_hash(person, "keep-a==1.0", "--reason", "reviewed").code == 0
    assert by_hash(person, "keep-a==2.0").code == 2, "no source of the file gives a reason yet"
    give_reason(person)

    said = by_hash(person, "keep-a==3.0")
    again = by_hash(person, "keep-a==2.0")

    assert (said.code, again.code) == (0, 0), said.err + again.err
    first, second = packages(person)
    assert (first["reason"], len(first["sha256"])) == ("reviewed", 1)
    assert "reason" not in second
    assert [*second["sha256"]] == ["keep_a-2.0-py3-none-any.whl", "keep_a-3.0-py3-none-any.whl"]


def test_a_last_day_is_written_and_taken_over(person: Person) -> None:
    upstream(person, "keep-b", "1.0", "2.0")
    said = by_hash(person, "keep-b==1.0", "--reason", "r", "--expires", "2999-12-31")
    assert "keep-b 1.0, by hash until 2999-12-31. This proves" in said.out
    assert by_hash(person, "keep-b==2.0", "--reason", "r").code == 0

    (package,) = packages(person)
    assert (package["expires"], len(package["sha256"])) == (date(2999, 12, 31), 2)
    with person.untouched():
        other = by_hash(person, "keep-b==1.0", "--reason", "r", "--expires", "2998-12-31")
    assert (other.code, "pin-conflict" in other.err) == (2, True), other.err


def test_a_last_day_that_is_over_pins_nothing(person: Person) -> None:
    upstream(person, "keep-c", "1.0", "2.0")
    yesterday = str((datetime.now(UTC) - timedelta(days=2)).date())
    said = by_hash(person, "keep-c==1.0", "--reason", "r", "--expires", yesterday)
    assert (said.code, "error[expires-past]" in said.err, person.file.exists()) == (2, True, False), said.err
    assert by_hash(person, "keep-c==1.0", "--reason", "r", "--expires", "2999-12-31").code == 0
    person.file.write_text(person.file.read_text().replace("2999-12-31", "2020-12-31"))

    with person.untouched():
        taken_over = by_hash(person, "keep-c==2.0", "--reason", "r")
    assert (taken_over.code, "error[expires-past]" in taken_over.err) == (2, True), taken_over.err
    assert by_hash(person, "keep-c==2.0", "--reason", "r", "--expires", "2999-12-31").code == 0


def test_a_last_day_is_of_a_hash(person: Person) -> None:
    said = typed("trust", "add", "x", "--source", person.sandbox.pypi_url, "--expires", "2999-12-31")
    assert (said.code, "error[usage]" in said.err) == (2, True), said.err
    assert by_hash(person, "x==1", "--reason", "r", "--expires", "tomorrow").code == 2


def test_ends_of_lines_stay_as_they_are(person: Person) -> None:
    upstream(person, "keep-d", "1.0", "2.0")
    assert by_hash(person, "keep-d==1.0", "--reason", "r").code == 0
    person.file.write_bytes(person.file.read_bytes().replace(b"\n", b"\r\n"))

    assert by_hash(person, "keep-d==2.0", "--reason", "r").code == 0

    raw = person.file.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") > 10
