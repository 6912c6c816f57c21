"""Limits of an archive's unpacked size and number of members (T48)."""

from __future__ import annotations

MOST_MEMBERS = 200_000
"""Members of one archive; the largest wheels on PyPI have about 30 000."""
LONGEST_NAME = 4096
"""Characters of a member's whole path: PATH_MAX on Linux."""
FREE_SIZE = 256 << 20
"""Bytes of unpacked content that are allowed at any ratio."""
LARGEST_RATIO = 200
"""Highest ratio of unpacked to packed bytes beyond that; deflate could reach 1032."""
CHUNK = 1 << 20
"""Bytes held in memory at once."""


def most_unpacked(packed: int) -> int:
    """Return how many bytes an archive of ``packed`` bytes may unpack to."""
    return max(FREE_SIZE, packed * LARGEST_RATIO)
