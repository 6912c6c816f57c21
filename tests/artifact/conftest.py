"""Archives by their bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archives import SDIST_NAME, WHEEL_NAME
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Contents | Fault]:
    """Read an archive: a wheel where it begins as a ZIP file, else an sdist."""

    def read(data: bytes) -> Contents | Fault:
        path = tmp_path / (WHEEL_NAME if data[:2] == b"PK" else SDIST_NAME)
        path.write_bytes(data)
        return inspect(path, parse_artifact_name(path.name))

    return read
