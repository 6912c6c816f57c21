"""B10 to B12: what builds require, what a second run finds, and how pip interprets a path."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.installer.gate_port import HOST
from pip_warden.sandbox import File, Project
from pip_warden.sandbox.packages import backend_source


class Trap:
    """An unjudged wheel and project on this machine; each leaves a mark when its code is run."""

    def __init__(self, directory: Path) -> None:
        self.mark = directory / "evil-ran"
        directory.mkdir()
        self.directory = directory / "project"
        self.directory.mkdir()
        touch = f"open({str(self.mark)!r}, 'w').close()\n"
        (self.directory / "setup.py").write_text(touch)
        (self.directory / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "trap"\nbackend-path = ["."]\n'
        )
        (self.directory / "trap.py").write_text(touch)
        self.wheel = directory / "evil-9.0-py3-none-any.whl"
        info = "evil-9.0.dist-info"
        members = {
            "evil.pth": f"import os; {touch}",
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 9.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name, text in {**members, f"{info}/RECORD": record}.items():
                archive.writestr(name, text)

    def reference(self, kind: str) -> str:
        """Return a requirement that leads here."""
        return {
            "wheel": f"evil @ {self.wheel.as_uri()}",
            "directory": f"evil @ {self.directory.as_uri()}",
            "path": str(self.wheel),
            "localhost": f"evil @ file://localhost{self.wheel}",
            "git": f"evil @ git+file://{self.directory}",
        }[kind]


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


def hooked(name: str, version: str, hook: str, reference: str) -> str:
    """Write a backend with one more hook, which requires something."""
    return f"{backend_source(name, version)}\ndef {hook}(config_settings=None):\n    return [{reference!r}]\n"


def route_hook(user: User, project: Project, reference: str) -> File:
    name = project.record.name
    backend = hooked(name, "1.0", "get_requires_for_build_wheel", reference)
    return user.sdist(project, files={"_backend/sandbox_backend.py": backend})


def route_metadata(user: User, project: Project, reference: str) -> File:
    backend = backend_source(project.record.name, "1.0", requires=[reference])
    return user.sdist(project, files={"_backend/sandbox_backend.py": backend})


def route_setup_requires(user: User, project: Project, reference: str) -> File:
    tools = repacked("setuptools")
    user.sandbox.upstream.add("setuptools", [tools])
    user.pin_hash(tools, name="setuptools")
    name = project.record.name
    return user.sdist(
        project,
        build_requires=("setuptools",),
        backend="setuptools.build_meta",
        files={
            "setup.cfg": (
                f"[metadata]\nname = {name}\nversion = 1.0\n[options]\nsetup_requires =\n    {reference}\n"
            ),
            "setup.py": "import setuptools\nsetuptools.setup()\n",
        },
    )


def route_nested(user: User, project: Project, reference: str) -> File:
    """A build dependency is itself an sdist, whose build requires the trap."""
    needed = user.project()
    user.pin(needed)
    user.sandbox.publish(needed, [route_hook(user, needed, reference)])
    return user.sdist(project, build_requires=(needed.record.name,), backend=f"{needed.record.name}_backend")


Route = Callable[[User, Project, str], File]
ROUTES: list[Route] = [route_hook, route_metadata, route_setup_requires, route_nested]


@parametrized(
    ("route", "words"),
    [
        *((route, ()) for route in ROUTES),
        (route_hook, ("--dry-run",)),
        (route_metadata, ("--download", "files")),
    ],
    ordinary={0, 1, 2},
)
def test_b10_what_an_accepted_sdist_asks_for_is_never_opened(
    user: User, trap: Trap, route: Route, words: tuple[str, ...]
) -> None:
    project = user.project()
    user.pin(project)
    user.sandbox.publish(project, [route(user, project, trap.reference("wheel"))])

    never_opened(user, trap, *words, project.record.name, twice=route is route_metadata and not words)
    assert not (user.home / "files").exists()


@parametrized(
    ("route", "kind", "code"),
    [
        (route_hook, "directory", "not-through-gate"),
        (route_hook, "git", "not-through-gate"),
        (route_hook, "path", "pip-failed"),
        (route_metadata, "localhost", "not-through-gate"),
        (route_metadata, "git", "not-through-gate"),
    ],
    ordinary={0, 3},
)
def test_b10_however_it_is_spelled(user: User, trap: Trap, route: Route, kind: str, code: str) -> None:
    """Where a build requires something, a path is no requirement to pip."""
    project = user.project()
    user.pin(project)
    user.sandbox.publish(project, [route(user, project, trap.reference(kind))])

    result = user.refused(project.record.name, code=code, exit_code=4 if code == "pip-failed" else 1)

    assert not trap.mark.exists()
    if code == "not-through-gate":
        asks = "the build of " if route is route_hook else ""
        assert f", wanted by {asks}{project.record.name}" in result.document["error"]["message"]


@parametrized(
    ("words", "hook"),
    [
        ((".",), "get_requires_for_build_wheel"),
        (("-e", "."), "get_requires_for_build_editable"),
        (("--dry-run", "."), "get_requires_for_build_wheel"),
    ],
    ordinary={0},
)
def test_b10_what_a_local_project_asks_for_is_never_opened(
    user: User, trap: Trap, words: tuple[str, ...], hook: str
) -> None:
    unpack(user.sandbox.sdist("mine", "1.0"), user.home)
    backend = hooked("mine", "1.0", hook, trap.reference("directory"))
    (user.home / "_backend" / "sandbox_backend.py").write_text(f"{backend}{EDITABLE}")

    never_opened(user, trap, *words, twice=words == (".",))


@parametrized("words", [(".",), ("-e", ".")], ordinary={0})
def test_b10_what_a_local_project_s_metadata_asks_for_is_never_opened(
    user: User, trap: Trap, words: tuple[str, ...]
) -> None:
    unpack(user.sandbox.sdist("mine", "1.0"), user.home)
    backend = backend_source("mine", "1.0", requires=[trap.reference("wheel")])
    (user.home / "_backend" / "sandbox_backend.py").write_text(f"{backend}{EDITABLE}")

    never_opened(user, trap, *words)


def test_b10_a_directory_below_the_user_s_own_is_not_the_user_s_own(user: User, trap: Trap) -> None:
    unpack(user.sandbox.sdist("mine", "1.0"), user.home)
    reference = f"evil @ {user.home.as_uri()}#subdirectory=../trap/project"
    backend = hooked("mine", "1.0", "get_requires_for_build_wheel", reference)
    (user.home / "_backend" / "sandbox_backend.py").write_text(backend)

    never_opened(user, trap, ".")


@parametrized("words", [(), ("--download", "files")], ordinary={0})
def test_b10_a_link_into_the_index_is_no_way_round_what_was_asked_for(
    user: User, words: tuple[str, ...]
) -> None:
    """It would choose a release that was not requested, even a yanked one.

    The recorded host would be one that does not exist.
    """
    good, project = user.published("1.0", "2.0"), user.project()
    user.pin(project)
    name = good.record.name
    reference = f"{name} @ http://{HOST}/files/{name}/{name}-1.0-py3-none-any.whl"
    user.sandbox.publish(project, [route_metadata(user, project, reference)])

    user.refused(*words, project.record.name, code="not-through-gate")


def never_opened(user: User, trap: Trap, *words: str, twice: bool = False) -> None:
    """Install; if twice, refused both times: the first run has left nothing for the second to find (B11)."""
    for _ in range(2 if twice else 1):
        result = user.refused(*words, code="not-through-gate")
        assert not trap.mark.exists()
        assert "evil" in result.output
        assert user.installed() == {}


REPLACE = """

