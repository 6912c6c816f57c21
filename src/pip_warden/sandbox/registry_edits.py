"""Changes to the registries' contents, made directly in the state: publishing, tampering and false claims."""

from __future__ import annotations

from hashlib import sha256 as _sha256
from typing import TYPE_CHECKING

from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.gitlab.model import PackageType
from pip_warden.sandbox.packages import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pip_warden.sandbox.gitlab.model import FileRow, PackageRow
    from pip_warden.sandbox.gitlab.state import GitLabState
    from pip_warden.sandbox.handles import Job, Project

_BITS = 8


class RegistryEdits:
    """Change packages and evidence of projects; HTTP sees the same state at once."""

    state: GitLabState

    def put_files(self, project: Project, files: Iterable[File], *, job: Job | None = None) -> None:
        """Put files into the PyPI registry as an honest upload would."""
        with self.state.lock:
            for file in files:
                package = self.state.package(
                    project.record, PackageType.PYPI, file.distribution, file.version
                )
                package.requires_python = file.claimed_requires_python
                context = job.context if job else None
                row = self.state.add_file(
                    package, file.name, file.data, claimed_sha256=file.sha256, job=context
                )
                row.requires_python = file.claimed_requires_python

    def put_file_by_path(self, project: Project, path: Path) -> None:
        """Put a file of any size into the PyPI registry: it is served from where it lies, and stays there."""
        named = File(name=path.name, data=b"")
        with self.state.lock:
            package = self.state.package(project.record, PackageType.PYPI, named.distribution, named.version)
            row = self.state.add_file(package, path.name, b"", claimed_sha256=None)
            row.path = path
            row.requires_python, row.claimed_sha256 = "", row.sha256

    def put_evidence(
        self, project: Project, version: str, evidence: Mapping[str, bytes], *, package: str | None = None
    ) -> None:
        """Put evidence into the generic registry.

        It is put into ``{project-name}/{version}`` (``__`` for an epoch's ``!``).

        Args:
            project: The project.
            version: Version of the generic package.
            evidence: Contents by file name; a name that is there already gets a second, newer row.
            package: Name of the generic package; the project's name by default.
        """
        with self.state.lock:
            name, label = package or project.record.name, version.replace("!", "__")
            row = self.state.package(project.record, PackageType.GENERIC, name, label)
            for file_name, data in evidence.items():
                digest = _sha256(data).hexdigest()
                self.state.add_file(row, file_name.replace("!", "__"), data, claimed_sha256=digest)

    def tamper(
        self,
        project: Project,
        filename: str,
        *,
        data: bytes | None = None,
        flip_bit: int | None = None,
        keep_claimed_hash: bool = True,
    ) -> None:
        """Change the bytes of a file of the PyPI registry.

        Args:
            project: The project.
            filename: The file.
            data: New bytes.
            flip_bit: Instead: the bit to flip, counted from the first byte's lowest.
            keep_claimed_hash: Whether the index still claims the old hash, or claims that of the new bytes.

        Raises:
            SandboxError: No such file, or neither data nor bit is given.
        """
        with self.state.lock:
            _, file = self._newest(project, filename, PackageType.PYPI)
            file.data = _changed(file.data, data, flip_bit)
            if not keep_claimed_hash:
                file.claimed_sha256 = file.sha256

    def replace_evidence(
        self,
        project: Project,
        name: str,
        data: bytes | None = None,
        *,
        flip_bit: int | None = None,
        newer_row: bool = False,
    ) -> None:
        """Replace a file of the generic registry: in place, or by a newer row that hides the older one.

        Raises:
            SandboxError: No such file, or neither data nor bit is given.
        """
        with self.state.lock:
            package, file = self._newest(project, name, PackageType.GENERIC)
            changed = _changed(file.data, data, flip_bit)
            if newer_row:
                self.state.add_file(package, name, changed, claimed_sha256=_sha256(changed).hexdigest())
            else:
                file.data, file.claimed_sha256 = changed, _sha256(changed).hexdigest()

    def delete_evidence(self, project: Project, name: str) -> None:
        """Delete every row of that name from the generic registry.

        Raises:
            SandboxError: No such file.
        """
        self._delete(project, name, PackageType.GENERIC)

    def delete_file(self, project: Project, filename: str) -> None:
        """Delete a file from the PyPI registry; GitLab accepts the same name again.

        Raises:
            SandboxError: No such file.
        """
        self._delete(project, filename, PackageType.PYPI)

    def evidence(self, project: Project, name: str) -> bytes:
        """Return the newest evidence of that name.

        Raises:
            SandboxError: No such file.
        """
        with self.state.lock:
            return self._newest(project, name, PackageType.GENERIC)[1].data

    def lie(
        self,
        project: Project,
        filename: str,
        *,
        sha256: str | None = None,
        requires_python: str | None = None,
        hidden: bool | None = None,
        rename: str | None = None,
        url: str | None = None,
    ) -> None:
        """Make the PyPI index claim something untrue about a file; None leaves a value as it is.

        Args:
            project: The project.
            filename: The file.
            sha256: The digest to claim; empty for none at all.
            requires_python: What to claim, for the whole version as in GitLab.
            hidden: Whether to hide the whole version, as any Developer can.
            rename: The name to list and serve the same bytes under.
            url: The link for the file (the digest's fragment is added); empty for the true one.

        Raises:
            SandboxError: No such file.
        """
        with self.state.lock:
            package, file = self._newest(project, filename, PackageType.PYPI)
            if sha256 is not None:
                file.claimed_sha256 = sha256 or None
            if requires_python is not None:
                package.requires_python = file.requires_python = requires_python
            if hidden is not None:
                package.status = "hidden" if hidden else "default"
            if rename is not None:
                file.name = rename
            if url is not None:
                file.claimed_url = url or None

    def _delete(self, project: Project, name: str, type_: PackageType) -> None:
        with self.state.lock:
            self._newest(project, name, type_)
            for package in project.record.packages:
                if package.type is type_:
                    package.files = [file for file in package.files if file.name != name]
            project.record.packages[:] = [package for package in project.record.packages if package.files]

    def _newest(self, project: Project, name: str, type_: PackageType) -> tuple[PackageRow, FileRow]:
        rows = [
            (package, file)
            for package in project.record.packages
            if package.type is type_
            for file in package.files
            if file.name == name
        ]
        if not rows:
            msg = f"project {project.path} has no {type_.value} file {name!r}"
            raise SandboxError(msg)
        return max(rows, key=lambda pair: pair[1].id)


def flipped(data: bytes, bit: int) -> bytes:
    """Return the data with one bit flipped, counted from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // _BITS] ^= 1 << bit % _BITS
    return bytes(changed)


def _changed(old: bytes, data: bytes | None, flip_bit: int | None) -> bytes:
    if data is not None:
        return data
    if flip_bit is None:
        msg = "say what to change: data=… or flip_bit=…"
        raise SandboxError(msg)
    return flipped(old, flip_bit)
