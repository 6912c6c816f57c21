"""Resolves redirects, and refuses those that are not followed."""

from __future__ import annotations

from urllib.parse import quote, urldefrag, urljoin

from pip_warden.errors import NetworkError
from pip_warden.transport.exchange import Request
from pip_warden.transport.urls import origin_of, redacted_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Status codes."""
REPEATABLE = frozenset({"GET", "HEAD"})
"""Methods that change nothing: they may be sent again, and elsewhere."""
MOST_REDIRECTS = 5
"""For one request."""

_URL_CHARACTERS = "".join(chr(code) for code in range(33, 127))


def redirect_target(ask: Request, url: str, location: str) -> str:
    """Return where a redirect leads.

    Raises:
        NetworkError: ``insecure-redirect``: it leaves https, names a user, is no URL, or answers a
            request that changes something.
    """
    found = f"a redirect of a {ask.method}"
    if ask.method in REPEATABLE:
        try:
            raw = location.encode("latin-1", "replace")
            target = urldefrag(urljoin(url, quote(raw, safe=_URL_CHARACTERS))).url
            was, becomes = origin_of(url), origin_of(target)
        except (ValueError, NetworkError):
            found = "a redirect to something else"
        else:
            if not (was.scheme == "https" and becomes.scheme == "http"):
                return target
            found = "a redirect to plain http"
    raise NetworkError(
        "insecure-redirect",
        f"expected {ask.what} over https, found {found} from {redacted_url(url)}",
        hint="Whoever runs the server must fix this; nothing was sent to the other place.",
    )
