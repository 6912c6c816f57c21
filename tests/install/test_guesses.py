"""What look-ahead finds out about the target."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pip_warden.install.guesses import find_target_facts
from pip_warden.install.request import PreparedRequest
from pip_warden.installer.python import Target
from pip_warden.installer.wanted import Wanted

PYTHON = """\
#!{python}
open({log!r}, "a").write("asked\\n")
print('["py3-none-any"]')
"""


def test_a_target_is_asked_once_for_its_tags_however_many_guesses_need_them(tmp_path: Path) -> None:
    """Its pip is started for it: sixteen of them at once would be slower than no look-ahead at all."""
    python, log = tmp_path / "python", tmp_path / "log"
    python.write_text(PYTHON.format(python=sys.executable, log=str(log)))
    python.chmod(0o755)
    target = Target(executable=python, version="3.11", prefix="/nowhere", build="", why="a test")
    facts = find_target_facts(PreparedRequest(wanted=Wanted(), target=target))
    log.unlink()  # it was asked for its marker variables
    together = threading.Barrier(4)

    def ask(_number: int) -> frozenset[str]:
        together.wait(60)
        return facts.tags()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {frozenset({"py3-none-any"})}
    assert log.read_text() == "asked\n"
