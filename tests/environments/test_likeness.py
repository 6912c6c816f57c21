"""What is no wheel of the gate's: the user's own project, what was built, what a new environment brings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import archives
from environments.made import archive, by_pip, by_uv, site_of, venv
from environments.test_scan import SITE, planted
from pip_warden.environments.bundled import bundled_wheels
from pip_warden.environments.compare import compare
from pip_warden.environments.model import AcceptedArchive, Likeness, Snapshot
from pip_warden.environments.scan import snapshot

PROJECT = '[project]\nname = "Acme.Widgets"\nversion = "1.0"\n'


def url_file(site: Path, content: object) -> None:
    """Write what a distribution says of its origin (PEP 610)."""
    text = content if isinstance(content, str) else json.dumps(content)
    (site / archives.INFO / "direct_url.json").write_text(text)


def likeness(before: Snapshot, place: Path, *rest: object) -> list[Likeness]:
    return [each.likeness for each in compare(before, snapshot([place]), *rest)]  # type: ignore[arg-type]


def test_what_was_removed_or_is_unchanged_is_no_finding(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE)
    (site / "old.pth").write_bytes(b"")
    before = snapshot([tmp_path])

    assert compare(before, before, [], []) == ()
    shutil.rmtree(site / archives.INFO)
    shutil.rmtree(site / "acme")
    (site / "old.pth").unlink()
    assert compare(before, snapshot([tmp_path]), [], []) == ()


def test_a_distribution_that_never_came_through_the_gate(tmp_path: Path) -> None:
    planted(tmp_path / SITE)

    (found,) = compare(Snapshot(), snapshot([tmp_path]), [], [])

    assert found.subject == "acme-widgets 1.0"
    assert found.likeness is Likeness.OTHER
    assert found.fault is not None
    assert (found.fault.code, found.fault.found) == ("not-through-gate", "acme-widgets 1.0, which did not")
    assert "Remove it" in found.fault.hint


def test_of_which_archive_it_is(tmp_path: Path) -> None:
    """A receipt names it; of two from which it may have been built nobody knows which it was."""
    planted(tmp_path / "env" / SITE)
    wheel, other, sdist, second = (
        archive(tmp_path / "dist", content, name)
        for name, content in (
            (archives.WHEEL_NAME, archives.wheel()),
            ("acme_widgets-1.0-1-py3-none-any.whl", archives.wheel({"acme/more.py": ""})),
            (archives.SDIST_NAME, b"any"),
            ("acme-widgets-1.0.tar.gz", b"any"),
        )
    )

    def found(*accepted: AcceptedArchive) -> tuple[Likeness, AcceptedArchive | None]:
        (each,) = compare(Snapshot(), snapshot([tmp_path / "env"]), accepted, [])
        assert each.distribution is not None
        return each.likeness, each.archive

    assert found(other, wheel, sdist) == (Likeness.SAME, wheel)
    assert found(sdist) == (Likeness.BUILT, sdist)
    assert found(sdist, second) == (Likeness.BUILT, None)
    assert found(other, sdist) == (Likeness.OTHER, None)


@pytest.mark.parametrize(
    ("names", "result"),
    [
        (["acme_widgets-1.0.tar.gz"], Likeness.BUILT),
        (["acme-widgets-1.tar.gz"], Likeness.BUILT),
        (["acme_widgets-1.1.tar.gz"], Likeness.OTHER),
        (["acme_gadgets-1.0.tar.gz"], Likeness.OTHER),
        (["acme_widgets-1.0.tar.gz", archives.WHEEL_NAME], Likeness.OTHER),
    ],
)
def test_what_was_built_cannot_be_compared(tmp_path: Path, names: list[str], result: Likeness) -> None:
    planted(tmp_path / "env" / SITE)
    accepted = [archive(tmp_path / "dist", b"of other content", name) for name in names]

    assert likeness(Snapshot(), tmp_path / "env", accepted, []) == [result]


def test_any_accepted_wheel_of_the_release_will_do(tmp_path: Path) -> None:
    planted(tmp_path / "env" / SITE)
    accepted = [
        archive(tmp_path / "dist", archives.wheel({"acme/x.py": ""}), "acme_widgets-1.0-1-py3-none-any.whl"),
        archive(tmp_path / "dist", archives.wheel(), "Acme.Widgets-1-py3-none-any.whl"),
        archive(tmp_path / "dist", b"", "acme_widgets-1.0.tar.gz"),
    ]

    assert likeness(Snapshot(), tmp_path / "env", accepted, []) == [Likeness.SAME]


def _local(path: Path, **more: object) -> object:
    return {"url": path.as_uri(), "dir_info": more}


@pytest.mark.parametrize("place", ["own", "own/packages/a b", "link"])
@pytest.mark.parametrize("is_editable", [False, True])
def test_the_users_own_project(tmp_path: Path, place: str, *, is_editable: bool) -> None:
    (tmp_path / "own/packages/a b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("own")
    (tmp_path / place / "pyproject.toml").write_text(PROJECT)
    site = planted(tmp_path / "env" / SITE)
    url_file(site, _local(tmp_path / place, editable=is_editable))

    assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "own"]) == [Likeness.LOCAL]
    assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "link"]) == [Likeness.LOCAL]
    assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "other"]) == [Likeness.OTHER]


@pytest.mark.parametrize(
    "said",
    [
        "{}",
        "[]",
        "{",
        "\xff",
        pytest.param("[" * 10000, id="deep"),
        '{"url": 1, "dir_info": {}}',
        '{"url": "file://[", "dir_info": {}}',
        '{"url": "file:///%ff", "dir_info": {}}',
        '{"url": "file:///%00", "dir_info": {}}',
        '{"url": "file://OWN", "dir_info": null}',
        '{"url": "file://OWN", "archive_info": {}}',
        '{"url": "https://hostOWN", "dir_info": {}}',
        '{"url": "file://hostOWN", "dir_info": {}}',
        '{"url": "file://OWNER", "dir_info": {}}',
        '{"url": "file://OWN/../elsewhere", "dir_info": {}}',
        '{"url": "file://OWN/none", "dir_info": {}}',
        '{"url": "file://OWN/gadgets", "dir_info": {}}',
    ],
)
def test_what_is_not_the_users_own_project(tmp_path: Path, said: str) -> None:
    for name in ("own", "ownER", "elsewhere", "own/gadgets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "own/gadgets/pyproject.toml").write_text(PROJECT.replace("Widgets", "Gadgets"))
    site = planted(tmp_path / "env" / SITE)
    url_file(site, said.replace("OWN", str(tmp_path / "own")))

    assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "own"]) == [Likeness.OTHER]


def test_an_archive_of_the_users_own_project(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    site = planted(tmp_path / "env" / SITE)
    url_file(site, {"url": (tmp_path / "own/.tox/acme.tar.gz").as_uri(), "archive_info": {}})

    for text, result in (
        (PROJECT, Likeness.LOCAL),
        (PROJECT.replace("Widgets", "Gadgets"), Likeness.OTHER),
        ("[tool.poetry]\n", Likeness.OTHER),
    ):
        (tmp_path / "own/pyproject.toml").write_text(text)
        assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "own"]) == [result]
        assert likeness(Snapshot(), tmp_path / "env", [], [tmp_path / "other"]) == [Likeness.OTHER]


def test_what_a_new_environment_brings(tmp_path: Path) -> None:
    place = venv(tmp_path / "env")
    site = site_of(place)
    (site / "_virtualenv.pth").write_bytes(b"import _virtualenv")
    (site / "_virtualenv.py").write_bytes(b"")
    (place / "bin" / "\N{MATHEMATICAL ITALIC SMALL PI}thon").symlink_to("python")
    new = snapshot([place])

    assert compare(Snapshot(), new, [], []) == ()
    for path in (
        place / "pyvenv.cfg",
        place / "bin" / "activate",
        place / "bin" / "python",
        site / "_virtualenv.pth",
    ):
        path.unlink()
        path.write_bytes(b"evil")
        found = compare(new, snapshot([place]), [], [])
        assert str(path) in [each.subject for each in found]
    found = compare(Snapshot(), snapshot([place]), [], [])
    assert [each.subject for each in found] == [str(site / "_virtualenv.pth")]
    (place / "pyvenv.cfg").unlink()
    assert str(place / "bin" / "activate") in [
        each.subject for each in compare(Snapshot(), snapshot([place]), [], [])
    ]


def test_what_all_environments_of_pipx_share_is_one_that_is_looked_at(tmp_path: Path) -> None:
    places = [venv(tmp_path / name) for name in ("env", "shared")]
    names = site_of(places[0]) / "pipx_shared.pth"
    for content, is_known in (
        (f"{site_of(places[1])}\n", True),
        (f"{site_of(places[1])}\nimport evil\n", False),
        (f"{tmp_path}\n", False),
        ("import evil\n", False),
    ):
        names.write_text(content)
        assert (compare(Snapshot(), snapshot(places), [], []) == ()) is is_known
    names.write_text(f"{site_of(places[1])}\n")
    assert [each.subject for each in compare(Snapshot(), snapshot(places[:1]), [], [])] == [str(names)]


@pytest.mark.parametrize("by", ["pip", "uv"])
def test_a_directory_of_packages(tmp_path: Path, by: str) -> None:
    accepted = archive(tmp_path / "dist")
    target = tmp_path / "target"
    if by == "pip":
        by_pip(None, accepted.path, "--target", target)
    else:
        by_uv(None, accepted.path, "--target", target)
    before = snapshot([target])

    assert likeness(Snapshot(), target, [accepted], []) == [Likeness.SAME]
    (target / "bin" / "evil").write_bytes(b"")
    (target / "evil.pth").write_bytes(b"")
    (target / "acme" / "evil.py").write_bytes(b"")
    found = compare(before, snapshot([target]), [accepted], [])
    assert {each.subject for each in found} == {
        str(target / name) for name in ("bin/evil", "evil.pth", "acme/evil.py")
    }
    assert Likeness.OTHER in likeness(Snapshot(), target, [accepted], [])


def test_another_distribution_may_have_files_in_the_same_package(tmp_path: Path) -> None:
    site = planted(tmp_path / "env" / SITE)
    info = "acme_gadgets-1.0.dist-info"
    other = archives.wheel(
        {
            "acme/__init__.py": None,
            "acme/gadgets.py": "1\n",
            f"{archives.INFO}/METADATA": None,
            f"{archives.INFO}/WHEEL": None,
            f"{info}/METADATA": archives.METADATA.replace("widgets", "gadgets"),
            f"{info}/WHEEL": archives.WHEEL,
        },
        info=info,
    )
    planted(site, other)
    accepted = [
        archive(tmp_path / "dist", archives.wheel()),
        archive(tmp_path / "dist", other, "acme_gadgets-1.0-py3-none-any.whl"),
    ]

    assert likeness(Snapshot(), tmp_path / "env", accepted, []) == [Likeness.SAME] * 2
    os.rename(site / info, site / "gone")
    assert Likeness.OTHER in likeness(Snapshot(), tmp_path / "env", accepted, [])


@pytest.mark.interop
def test_pip_in_a_new_environment_is_the_one_that_python_brings(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    seeds = bundled_wheels([Path(sys.base_prefix)])

    assert {each.name.project for each in seeds} >= {"pip"}
    new = snapshot([tmp_path / "env"])
    assert {each.likeness for each in compare(Snapshot(), new, seeds, [])} == {Likeness.SAME}
    assert Likeness.OTHER in {each.likeness for each in compare(Snapshot(), new, [], [])}


def test_wheels_that_virtualenv_brings(tmp_path: Path) -> None:
    embed = tmp_path / SITE / "virtualenv/seed/wheels/embed"
    accepted = archive(embed)
    (embed / "no.whl").write_bytes(b"")
    (embed / "acme_widgets-2.0-py3-none-any.whl").symlink_to(archives.WHEEL_NAME)

    assert bundled_wheels([tmp_path, tmp_path / "none"]) == (accepted,)