import os, pathlib
_build = build_wheel


def build_wheel(*rest, **named):
    for path in pathlib.Path(os.environ["TMPDIR"]).rglob({pattern!r}):
        path.write_bytes(pathlib.Path({evil!r}).read_bytes())
    return _build(*rest, **named)
"""


def test_b11_bytes_that_change_after_their_verdict_are_not_installed(user: User, trap: Trap) -> None:
    """A build replaces another package's wheel where pip keeps it: detected before installation, always."""
    good, project = user.published(), user.project()
    user.pin(project)
    name = project.record.name
    pattern = f"{good.record.name}-*.whl"
    backend = backend_source(name, "1.0") + REPLACE.format(pattern=pattern, evil=str(trap.wheel))
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": backend})])

    for _ in range(2):
        user.refused(good.record.name, name, code="not-through-gate")
        assert user.installed() == {}


@parametrized("words", [(), ("--download", "files")], ordinary={0})
def test_b11_an_index_that_states_no_digest_is_no_way_past_and_no_obstacle(
    user: User, words: tuple[str, ...]
) -> None:
    wheel = user.sandbox.wheel("plain", "1.0")
    (listed,) = user.sandbox.upstream.add("plain", [wheel])
    listed.claimed_sha256 = ""
    user.pin_hash(wheel, name="plain")

    result = user.install(*words, "plain")

    assert (result.code, result.accepted) == (0, {wheel.name}), result.output
    assert user.installed() == ({} if words else {"plain": "1.0"})


