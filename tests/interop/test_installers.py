"""Real installers against real registries, plain and behind the gate: what works, and what is refused."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from interop.installers import INSTALLERS, Installer, Pipx, Place, Registries, program
from pip_warden.artifact.layout import RECEIPT

pytestmark = pytest.mark.interop

WANTED = {"acme_widgets-1.0", "acme_core-1.0", "open_pad-1.0"}
TOOLS = ("pip", "uv", "poetry", "pdm")
_ACCEPTED = re.compile(r"✓ (\S+) accepted")
ADDED = {"acme_extra-1.0", "open_more-1.0"}


@pytest.fixture
def plain(registries: Registries, empty_environment: Path, tmp_path: Path) -> Place:
    """A project whose commands reach the registries themselves."""
    return _place(registries, empty_environment, tmp_path / "plain")


@pytest.fixture
def gated(registries: Registries, empty_environment: Path, tmp_path: Path) -> Place:
    """The same project, whose commands are run behind the gate."""
    return _place(registries, empty_environment, tmp_path / "gated", gated=True)


def _place(registries: Registries, empty: Path, home: Path, *, gated: bool = False) -> Place:
    home.mkdir()
    made = Place(registries=registries, directory=home / "app", home=home, gated=gated)
    made.lay(empty)
    return made


def each(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrize with the installers of these names, or all."""
    chosen = [tool for tool in INSTALLERS if not names or tool.name in names]
    return pytest.mark.parametrize("tool", chosen, ids=[tool.name for tool in chosen])


def refused(tool: Installer, place: Place, commands: Sequence[Sequence[str]], *codes: str) -> None:
    """Run commands behind the gate: one is refused with one of these codes, and installs nothing.

    A tool that installs one package while it fetches the next may have installed others, which were accepted.
    """
    before = place.snapshot()
    ran = (place.run(words) for words in commands)
    done = next(one for one in ran if one.code)
    assert done.code == 1, done.output
    assert any(f"[{code}]" in done.output for code in codes), done.output
    if tool.at_once:
        assert place.snapshot() == before
    accepted = {found.removesuffix("-py3-none-any.whl") for found in _ACCEPTED.findall(done.output)}
    assert place.installed() <= accepted


def looks_again(place: Place, site: Path, words: Sequence[str]) -> None:
    """Run a command again: all that was installed has a receipt, and is as it was."""
    received = {path.parent.name.removesuffix(".dist-info") for path in site.glob(f"*/{RECEIPT}")}
    assert received >= WANTED
    done = place.run(words, "--strict")
    assert done.code == 0, done.output
    for name in WANTED:
        said = f"{name.replace('_', '-').replace('-1', ' 1')} verified earlier, unchanged"
        assert said in done.output, done.output


@each()
def test_locks_are_the_same_and_everything_is_installed(tool: Installer, plain: Place, gated: Place) -> None:
    locks = []
    for place in (plain, gated):
        tool.lay(place, "acme-widgets")
        place.ok(*tool.lock())
        made = place.read(tool.lock_file)
        place.ok(*tool.install())
        assert place.installed() >= WANTED
        assert place.read(tool.lock_file) == made
        place.ok(*tool.add("acme-extra"))
        assert place.installed() >= WANTED | ADDED
        locks.append((made, place.read(tool.lock_file)))

    assert locks[0] == locks[1]
    looks_again(gated, gated.site, tool.install()[0])


@each()
def test_a_file_that_was_exchanged_is_refused_though_index_and_lock_agree(
    tool: Installer, plain: Place, gated: Place
) -> None:
    with plain.registries.exchanged("open-pad"):
        tool.lay(plain, "acme-widgets")
        plain.ok(*tool.lock(), *tool.install())
        tool.lay(gated, "acme-widgets")
        gated.write(tool.lock_file, plain.read(tool.lock_file).decode())
        refused(tool, gated, tool.install(), "pinned-digest-differs")

    assert "SystemExit" in (plain.site / "open_pad" / "__init__.py").read_text(encoding="utf-8")


