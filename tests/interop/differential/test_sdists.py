"""Sdists that we accept have the same tree and dependencies for tarfile, pip, uv, tar and their backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.differential import sdist_readers
from interop.differential.mutants import Mutant
from interop.differential.reading import Reading
from interop.differential.sdists import SDISTS
from interop.differential.survey import accepted_differences, survey
from interop.differential.tools import tools
from pip_warden.artifact.model import Contents

pytestmark = pytest.mark.interop


def test_sdists_that_are_accepted_are_the_same_tree(tmp_path: Path) -> None:
    with tools(tmp_path / "tools") as readers:

        def ask(mutant: Mutant, sdist: Path, contents: Contents, place: Path) -> list[Reading]:
            build = sdist_readers.is_worth_a_build(mutant)
            return sdist_readers.readings(readers, sdist, contents, place, build=build)

        found = survey(SDISTS, ask, accepted_differences("sdists"), tmp_path)

    print(found)
    assert not found.refused_controls
    assert not found.unexplained
    assert not found.gone
    assert found.accepted >= 150
