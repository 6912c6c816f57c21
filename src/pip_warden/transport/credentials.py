"""Credentials belong to origins: each token is for one scheme, host and port; no trust file can change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from pip_warden.transport.auth_header import auth_header
from pip_warden.transport.secret import AuthHeader, Credential
from pip_warden.transport.urls import Origin, origin_of
from pip_warden.values import dataclass, field

Lookup = Callable[[str], Credential | None]
"""Looks up the credential of a host in a keyring."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Every credential of a run.

    Attributes:
        by_origin: For exactly one origin.
        by_host: From netrc, which has no ports: for https to the host, or http to this machine.
        lookup: Asked last, and only for the origins in ``known``; None where there is no keyring.
        known: Origins of the user's sources.
    """

    by_origin: Mapping[Origin, Credential] = field(default_factory=dict, hash=False)
    by_host: Mapping[str, Credential] = field(default_factory=dict, hash=False)
    lookup: Lookup | None = field(default=None, repr=False)
    known: frozenset[Origin] = frozenset()

    def for_request(self, url: str) -> AuthHeader | None:
        """Return the header for one request, None where it has no credential.

        Raises:
            NetworkError: ``insecure-url``.
        """
        origin = origin_of(url)
        held = self.by_origin.get(origin) or self.by_host.get(origin.host)
        if held is None and self.lookup is not None and origin in self.known:
            held = self.lookup(origin.host)
        return None if held is None else auth_header(held, urlsplit(url).path)