@each("uv", "poetry")
def test_a_signed_file_that_was_exchanged_is_refused(tool: Installer, plain: Place, gated: Place) -> None:
    with plain.registries.exchanged("acme-core"):
        for place in (plain, gated):
            tool.lay(place, "acme-widgets")
        plain.ok(*tool.lock())
        gated.write(tool.lock_file, plain.read(tool.lock_file).decode())
        refused(tool, gated, tool.install(), "bad-signature")


@each(*TOOLS)
def test_a_name_that_is_not_pinned_is_refused(tool: Installer, plain: Place, gated: Place) -> None:
    tool.lay(gated, "acme-widgets", "acme-stranger")
    refused(tool, gated, tool.lock(), "not-pinned")

    for place in (plain, gated):
        tool.lay(place, "acme-widgets", "open-stranger")
    plain.ok(*tool.lock())
    gated.write(tool.lock_file, plain.read(tool.lock_file).decode())
    refused(tool, gated, tool.install(), "not-pinned")


@each()
def test_a_lock_that_leads_to_another_host_is_refused(tool: Installer, plain: Place, gated: Place) -> None:
    tool.lay(plain, "acme-widgets")
    plain.ok(*tool.lock())
    lock = plain.read(tool.lock_file).decode()
    away = tool.led_away(lock, plain.registries)
    assert away != lock
    plain.write(tool.lock_file, away)
    plain.ok(*tool.install())
    assert plain.installed() >= WANTED

    tool.lay(gated, "acme-widgets")
    gated.write(tool.lock_file, away)
    refused(tool, gated, tool.install(), "outside-the-gate", "leads-elsewhere")
    assert gated.read(tool.lock_file).decode() == away


@each(*TOOLS)
def test_a_repository_is_refused(tool: Installer, gated: Place, tmp_path: Path) -> None:
    repository = tmp_path / "acme-git"
    _project_of_a_stranger(repository)
    git = ("git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "a")):
        subprocess.run([*git, *words], check=True)
    tool.lay(gated, "acme-widgets", f"acme-git @ git+file://{repository}")
    refused(tool, gated, [*tool.lock(), *tool.install()], "leads-elsewhere")


@each(*TOOLS)
def test_a_directory_is_refused(tool: Installer, gated: Place, tmp_path: Path) -> None:
    directory = tmp_path / "acme-git"
    _project_of_a_stranger(directory)
    tool.lay(gated, "acme-widgets", f"acme-git @ {directory.as_uri()}")
    refused(tool, gated, [*tool.lock(), *tool.install()], "leads-elsewhere")


def _project_of_a_stranger(directory: Path) -> None:
    directory.mkdir()
    (directory / "acme_git.py").touch()
    (directory / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "nobody"\nbackend-path = ["."]\n'
        '[project]\nname = "acme-git"\nversion = "1.0"\n',
        encoding="utf-8",
    )


def test_pipx_installs_and_upgrades_an_application(plain: Place, gated: Place) -> None:
    plain.registries.offer_pip()  # which pipx gets for itself where the gate does not keep it from it
    for place in (plain, gated):
        pipx = Pipx(place)
        place.ok(pipx.install("acme-tool==1.0"), pipx.upgrade("acme-tool"))
        place.ok([str(pipx.bin / "acme-tool")])
        (site,) = pipx.venv("acme-tool").glob("lib/python*/site-packages")
        assert (site / "acme_tool-2.0.dist-info").is_dir()


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("acme-stranger", "not-pinned"),
        ("git+file:///nowhere/acme-tool", "leads-elsewhere"),
        ("https://127.0.0.1:1/acme_tool-1.0-py3-none-any.whl", "leads-elsewhere"),
        ("{}", "leads-elsewhere"),
    ],
    ids=["name", "repository", "url", "directory"],
)
def test_pipx_installs_no_application_that_is_not_pinned(
    gated: Place, tmp_path: Path, wanted: str, code: str
) -> None:
    _project_of_a_stranger(tmp_path / "acme-git")
    done = gated.run(Pipx(gated).install(wanted.format(tmp_path / "acme-git")))

    assert (done.code, f"[{code}]" in done.output) == (1, True), done.output
    assert not list((gated.home / "pipx").glob("venvs/*/lib/python*/site-packages/acme*"))


