"""Errors of the sandbox."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox was asked for something it does not have or cannot do."""
