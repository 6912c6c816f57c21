"""Chooses the Python that is installed into, and the pip that does it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from os import PathLike
from pathlib import Path

from pip_warden.errors import InstallerError, InternalError, UsageError
from pip_warden.installer.installed import Present
from pip_warden.values import dataclass

_OLDEST = (3, 10)
"""What pip 26 supports; ``python-too-old`` says it before pip does."""

_MARKERS = """
import json, os, platform, sys
def full(version):
    final = "%d.%d.%d" % tuple(version[:3])
    return final if version.releaselevel == "final" else "%s%s%d" % (\
final, version.releaselevel[0], version.serial)
json.dump({
    "implementation_name": sys.implementation.name,
    "implementation_version": full(sys.implementation.version),
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(),
    "platform_system": platform.system(),
    "platform_version": platform.version(),
    "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": sys.platform,
}, sys.stdout)
"""
"""Prints every marker variable of PEP 508 but ``extra``; needs the standard library only."""

_TAGS = """
import json, sys
sys.path.append({parent!r})
from pip._internal.models.target_python import TargetPython
found = TargetPython(
    platforms={platforms!r}, py_version_info={version!r}, abis={abis!r}, implementation={implementation!r}
)
json.dump([str(tag) for tag in found.get_sorted_tags()], sys.stdout)
"""
"""Prints every wheel tag that our pip takes in the target."""

_ABOUT_TAGS = ("--platform", "--python-version", "--implementation", "--abi")

_RECEIPTS = {"pipx_metadata.json": "pipx", "uv-receipt.toml": "uv"}
_UV_CACHE = re.compile(r"archive-v\d+", re.ASCII)

_ASK = (
    "import sys; print('%d.%d' % sys.version_info[:2]); "
    "print(sys.prefix); print(' '.join(sys.version.split()))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A Python to install into.

    Attributes:
        executable: Its interpreter.
        version: Its version, ``"3.12"``.
        prefix: Its ``sys.prefix``.
        build: Its ``sys.version``, on one line.
        why: How it was chosen, for people.
    """

    executable: Path
    version: str
    prefix: str
    build: str
    why: str

    @property
    def has_our_readers(self) -> bool:
        """Whether its standard library is of exactly the version that runs here."""
        return self.build == " ".join(sys.version.split())

    def __str__(self) -> str:
        return f"{self.executable} (Python {self.version}, {self.why})"


def choose_target(
    given: str | PathLike[str] | None, environ: Mapping[str, str], own: str, *, own_is_enough: bool = False
) -> Target:
    """Choose the target: ``--python``, else ``$VIRTUAL_ENV``, else our own interpreter.

    Args:
        given: ``--python``: an interpreter, or the directory of a virtual environment.
        environ: The environment.
        own: Our own interpreter.
        own_is_enough: Whether our own interpreter will do wherever it is: nothing is installed next to it.

    Raises:
        UsageError: ``no-such-python`` or ``python-too-old``; ``target-needed``: ours is in an environment
            that was made for us alone.
    """
    if given is not None:
        if not os.fspath(given):  # an unset variable of a script; as a path it would be the working directory
            raise UsageError(
                "no-such-python", "expected a Python interpreter or virtual environment, found an empty name"
            )
        return _ask(_interpreter(Path(given)), "--python")
    if environ.get("VIRTUAL_ENV"):
        return _ask(_interpreter(Path(environ["VIRTUAL_ENV"])), "VIRTUAL_ENV")
    target = _ask(Path(own), "pip-warden's own")
    tool = _application_of(target.executable)
    if tool and not own_is_enough:
        raise UsageError(
            "target-needed",
            "expected a place to install to, found neither --python nor an activated environment "
            f"(VIRTUAL_ENV); that of {target.executable} was made by {tool} for pip-warden alone",
            hint="Activate a virtual environment, or give --python PATH (an interpreter or "
            "a virtual environment) or --target DIR.",
        )
    return target


def _application_of(executable: Path) -> str:
    """Return the tool that made an interpreter's environment for one application, ``""`` where none did.

    pipx and ``uv tool install`` leave a file next to ``pyvenv.cfg`` (PEP 405), which lies next to the
    interpreter or one directory above; ``uvx`` has its environments in ``archive-v0`` of uv's cache.
    """
    for root in (executable.parent, executable.parent.parent):
        if not os.path.lexists(root / "pyvenv.cfg"):
            continue
        for name, tool in _RECEIPTS.items():
            if os.path.lexists(root / name):
                return tool
        if _UV_CACHE.fullmatch(root.parent.name):
            return "uvx"
    return ""