def test_pipx_installs_no_file_that_was_exchanged(gated: Place) -> None:
    with gated.registries.exchanged("open-pad"):
        done = gated.run(Pipx(gated).install("acme-widgets"))

    assert (done.code, "[pinned-digest-differs]" in done.output) == (1, True), done.output
    assert not list((gated.home / "pipx").glob("venvs/*/lib/python*/site-packages/acme*"))


SESSIONS = {
    "tox": (
        "tox.ini",
        "[tox]\nenv_list = py\nno_package = true\n[testenv]\ndeps = {}\ncommands = python -c '{}'\n",
        ["run"],
    ),
    "nox": (
        "noxfile.py",
        (
            "import nox\n\n@nox.session\ndef py(session):\n"
            '    session.install("{}")\n    session.run("python", "-c", "{}")\n'
        ),
        [],
    ),
    "hatch": (
        "pyproject.toml",
        (
            '[project]\nname = "app"\nversion = "0.1"\n[tool.hatch.envs.default]\nskip-install = true\n'
            'dependencies = ["{}"]\n[tool.hatch.envs.default.scripts]\npy = "python -c \'{}\'"\n'
        ),
        ["run", "py"],
    ),
}
"""By tool: the file that names what a session needs and runs, and how it is started."""


@pytest.mark.parametrize("name", SESSIONS)
def test_the_environment_of_a_session_gets_what_is_pinned(gated: Place, name: str) -> None:
    file, text, words = SESSIONS[name]
    shutil.rmtree(gated.environment)
    gated.write(file, text.format("acme-widgets", "import acme_widgets, open_pad"))
    gated.ok([program(name), *words])
    (site,) = [path.parent for path in gated.home.rglob("acme_widgets-1.0.dist-info")]
    keeps = ["-r"] if name == "nox" else []  # it makes its environment anew, unless it is told not to
    looks_again(gated, site, [program(name), *keeps, *words])

    gated.write(file, text.format("acme-stranger", "import acme_stranger"))
    done = gated.run([program(name), *words])
    assert (done.code, "[not-pinned]" in done.output) == (1, True), done.output


@each("poetry", "pdm")
def test_the_environment_that_a_tool_makes_itself_is_known(tool: Installer, gated: Place) -> None:
    shutil.rmtree(gated.environment)
    tool.lay(gated, "acme-widgets")
    gated.ok(*tool.lock(), *tool.install())

    assert gated.installed() >= WANTED


PEEK = """
import os, pathlib, shutil, ssl, sys, urllib.request
shutil.copy(os.environ["SSL_CERT_FILE"], sys.argv[1])
urllib.request.urlopen(sys.argv[2]).read()
print("read", len({os.environ[name] for name in sys.argv[3:]}))
"""
VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


def test_the_authority_of_a_run_is_the_childs_alone(gated: Place, tmp_path: Path) -> None:
    """Nothing of it is left, and it does not vouch for the servers that it stood for."""
    kept = tmp_path / "kept.pem"
    gated.extra["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    gated.write("peek.py", PEEK)
    page = f"{gated.registries.public}/open-pad/"
    done = gated.run([sys.executable, "peek.py", str(kept), page, *VARIABLES])

    assert "read 1" in done.output, done.output
    context = ssl.create_default_context(cafile=str(kept))
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(page, context=context)  # noqa: S310
    left = [path for path in (tmp_path / "tmp", gated.home) for path in path.rglob("*") if path.is_file()]
    texts = {path: path.read_bytes() for path in left}
    assert not [path for path, text in texts.items() if b"PRIVATE KEY" in text]
    assert not [path for path, text in texts.items() if kept.read_bytes() in text and path != kept]
