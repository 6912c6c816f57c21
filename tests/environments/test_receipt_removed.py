"""What installers do with a receipt that they did not write: they remove it with the rest."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from environments.made import INSTALLERS, archive, site_of, venv
from environments.test_earlier import checked, receipt_of
from pip_warden.environments.model import Comparison, Likeness
from pip_warden.environments.receipt_files import write_receipt
from pip_warden.environments.scan import snapshot


def by_pip(python: Path) -> None:
    """Uninstall by pip."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "--python",
        python,
        "uninstall",
        "--quiet",
        "--yes",
    ]
    subprocess.run([*command, "acme-widgets"], check=True)


def by_uv(python: Path) -> None:
    """Uninstall by uv."""
    uv = Path(sysconfig.get_path("scripts"), "uv")
    subprocess.run(
        [uv, "pip", "uninstall", "--quiet", "--no-config", "--python", python, "acme-widgets"], check=True
    )


@pytest.mark.interop
@pytest.mark.parametrize("remove", [by_pip, by_uv])
@pytest.mark.parametrize("installer", sorted(INSTALLERS))
def test_nothing_is_found_in_a_clean_one_and_nothing_is_left_of_it(
    tmp_path: Path, installer: str, remove: Callable[[Path], None]
) -> None:
    place, accepted = venv(tmp_path / "env"), archive(tmp_path / "dist")
    INSTALLERS[installer](place, accepted.path)
    (distribution,) = snapshot([place]).distributions
    write_receipt(distribution, receipt_of(accepted))

    assert checked(place, accepted) == (Comparison(subject="acme-widgets 1.0", likeness=Likeness.SAME),)
    remove(place / "bin" / "python")

    left = [each for each in site_of(place).rglob("*") if each.is_file()]
    assert [each for each in left if each.suffix != ".pyc"] == []  # uv leaves byte code that it made
