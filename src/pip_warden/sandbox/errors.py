"""What can go wrong when the sandbox is told something impossible."""

from __future__ import annotations


class SandboxError(Exception):
    """Say that the sandbox was asked for something it does not have or cannot do."""
