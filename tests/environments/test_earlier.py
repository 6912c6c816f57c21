"""Every kind of change to what an earlier run installed is found, with its code; in a clean one nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import archives
from environments.made import FILES, INFO, archive, by_installer, site_of, venv
from environments.test_compare import CHANGES, add, edit, linked
from environments.test_scan import SITE, planted
from pip_warden.artifact.layout import RECEIPT
from pip_warden.digests import digest_of
from pip_warden.environments.compare import compare
from pip_warden.environments.earlier import check_installed, strange_packages, strangers
from pip_warden.environments.layout import layout_of
from pip_warden.environments.model import AcceptedArchive, Comparison, Likeness, Snapshot
from pip_warden.environments.receipt import Receipt, find_receipt
from pip_warden.environments.receipt_files import write_receipt
from pip_warden.environments.scan import snapshot

RECEIVED = f"{INFO}/{RECEIPT}"
SDIST = "acme_widgets-1.0.tar.gz"


def receipt_of(accepted: AcceptedArchive) -> Receipt:
    return Receipt(
        archive=str(accepted.name),
        sha256=accepted.digest,
        basis="identity",
        evidence=digest_of(b"evidence"),
        pin=digest_of(b"pin"),
    )


@dataclass(frozen=True)
class Earlier:
    """An environment that an earlier run made, and the wheel that it had."""

    place: Path
    accepted: AcceptedArchive

    @property
    def site(self) -> Path:
        return site_of(self.place)

    def found(self) -> tuple[Comparison, ...]:
        """Compare as the next run does: each distribution that has a receipt, and what no RECORD names."""
        return checked(self.place, self.accepted)


def checked(place: Path, accepted: AcceptedArchive | None) -> tuple[Comparison, ...]:
    there = snapshot([place])
    received = [each for each in there.distributions if find_receipt(each) is not None]
    found = [check_installed(each, find_receipt(each), accepted) for each in received]
    assert any(each.fault for each in found) or not [*strange_packages(there, received)]
    return (*found, *strangers(there, received))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Earlier:
    root = tmp_path_factory.mktemp("earlier")
    place, accepted = venv(root / "env"), archive(root / "dist")
    by_installer(place, accepted.path)
    (distribution,) = snapshot([place]).distributions
    write_receipt(distribution, receipt_of(accepted))
    shutil.copytree(place, root / "spare", symlinks=True)
    return Earlier(place, accepted)


@pytest.fixture
def earlier(made: Earlier) -> Iterator[Earlier]:
    yield made
    shutil.rmtree(made.place)
    shutil.copytree(made.place.with_name("spare"), made.place, symlinks=True)


def test_nothing_is_found_in_a_clean_one(earlier: Earlier) -> None:
    assert earlier.found() == (Comparison(subject="acme-widgets 1.0", likeness=Likeness.SAME),)


def forged(**changes: object) -> Callable[[Path], None]:
    """Write another receipt, with its line in RECORD, as whoever knows how it is done."""

    def change(site: Path) -> None:
        (distribution,) = snapshot([site]).distributions
        receipt = find_receipt(distribution)
        assert isinstance(receipt, Receipt)
        write_receipt(distribution, replace(receipt, **changes))  # type: ignore[arg-type]

    return change


RECEIPTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (edit(RECEIVED, b"identity", b"exemption"), "with other bytes|another one of"),
    "edited, and RECORD with it": (
        lambda site: _recorded(site, (site / RECEIVED).read_bytes().replace(b"identity", b"trust me")),
        "another form",
    ),
    "of no JSON": (lambda site: (site / RECEIVED).write_bytes(b"{"), "not JSON"),
    "of another line ending": (edit(RECEIVED, b"\n", b"\r\n"), "another form"),
    "of another package": (forged(archive="acme_gadgets-1.0-py3-none-any.whl"), "one of acme_gadgets-1.0"),
    "of another release": (forged(archive="acme_widgets-1.1-py3-none-any.whl"), "one of acme_widgets-1.1"),
    "of another archive": (forged(archive="acme_widgets-1.0-1-py3-none-any.whl"), "one of"),
    "with another digest": (forged(sha256=digest_of(b"other")), f"one of {digest_of(b'other')}"),
    "without its line in RECORD": (lambda site: _rewritten(site, lambda _: b""), "none"),
    "without its hash in RECORD": (
        lambda site: _rewritten(site, lambda _: f"{RECEIVED},,\n".encode()),
        "none",
    ),
    "with another size in RECORD": (
        lambda site: _rewritten(site, lambda line: line.rstrip() + b"1\n"),
        "another one of",
    ),
    "a link": (linked(RECEIVED), "a link"),
}


def _rewritten(site: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the receipt's line in RECORD."""
    record = site / INFO / "RECORD"
    lines = record.read_bytes().splitlines(keepends=True)
    ours = RECEIPT.encode()
    assert sum(ours in line for line in lines) == 1
    record.write_bytes(b"".join(change(line) if ours in line else line for line in lines))


