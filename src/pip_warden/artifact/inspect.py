"""Reads an archive's own statements, or says why it is not well-formed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from subprocess import SubprocessError

from pip_warden.artifact.model import Artifact, Contents
from pip_warden.artifact.wheel import inspect_wheel
from pip_warden.errors import UndecidedError
from pip_warden.faults import Fault, FaultError
from pip_warden.names import ArtifactName


def inspect(path: Path, name: ArtifactName) -> Contents | Fault:
    """Read a wheel or sdist strictly, without extracting it, in memory that does not grow with the file.

    Its kind is what the file name says, and its bytes must be of that kind and of no other (T41,
    CVE-2026-3219). Step 4 of the verdict compares name and version with the file name's; here everything
    inside must agree with itself.

    Args:
        path: Where the bytes are.
        name: The parsed file name.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        if name.kind == "wheel":
            return inspect_wheel(path, name)
        from pip_warden.artifact.sdist import inspect_sdist  # most runs see wheels alone

        return inspect_sdist(path)
    except FaultError as err:
        return err.fault


def read_by(interpreter: Path, artifact: Artifact) -> Artifact:
    """Read an artifact with the installer's own interpreter, too (design decision D14).

    Only sdists are read by it: every version reads a wheel's ZIP file, of the few forms accepted here, alike.

    Returns:
        The artifact; its contents are the fault ``archive-ambiguous`` where that interpreter reads it
        differently.

    Raises:
        UndecidedError: ``cannot-ask-python``: the interpreter cannot be run, or the file not be read.
    """
    if artifact.name.kind != "sdist" or isinstance(artifact.contents, Fault):
        return artifact
    from pip_warden.artifact.sdist import check_elsewhere

    try:
        check_elsewhere(artifact.path, interpreter)
    except FaultError as err:
        return replace(artifact, contents=err.fault)
    except (OSError, SubprocessError) as err:
        raise UndecidedError(
            "cannot-ask-python",
            f"expected that {interpreter} lists {artifact.name}, "
            f"found: {getattr(err, 'strerror', None) or type(err).__name__}",
            hint="Check that the Python which is installed into can be run.",
        ) from err
    return artifact
