"""What a lock gained is held against what the gate listed and served."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import samples
from pip_warden.command.backend import Seen
from pip_warden.command.locks import (
    LockState,
    Shown,
    compare_lock,
    demanded,
    locked_places,
    read_again,
    read_state,
    want_unpinned,
)
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Line, Outcome
from pip_warden.trust.model import TrustFile

HOST = "https://pypi.example"
INDEX = f"{HOST}/simple"
SHA256, OTHER = "a" * 64, "b" * 64
URL = f"{HOST}/files/idna-3.20-py3-none-any.whl"
TRUST = TrustFile(path=Path("pytrust.toml"), sources=(samples.SOURCE,))
SEEN = Seen(
    listed={URL: SHA256, f"{HOST}/files/bare-1.0.tar.gz": ""},
    listed_names={"idna-3.20-py3-none-any.whl": frozenset({SHA256}), "bare-1.0.tar.gz": frozenset({""})},
    served=frozenset(),
)
WHEEL = {"url": URL, "hash": f"sha256:{SHA256}"}


def uv_lock(*packages: str) -> str:
    """Return a uv.lock."""
    return "\n".join(['version = 1\nrevision = 3\nrequires-python = ">=3.12"\n', *packages])


def package(
    name: str = "idna",
    version: str = "3.20",
    *,
    index: str = INDEX,
    source: str = "",
    url: str = URL,
    sha256: str = SHA256,
) -> str:
    """Return one of its packages, with one wheel or sdist."""
    source = source or f'registry = "{index}"'
    digest = f', hash = "sha256:{sha256}"' if sha256 else ""
    file = f'{{ url = "{url}"{digest} }}'
    files = f"sdist = {file}" if url.endswith(".tar.gz") else f"wheels = [{file}]"
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ {source} }}\n{files}\n'


def poetry_lock(
    sha256: str = SHA256, *, filename: str = "idna-3.20-py3-none-any.whl", source: str = ""
) -> str:
    """Return a poetry.lock with one package."""
    return (
        '[[package]]\nname = "idna"\nversion = "3.20"\ndescription = ""\noptional = false\n'
        f'python-versions = ">=3.9"\ngroups = ["main"]\nfiles = [\n'
        f'    {{file = "{filename}", hash = "sha256:{sha256}"}},\n]\n{source}\n'
        '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.12"\ncontent-hash = "0"\n'
    )


def gained(
    directory: Path, before: str | None, after: str | None, *, name: str = "uv.lock", seen: Seen = SEEN
) -> tuple[list[Line], tuple[str, ...]]:
    """Return the lines and the warnings about what a lock gained."""
    path, ledger = directory / name, Ledger()
    if before is not None:
        path.write_text(before)
    state = read_state(path, TRUST)
    if after is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(after)
    compare_lock(state, read_again(state, TRUST), shown=Shown(seen, {HOST}), local=[directory], ledger=ledger)
    return list(ledger.lines()), ledger.warnings()


def test_what_was_only_listed_is_told_once_for_each_release(tmp_path: Path) -> None:
    ((line,), warnings) = gained(tmp_path, None, uv_lock(package()))

    assert (line.subject, line.outcome, warnings) == ("idna 3.20", Outcome.NOT_JUDGED, ())
    assert line.note == "1 file in uv.lock, only listed"


def test_what_was_served_needs_no_word(tmp_path: Path) -> None:
    served = replace(SEEN, served=frozenset({SHA256}))
    assert gained(tmp_path, None, uv_lock(package()), seen=served) == ([], ())
    assert gained(tmp_path, None, poetry_lock(), name="poetry.lock", seen=served) == ([], ())


def test_a_digest_that_no_page_has_is_of_what_was_served(tmp_path: Path) -> None:
    lock = uv_lock(package("bare", "1.0", url=f"{HOST}/files/bare-1.0.tar.gz"))
    served = replace(SEEN, served=frozenset({SHA256}))
    assert gained(tmp_path, None, lock, seen=served) == ([], ())
    ((line,), _) = gained(tmp_path, "", lock)
    assert line.code == "not-through-gate"


def test_a_file_may_have_no_digest_where_its_index_gives_none(tmp_path: Path) -> None:
    """As uv writes it of a file that it did not fetch."""
    bare = f"{HOST}/files/bare-1.0.tar.gz"
    ((line,), _) = gained(tmp_path, None, uv_lock(package("bare", "1.0", url=bare, sha256="")))
    assert (line.outcome, line.note) == (Outcome.NOT_JUDGED, "1 file in uv.lock, named without a digest")
    md5 = uv_lock(package("bare", "1.0", url=bare)).replace(f"sha256:{SHA256}", f"md5:{'0' * 32}")
    other = uv_lock(package("bare", "1.0", url=bare.replace("files", "other"), sha256=""))
    evil = uv_lock(package("bare", "1.0", url=bare, sha256="", index="https://evil.example/simple"))
    for lock in (md5, other, evil):
        ((line,), _) = gained(tmp_path, "", lock)
        assert line.code == "not-through-gate"


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("uv.lock", uv_lock(package(url="https://evil.example/idna-3.20-py3-none-any.whl"))),
        ("uv.lock", uv_lock(package(sha256=OTHER))),
        ("uv.lock", uv_lock(package(sha256=""))),
        ("uv.lock", uv_lock(package(index="https://evil.example/simple"))),
        ("uv.lock", uv_lock(package(index="http://index.pip-warden.invalid/simple"))),
        ("uv.lock", uv_lock(package(source=f'git = "https://evil.example/idna?rev=1#{"c" * 40}"'))),
        ("uv.lock", uv_lock(package(source=f'url = "{URL}"'))),
        ("uv.lock", uv_lock(package(source='directory = "../elsewhere"'))),
        ("poetry.lock", poetry_lock(OTHER)),
        ("poetry.lock", poetry_lock(filename="idna-3.20-1-py3-none-any.whl")),
        (
            "poetry.lock",
            poetry_lock(
                source='[package.source]\ntype = "legacy"\nurl = "https://evil.example/simple"\n'
                'reference = "evil"\n'
            ),
        ),
    ],
)
def test_what_came_from_elsewhere_is_refused(tmp_path: Path, name: str, lock: str) -> None:
    served = replace(SEEN, served=frozenset({SHA256}))
    directory = tmp_path / "project"
    directory.mkdir()
    (line,), _ = gained(directory, None, lock, name=name, seen=served)

    assert (line.subject.partition(" ")[0], line.outcome, line.code) == (
        "idna",
        Outcome.REFUSED,
        "not-through-gate",
    )


def test_what_was_there_before_is_not_judged_anew(tmp_path: Path) -> None:
    old = package("old", "1.0", url="https://evil.example/old-1.0-py3-none-any.whl")
    git = package("tool", source=f'git = "https://evil.example/tool?rev=1#{"c" * 40}"')
    ((line,), _) = gained(tmp_path, uv_lock(old, git), uv_lock(package(), old, git))
    assert line.subject == "idna 3.20"


def test_a_directory_of_the_users_own_may_be_referred_to(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    lock = uv_lock(package("mine", source='directory = "inner"'), package("me", source='editable = "."'))
    assert gained(tmp_path, None, lock) == ([], ())


def test_a_link_leads_out_of_a_directory_of_the_users_own(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "inner").symlink_to(tmp_path)
    ((line,), _) = gained(project, None, uv_lock(package("mine", source='directory = "inner"')))
    assert line.code == "not-through-gate"


def test_a_lock_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    newer = uv_lock().replace("version = 1", "version = 2", 1)
    for before, after in (("no lock", uv_lock()), ("no lock", "no lock"), (uv_lock(), newer), (None, newer)):
        lines, (warning,) = gained(tmp_path, before, after)
        assert (lines, "cannot be read" in warning) == ([], True)


@pytest.mark.parametrize("before", [None, "no lock", uv_lock(), uv_lock(package())])
@pytest.mark.parametrize(
    "after",
    [
        pytest.param("no lock!", id="no TOML"),
        pytest.param(uv_lock(package(), package(sha256=OTHER)), id="a release twice"),
        pytest.param(uv_lock(package(), package().replace("[[package", "[[distribution")), id="both keys"),
        pytest.param(f'lock-version = "1.0"\n{uv_lock(package())}', id="two formats"),
    ],
)
def test_a_lock_that_the_command_made_unreadable_is_refused(
    tmp_path: Path, before: str | None, after: str
) -> None:
    """Its tool may read it all the same: uv takes either of two digests of one file."""
    ((line,), warnings) = gained(tmp_path, before, after)
    assert (line.subject, line.code, warnings) == ("uv.lock", "not-through-gate", ())


def test_what_is_no_lock_is_not_refused_for_it(tmp_path: Path) -> None:
    """As of ``uv export --format cyclonedx1.5 -o bill.json``, and of ``uv build -o dist.txt``."""
    lines, (warning,) = gained(tmp_path, None, "{}", name="bill.json")
    assert (lines, "cannot be read" in warning) == ([], True)
    (tmp_path / "dist.txt").mkdir()
    ledger, state = Ledger(), read_state(tmp_path / "dist.txt", TRUST)
    compare_lock(LockState(path=state.path), state, shown=Shown(SEEN, {HOST}), local=[], ledger=ledger)
    assert (ledger.lines(), len(ledger.warnings())) == ((), 1)


def test_the_older_key_of_packages_is_read(tmp_path: Path) -> None:
    evil = uv_lock(package(url="https://evil.example/idna-3.20-py3-none-any.whl"))
    ((line,), _) = gained(tmp_path, uv_lock(), evil.replace("[[package", "[[distribution"))
    assert (line.subject, line.code) == ("idna 3.20", "not-through-gate")


@pytest.mark.parametrize(
    ("url", "sha256"),
    [("https://evil.example/idna-3.20.zip", OTHER), (f"{HOST}/idna-3.20.zip", SHA256)],
)
def test_what_replaces_a_file_that_nobody_can_judge_is_refused(tmp_path: Path, url: str, sha256: str) -> None:
    old = package(url=f"{HOST}/idna-3.20.zip", sha256=OTHER)
    assert gained(tmp_path, uv_lock(old), uv_lock(old, package("mine", source='editable = "."'))) == ([], ())
    ((line,), _) = gained(tmp_path, uv_lock(old), uv_lock(package(url=url, sha256=sha256)))
    assert (line.subject, line.code) == ("idna 3.20", "not-through-gate")
    assert line.verdict is not None
    assert f"idna-3.20.zip (it is not named as a wheel or .tar.gz sdist is) at {url}" in str(line.verdict)


def test_releases_without_digests_are_held_against_what_was_listed(tmp_path: Path) -> None:
    """The usual output of uv pip compile."""
    ((line,), warnings) = gained(tmp_path, None, "idna==3.20\n", name="requirements.txt")
    assert (line.outcome, line.note, warnings) == (
        Outcome.NOT_JUDGED,
        "1 file in requirements.txt, named without a digest",
        (),
    )
    for text in ("idna==3.21\n", "evil==3.20\n", "--index-url https://evil.example/simple\nidna==3.20\n"):
        ((line,), _) = gained(tmp_path, "idna==3.20\n", text, name="requirements.txt")
        assert line.code == "not-through-gate"


def test_all_that_an_unreadable_lock_says_afterwards_is_new(tmp_path: Path) -> None:
    lines, _ = gained(
        tmp_path, "no lock", uv_lock(package(url="https://evil.example/idna-3.20-py3-none-any.whl"))
    )
    assert [line.code for line in lines] == ["not-through-gate"]


def test_a_lock_that_is_gone_has_gained_nothing(tmp_path: Path) -> None:
    assert gained(tmp_path, uv_lock(package()), None) == ([], ())


def test_a_lock_that_is_the_same_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text(uv_lock(package()))
    before = read_state(path, TRUST)
    assert read_again(before, TRUST) is before
    path.unlink()
    os.mkfifo(path)
    assert read_again(before, TRUST).fault is not None


def test_many_entries_from_elsewhere_are_one_line(tmp_path: Path) -> None:
    urls = [f"https://evil.example/idna-3.20-{build}-py3-none-any.whl" for build in range(9)]
    files = ", ".join(f'{{ url = "{url}", hash = "sha256:{SHA256}" }}' for url in urls)
    head = package().partition("wheels")[0]
    lock = uv_lock(f"{head}wheels = [{files}]\n")
    ((line,), _) = gained(tmp_path, None, lock)
    assert line.verdict is not None
    assert "and 6 more" in line.verdict.fault.found  # type: ignore[union-attr]


def test_a_lock_demands_files_and_names_what_is_not_pinned(tmp_path: Path) -> None:
    path, ledger = tmp_path / "uv.lock", Ledger()
    path.write_text(uv_lock(package()))
    states = [read_state(path, TRUST)]
    want_unpinned(states, TRUST, ledger)
    found = demanded(states)

    assert found.by_url == {URL: SHA256}
    assert found.by_name == {"idna-3.20-py3-none-any.whl": frozenset({SHA256})}
    assert [(name.project, name.wanted_by) for name in ledger.unpinned()] == [("idna", "uv.lock")]


def test_a_project_stands_at_its_line_of_the_first_lock_that_has_it(tmp_path: Path) -> None:
    after, before = tmp_path / "uv.lock", tmp_path / "poetry.lock"
    after.write_text(uv_lock(package("old", "1.0"), package()))
    before.write_text("")
    other = tmp_path / "requirements.txt"
    other.write_text(f"# ours\nold==1.0 --hash=sha256:{SHA256}\nmore==1.0 --hash=sha256:{SHA256}\n")
    states = [read_state(path, TRUST) for path in (after, before, other)]

    found = dict(locked_places(states))
    assert {project: (Path(place.path).name, place.line) for project, place in found.items()} == {
        "old": ("uv.lock", 5),
        "idna": ("uv.lock", 11),
        "more": ("requirements.txt", 3),
    }


def test_what_another_lock_had_before_is_told(tmp_path: Path) -> None:
    """As ``uv export`` writes it, which asks for nothing."""
    (tmp_path / "uv.lock").write_text(uv_lock(package("old", "1.0", url=f"{HOST}/old-1.0-py3-none-any.whl")))
    own = read_state(tmp_path / "uv.lock", TRUST)
    shown = Shown(replace(SEEN, listed={}, listed_names={}), {HOST}, [own])

    def told(text: str, name: str = "requirements.txt") -> list[tuple[str, str | None]]:
        ledger = Ledger()
        (tmp_path / name).write_text(text)
        state = read_state(tmp_path / name, TRUST)
        compare_lock(LockState(path=state.path), state, shown=shown, local=[tmp_path], ledger=ledger)
        return [(line.outcome.value, line.code or line.note) for line in ledger.lines()]

    known = [("not judged", "1 file in requirements.txt, as another lock had it before")]
    assert told(f"old==1.0 --hash=sha256:{SHA256}\n") == told("old==1.0\n") == known
    copied = (tmp_path / "uv.lock").read_text()
    (tmp_path / "sub").mkdir()
    assert told(copied, "sub/uv.lock") == [("not judged", "1 file in uv.lock, as another lock had it before")]
    refused = [("refused", "not-through-gate")]
    for text in (f"old==1.0 --hash=sha256:{OTHER}\n", "old==1.1\n", f"new==1.0 --hash=sha256:{SHA256}\n"):
        assert told(text) == refused
    for old, new in (
        (HOST, "https://evil.example"),
        (INDEX, f"{HOST}/other"),
        (f"{HOST}/old", f"{HOST}/a/old"),
    ):
        assert told(copied.replace(old, new), "sub/uv.lock") == refused
