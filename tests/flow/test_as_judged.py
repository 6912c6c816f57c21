"""B01, B02, B07 from end to end: the installer reads what was judged, and nothing else reaches it."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archives import block, checked, padded, pax
from flow.user import User
from ordinary import parametrized
from pip_warden.sandbox import File, Project


@pytest.fixture
def evil(user: User) -> tuple[str, Path]:
    """A requirement on a local project, and the mark that its backend leaves when it is imported."""
    marker, directory = user.home / "evil-ran", user.home / "evil"
    directory.mkdir()
    (directory / "setup.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    return f"evil @ file://{directory}", marker


def by_type(name: str, hidden: bytes) -> bytes:
    """A file that tarfile takes for a directory, so that it reads the content as headers."""
    return pax({"path": name}) + block(f"{name}/", kind=b"\0", size=len(hidden)) + hidden


def by_size(name: str, hidden: bytes) -> bytes:
    """A file whose size tarfile reads as zero."""
    return block(name, raw_size=b"\0" + b"%011o" % len(hidden)) + hidden


def by_checksum(name: str, hidden: bytes) -> bytes:
    """A member that tarfile drops, and all after it: earlier members stay, pyproject.toml is lost."""
    head = bytearray(checked(bytearray(block(name, size=len(hidden)))))
    head[148:156] = b"\0" + bytes(head[148:154]) + b" "
    return bytes(head) + hidden


@parametrized("trick", [by_type, by_size, by_checksum], ordinary={0})
def test_b01_smuggled_build_requirements_are_never_read(
    user: User, evil: tuple[str, Path], trick: Callable[[str, bytes], bytes]
) -> None:
    requirement, marker = evil
    project = user.project()
    user.pin(project)
    plain = user.sdist(project)
    smuggled = File(name=plain.name, data=_smuggled(plain, requirement, trick))
    user.sandbox.publish(project, [smuggled])

    user.refused(project.record.name, code="malformed-sdist", files=[smuggled])

    assert not marker.exists()


def _smuggled(plain: File, requirement: str, trick: Callable[[str, bytes], bytes]) -> bytes:
    """Hide another pyproject.toml in the content of a member, before the real one."""
    archive = gzip.decompress(plain.data)
    with tarfile.open(fileobj=io.BytesIO(archive)) as listed:
        top = listed.getnames()[0].partition("/")[0]
    text = f'[build-system]\nrequires = ["{requirement}"]\n'.encode()
    hidden = block(f"{top}/pyproject.toml", size=len(text)) + padded(text)
    return gzip.compress(trick(f"{top}/data.bin", hidden) + archive)


def test_b02_requirements_beside_metadata_are_never_followed(user: User, evil: tuple[str, Path]) -> None:
    requirement, marker = evil
    project = user.project()
    user.pin(project)
    info = f"{project.record.name}-1.0.dist-info"
    wheel = user.wheel(project, files={f"{info}/requires.txt": f"{requirement}\n"})
    user.sandbox.publish(project, [wheel])

    user.refused(project.record.name, code="unexpected-metadata", files=[wheel])

    assert not marker.exists()


@parametrized("marker", ["'a' == 'a'", "'x' in extras", "os_name ~= 'x'"], ordinary={0})
def test_b07_a_marker_that_pip_stumbles_over_is_a_refusal_of_that_file_alone(user: User, marker: str) -> None:
    good = user.published()
    bad = user.published(requires=(f"idna ; {marker}",))
    refused = f"{bad.record.name}-1.0-py3-none-any.whl"

    result = user.refused(good.record.name, bad.record.name, code="bad-metadata")

    assert result.outcome(refused) == "refused"
    assert f"{good.record.name}-1.0-py3-none-any.whl" in result.accepted


LISTING = "listing.py"


def stranger(user: User, answer: str) -> str:
    """Make an interpreter that claims another version and other archive support, and is ours otherwise."""
    path = user.home / "strange-python"
    ours = user.target / "bin" / "python"
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        f"if '-c' in sys.argv: print('3.11', {str(user.target)!r}, '3.11.0 of strangers', sep='\\n')\n"
        f"elif sys.argv[-1].endswith({LISTING!r}): {answer}\n"
        f"else: os.execv({str(ours)!r}, [{str(ours)!r}, *sys.argv[1:]])\n"
    )
    path.chmod(0o700)
    return str(path)


ASKED = "open('asked', 'w').close(); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


def test_b01_the_interpreter_that_is_installed_into_lists_each_sdist_too(user: User) -> None:
    project, sdist = _with_sdist(user)

    result = user.type("--python", stranger(user, ASKED), "--dry-run", project.record.name)

    assert (result.code, result.accepted) == (0, {sdist.name}), result.output
    assert (user.home / "asked").exists()


@parametrized("answer", ["print('[]')", "sys.exit(1)", "pass"], ordinary={0})
def test_b01_an_sdist_that_it_lists_otherwise_is_refused(user: User, answer: str) -> None:
    project, sdist = _with_sdist(user)
    python = stranger(user, answer)

    assert user.type("--dry-run", project.record.name).code == 0
    result = user.type("--python", python, "--dry-run", project.record.name)

    assert (result.code, result.codes) == (1, {"archive-ambiguous"}), result.output
    assert result.outcome(sdist.name) == "refused"


def _with_sdist(user: User) -> tuple[Project, File]:
    project = user.project()
    user.pin(project)
    sdist = user.sdist(project)
    user.sandbox.publish(project, [sdist])
    return project, sdist


IMPORTED = (
    "pip",
    "packaging",
    "requests",
    "rich",
    "platformdirs",
    "certifi",
    "distutils",
    "setuptools",
    "_distutils_hack",
)
"""The modules that pip imports of its own, or might import from its target."""


def test_t44_pip_imports_nothing_that_it_installed(user: User) -> None:
    marker = user.home / "imported"
    hostile = {f"{name}/__init__.py": f"open({str(marker)!r}, 'w').close()\n" for name in IMPORTED}
    first = user.published(files=hostile)
    second = user.published()

    assert user.install(first.record.name).code == 0
    result = user.install(second.record.name)

    assert (result.code, set(user.installed())) == (0, {first.record.name, second.record.name}), result.output
    assert not marker.exists()