def _interpreter(path: Path) -> Path:
    """Return the interpreter of a path; its links are not resolved, since they make a virtual environment."""
    # Not Path.is_dir, which raises for a name that is too long, or in a directory of somebody else's.
    if os.path.isdir(path):
        path = path / "bin" / "python"
    return path.absolute()


def marker_environment(target: Target) -> dict[str, str]:
    """Ask a target for its values of marker variables (PEP 508), which differ between Pythons and platforms.

    Raises:
        UsageError: ``no-such-python``: it does not answer.
    """
    try:
        found = json.loads(_said(target.executable, _MARKERS))
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, subprocess.SubprocessError, ValueError, AttributeError) as err:
        raise _no_python(target.executable, target.why) from err


def supported_tags(target: Target, options: Sequence[str]) -> tuple[str, ...]:
    """Return the wheel tags that a target takes, the most specific first; empty where it cannot be asked.

    Args:
        target: The Python.
        options: pip's options: ``--platform``, ``--python-version``, ``--implementation`` and ``--abi`` name
            another target.
    """
    given: dict[str, list[str]] = {name: [] for name in _ABOUT_TAGS}
    for name, value in pairwise(options):
        if name in given:
            given[name].append(value)
    version = "".join(given["--python-version"][-1:])
    numbers = version.split(".") if "." in version else [version[:1], version[1:]]
    try:
        program = _TAGS.format(
            parent=str(pip_runner().parent.parent),
            platforms=given["--platform"] or None,
            version=tuple(int(number) for number in numbers if number) or None,
            abis=given["--abi"] or None,
            implementation="".join(given["--implementation"][-1:]) or None,
        )
        return tuple(str(tag) for tag in json.loads(_said(target.executable, program)))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return ()


def _said(executable: Path, program: str) -> str:
    result = subprocess.run(  # noqa: S603 -- the interpreter the user chose
        [str(executable), "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={},
    )
    return result.stdout


def _no_python(executable: Path, why: str) -> UsageError:
    found = "one that does not answer as Python does" if os.path.lexists(executable) else "none"
    return UsageError(
        "no-such-python",
        f"expected a Python interpreter or virtual environment, found {found} at {executable} ({why})",
        hint="Name the directory of a virtual environment, or the path of an interpreter: "
        "`command -v python3` prints one.",
    )


def _is_own(executable: Path) -> bool:
    """Return whether an interpreter is the one that runs here, which need not be started to be asked.

    The directory decides, too: a virtual environment's is a link to one that several others share.
    """
    own = Path(sys.executable)
    try:
        return executable.parent == own.parent and executable.samefile(own)
    except OSError:
        return False


def _ask(executable: Path, why: str) -> Target:
    if _is_own(executable):
        return Target(
            executable=executable,
            version=f"{sys.version_info.major}.{sys.version_info.minor}",
            prefix=sys.prefix,
            build=" ".join(sys.version.split()),
            why=why,
        )
    try:
        version, prefix, *rest = _said(executable, _ASK).splitlines()
        numbers = tuple(int(part) for part in version.split("."))
    except (OSError, subprocess.SubprocessError, ValueError) as err:
        raise _no_python(executable, why) from err
    if numbers < _OLDEST:
        raise UsageError(
            "python-too-old",
            f"expected Python {_OLDEST[0]}.{_OLDEST[1]} or newer, found {version} at {executable} ({why})",
        )
    return Target(
        executable=executable, version=version, prefix=prefix, build=rest[0] if rest else "", why=why
    )


def pip_runner() -> Path:
    """Return the script that runs our own copy of pip elsewhere; it imports nothing installed there."""
    spec = find_spec("pip")
    if spec is None or spec.origin is None:
        raise InternalError("bug", "pip is a dependency of pip-warden and is not there")
    return Path(spec.origin).parent / "__pip-runner__.py"


def installed(target: Target, environment: Mapping[str, str]) -> dict[str, Present]:
    """Read what a target has, by normalised name.

    Args:
        target: The Python.
        environment: An installer's environment. No network is needed: the proxy, with its password, is left
            out.

    Raises:
        InstallerError: ``inspect-failed``.
    """
    from packaging.utils import canonicalize_name

    command = [
        str(target.executable),
        "-I",
        str(pip_runner()),
        "inspect",
        "--isolated",
        "--disable-pip-version-check",
    ]
    offline = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
    try:
        result = subprocess.run(  # noqa: S603 -- the interpreter the user chose
            command, capture_output=True, text=True, check=True, env=offline
        )
        items = json.loads(result.stdout)["installed"]
        return {str(canonicalize_name(item["metadata"]["name"])): Present.of(item) for item in items}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InstallerError(
            "inspect-failed", f"expected a list of what {target.executable} has, found {type(err).__name__}"
        ) from err
