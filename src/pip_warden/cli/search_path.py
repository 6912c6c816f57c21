"""Where modules are looked for: in what is installed, not in PYTHONPATH or the working directory.

Both come before the standard library in ``sys.path``, so a ``click.py`` in a checkout would run before
anything is judged. They are removed and not moved to the end, since libraries also look for modules that
need not be installed (``simplejson``, ``brotli``, ``keyring``).

This runs before anything else is imported, so it imports nothing that could come from there: ``sys`` is
built in, ``os`` and ``site`` are frozen. ``from __future__ import …`` would import ``__future__``.
"""

import os
import site
import sys


def drop_untrusted_paths() -> None:
    """Remove from ``sys.path`` what PYTHONPATH, ``-m`` and ``-c`` put there.

    The directory of this package stays (``pip install --target``, a zip application): who can write there
    can change us. So do the directories of Python itself. What was imported before (``sitecustomize``,
    ``.pth`` files, what a launcher imports) cannot be undone.

    A Python that we start without ``-I``, as pip-api does, has the same search path.
    """
    if not sys.flags.safe_path and sys.path and _is_stranger(sys.path[0]) and _is_here(sys.path[0]):
        del sys.path[0]
    if not sys.flags.ignore_environment and os.environ.get("PYTHONPATH"):
        entries = os.environ["PYTHONPATH"].split(os.pathsep)
        named = {_real(entry) for entry in entries}
        sys.path[:] = [entry for entry in sys.path if not (_is_stranger(entry) and _real(entry) in named)]
        os.environ["PYTHONPATH"] = os.pathsep.join(
            _real(entry) for entry in entries if not _is_stranger(entry)
        )
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ.pop("PIPAPI_PYTHON_LOCATION", None)


def _is_here(entry: str) -> bool:
    return _real(entry) == _real("")


def _is_stranger(entry: str) -> bool:
    return _real(entry) not in _own()


def _own() -> set[str]:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    library = os.path.dirname(os.__file__)
    user = [site.USER_SITE] if site.ENABLE_USER_SITE and site.USER_SITE else []
    own = [os.path.dirname(package), library, os.path.join(library, "lib-dynload"), *site.getsitepackages()]
    return {_real(entry) for entry in own + user}


def _real(entry: str) -> str:
    """Return the one spelling of a directory; a relative one has none if the working directory is gone."""
    try:
        return os.path.realpath(entry)
    except OSError:
        return entry
