"""The parts of a trusted root: authorities and logs, each with its validity window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509

from pip_warden.strict_json import JSONValue
from pip_warden.values import dataclass, field

JSONObject = Mapping[str, JSONValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """When a part of the root is valid: both ends included (protobuf-specs, `TimeRange`), None is open."""

    start: datetime
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment lies within."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat() if self.end else 'now'}"


def validity_of(certificate: x509.Certificate) -> Window:
    """Return when a certificate is valid."""
    return Window(start=certificate.not_valid_before_utc, end=certificate.not_valid_after_utc)


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A certificate authority.

    Attributes:
        certificates: Its chain, the issuing certificate first.
        validities: When each of them is valid.
        window: When it is valid.
        part: The same as JSON for the sigstore library.
    """

    certificates: tuple[x509.Certificate, ...]
    validities: tuple[Window, ...] = field(init=False, repr=False, compare=False)
    window: Window
    part: JSONObject = field(hash=False)

    def __post_init__(self) -> None:
        # Every bundle is compared with them.
        object.__setattr__(self, "validities", tuple(map(validity_of, self.certificates)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """An instance of a transparency log or CT log.

    Attributes:
        url: Its base URL.
        ids: Its ids, as entries and SCTs name it.
        key_digest: SHA-256 of its public key (DER): the id of every CT log and Rekor v1 instance.
        is_rsa: Whether that is an RSA key.
        window: When its key is valid.
        part: The same as JSON for the sigstore library.
    """

    url: str
    ids: frozenset[bytes]
    key_digest: bytes
    is_rsa: bool
    window: Window
    part: JSONObject = field(hash=False)

    @property
    def is_v1(self) -> bool:
        """Whether its id is that of Rekor v1, or of a CT log (RFC 6962 section 3.2)."""
        return self.key_digest in self.ids

    @property
    def host(self) -> str:
        """The host of its URL, as spelled there: its name in what it signs; "" where the URL has none."""
        return _host(self.url)


@lru_cache(maxsize=64)
def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, place = parts.hostname or "", parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    start = place.lower().find(host)
    return place[start : start + len(host)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """All parts of a root that can be used.

    Attributes:
        authorities: Its certificate authorities.
        ct_logs: Its CT logs.
        logs: Its transparency logs.
        timestamp_authorities: Its time-stamp authorities.
        dropped: What was left out, each with its path and why.
    """

    authorities: tuple[Authority, ...]
    ct_logs: tuple[Log, ...]
    logs: tuple[Log, ...]
    timestamp_authorities: tuple[Authority, ...]
    dropped: tuple[str, ...]
