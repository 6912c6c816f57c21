"""Wheels, and all changes to them."""

from __future__ import annotations

from interop.differential import wheel_layout, wheel_metadata, wheel_zip
from interop.differential.mutants import Family
from interop.differential.wheel_bases import BASES, Wheel

WHEELS: Family[Wheel] = Family(
    BASES,
    (wheel_zip.OPERATORS, wheel_metadata.OPERATORS, wheel_layout.OPERATORS),
    lambda wheel: (wheel.filename, wheel.built()),
)
