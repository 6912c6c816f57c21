"""Builds tiny wheels and sdists, valid for every installer, as bytes and without any build tool."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_DATE = (2024, 1, 1, 0, 0, 0)

Content = str | bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A distribution file: its name and its bytes.

    Attributes:
        claimed_requires_python: What an index says about it; not read from the bytes.
    """

    name: str
    data: bytes = field(repr=False)
    claimed_requires_python: str = ""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def distribution(self) -> str:
        """Return the project's name as the file name spells it."""
        return self.name.split("-")[0] if self.name.endswith(".whl") else self._stem.rpartition("-")[0]

    @property
    def version(self) -> str:
        """Return the version as the file name spells it."""
        return self.name.split("-")[1] if self.name.endswith(".whl") else self._stem.rpartition("-")[2]

    @property
    def _stem(self) -> str:
        return re.sub(r"\.(tar\.gz|zip)$", "", self.name)


def module_name(name: str) -> str:
    """Return the import name a tiny package of that project name gets."""
    return re.sub(r"[-_.]+", "_", name).lower()


def normalized(name: str) -> str:
    """Return the name in the form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str = "",
    extra: Sequence[str] = (),
) -> str:
    """Return core metadata (version 2.1) as in a METADATA or PKG-INFO file; ``extra`` are further lines."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {name} of the sandbox",
    ]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join([*lines, *extra]) + "\n"


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, Content] | None = None,
    requires_python: str = "",
    extra_metadata: Sequence[str] = (),
    tag: str = "py3-none-any",
) -> File:
    """Build a wheel; without ``files`` it holds one package with ``__version__``."""
    module = module_name(name)
    content = dict(files) if files is not None else {f"{module}/__init__.py": f'__version__ = "{version}"\n'}
    info = f"{module}-{version}.dist-info"
    text = metadata(name, version, requires=requires, requires_python=requires_python, extra=extra_metadata)
    content[f"{info}/METADATA"] = text
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: sandbox\nRoot-Is-Purelib: true\nTag: {tag}\n"
    record = "".join(
        f"{path},{_record_hash(_bytes(body))},{len(_bytes(body))}\n" for path, body in content.items()
    )
    content[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    return File(
        name=f"{module}-{version}-{tag}.whl", data=_zip(content), claimed_requires_python=requires_python
    )


def sdist(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    build_requires: Sequence[str] = (),
    backend: str | None = None,
    marker: Path | None = None,
    files: Mapping[str, Content] | None = None,
) -> File:
    """Build an sdist; without ``backend`` it brings its own in-tree build backend without dependencies.

    Args:
        name: The project's name.
        version: Its version.
        requires: What the built wheel requires.
        build_requires: ``build-system.requires``.
        backend: ``build-system.build-backend``; None for the in-tree one (PEP 517, ``backend-path``).
        marker: The in-tree backend appends a line to this file whenever it is imported or a hook runs.
        files: Further files, relative to the sdist's own directory.
    """
    module, root = module_name(name), f"{module_name(name)}-{version}"
    content: dict[str, Content] = {
        "PKG-INFO": metadata(name, version, requires=requires),
        "pyproject.toml": _pyproject(name, version, requires, build_requires, backend),
        f"{module}/__init__.py": f'"""{name} of the sandbox."""\n\n__version__ = "{version}"\n',
    }
    if backend is None:
        content["_backend/sandbox_backend.py"] = backend_source(
            name, version, requires=requires, marker=marker
        )
    content.update(files or {})
    return File(
        name=f"{root}.tar.gz", data=tar_gz({f"{root}/{path}": body for path, body in content.items()})
    )


def backend_source(
    name: str, version: str, *, requires: Sequence[str] = (), marker: Path | None = None
) -> str:
    """Return the source of a PEP 517 build backend that builds a wheel of that project with the stdlib alone.

    It can be part of an sdist or a module of a wheel that is a build dependency.
    """
    module = module_name(name)
    constants = {
        "MARKER": str(marker) if marker is not None else None,
        "INFO": f"{module}-{version}.dist-info",
        "WHEEL": f"{module}-{version}-py3-none-any.whl",
        "SDIST": f"{module}-{version}.tar.gz",
        "METADATA": metadata(name, version, requires=requires),
        "MODULE": module,
        "VERSION": version,
    }
    return "".join(f"{key} = {value!r}\n" for key, value in constants.items()) + _BACKEND


_BACKEND = """
import pathlib
import zipfile


def _mark(what):
    if MARKER is not None:
        with open(MARKER, "a") as stream:
            stream.write(what + "\\n")


_mark("import")


def get_requires_for_build_wheel(config_settings=None):
    _mark("get_requires_for_build_wheel")
    return []


def _info():
    return {
        "METADATA": METADATA,
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: sandbox\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    _mark("prepare_metadata_for_build_wheel")
    directory = pathlib.Path(metadata_directory, INFO)
    directory.mkdir()
    for name, text in _info().items():
        directory.joinpath(name).write_text(text)
    return INFO


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _mark("build_wheel")
    with zipfile.ZipFile(pathlib.Path(wheel_directory, WHEEL), "w") as archive:
        archive.writestr(MODULE + "/__init__.py", "__version__ = " + repr(VERSION) + "\\n")
        names = [MODULE + "/__init__.py"]
        for name, text in _info().items():
            archive.writestr(INFO + "/" + name, text)
            names.append(INFO + "/" + name)
        names.append(INFO + "/RECORD")
        archive.writestr(INFO + "/RECORD", "".join(name + ",,\\n" for name in names))
    return WHEEL


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the sandbox's sdists are not rebuilt")
"""


def _pyproject(
    name: str, version: str, requires: Sequence[str], build_requires: Sequence[str], backend: str | None
) -> str:
    lines = ["[build-system]", f"requires = {_toml(build_requires)}"]
    if backend is None:
        lines += ['build-backend = "sandbox_backend"', 'backend-path = ["_backend"]']
    else:
        lines.append(f'build-backend = "{backend}"')
    lines += [
        "",
        "[project]",
        f'name = "{name}"',
        f'version = "{version}"',
        f'description = "{name} of the sandbox"',
    ]
    return "\n".join([*lines, f"dependencies = {_toml(requires)}"]) + "\n"


def _toml(values: Sequence[str]) -> str:
    return (
        "[" + ", ".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values) + "]"
    )


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zip(content: Mapping[str, Content]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in content.items():
            entry = zipfile.ZipInfo(path, date_time=_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, _bytes(body))
    return buffer.getvalue()


def tar_gz(content: Mapping[str, Content]) -> bytes:
    """Return a compressed archive; the same content gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as compressed:
        compressed.write(tar(content))
    return buffer.getvalue()


def tar(content: Mapping[str, Content]) -> bytes:
    """Return an archive of regular files; the same content gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, body in content.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(_bytes(body))
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(_bytes(body)))
    return buffer.getvalue()
