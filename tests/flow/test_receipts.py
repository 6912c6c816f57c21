"""Receipts: what was installed is verified by the next run, which judges its archive again and compares."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flow.test_past_the_gate import unpack
from flow.user import Run, User
from ordinary import parametrized
from pip_warden.digests import digest_of
from pip_warden.errors import DeliveryError
from pip_warden.installer.installed import Present
from pip_warden.installer.python import pip_runner
from pip_warden.installer.uv import find_uv
from pip_warden.sandbox import Project

UV = ("--installer", "uv")
INSTALLERS = parametrized("words", [(), UV], ordinary={1}, ids=["pip", "uv"])
RECEIPT = "pip-warden.json"


@pytest.fixture(autouse=True)
def lock(user: User) -> None:
    """Uv leaves an empty lock next to what it installs into."""
    (user.target / ".lock").touch()


def subject(project: Project) -> str:
    return f"{project.record.name} 1.0"


def info_of(site: Path, project: Project) -> Path:
    return next(site.glob(f"{project.record.name}-*.dist-info"))


def receipt_of(site: Path, project: Project) -> dict[str, object]:
    found = json.loads((info_of(site, project) / RECEIPT).read_bytes())
    assert isinstance(found, dict)
    return found


def outcome(result: Run, project: Project) -> tuple[int, str]:
    return result.code, result.outcome(subject(project))


@INSTALLERS
def test_the_second_run_says_that_nothing_has_changed(user: User, words: tuple[str, ...]) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    first = user.install(*words, project.record.name)
    assert (first.code, first.document["warnings"]) == (0, []), first.output

    again = user.install(*words, "--strict", project.record.name)

    assert outcome(again, project) == (0, "verified_earlier_unchanged"), again.output
    assert outcome(again, needed) == (0, "verified_earlier_unchanged")
    line = again.line(subject(project))
    assert line["sha256"] == user.wheel(project, requires=(needed.record.name,)).sha256
    assert (line["source"], line["accepted"]["basis"]) == ("acme", "identity")
    assert again.accepted == set()


def test_a_receipt_says_what_was_judged_and_nothing_of_when_and_where(user: User) -> None:
    project, plain = user.published(), user.sandbox.wheel("plainly", "1.0")
    user.sandbox.upstream.add("plainly", [plain])
    user.pin_hash(plain, name="plainly")
    wheel = user.wheel(project)

    assert user.install(project.record.name, "plainly").code == 0

    signed = receipt_of(user.site, project)
    (kept,) = user.cache.glob(f"v1/*/{wheel.sha256}/evidence.json")
    assert signed["archive"] == wheel.name
    assert signed["archive_info"] == {"hashes": {"sha256": wheel.sha256}}
    assert signed["basis"] == "identity"
    assert signed["evidence"] == {"sha256": digest_of(kept.read_bytes()).hex}
    assert str(user.home) not in json.dumps(signed)
    exempt = json.loads(next(user.site.glob("plainly-*.dist-info")).joinpath(RECEIPT).read_bytes())
    assert (exempt["basis"], exempt["evidence"]) == ("exemption", None)

    written = (info_of(user.site, project) / RECEIPT).read_bytes()
    assert user.install(*UV, "--force-reinstall", "--no-deps", project.record.name).code == 0
    assert (info_of(user.site, project) / RECEIPT).read_bytes() == written
    assert (
        f"{info_of(user.site, project).name}/{RECEIPT},sha256="
        in (info_of(user.site, project) / "RECORD").read_text()
    )


@INSTALLERS
def test_what_was_changed_since_is_refused(user: User, words: tuple[str, ...]) -> None:
    """Each change alone; the rest of the matrix is in ``environments/test_earlier.py``."""
    project, other = user.published(), user.published()
    names = (project.record.name, other.record.name)
    assert user.install(*names).code == 0
    module = next((user.site / project.record.name).glob("*.py"))
    receipt = info_of(user.site, project) / RECEIPT

    renamed = receipt.read_bytes().replace(project.record.name.encode(), b"nobodys")
    assert renamed != receipt.read_bytes()
    for path, content, code in (
        (module, b"evil", "changed-after-install"),
        (receipt, b"{}", "receipt-differs"),
        (receipt, renamed, "receipt-differs"),
    ):
        before = path.read_bytes()
        path.write_bytes(content)
        result = user.install(*words, *names)
        assert outcome(result, project) == (1, "refused"), result.output
        assert result.line(subject(project))["refused"]["code"] == code
        assert result.outcome(subject(other)) == "verified_earlier_unchanged"
        path.write_bytes(before)

    hook = user.site / "hook.pth"
    hook.write_text("import os")
    (user.target / "bin" / "ls").touch()
    result = user.install(*words, *names)
    assert (result.code, result.codes) == (1, {"changed-after-install"})
    assert result.outcome(str(hook)) == "refused"
    assert [warning for warning in result.document["warnings"] if "ls" in warning]


def test_what_is_started_with_its_python_cannot_lead_elsewhere(user: User) -> None:
    """A hook could have pip find the package in a clean copy; the hook itself is found all the same."""
    project = user.published()
    assert user.install(project.record.name).code == 0
    copy = shutil.copytree(user.site, user.home / "copy")
    there = {project.record.name: Present(version="1.0", info=info_of(copy, project))}
    user.patch.setattr("pip_warden.install.with_pip.installed", lambda *_: there)
    assert outcome(user.install(project.record.name), project) == (0, "verified_earlier_unchanged")

    (user.site / "hook.pth").write_text("import hook")
    (user.site / "_virtualenv.py").write_text("import hook")
    result = user.install(project.record.name)

    assert (result.code, result.codes) == (1, {"changed-after-install"}), result.output
    assert any("_virtualenv.py" in warning for warning in result.document["warnings"])


@pytest.mark.parametrize("words", [(), UV], ids=["pip", "uv"])
def test_the_draft_of_a_killed_run_is_removed_and_told(user: User, words: tuple[str, ...]) -> None:
    """Also one of a package that this run has nothing to do with. A dry run changes nothing."""
    project, other = user.published(), user.published()
    assert user.install(project.record.name, other.record.name).code == 0
    drafts = [info_of(user.site, each) / f".pip-warden-{16 * 'a'}.part" for each in (project, other)]
    for draft in drafts:
        draft.write_bytes(b"half a rec")

    dry = user.install(*words, "--dry-run", project.record.name)
    assert [draft.exists() for draft in drafts] == [True, True], dry.output
    result = user.install(*words, project.record.name)

    assert outcome(result, project) == (0, "verified_earlier_unchanged"), result.output
    assert [draft.exists() for draft in drafts] == [False, False]
    assert all(f"removed {draft}, the draft" in " ".join(result.output.split()) for draft in drafts)


def test_the_page_names_the_bytes_of_the_trusted_root(user: User) -> None:
    project = user.published()
    assert user.install("--html", "page", project.record.name).code == 0
    page = (user.home / "page").read_text()
    (root,) = (each for each in user.home.rglob("trusted_root.json"))
    assert digest_of(root.read_bytes()).hex in page
    assert str(root) in page


def test_an_unverified_package_that_a_verified_one_lies_in_is_a_warning(user: User) -> None:
    """One that came through the gate, too, is none, whether this run asks for it or not."""
    mine = user.published(files={"ns/mine.py": "1\n"})
    other = user.published(files={"ns/__init__.py": "1\n", "ns/other.py": "1\n"})
    assert user.install(mine.record.name, other.record.name).code == 0

    clean = user.install("--strict", mine.record.name)
    assert outcome(clean, mine) == (0, "verified_earlier_unchanged"), clean.output
    assert clean.document["warnings"] == []

    (info_of(user.site, other) / RECEIPT).unlink()
    result = user.install(mine.record.name)
    assert outcome(result, mine) == (0, "verified_earlier_unchanged"), result.output
    (warning,) = result.document["warnings"]
    assert str(user.site / "ns/__init__.py") in warning
    assert "[changed-after-install]" in warning
    assert user.install("--strict", mine.record.name).code == 1


@INSTALLERS
def test_what_had_no_receipt_and_is_installed_anew_gets_one(user: User, words: tuple[str, ...]) -> None:
    """It describes itself as it did before: the installer that brought it first was not behind the gate."""
    project = user.published()
    assert user.install(*words, project.record.name).code == 0
    info = info_of(user.site, project)
    (info / RECEIPT).unlink()
    lines = (info / "RECORD").read_text().splitlines(keepends=True)
    (info / "RECORD").write_text("".join(line for line in lines if RECEIPT not in line))

    result = user.install(*words, "--force-reinstall", project.record.name)

    assert (result.code, result.document["warnings"]) == (0, []), result.output
    assert outcome(user.install(*words, project.record.name), project) == (0, "verified_earlier_unchanged")


def test_a_receipt_whose_archive_nobody_has_makes_no_package_a_verified_one(user: User) -> None:
    """Whoever adds a file can write a receipt, too."""
    mine = user.published(files={"ns/mine.py": "1\n"})
    other = user.published(files={"ns/__init__.py": "1\n"})
    assert user.install(mine.record.name, other.record.name).code == 0
    sha256 = user.wheel(other, files={"ns/__init__.py": "1\n"}).sha256
    (kept,) = user.cache.glob(f"v1/*/{sha256}")
    shutil.rmtree(kept)

    result = user.install(mine.record.name, other.record.name)

    assert (outcome(result, mine), outcome(result, other)) == (
        (0, "verified_earlier_unchanged"),
        (0, "present_not_verified"),
    ), result.output
    assert str(user.site / "ns/__init__.py") in " ".join(result.document["warnings"])


def test_pins_of_now_decide(user: User) -> None:
    """A file that was good once is judged again; nothing but the vault is asked for it."""
    project, needed = user.published(pinned=False), user.published(pinned=False)
    root = user.published(requires=(project.record.name, needed.record.name))
    blocks = list(user.blocks)
    user.pin(project)
    user.pin(needed)
    assert user.install(root.record.name).code == 0

    user.blocks = list(blocks)
    other = root.url.partition("://")[2]
    user.pin(project, subject=f"https://{other}//.gitlab-ci.yml@refs/tags/v{{version}}")
    user.pin(needed)
    sha256 = user.wheel(needed).sha256
    user.write(f'[[revoked]]\nsha256 = "{sha256}"\nreason = "stolen"')
    user.sandbox.clear_requests()
    result = user.install(root.record.name)

    assert (result.code, result.outcome(subject(root))) == (1, "verified_earlier_unchanged"), result.output
    assert result.line(subject(project))["refused"]["code"] == "identity-mismatch"
    assert result.line(subject(needed))["refused"]["code"] == "revoked"
    assert result.line(subject(needed))["sha256"] == sha256
    assert not [request for request in user.sandbox.requests if "files/" in request.path]


@pytest.mark.interop
def test_without_its_archive_or_evidence_it_is_only_present(user: User) -> None:
    project = user.published()
    assert user.install(project.record.name).code == 0
    (kept,) = user.cache.glob("v1/*/*/evidence.json")

    kept.write_text("{}")
    assert outcome(user.install(project.record.name), project) == (0, "present_not_verified")

    user.forget()
    result = user.install("--strict", project.record.name)
    assert outcome(result, project) == (1, "present_not_verified"), result.output
    assert f"{user.wheel(project).name} is not in the cache" in result.line(subject(project))["note"]

    (info_of(user.site, project) / RECEIPT).unlink()
    result = user.install(project.record.name)
    assert outcome(result, project) == (0, "present_not_verified"), "there is no receipt"


@INSTALLERS
def test_what_was_built_cannot_be_compared(user: User, words: tuple[str, ...]) -> None:
    project = user.project()
    user.pin(project)
    sdist = user.sdist(project)
    user.sandbox.publish(project, [sdist])
    assert user.install(*words, project.record.name).code == 0
    assert receipt_of(user.site, project)["archive"] == sdist.name

    result = user.install(*words, project.record.name)
    assert outcome(result, project) == (0, "built_from_a_verified_sdist_not_comparable"), result.output

    strict = user.install(*words, "--strict", project.record.name)
    assert (strict.code, strict.codes) == (1, {"strict"})
    assert f"not comparable: {subject(project)}" in strict.document["error"]["message"]


@parametrized(
    ("words", "place"),
    [
        (("--target", "there"), "there"),
        ((*UV, "--target", "there"), "there"),
        (("--prefix", "there"), "there/lib/python*/site-packages"),
        (("--root", "there", "--prefix", "/usr"), "there/usr/lib/python*/site-packages"),
    ],
    ordinary={0, 1},
)
def test_a_receipt_lies_where_the_files_went(user: User, words: tuple[str, ...], place: str) -> None:
    project = user.published()
    before = user.snapshot()

    result = user.install(*words, project.record.name)

    assert (result.code, user.snapshot()) == (0, before), result.output
    (site,) = user.home.glob(place)
    assert receipt_of(site, project)["archive"] == user.wheel(project).name
    if UV[0] in words:
        again = user.install(*words, "--strict", project.record.name)
        assert outcome(again, project) == (0, "verified_earlier_unchanged"), again.output


def test_what_pip_leaves_in_a_target_is_told_and_gets_no_receipt(user: User) -> None:
    """It replaces nothing there, and says that it has installed it."""
    project, built = user.published(), user.project()
    user.pin(built)
    user.sandbox.publish(built, [user.sdist(built)])
    words = ("--target", "there", project.record.name, built.record.name)
    first = user.install(*words)
    assert (first.code, first.document["warnings"]) == (0, []), first.output
    there = user.home / "there"
    receipt = info_of(there, project) / RECEIPT
    changed = there / project.record.name / "__init__.py"
    changed.write_text("evil\n")
    receipt.unlink()

    again = user.install(*words)

    assert again.code == 0, again.output
    assert [warning.partition(" ")[0] for warning in again.document["warnings"]] == [
        user.wheel(project).name,
        user.sdist(built).name,
    ]
    assert changed.read_text() == "evil\n"
    assert not receipt.exists()
    assert user.install("--strict", *words).code == 1
    upgraded = user.install("--strict", "--upgrade", *words, user.published().record.name)
    assert (upgraded.code, upgraded.document["warnings"]) == (0, []), upgraded.output
    assert receipt.exists()


def test_where_it_was_installed_to_is_not_known(user: User) -> None:
    project = user.published()
    user.patch.setattr("pip_warden.install.with_pip.places_of_pip", lambda _prepared: ())

    result = user.install("--strict", project.record.name)

    assert result.code == 0, result.output
    assert "no receipt was written" in result.line(user.wheel(project).name)["note"]
    assert not (info_of(user.site, project) / RECEIPT).exists()


def test_a_receipt_that_cannot_be_written_is_a_warning(user: User) -> None:
    project = user.published()

    def fail(*_arguments: object) -> None:
        raise DeliveryError("receipt-not-written", "expected to write it, found: a full moon")

    user.patch.setattr("pip_warden.install.receipts.write_receipt", fail)

    result = user.install(project.record.name)

    assert result.code == 0, result.output
    (warning,) = result.document["warnings"]
    assert all(text in warning for text in (subject(project), "[receipt-not-written]", "a full moon"))


@pytest.mark.interop
def test_of_what_is_not_installed_or_the_user_s_own_there_is_none(user: User) -> None:
    project, mine = user.published(), user.project()
    unpack(user.sandbox.sdist(mine.record.name, "1.0"), user.home / "mine")
    before = user.snapshot()

    assert user.install("--dry-run", project.record.name).code == 0
    assert user.install("--download", "files", project.record.name).code == 0
    assert user.snapshot() == before
    assert user.install("./mine", project.record.name).code == 0
    assert list(user.site.glob(f"*/{RECEIPT}")) == [info_of(user.site, project) / RECEIPT]


def test_a_file_that_another_package_has_brought_too_is_as_expected(user: User) -> None:
    """Of a file that several bring, the last that was installed is there; only its receipt tells of it."""
    shared = {"shared/__init__.py": b"one = 1\n"}, {"shared/__init__.py": b"two = 2\n"}
    first, second = (user.published(files=files) for files in shared)
    assert user.install(*UV, first.record.name).code == 0
    assert user.install(*UV, second.record.name).code == 0

    result = user.install(*UV, "--strict", first.record.name)

    assert outcome(result, first) == (0, "verified_earlier_unchanged"), result.output


@pytest.mark.interop
def test_a_receipt_that_nobody_wrote(user: User) -> None:
    project = user.published()
    assert user.install(project.record.name).code == 0

    for content in (b"", b"[" * 9000, b"\xff", b'{"archive": "../x-1.0.tar.gz"}'):
        (info_of(user.site, project) / RECEIPT).write_bytes(content)
        result = user.install(*UV, project.record.name)
        assert (result.code, result.codes) == (1, {"receipt-differs"}), result.output


@pytest.mark.interop
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_whatever_uninstalls_leaves_nothing_of_ours(user: User, tool: str) -> None:
    project, before = user.published(), user.snapshot()
    assert user.install(project.record.name).code == 0
    python = str(user.target / "bin" / "python")
    commands = {
        "pip": [python, "-I", str(pip_runner()), "uninstall", "--yes"],
        "uv": [str(find_uv(os.environ).executable), "pip", "uninstall", "--python", python],
    }

    subprocess.run([*commands[tool], project.record.name], check=True, capture_output=True)

    assert user.snapshot() == before
    assert not list(user.site.glob(f"{project.record.name}*"))
