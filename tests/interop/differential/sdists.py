"""Sdists, and all changes to them."""

from __future__ import annotations

from interop.differential import sdist_extensions, sdist_headers, sdist_members, sdist_metadata
from interop.differential.mutants import Family
from interop.differential.sdist_bases import BASES
from interop.differential.tar_parts import Tar, compress

SDISTS: Family[Tar] = Family(
    BASES,
    (sdist_headers.OPERATORS, sdist_members.OPERATORS, sdist_extensions.OPERATORS, sdist_metadata.OPERATORS),
    lambda tar: (tar.filename, compress(tar)),
)