def test_b11_nothing_is_built_twice(user: User) -> None:
    needed, project, marker = user.published(), user.project(), user.home / "ran"
    user.pin(project)
    user.sandbox.publish(project, [user.sdist(project, requires=(needed.record.name,), marker=marker)])

    assert user.install(project.record.name).code == 0

    lines = [line for line in marker.read_text().splitlines() if line != "import"]
    assert lines == ["get_requires_for_build_wheel", "prepare_metadata_for_build_wheel", "build_wheel"]
    assert left_by(user.site, project.record.name) == (None, True)
    assert left_by(user.site, needed.record.name) == (None, False)


@pytest.mark.interop
def test_b11_what_is_recorded_is_what_plain_pip_records(user: User) -> None:
    """Of each kind one: a file, an unpacked project, an editable one, with and without extras."""
    kinds = {
        kind: user.project() for kind in ("wheel", "sdist", "sdist[extra]", "mine", "mine[extra]", "editable")
    }
    words = [word for kind, project in kinds.items() for word in recorded(user, project, kind)]

    result = user.install(*words)

    assert result.code == 0, result.output
    plain = user.home / "plain"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", str(plain), *words]
    subprocess.run([*pip, "--disable-pip-version-check", "--no-warn-script-location"], check=True)
    for kind, project in kinds.items():
        name = project.record.name
        assert left_by(user.site, name) == left_by(plain, name), kind
        assert left_by(user.site, name)[1], kind


def recorded(user: User, project: Project, kind: str) -> list[str]:
    """Put a signed file or a project of one's own into the working directory; return how it is asked for."""
    name, (what, bracket, extra) = project.record.name, kind.partition("[")
    if what in {"wheel", "sdist"}:
        user.pin(project)
        file = user.wheel(project) if what == "wheel" else user.sdist(project)
        user.sandbox.publish(project, [file])
        evidence = f"{file.name}.sigstore.json"
        (user.home / file.name).write_bytes(file.data)
        (user.home / evidence).write_bytes(user.sandbox.evidence(project, evidence))
        return [f"./{file.name}{bracket}{extra}"]
    unpack(user.sdist(project), user.home / name)
    backend = user.home / name / "_backend" / "sandbox_backend.py"
    backend.write_text(backend.read_text() + EDITABLE)
    return ["-e", f"./{name}"] if what == "editable" else [f"./{name}{bracket}{extra}"]


def left_by(site: Path, name: str) -> tuple[object, bool]:
    """Return a distribution's ``direct_url.json``, and whether it was requested by name (REQUESTED)."""
    info = next(site.glob(f"{name}-*.dist-info"))
    url = info / "direct_url.json"
    return json.loads(url.read_text()) if url.exists() else None, (info / "REQUESTED").exists()


