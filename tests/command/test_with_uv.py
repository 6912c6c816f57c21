"""The real uv and pip behind the gate, on one project each; every other tool is tried by ``make interop``."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.installers import Installer, Pip, Place, Registries, Uv


@pytest.mark.interop
@pytest.mark.parametrize("tool", [Pip(), Uv()], ids=["pip", "uv"])
def test_a_lock_is_the_same_as_without_the_gate_and_is_installed(
    tool: Installer, registries: Registries, empty_environment: Path, tmp_path: Path
) -> None:
    place = Place(registries=registries, directory=tmp_path / "app", home=tmp_path)
    place.lay(empty_environment)
    tool.lay(place, "acme-widgets")
    place.ok(*tool.lock())
    plain = place.read(tool.lock_file)
    (place.directory / tool.lock_file).unlink()

    place.gated = True
    place.ok(*tool.lock(), tool.install()[-1])

    assert place.read(tool.lock_file) == plain
    assert place.installed() == {"acme_widgets-1.0", "acme_core-1.0", "open_pad-1.0"}
