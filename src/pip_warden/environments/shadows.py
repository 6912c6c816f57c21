"""What Python would import in place of a module of a wheel, or before it, although that is as it was.

Of one name in one directory Python takes a package before an extension, that before a source, and that
before byte code (``importlib.machinery.FileFinder``). Whoever adds one need not touch what is there, and may
have another RECORD name it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator

from pip_warden.environments.layout import SiteLayout, entries

_EXTENSIONS = (".so", ".pyd")
_MODULES = (".py", *_EXTENSIONS)
_LOADED = (*_MODULES, ".pyc")
"""What is loaded under a module's name; byte code where there is no source."""
_PACKAGE = "__init__."


def shadow_of(files: Iterable[str], known: Collection[str], layout: SiteLayout) -> str | None:
    """Return what would be imported in place of a file; None where nothing would.

    Args:
        files: Keys of what a wheel brings (:meth:`SiteLayout.key`).
        known: Keys of what accepted wheels bring, these files among them.
        layout: Where it is installed.

    Returns:
        The key of a file or directory that no accepted wheel brings.
    """
    names: dict[str, set[str]] = {}
    for key in files:
        directory, name = posixpath.split(key)
        if name.endswith(_LOADED) and not directory.startswith(".."):
            names.setdefault(directory, set()).add(name.partition(".")[0])
    packages = {posixpath.dirname(key) for key in known if posixpath.basename(key).startswith(_PACKAGE)}
    for directory, own in names.items():
        for entry in entries(layout.path(directory)):
            key = posixpath.join(directory, entry.name)
            is_own = entry.name.partition(".")[0] in own
            is_first = _is_module(entry) or f"{key}c" in known  # a source comes before byte code beside it
            if is_own and key not in known and key not in packages and is_first:
                return key
    return None


def run_before(known: Collection[str], layout: SiteLayout) -> Iterator[str]:
    """Yield what Python runs before it imports a known module, and is not known itself.

    That is an ``__init__`` in one of the directories that the module lies in. Of several projects that share
    such a directory each may bring one, or none: a namespace (PEP 420). Before that comes a module of its
    name that lies beside it.

    Args:
        known: Keys of what verified distributions have (:meth:`SiteLayout.key`).
        layout: Where they are installed.
    """
    above = set[str]()
    for key in known:
        directory = posixpath.dirname(key)
        while (
            key.endswith(_MODULES) and directory not in above and directory and not directory.startswith("..")
        ):
            above.add(directory)
            directory = posixpath.dirname(directory)
    for directory in sorted(above):
        parent, name = posixpath.split(directory)
        loaded = _loaded(directory, "__init__", layout) or _loaded(parent, name, layout)
        yield from (key for key in loaded if key not in known)


def _loaded(directory: str, name: str, layout: SiteLayout) -> list[str]:
    """Return the keys of all that a module of a name may be loaded from in a directory, but for a package."""
    return [
        posixpath.join(directory, each.name)
        for each in entries(layout.path(directory))
        if each.name.partition(".")[0] == name and each.name.endswith(_LOADED)
    ]


def _is_module(entry: os.DirEntry[str]) -> bool:
    """Return whether it is an extension, or a package: a directory without ``__init__`` comes last."""
    if entry.name.endswith(_EXTENSIONS):
        return True
    return "." not in entry.name and any(each.name.startswith(_PACKAGE) for each in entries(entry.path))
