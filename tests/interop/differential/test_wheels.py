"""Wheels that we accept are installed alike by pip, uv and installer: paths, bytes, scripts, dependencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.differential import wheel_readers
from interop.differential.mutants import Mutant
from interop.differential.reading import Reading
from interop.differential.survey import accepted_differences, survey
from interop.differential.tools import tools
from interop.differential.wheels import WHEELS
from pip_warden.artifact.model import Contents

pytestmark = pytest.mark.interop


def test_wheels_that_are_accepted_are_installed_alike(tmp_path: Path) -> None:
    with tools(tmp_path / "tools") as readers:

        def ask(_: Mutant, wheel: Path, contents: Contents, place: Path) -> list[Reading]:
            return wheel_readers.readings(readers, wheel, contents, place)

        found = survey(WHEELS, ask, accepted_differences("wheels"), tmp_path)

    print(found)
    assert not found.refused_controls
    assert not found.unexplained
    assert not found.gone
    assert found.accepted >= 200
