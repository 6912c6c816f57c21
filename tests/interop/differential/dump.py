"""A build backend that reports the tree it was given: copied into the sdists, and run by pip and uv."""

import hashlib
import json
import os
import zipfile
from typing import Any

NAME = "acme_widgets-1.0"
WHEEL = "Wheel-Version: 1.0\nGenerator: dump\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """Write this tree's description where the test expects it, and a wheel whose METADATA is its PKG-INFO."""
    with open(os.environ["DIFFERENTIAL_DUMP"], "w", encoding="utf-8") as stream:
        json.dump(tree("."), stream)
    filename = NAME + "-py3-none-any.whl"
    with open("PKG-INFO", "rb") as stream:
        metadata = stream.read()
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        archive.writestr(NAME + ".dist-info/METADATA", metadata)
        archive.writestr(NAME + ".dist-info/WHEEL", WHEEL)
        archive.writestr(NAME + ".dist-info/RECORD", "")
    return filename


def tree(top: str) -> dict[str, str]:
    """Return the contents of a directory: paths, with a description of each."""
    found: dict[str, str] = {}
    for directory, names, files in os.walk(top):
        if "__pycache__" in names:
            names.remove("__pycache__")
        for name in names + files:
            path = os.path.join(directory, name)
            where = os.path.relpath(path, top).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            found[where] = described(path)
    return found


def described(path: str) -> str:
    """Return the description of a path."""
    if os.path.islink(path):
        return "link to " + os.readlink(path)
    if os.path.isdir(path):
        return "directory"
    if not os.path.isfile(path):
        return "special"
    with open(path, "rb") as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()[:16]
    return ("executable " if os.stat(path).st_mode & 0o100 else "plain ") + digest
