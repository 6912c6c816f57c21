"""The index that pip is configured for, where that is not pypi.org: ``python -m interop.pip_index``.

It is this machine's matter: commands are told it through the environment, and no file of ours names it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys

PYPI = "https://pypi.org/simple"
_LINE = re.compile(r"(global|install|:env:)\.index-url=(.+)")
_ORDER = ("global", "install", ":env:")
"""The later of two wins, as for ``pip install``."""


def pip_index() -> str | None:
    """Return the URL, None for pypi.org itself.

    Raises:
        subprocess.CalledProcessError: pip cannot read its configuration.
    """
    asked = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {line[1]: line[2] for line in map(_LINE.fullmatch, said.splitlines()) if line}
    values = (str(ast.literal_eval(found[place])).rstrip("/") for place in _ORDER if place in found)
    named = [value for value in values if value]
    return named[-1] if named and named[-1] != PYPI else None


if __name__ == "__main__":
    print(pip_index() or "")
