"""An archive that cannot be read, whatever is wrong with it, is a fault and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archives
from environments.made import FILES, archive
from environments.test_scan import SITE, planted
from pip_warden.environments.distribution import compare_distribution
from pip_warden.environments.scan import snapshot
from pip_warden.faults import Fault

GOOD = archives.wheel()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    planted(root / SITE)
    return root


def compared(place: Path, content: bytes) -> Fault | None:
    (found,) = snapshot([place]).distributions
    accepted = archive(place / "dist", content)
    return compare_distribution(found, accepted)


@given(
    st.binary()
    | st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3)).map(
        lambda change: GOOD[: change[0]] + change[1] + GOOD[change[0] + len(change[1]) :]
    )
)
def test_any_archive_is_compared_or_a_fault(place: Path, content: bytes) -> None:
    found = compared(place, content)

    assert found is None or found.code == "not-through-gate"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD, None),
        (b"", "BadZipFile"),
        (GOOD[:-30], "BadZipFile"),
        (archives.zipped({"x": b""}), "no distribution"),
        (archives.zipped({"a.dist-info/METADATA": b"", "b.dist-info/METADATA": b""}), "no distribution"),
        (archives.wheel({f"{archives.INFO}/entry_points.txt": "[console_scripts]\nx\n"}), "the line 'x'"),
        (archives.wheel(FILES), "not there"),
        (archives.wheel({"acme/__init__.py": None}), "acme/__init__.py"),
    ],
)
def test_an_archive(place: Path, content: bytes, said: str | None) -> None:
    found = compared(place, content)

    assert (found is None) is (said is None)
    assert found is None or str(said) in found.found


def test_an_archive_that_is_gone(place: Path, tmp_path: Path) -> None:
    (found,) = snapshot([place]).distributions
    accepted = archive(tmp_path, GOOD)
    accepted.path.unlink()

    fault = compare_distribution(found, accepted)

    assert fault is not None
    assert fault.found == "FileNotFoundError"