def _recorded(site: Path, content: bytes) -> None:
    (site / RECEIVED).write_bytes(content)
    _rewritten(site, lambda _: archives.record_line(RECEIVED, content).encode())


@pytest.mark.parametrize("kind", RECEIPTS)
def test_a_receipt_that_was_changed_is_found(earlier: Earlier, kind: str) -> None:
    change, said = RECEIPTS[kind]
    change(earlier.site)

    found = earlier.found()[0]

    assert found.likeness is Likeness.OTHER
    assert found.fault is not None
    assert found.fault.code == "receipt-differs"
    assert any(each in found.fault.found for each in said.split("|"))
    assert found.fault.hint


KINDS = (
    "a byte",
    "a line ending",
    "a byte, and RECORD with it",
    "a file removed",
    "a file removed, and RECORD with it",
    "a file added",
    "a file added, and RECORD with it",
    "a .pth added, and RECORD with it",
    "a .pth that no RECORD names",
    "a module that no RECORD names",
    "a script that no RECORD names",
    "a file in its .dist-info",
    "a hash in RECORD",
    "a line less in RECORD",
    "a line twice in RECORD",
    "no RECORD",
    "METADATA",
    "entry points",
    "what a script runs",
    "the interpreter of a script",
    "a script's text",
    "a link for a file",
    "another spelling of .dist-info",
    "another version of .dist-info",
)
"""Of the changes that are found after a command has run: those that are of one kind each."""


