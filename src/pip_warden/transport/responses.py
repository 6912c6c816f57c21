"""Responses, and the errors for unexpected ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeGuard

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import CredentialsError, NetworkError, RegistryError, UndecidedError
from pip_warden.transport.secret import Secret
from pip_warden.transport.urls import is_api, redacted_url
from pip_warden.values import dataclass, field

_MOST_EXPLAINED = 16 << 10
_MOST_LISTED = 3
_GITLAB_HINT = (
    "The request went without credentials, and GitLab hides what one may not see. "
    "Set GITLAB_TOKEN (read_api), and GITLAB_URL where it is not gitlab.com's; "
    "or use `--token-file HOST=FILE` or netrc; in GitLab CI the job token is used by itself."
)
_INDEX_HINT = (
    "The request went without credentials. Give them with `--token-file HOST=FILE`, netrc or keyring."
)
_MISSING_THERE = "Check the name. GitLab also answers 404 where the credentials may not see the project."
_TAG = re.compile(r"<title[^>]{0,80}>([^<]{0,200})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """A response, read to its end, whatever its status.

    Attributes:
        status: HTTP status code.
        url: Final URL, after redirects.
        headers: By lower-case name; cannot be changed.
        body: The whole body, decoded.
        sent_credentials: Whether the request for this response (the last one of a chain of redirects) carried
            credentials.
        secrets: The secrets that were sent; hidden wherever the body is shown.
        left_origin: Whether redirects led through an origin other than the requested one, so that this is not
            what was asked of it, even where they led back.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(hash=False)
    body: bytes = field(repr=False)
    sent_credentials: bool = False
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    left_origin: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """A file that was written as it arrived.

    Attributes:
        url: Final URL, after redirects.
        digest: SHA-256 of the bytes written.
        size: Bytes written.
    """

    url: str
    digest: Digest
    size: int


def error_for(reply: Response, what: str) -> UndecidedError:
    """Build the error for a response that is not the expected one.

    Args:
        reply: The response.
        what: What was requested, for people.

    Returns:
        :class:`CredentialsError` for 401, 403 and for a 404 of GitLab's API without credentials, since GitLab
        hides what the caller may not see; ``NetworkError rate-limited`` for 429; ``RegistryError
        redirect-target-failed`` where redirects led to another origin; else :class:`RegistryError`.
    """
    said = explanation(reply)
    found = f"expected {what}, found status {reply.status} from {redacted_url(reply.url)}: {said}"
    if reply.status == 429:
        return _rate_limited(reply, what)
    if reply.left_origin:
        return RegistryError(
            "redirect-target-failed",
            found,
            status=reply.status,
            hint="The server redirected there (object storage, or another index), "
            "and there it is not to be had. Try again later.",
        )
    if reply.status in {401, 403} or (
        reply.status == 404 and is_api(reply.url) and not reply.sent_credentials
    ):
        return _who_asks(reply, found, said)
    if reply.status == 404:
        return RegistryError(
            "not-found",
            found,
            status=404,
            hint=_MISSING_THERE if is_api(reply.url) else "Check the name and the source's `url`.",
        )
    if reply.status >= 500:
        return RegistryError(
            "server-error", found + _asked_to_wait(reply), status=reply.status, hint="Try again later."
        )
    return RegistryError("unexpected-status", found, status=reply.status, hint="Check the source's URL.")


def explanation(reply: Response) -> str:
    """Return the server's message about a failure: one short line, safe to show, without secrets."""
    text = reply.body[:_MOST_EXPLAINED].decode("utf-8", "replace").strip()
    if not text:
        return "no explanation"
    if text.startswith(("{", "[")):
        said = _message(text)
    elif text.startswith("<"):
        title = _TAG.search(text)
        said = f"an HTML page, {title[1].strip()!r}" if title else "an HTML page"
    else:
        said = text
    for secret in reply.secrets:
        said = secret.redact(said)
    return escape_text(" ".join(said.split()))


def is_text_map(value: object) -> TypeGuard[dict[str, object]]:
    """Return whether a value read from JSON is an object."""
    return isinstance(value, dict)


def _message(text: str) -> str:
    """Read GitLab's ``message``, ``error`` or ``error_description``, or the ``errors`` of an OCI registry."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if is_text_map(value):
        if listed := value.get("errors"):
            return _listed(listed) or text
        for key in ("message", "error", "error_description"):
            if value.get(key):
                return str(value[key])
    return text


def _listed(errors: object) -> str:
    """Join codes and messages (OCI distribution specification 1.1, "Error Codes")."""
    found = [each for each in errors[:_MOST_LISTED] if is_text_map(each)] if isinstance(errors, list) else []
    return "; ".join(
        ": ".join(str(each[key]) for key in ("code", "message") if each.get(key)) for each in found
    )


def _who_asks(reply: Response, found: str, said: str) -> CredentialsError:
    code, hint = (
        "forbidden",
        "The credentials are valid but may not read this. A 403 can also be a failing object storage.",
    )
    if "job token not allowed" in said:
        code = "job-token-not-allowed"
        hint = (
            "In the project that holds the package: Settings > CI/CD > Job token permissions, "
            "add this project (or its group) to the allowlist."
        )
    elif "Insufficient permissions" in said:
        code = "token-lacks-permission"
        hint = (
            "In the project that holds the package: Settings > CI/CD > Job token permissions, "
            "grant the permission it names."
        )
    elif not reply.sent_credentials:
        code = "credentials-needed"
        hint = _GITLAB_HINT if is_api(reply.url) else _INDEX_HINT
    elif reply.status == 401:
        code, hint = (
            "credentials-refused",
            "The token is wrong, expired, revoked, or lacks the scope read_api.",
        )
    return CredentialsError(code, found, status=reply.status, hint=hint)


def _rate_limited(reply: Response, what: str) -> NetworkError:
    advice = "" if reply.sent_credentials else " Requests with credentials are allowed many more."
    return NetworkError(
        "rate-limited",
        f"expected {what}, found that {redacted_url(reply.url)} allows no more "
        f"requests for now{_asked_to_wait(reply)}",
        hint=f"Try again later.{advice}",
    )


def _asked_to_wait(reply: Response) -> str:
    asked = reply.headers.get("retry-after", "").strip()
    if not asked:
        return ""
    return f"; the server asks to wait {escape_text(asked, 40)}{' seconds' if asked.isdecimal() else ''}"
