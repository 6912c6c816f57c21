"""A backend for the loopback server that responds from memory."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pip_warden.errors import WardenError
from pip_warden.installer.model import LinkRequest, ListedFile, PlannedInstall, ServedFile
from pip_warden.names import ProjectName


def metadata(name: str, version: str, *requires: str) -> bytes:
    """Return METADATA."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires), ""]).encode()


def wheel(name: str, version: str, *requires: str) -> bytes:
    """Build a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": f"VERSION = {version!r}\n".encode(),
        f"{info}/METADATA": metadata(name, version, *requires),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for member, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        rows.append(f"{member},sha256={digest},{len(content)}")
    members[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return packed.getvalue()


_BACKEND = """
import pathlib, {needs}
pathlib.Path({marker!r}).write_text("ran")
def build_wheel(directory, settings=None, metadata=None):
    pathlib.Path(directory, {filename!r}).write_bytes(bytes.fromhex({content!r}))
    return {filename!r}
"""


def sdist(name: str, version: str, *requires: str, needs: str, marker: Path) -> bytes:
    """Build an sdist whose backend imports another package, leaves a mark, and makes its requirements."""
    backend = _BACKEND.format(
        needs=needs,
        marker=str(marker),
        filename=f"{name}-{version}-py3-none-any.whl",
        content=wheel(name, version, *requires).hex(),
    )
    project = f'[build-system]\nrequires = ["{needs}"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    members = {
        "PKG-INFO": _dynamic(name, version),
        "pyproject.toml": project.encode(),
        "backend.py": backend.encode(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member, content in members.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{member}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _dynamic(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\nDynamic: Requires-Dist\n".encode()


@dataclass
class FakeBackend:
    """A backend with some wheels and sdists, and errors for what it is to refuse."""

    directory: Path
    wheels: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _what: None
    handing: Callable[[Path], object] = lambda _path: None
    bytes_sent: int = 0
    taken: list[str] = field(default_factory=list)

    def add(self, name: str, version: str, *requires: str) -> str:
        """Put a wheel on the backend and return its SHA-256."""
        content = wheel(name, version, *requires)
        self.wheels[name, version] = requires
        (self.directory / f"{name}-{version}-py3-none-any.whl").write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def add_sdist(self, name: str, version: str, *requires: str, needs: str, marker: Path) -> str:
        """Put an sdist on the backend and return its SHA-256."""
        content = sdist(name, version, *requires, needs=needs, marker=marker)
        (self.directory / f"{name}-{version}.tar.gz").write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        self._ask(f"page {project}")
        files = sorted(self.directory.glob(f"{project}-*"))
        return tuple(
            ListedFile(
                filename=file.name,
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                upload_time="2026-01-01T00:00:00Z",
                size=file.stat().st_size,
            )
            for file in files
        )

    def file(self, project: ProjectName, filename: str) -> ServedFile:  # noqa: ARG002 -- part of the protocol
        self._ask(f"file {filename}")
        name, version, *_ = filename.removesuffix(".tar.gz").split("-")
        known = (
            metadata(name, version, *self.wheels[name, version])
            if filename.endswith(".whl")
            else _dynamic(name, version)
        )
        return ServedFile(metadata=known, hand_over=lambda: self._copy(filename))

    def _copy(self, filename: str) -> Path:
        """Hand over a copy, which whoever asks may move away."""
        copies = Path(tempfile.mkdtemp(dir=self.directory))
        copy = Path(shutil.copy(self.directory / filename, copies))
        self.handing(copy)
        return copy

    def carried(self, size: int) -> None:
        self.bytes_sent += size

    def sent(self, filename: str) -> None:
        self.taken.append(filename)

    def link(self, asked: LinkRequest) -> str:
        self._ask(f"link {asked.url}")
        return ""

    def plan(self, items: tuple[PlannedInstall, ...]) -> None:
        self._ask("plan " + " ".join(f"{item.name}=={item.version}" for item in items))

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        self.before(what)
        if what in self.errors:
            raise self.errors[what]


def error(kind: type[WardenError], code: str) -> WardenError:
    """Make an error to be refused with."""
    return kind(code, f"expected a test, found {code}")
