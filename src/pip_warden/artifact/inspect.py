"""What an archive says of itself, or why it is not well-formed."""

from __future__ import annotations

from pathlib import Path

from pip_warden.artifact.model import Contents
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.sdist import inspect_sdist
from pip_warden.artifact.wheel import inspect_wheel
from pip_warden.faults import Fault
from pip_warden.names import ArtifactName


def inspect(path: Path, name: ArtifactName) -> Contents | Fault:
    """Read a wheel or sdist strictly, without extracting anything, in memory that does not grow with the file.

    Its kind is what the file name says, and its bytes must be of that kind and of no other (T41, CVE-2026-3219). That the name and version
    inside are those of the file name is judged afterwards, by step 4 of the verdict; here everything inside agrees with itself.

    Args:
        path: Where the bytes are.
        name: The parsed file name.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return inspect_wheel(path) if name.kind == "wheel" else inspect_sdist(path)
    except MalformedError as err:
        return err.fault
