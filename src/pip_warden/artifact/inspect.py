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
    """Read a wheel or sdist strictly, without extracting anything.

    Its kind is what the file name says, and its bytes must begin accordingly: a file that is both (CVE-2026-3219) is neither here.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return inspect_wheel(path, name) if name.kind == "wheel" else inspect_sdist(path, name)
    except MalformedError as err:
        return err.fault
