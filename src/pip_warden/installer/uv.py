"""Finds uv, and writes its command line (uv documentation, "Commands: uv pip install").

Its environment is that of every child (:mod:`~pip_warden.installer.environment`): no configuration, no cache
but the run's own, no sources of a project, and the proxy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import InstallerError, UsageError
from pip_warden.installer.gate_port import HOST, INDEX_URL
from pip_warden.installer.local import check_text
from pip_warden.installer.python import Target
from pip_warden.installer.wanted import LocalProject
from pip_warden.values import dataclass

_OLDEST = (0, 9)
"""The oldest that was tried; newer ones than those that we know are taken."""

_VERSION = re.compile(r"uv ([0-9]{1,6})\.([0-9]{1,6})[.0-9]*\b.*", re.ASCII)
_SECONDS = 60
_SITES = "import json, sysconfig; print(json.dumps([sysconfig.get_path(n) for n in ('purelib', 'platlib')]))"


@dataclass(frozen=True, kw_only=True, slots=True)
class Uv:
    """A uv that can be used.

    Attributes:
        executable: Its program.
        version: Its version, ``"0.13"``.
    """

    executable: Path
    version: str


def find_uv(environ: Mapping[str, str]) -> Uv:
    """Find uv: that of our own environment (the extra ``uv``), else one on ``PATH``.

    Args:
        environ: Our own environment.

    Raises:
        UsageError: ``no-uv``: there is none, or none that can be used.
    """
    executable = _own() or _on_path(environ)
    if executable is None:
        raise _no_uv("none, neither in pip-warden's own environment nor on PATH")
    said = _said(executable)
    match = _VERSION.fullmatch(said)
    if match is None:
        raise _no_uv(f"{executable}, which does not answer as uv does")
    if (int(match[1]), int(match[2])) < _OLDEST:
        raise _no_uv(f"{escape_text(said, 80)} at {executable}")
    return Uv(executable=executable, version=f"{match[1]}.{match[2]}")


def _own() -> Path | None:
    if find_spec("uv") is None:
        return None
    try:
        return Path(str(import_module("uv").find_uv_bin()))
    except (AttributeError, OSError):
        return None


def _on_path(environ: Mapping[str, str]) -> Path | None:
    # Only absolute directories: what lies in the working directory is not a program of the user's.
    directories = filter(os.path.isabs, environ.get("PATH", "").split(os.pathsep))
    found = shutil.which("uv", path=os.pathsep.join(directories))
    return None if found is None else Path(found)


def _said(executable: Path) -> str:
    try:
        return _output(str(executable), "--no-config", "--version").strip()
    except (OSError, subprocess.SubprocessError) as err:
        raise _no_uv(f"{executable}, which cannot be run ({type(err).__name__})") from err


def _output(*command: str) -> str:
    result = subprocess.run(  # noqa: S603 -- programs that the user installed or named
        command, capture_output=True, text=True, errors="replace", check=True, timeout=_SECONDS, env={}
    )
    return result.stdout


def _no_uv(found: str) -> UsageError:
    oldest = ".".join(map(str, _OLDEST))
    return UsageError(
        "no-uv",
        f"expected uv {oldest} or newer, found {found}",
        hint="`pip install 'pip-warden[uv]'` installs it next to pip-warden.",
    )


def packages_of(target: Target) -> tuple[Path, ...]:
    """Ask a Python where its packages are: uv asks the same, and looks nowhere else.

    Raises:
        InstallerError: ``inspect-failed``: it does not say.
    """
    try:
        said = json.loads(_output(str(target.executable), "-I", "-c", _SITES).splitlines()[-1])
        found = tuple(dict.fromkeys(Path(place) for place in said if os.path.isabs(place)))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as err:
        raise _no_place(target) from err
    if not found:
        raise _no_place(target)
    return found


def _no_place(target: Target) -> InstallerError:
    return InstallerError(
        "inspect-failed", f"expected to hear where {target.executable} has its packages, found no answer"
    )


def may_link(workspace: Path, sites: Sequence[Path]) -> bool:
    """Return whether uv can link what it unpacks to where it installs: both are on one file system.

    Its cache is a directory of this run, so that each file has its one name left when uv has ended.

    Args:
        workspace: The private directory that uv has its temporary directory in.
        sites: Directories of packages. They need not exist yet.
    """
    try:
        return {workspace.stat().st_dev} == {_nearest(site).stat().st_dev for site in sites}
    except OSError:
        return False


def _nearest(path: Path) -> Path:
    """Return a directory, or the one that it will be made in."""
    return next(each for each in (path, *path.parents) if each.exists())


def uv_command(
    uv: Uv, target: Target, arguments: Sequence[str], *, cache: Path, links: bool = False
) -> list[str]:
    """Build uv's command line. The proxy's password is in the environment, never here.

    Args:
        uv: The uv.
        target: The Python.
        arguments: What follows.
        cache: The run's own cache, a directory that is not there yet. With ``--no-cache`` uv makes one, too,
            and removes it while everybody waits.
        links: Whether it links files, and does not copy them (:func:`may_link`).
    """
    return [
        str(uv.executable),
        "pip",
        "install",
        "--python",
        str(target.executable),
        "--default-index",
        INDEX_URL,
        "--allow-insecure-host",
        HOST,
        "--keyring-provider",
        "disabled",
        "--no-config",
        "--cache-dir",
        str(cache),
        "--no-sources",
        "--no-progress",
        "--no-python-downloads",
        # A link would fail, with a warning, from one file system to another.
        "--link-mode",
        "hardlink" if links else "copy",
        *arguments,
    ]


def uv_project_arguments(project: LocalProject) -> list[str]:
    """Return uv's arguments for a project directory: a URL, in which nothing is left to be read differently.

    Raises:
        UsageError: ``bad-requirement``: uv would read the path differently.
    """
    check_text(project.path)
    where = project.path.as_uri() + project.extras
    return ["--editable", where] if project.editable else [where]
