"""Patterns for certificate subjects and refs: exact text, ``{version}`` and ``*``; no regular expressions."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version


@dataclass(frozen=True, slots=True)
class SubjectPattern:
    """A certificate subject, read as host, project, config path and ref."""

    text: str

    def matches(self, claimed_subject: str, version: Version) -> bool:
        """Tell whether a certificate's subject fits this pattern for one version."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RefPattern:
    """A full ref (``refs/tags/v{version}``)."""

    text: str

    def matches(self, claimed_ref: str, version: Version) -> bool:
        """Tell whether a ref fits this pattern for one version."""
        raise NotImplementedError