OF_THE_RECEIPT = ("another version in METADATA", "an empty RECORD")
"""Those that leave the receipt without what it is a receipt of, or without its line."""
MATRIX = {
    **{kind: (CHANGES[kind][0], "changed-after-install") for kind in KINDS},
    **{kind: (CHANGES[kind][0], "receipt-differs") for kind in OF_THE_RECEIPT},
    **{f"a receipt {kind}": (change, "receipt-differs") for kind, (change, _) in RECEIPTS.items()},
}
"""Every kind of change to an environment that an earlier run has made, with its code."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_changed_is_found(earlier: Earlier, kind: str) -> None:
    change, said = CHANGES[kind]
    change(earlier.site)

    found = [each.fault for each in earlier.found() if each.fault]

    assert "changed-after-install" in {each.code for each in found}
    assert any(said in each.found for each in found), found
    assert all(each.hint for each in found)


@pytest.mark.parametrize("kind", OF_THE_RECEIPT)
def test_a_change_to_what_is_said_of_the_receipt_is_found(earlier: Earlier, kind: str) -> None:
    CHANGES[kind][0](earlier.site)

    found = earlier.found()[0]

    assert found.fault is not None
    assert found.fault.code == "receipt-differs"


def test_a_receipt_that_is_gone_says_nothing(earlier: Earlier) -> None:
    (earlier.site / RECEIVED).unlink()
    (distribution,) = snapshot([earlier.place]).distributions

    assert find_receipt(distribution) is None
    assert check_installed(distribution, None, earlier.accepted).likeness is Likeness.PRESENT


def test_without_the_archive_it_is_present_and_not_verified(earlier: Earlier) -> None:
    assert [each.likeness for each in checked(earlier.place, None)] == [Likeness.PRESENT]

    forged(archive="acme_gadgets-1.0-py3-none-any.whl")(earlier.site)
    assert [each.likeness for each in checked(earlier.place, None)] == [Likeness.OTHER]


def test_the_archive_must_still_be_what_was_judged(earlier: Earlier, tmp_path: Path) -> None:
    other = archive(tmp_path, archives.wheel(FILES | {"acme/more.py": "1\n"}))

    (found,) = checked(earlier.place, replace(earlier.accepted, path=other.path))

    assert found.likeness is Likeness.OTHER
    assert found.fault is not None
    assert (found.fault.code, found.fault.found) == ("changed-after-install", "another content")


def test_under_the_same_pin_a_receipt_says_what_is_known_now(earlier: Earlier) -> None:
    (distribution,) = snapshot([earlier.place]).distributions
    now = receipt_of(earlier.accepted)
    receipt = find_receipt(distribution)

    def compared(now: Receipt) -> Likeness:
        return check_installed(distribution, receipt, earlier.accepted, now=now).likeness

    assert compared(now) is Likeness.SAME
    assert compared(replace(now, basis="exemption")) is Likeness.OTHER
    assert compared(replace(now, evidence=None)) is Likeness.OTHER
    assert compared(replace(now, evidence=None, pin=digest_of(b"another"))) is Likeness.SAME


def test_byte_code_is_no_change(earlier: Earlier) -> None:
    add("acme/__pycache__/cli.cpython-312.opt-1.pyc")(earlier.site)

    assert [each.likeness for each in earlier.found()] == [Likeness.SAME]


def test_what_was_built_has_the_files_that_its_record_states(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE)
    sdist = archive(tmp_path / "dist", b"any", SDIST)
    (distribution,) = snapshot([tmp_path]).distributions
    write_receipt(distribution, receipt_of(sdist))

    assert [each.likeness for each in checked(tmp_path, sdist)] == [Likeness.BUILT]

    edit(RECEIVED, b"identity", b"exemption")(site)
    (found,) = checked(tmp_path, sdist)
    assert found.fault is not None
    assert (found.likeness, found.fault.code) == (Likeness.OTHER, "receipt-differs")

    edit(RECEIVED, b"exemption", b"identity")(site)
    (site / "acme/__init__.py").write_bytes(b"")
    (found,) = checked(tmp_path, sdist)
    assert found.fault is not None
    assert (found.likeness, found.fault.code) == (Likeness.OTHER, "changed-after-install")
    assert "acme/__init__.py" in found.fault.found
    (site / "acme/__init__.py").unlink()
    assert [each.likeness for each in checked(tmp_path, sdist)] == [Likeness.OTHER]


def test_of_a_file_that_two_bring_the_last_stays(tmp_path: Path) -> None:
    first = archive(tmp_path / "dist", archives.wheel({"tests/__init__.py": "1\n"}))
    second = archive(
        tmp_path / "dist", archives.wheel({"tests/__init__.py": "2\n"}), "acme_gadgets-1.0-py3-none-any.whl"
    )
    site = planted(tmp_path / "env" / SITE, first.path.read_bytes())
    (distribution,) = snapshot([tmp_path / "env"]).distributions
    receipt = receipt_of(first)
    write_receipt(distribution, receipt)
    (site / "tests/__init__.py").write_bytes(b"2\n")

    alone = check_installed(distribution, receipt, first)
    beside = check_installed(distribution, receipt, first, [first, second])

    assert (alone.likeness, beside.likeness) == (Likeness.OTHER, Likeness.SAME)


SHARED = (
    "ns/__init__.py",
    "ns/__init__.pyc",
    "ns/__init__.cpython-311.so",
    "ns/deep/__init__.abi3.so",
    "ns/deep.pyc",
    "ns.py",
)


@pytest.mark.parametrize("added", SHARED)
def test_what_python_runs_before_a_verified_module_is_found(tmp_path: Path, added: str) -> None:
    """Two share a namespace, and the one that was not verified makes it a package."""
    site = planted(tmp_path / SITE, archives.wheel({"ns/deep/mine.py": "1\n", "ns/data.txt": "1\n"}))
    (mine,) = snapshot([tmp_path]).distributions
    assert [*strange_packages(snapshot([tmp_path]), [mine])] == []

    (site / added).write_bytes(b"")
    unnamed = [*strange_packages(snapshot([tmp_path]), [mine])]
    assert unnamed == ([] if "/" in added else [site / added]), "below there it is a stranger"

    info = site / "acme_gadgets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: acme-gadgets\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{added},,\nns/other/__init__.py,,\n")
    there = snapshot([tmp_path])
    assert [
        *strange_packages(there, [each for each in there.distributions if each.folder == mine.folder])
    ] == [site / added]
    assert [*strange_packages(there, there.distributions)] == []


def test_a_module_beside_a_package_of_its_name_is_not_run(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE, archives.wheel({"acme/__init__.py": "1\n", "acme/mine.py": "1\n"}))
    (site / "acme.py").write_bytes(b"")

    there = snapshot([tmp_path])

    assert [*strange_packages(there, there.distributions)] == []


def test_a_receipt_written_earlier_is_nothing_to_a_run_of_a_command(earlier: Earlier) -> None:
    before = snapshot([earlier.place])
    (distribution,) = before.distributions
    write_receipt(distribution, receipt_of(earlier.accepted))

    (anew,) = compare(Snapshot(), snapshot([earlier.place]), [earlier.accepted], [])

    assert compare(before, snapshot([earlier.place]), [], []) == ()
    assert anew.likeness is Likeness.SAME


def test_a_receipt_that_a_command_changed_is_found(earlier: Earlier) -> None:
    before = snapshot([earlier.place])
    edit(RECEIVED, b"identity", b"exemption")(earlier.site)

    (found,) = compare(before, snapshot([earlier.place]), [earlier.accepted], [])

    assert found.fault is not None
    assert found.fault.code == "not-through-gate"


def test_a_file_of_another_release_is_none_of_this_one(tmp_path: Path) -> None:
    old = archive(
        tmp_path / "dist", archives.wheel({"acme/core.py": "hole\n"}), "acme_widgets-0.9-py3-none-any.whl"
    )
    new = archive(tmp_path / "dist", archives.wheel({"acme/core.py": "mended\n"}))
    site = planted(tmp_path / "env" / SITE, new.path.read_bytes())
    (distribution,) = snapshot([tmp_path / "env"]).distributions
    receipt = receipt_of(new)
    write_receipt(distribution, receipt)
    (site / "acme/core.py").write_bytes(b"hole\n")

    found = check_installed(distribution, receipt, new, [new, old])

    assert found.fault is not None
    assert (found.likeness, found.fault.code) == (Likeness.OTHER, "changed-after-install")


def named_by_another(site: Path, name: str) -> None:
    """Add a file that a distribution without a receipt names."""
    info = site / "stranger-1.0.dist-info"
    add(f"{info.name}/METADATA", b"Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")(site)
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n{name},,\n")
    add(name)(site)


SHADOWS = {
    "acme_one/__init__.py": "acme_one",
    "acme_one.cpython-311-x86_64-linux-gnu.so": "acme_one.cpython-311-x86_64-linux-gnu.so",
    "acme/__init__.abi3.so": "acme/__init__.abi3.so",
    "acme/cli/__init__.pyc": "acme/cli",
    "acme/cli.so": "acme/cli.so",
}


@pytest.mark.parametrize("name", SHADOWS)
def test_what_is_imported_in_place_of_a_module_is_found(earlier: Earlier, name: str) -> None:
    named_by_another(earlier.site, name)

    (found,) = earlier.found()

    assert found.fault is not None
    assert (found.fault.code, found.fault.found) == ("changed-after-install", SHADOWS[name])


@pytest.mark.parametrize("name", ["acme/cli/data.txt", "acme/cli.pyi", "acme/climb.so", "cli/__init__.py"])
def test_what_python_imports_under_another_name_is_another_ones(earlier: Earlier, name: str) -> None:
    named_by_another(earlier.site, name)

    assert [each.likeness for each in earlier.found()] == [Likeness.SAME]


def test_what_an_accepted_wheel_brings_is_no_change(tmp_path: Path) -> None:
    first = archive(tmp_path / "dist", archives.wheel({"one.py": "", "two.py": "", "two/__init__.py": ""}))
    second = archive(
        tmp_path / "dist", archives.wheel({"one/__init__.py": ""}), "acme_gadgets-1.0-py3-none-any.whl"
    )
    site = planted(tmp_path / "env" / SITE, first.path.read_bytes())
    (distribution,) = snapshot([tmp_path / "env"]).distributions
    assert check_installed(distribution, receipt_of(first), first).likeness is Likeness.SAME
    add("one/__init__.py")(site)

    assert check_installed(distribution, receipt_of(first), first).likeness is Likeness.OTHER
    assert check_installed(distribution, receipt_of(first), first, [second]).likeness is Likeness.SAME


def test_a_source_comes_before_the_byte_code_that_a_wheel_brings(tmp_path: Path) -> None:
    accepted = archive(tmp_path / "dist", archives.wheel({"only.pyc": "1"}))
    site = planted(tmp_path / "env" / SITE, accepted.path.read_bytes())
    (distribution,) = snapshot([tmp_path / "env"]).distributions
    assert check_installed(distribution, receipt_of(accepted), accepted).likeness is Likeness.SAME

    named_by_another(site, "only.py")

    found = check_installed(distribution, receipt_of(accepted), accepted)
    assert found.fault is not None
    assert (found.fault.code, found.fault.found) == ("changed-after-install", "only.py")


def test_a_record_may_name_what_no_system_can_have(earlier: Earlier) -> None:
    record = earlier.site / INFO / "RECORD"
    record.write_bytes(record.read_bytes() + b"acme/%b/__pycache__,,\n" % (b"a" * 300))

    assert [each.likeness for each in earlier.found()] == [Likeness.SAME]


def test_what_another_record_names_in_its_dist_info_is_found(earlier: Earlier) -> None:
    named_by_another(earlier.site, f"{INFO}/more/plugins.txt")

    found = earlier.found()[-1]

    assert found.subject == str(earlier.site / INFO / "more" / "plugins.txt")
    assert found.fault is not None
    assert found.fault.code == "changed-after-install"


def test_a_second_dist_info_is_found(earlier: Earlier) -> None:
    for folder, name in (("acme_widgets-2.0", "other"), ("other-2.0", "Acme.Widgets")):
        info = f"{folder}.dist-info"
        add(f"{info}/METADATA", f"Name: {name}\nVersion: 2.0\n".encode())(earlier.site)
        (earlier.site / info / "RECORD").write_text(f"{info}/METADATA,,\n{info}/RECORD,,\n")

        found = earlier.found()[-1]

        assert found.subject == str(earlier.site / info)
        assert found.fault is not None
        assert found.fault.code == "changed-after-install"
        shutil.rmtree(earlier.site / info)


def test_what_pipx_has_in_each_environment_is_no_change(tmp_path: Path) -> None:
    site = planted(tmp_path / "venvs" / "acme" / SITE)
    layout_of(site).settings.touch()
    shared = tmp_path / "shared" / SITE
    shared.mkdir(parents=True)
    there = snapshot([tmp_path / "venvs" / "acme"])
    assert tuple(strangers(there, there.distributions)) == ()

    for place, count in ((shared, 0), (tmp_path / "other" / SITE, 1)):
        (site / "pipx_shared.pth").write_text(f"{place}\n")
        there = snapshot([tmp_path / "venvs" / "acme"])
        assert len(tuple(strangers(there, there.distributions))) == count


def test_a_module_that_has_virtualenv_s_name_is_found(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("_virtualenv.pth", b"import _virtualenv")(earlier.site)
    add("_virtualenv.py", b"import evil\n")(earlier.site)

    assert [each.subject for each in earlier.found()[1:]] == [str(earlier.site / "_virtualenv.py")]
    monkeypatch.setattr(
        "pip_warden.environments.patches._KNOWN", frozenset({digest_of(b"import evil\n").hex})
    )
    assert [each.likeness for each in earlier.found()] == [Likeness.SAME]


STRAYS = ("more.py", "more.pth", "more/__init__.py", "acme/more.py", f"{INFO}/more")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (
            "venv/lib/python3.11/site-packages",
            {*STRAYS, "../../../bin/more", "usercustomize/__init__.py"},
        ),
        ("usr/lib/python3.11/site-packages", {"more.pth", "usercustomize/__init__.py", *STRAYS[3:]}),
        ("usr/local/lib/python3.11/dist-packages", {"more.pth", "usercustomize/__init__.py", *STRAYS[3:]}),
        ("usr/lib/python3/dist-packages", set(STRAYS[3:])),
        ("target", set(STRAYS[3:])),
    ],
)
def test_what_no_package_has_is_found_where_nobody_else_puts_anything(
    tmp_path: Path, place: str, found: set[str]
) -> None:
    layout = layout_of(planted(tmp_path / place, archives.wheel({"bin/own": ""})))
    if place.startswith("venv"):
        layout.settings.write_bytes(b"")
    for name in (*STRAYS, "usercustomize/__init__.py", layout.key_of(layout.scripts / "more")):
        add(name)(layout.site)
    there = snapshot([], sites=[layout.site])

    strays = tuple(strangers(there, there.distributions))

    assert {layout.key_of(Path(each.subject)) for each in strays} == {
        name.removesuffix("/__init__.py") for name in found
    }
    assert {each.fault.code for each in strays if each.fault} == {"changed-after-install"}