SPLIT = ["foo[bar]", 'foo;python_version>"3"']
"""What pip reads as an extra, and as a marker."""

STRANGE = [*SPLIT, "foo#egg=evil", "foo%5Bbar%5D", "foo bar", "foo @ file:", "föö?x"]
WORDS = [("-e", "."), (".[extra]",), ("-e", ".[extra]")]


@parametrized(
    ("name", "words"),
    [(name, (".",)) for name in STRANGE]
    + [(SPLIT[0], words) for words in WORDS]
    + [(SPLIT[1], (".[extra]",))],
    ordinary={0, 1, 8},
)
def test_b12_the_directory_that_is_checked_is_the_one_that_is_built(
    user: User, name: str, words: tuple[str, ...]
) -> None:
    """Next to it is the one that pip would read the path as."""
    place, mark = user.home / name, user.home / "evil-ran"
    unpack(user.sandbox.sdist("mine", "1.0"), place)
    backend = place / "_backend" / "sandbox_backend.py"
    backend.write_text(backend.read_text() + EDITABLE)
    for other in ("foo", "foo[bar]", "foo%5Bbar%5D"):
        if other != name:
            unpack(user.sandbox.sdist("mine", "6.6"), user.home / other)
            text = f"open({str(mark)!r}, 'w').close()\n"
            (user.home / other / "_backend" / "sandbox_backend.py").write_text(text)
    user.patch.chdir(place)

    result = user.install("--trust", str(user.home / "pytrust.toml"), *words)

    assert not mark.exists()
    if ";" in name and words == (".[extra]",):
        assert (result.code, result.codes) == (2, {"bad-requirement"}), result.output
        return
    assert (result.code, user.installed()) == (0, {"mine": "1.0"}), result.output


@pytest.mark.parametrize("words", [(".",), ("-e", "."), (".[extra]",), ("-e", ".[extra]")])
@pytest.mark.parametrize("other", ["foo\ufffd", "foo"])
def test_b12_a_directory_whose_name_is_no_text_is_not_taken_for_another(
    user: User, words: tuple[str, ...], other: str
) -> None:
    """Pip reads a byte of a URL that is not UTF-8 as U+FFFD, which another directory's name may contain."""
    place, mark = user.home / os.fsdecode(b"foo\xff"), user.home / "evil-ran"
    for path, version in ((place, "1.0"), (user.home / other, "6.6")):
        unpack(user.sandbox.sdist("mine", version), path)
    backend = user.home / other / "_backend" / "sandbox_backend.py"
    backend.write_text(f"open({str(mark)!r}, 'w').close()\n")
    user.patch.chdir(place)

    result = user.install("--trust", str(user.home / "pytrust.toml"), *words)

    assert not mark.exists()
    assert (result.code, result.codes) == (2, {"bad-requirement"}), result.output


EDITABLE = """

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return build_wheel(wheel_directory)


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    return prepare_metadata_for_build_wheel(metadata_directory)
"""


def unpack(sdist: File, target: Path) -> None:
    """Unpack an sdist's own directory into another."""
    with tarfile.open(fileobj=io.BytesIO(sdist.data)) as archive:
        for member in archive.getmembers():
            member.name = member.name.partition("/")[2]
            archive.extract(member, target, filter="data")


def repacked(name: str) -> File:
    """Rebuild the wheel of a distribution that is installed here."""
    found = distribution(name)
    info = f"{name}-{found.version}.dist-info"
    left_out = {f"{info}/{file}" for file in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")}
    members = {
        str(file): Path(str(found.locate_file(file))).read_bytes()
        for file in found.files or ()
        if not str(file).startswith("..") and not str(file).endswith(".pyc") and str(file) not in left_out
    }
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        writer.writerow((path, f"sha256={digest}", len(content)))
    writer.writerow((f"{info}/RECORD", "", ""))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in {**members, f"{info}/RECORD": rows.getvalue().encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return File(name=f"{name}-{found.version}-py3-none-any.whl", data=packed.getvalue())
