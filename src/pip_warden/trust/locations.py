"""Locations in a trust file: URLs of sources and issuers, registry projects, templates of evidence's places.

All of them are compared or put into URLs, so each has exactly one spelling here: lower-case host, no user
name, query, fragment, escapes or empty segments.
"""

from __future__ import annotations

import ipaddress
import re
from string import ascii_letters, digits
from urllib.parse import SplitResult, urlsplit

from pip_warden.display import escape_text
from pip_warden.errors import UsageError

PLACEHOLDERS = ("{project-name}", "{name}", "{version}")
"""Placeholders: last segment of the registry project's path, package name, version."""

URL_PLACEHOLDERS = ("{name}", "{version}", "{filename}")
"""Placeholders of a provenance's URL: normalised package name, canonical version, file name."""

_SEGMENT = frozenset(ascii_letters + digits + "-_.")
_URL_PATH = frozenset(ascii_letters + digits + "-_.~+/")
_SHORTEST_PROJECT = 2


def parse_url(text: str) -> str:
    """Read a source's URL, without trailing slashes.

    Raises:
        UsageError: ``invalid-url``: not https (http only on loopback), or with anything but host, port and
            path.
    """
    _check_url(text.rstrip("/"), text)
    return text.rstrip("/")


def parse_issuer(text: str) -> str:
    """Read an issuer or repository URL, which is compared exactly, including a trailing slash.

    Raises:
        UsageError: ``invalid-url``: as for :func:`parse_url`.
    """
    _check_url(text.removesuffix("/"), text)
    return text


def parse_registry(text: str) -> str:
    """Read the path of a GitLab project, ``group/project``.

    Raises:
        UsageError: ``invalid-registry-project``: it is not such a path.
    """
    parts = text.split("/")
    if len(parts) < _SHORTEST_PROJECT or not all(_is_segment(part) for part in parts):
        raise UsageError(
            "invalid-registry-project",
            f'expected a project\'s path such as "group/project", or its numeric id, '
            f'found "{escape_text(_without_password(text))}"',
        )
    return text


def parse_evidence(text: str) -> str:
    """Read a template such as ``{name}/{version}``: package and version in the generic registry.

    Raises:
        UsageError: ``invalid-evidence-template``: not two segments, or another placeholder than the three
            known.
    """
    plain = text
    for placeholder in PLACEHOLDERS:
        plain = plain.replace(placeholder, "x")
    parts = plain.split("/")
    if len(parts) != 2 or not all(_is_segment(part) for part in parts):
        raise UsageError(
            "invalid-evidence-template",
            f'expected PACKAGE/VERSION made of letters, digits, "-_." and {", ".join(PLACEHOLDERS)}, '
            f'found "{escape_text(_without_password(text))}"',
        )
    return text


def parse_evidence_url(text: str) -> str:
    """Read a template such as ``https://HOST/integrity/{name}/{version}/{filename}/provenance``.

    Raises:
        UsageError: ``invalid-evidence-template``: no ``{filename}``, another placeholder than the three
            known, or one in the host; ``invalid-url``: the rest is no plain URL.
    """
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    plain = path
    for placeholder in URL_PLACEHOLDERS:
        plain = plain.replace(placeholder, "x")
    if "{filename}" not in path or set("{}") & set(scheme + host + plain):
        shown = escape_text(_without_password(text))
        raise UsageError(
            "invalid-evidence-template",
            'expected a URL such as "https://HOST/integrity/{name}/{version}/{filename}/provenance", whose '
            f'path has {{filename}} and no placeholders but {", ".join(URL_PLACEHOLDERS)}, found "{shown}"',
        )
    filled = f"{scheme}://{host}/{plain}"
    _check_url(filled, filled)
    return text


def _check_url(trimmed: str, text: str) -> None:
    fault = _url_fault(trimmed)
    if fault is not None:
        raise UsageError(
            "invalid-url", f'expected an https URL, found "{escape_text(_without_password(text))}": {fault}'
        )


def _without_password(text: str) -> str:
    """Hide what precedes an ``@``, and a query: a secret must not get into a message, wherever it is."""
    head, at, rest = text.rpartition("@")
    scheme = re.match(r"[a-z]{1,8}://", head)  # without one, the user's name comes first
    shown = f"{scheme[0] if scheme else ''}***@{rest}" if at else text
    return re.sub(r"(?<=[?#]).+", "***", shown, flags=re.DOTALL)


def _url_fault(text: str) -> str | None:
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        return "it cannot be parsed"
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        return (
            "http is for loopback addresses only"
            if url.scheme == "http"
            else "it does not begin with https://"
        )
    return _host_fault(url, host, port) or _rest_fault(url, text)


def _host_fault(url: SplitResult, host: str, port: int | None) -> str | None:
    if "@" in url.netloc:
        return "a user name or password does not belong in it"
    spelled = f"[{host}]" if ":" in host else host
    if url.netloc != (spelled if port is None else f"{spelled}:{port}"):
        return "its host must be in lower case, its port a plain number"
    if ":" not in host and not all(_is_label(label) for label in host.split(".")):
        return "its host is no host name"
    return None


def _rest_fault(url: SplitResult, text: str) -> str | None:
    if "?" in text or "#" in text:
        return "a query or fragment does not belong in it"
    segments = url.path.split("/")[1:]
    if not set(url.path) <= _URL_PATH or any(part in {"", ".", ".."} for part in segments):
        return "its path has an empty segment, a dot segment or an unusual character"
    # urlsplit drops tabs, newlines and surrounding spaces: its result must equal the text.
    return None if url.geturl() == text else "it holds a character that no URL has"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_label(text: str) -> bool:
    return _is_segment(text) and "_" not in text and "." not in text and text.strip("-") == text


def _is_segment(text: str) -> bool:
    return bool(text) and text not in {".", ".."} and set(text) <= _SEGMENT
