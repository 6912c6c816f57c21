"""GitLab's rules for package names, versions and file names (reference 1.2 and 2.1)."""

from __future__ import annotations

import re

PYPI_NAME = re.compile(r"@?(?:[\w.+-]*/)*[\w.-]+@?(?:[\w.+-]*/)*[\w.-]*")
PYPI_VERSION = re.compile(
    r"v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*"
    r"(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?"
    r"(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?"
    r"(?:[-_.]?dev[-_.]?[0-9]*)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)

GENERIC_NAME = re.compile(r"[A-Za-z0-9._\-+]+")
GENERIC_VERSION = re.compile(r"(?!.*\.\.)[\w+.-]+", re.ASCII)
GENERIC_FILE = re.compile(r"(?![~@])[A-Za-z0-9._\-+~@]+(?<![~@])")


def traverses(path: str) -> bool:
    """Return whether a path, however encoded, climbs out of its directory."""
    flat = (
        path.replace("%2e", ".")
        .replace("%2E", ".")
        .replace("%2f", "/")
        .replace("%2F", "/")
        .replace("\\", "/")
    )
    return ".." in flat.split("/")
