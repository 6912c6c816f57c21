"""Frozen network settings. The command line fills them from the environment; nothing else reads it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pip_warden.errors import UsageError
from pip_warden.transport.urls import Origin
from pip_warden.values import dataclass, field

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkSettings:
    """How the network is used.

    Attributes:
        connect_timeout: Seconds for a connection to be made.
        read_timeout: Seconds without a byte before a response counts as broken.
        deadline: Seconds for one call with all its retries and redirects.
        retries: How often a call is retried after a transient failure.
        ca_file: Certificate authorities to trust instead of the usual ones.
        extra_ca_file: Certificate authorities to trust in addition to the usual ones.
        proxies: Proxy URL by scheme: ``http``, ``https`` or ``all``. This machine is always reached directly.
        no_proxy: Hosts reached directly: names (and subdomains), ``host:port``, addresses, networks, or
            ``*``.
        user_agent: The ``User-Agent`` header.
        offline: Open no socket at all.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 900.0
    retries: int = 4
    ca_file: Path | None = None
    extra_ca_file: Path | None = None
    proxies: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    no_proxy: tuple[str, ...] = ()
    user_agent: str = "pip-warden"
    offline: bool = False

    def proxies_for(self, origin: Origin) -> dict[str, str]:
        """Return the proxy for an origin as ``{scheme: URL}``, empty where it is reached directly."""
        if origin.is_loopback or any(_covers(entry, origin) for entry in self.no_proxy):
            return {}
        known = dict(self.proxies)
        url = known.get(origin.scheme) or known.get("all")
        return {origin.scheme: url} if url else {}

    def tls_context(self) -> ssl.SSLContext | None:
        """Load the configured certificate authorities; None for the usual ones.

        Raises:
            UsageError: ``bad-ca-file``: the file cannot be read or has no certificate.
        """
        chosen = self.ca_file or self.extra_ca_file
        if chosen is None:
            return None
        try:
            return ssl.create_default_context(cafile=str(chosen))
        except (OSError, ValueError) as err:
            raise UsageError(
                "bad-ca-file",
                f"expected a file of PEM certificates, found {chosen}: {type(err).__name__}",
                hint="Check `--cert`, REQUESTS_CA_BUNDLE, SSL_CERT_FILE and CI_SERVER_TLS_CA_FILE.",
            ) from err


def settings_from_environment(
    environ: Mapping[str, str], *, cert: Path | None = None, base: NetworkSettings | None = None
) -> NetworkSettings:
    """Fill settings from environment variables.

    The certificate authorities are those of ``cert`` (``--cert``), else ``REQUESTS_CA_BUNDLE``, else
    ``SSL_CERT_FILE``. GitLab Runner's ``CI_SERVER_TLS_CA_FILE`` is for one server only, so where none of
    these is set it is trusted *in addition to* the usual ones.

    Args:
        environ: The environment, given by the caller.
        cert: The file the user named.
        base: The values of everything that the environment does not set.

    Raises:
        UsageError: ``bad-proxy``: a proxy is not an http(s) URL.
    """
    ca_file = cert or next((Path(environ[name]) for name in _CA_VARIABLES if environ.get(name)), None)
    extra = environ.get("CI_SERVER_TLS_CA_FILE")
    return replace(
        base or NetworkSettings(),
        ca_file=ca_file,
        extra_ca_file=Path(extra) if extra and ca_file is None else None,
        proxies=tuple(_proxies(environ)),
        no_proxy=tuple(entry for entry in _either(environ, "no_proxy").replace(",", " ").split() if entry),
    )


def _proxies(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for scheme in ("http", "https", "all"):
        url = _either(environ, f"{scheme}_proxy")
        if scheme == "http" and "REQUEST_METHOD" in environ:
            # In a CGI process HTTP_PROXY is a header of the request (CVE-2016-1000110).
            url = environ.get("http_proxy", "")
        if url:
            found.append((scheme, _proxy_url(scheme, url)))
    return found


def _proxy_url(scheme: str, url: str) -> str:
    full = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(full)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            "bad-proxy",
            f"expected {scheme.upper()}_PROXY to be an http or https URL, found something else",
            hint="SOCKS proxies are not supported. The value is not shown, since it may hold a password.",
        )
    return full


def _either(environ: Mapping[str, str], name: str) -> str:
    """Read a variable in lower case, else in upper case, as curl does."""
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _covers(entry: str, origin: Origin) -> bool:
    """Return whether an entry of NO_PROXY covers an origin."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, _, port = entry.lower().partition(":")
    name = name.removeprefix("*").lstrip(".")
    if not name or (port and port != str(origin.port)):
        return False
    return origin.host == name or origin.host.endswith(f".{name}")
