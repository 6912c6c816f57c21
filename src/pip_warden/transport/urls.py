"""URLs read strictly, so that no two parsers can disagree about which host is meant."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from pip_warden.display import escape_text
from pip_warden.errors import NetworkError
from pip_warden.values import dataclass

_PLAIN = re.compile(r"[!#-\[\]^_a-z~|{}`]*", re.ASCII)
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """What credentials belong to: scheme, lower-case host and port (RFC 6454)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@lru_cache(maxsize=256)  # asked six times for each request
def origin_of(url: str) -> Origin:
    """Return the origin of a URL that may be requested: https, or http to this machine.

    Raises:
        NetworkError: ``insecure-url``: it is anything else, names a user, or has characters that parsers read
            differently (backslashes, blanks, control characters, raw non-ASCII).
    """
    if not _PLAIN.fullmatch(url):
        raise _insecure(url, "one with characters that no URL has (RFC 3986)")
    parts = _split(url)
    if "@" in parts.netloc:
        raise _insecure(url, "one that names a user")
    host, port = _host_and_port(url, parts)
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        raise _insecure(
            url, f"scheme {escape_text(parts.scheme, 20) or 'none'!r}, host {escape_text(host, 80)!r}"
        )
    origin = Origin(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])
    if origin.scheme == "http" and not origin.is_loopback:
        raise _insecure(url, "plain http")
    return origin


def is_api(url: str) -> bool:
    """Return whether a URL is one of GitLab's API, which answers 404 for what one may not see."""
    return "/api/v4/" in url


def redacted_url(url: str) -> str:
    """Return a URL for display: without user, query and fragment, which may hold secrets (signed URLs)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    host = parts.netloc.rpartition("@")[2]
    return escape_text(parts._replace(netloc=host, query="", fragment="").geturl(), 300)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as err:
        raise _insecure(url, "something that is no URL") from err


def _host_and_port(url: str, parts: SplitResult) -> tuple[str, int | None]:
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as err:
        raise _insecure(url, "a port that is no number") from err
    if port == 0:
        raise _insecure(url, "port 0, on which nothing listens")
    return host, port


def _insecure(url: str, found: str) -> NetworkError:
    return NetworkError(
        "insecure-url",
        f"expected an https URL (plain http only to this machine), found {found}: {redacted_url(url)}",
        hint="Use https. Credentials never belong into a URL: see `pip-warden explain insecure-url`.",
    )
