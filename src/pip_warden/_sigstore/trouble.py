"""What went wrong at one of the servers that sign: which it is, what it said, and what is to be done.

The library's exceptions are read without its classes: an HTTP error carries its response, somewhere in the
chain of causes, and what the server said is in that response alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pip_warden._sigstore.services import Role, Server, said_by
from pip_warden.display import escape_text, without_userinfo
from pip_warden.errors import UndecidedError
from pip_warden.strict_json import MalformedError, loads_object

_LONGEST = 300
"""Characters of what a server said."""

_LARGEST_ANSWER = 64 << 10
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}")
"""Anything that begins like a token, whole or cut off."""

_KEPT = "What was written stays; the same command again signs what is missing."

_HINTS = {
    (
        Role.CA,
        "silent",
    ): "Nothing was signed. It answers once its CT log has taken the certificate: if it is up, "
    "the CT log behind it is probably down. Its operator sees that in its own log.",
    (Role.CA, "unreachable"): "Nothing was signed. Is that its URL (caUrls in the trust config), "
    "and may this machine connect to it?",
    (
        Role.CA,
        "refused",
    ): "If it refuses the token: it knows only some issuers, needs the audience `sigstore`, "
    "and the job's configuration must lie in the project itself. "
    "`pip-warden explain signing-failed` tells more.",
    (Role.CA, "failed"): "Nothing was signed. It failed itself, or its CT log did not take the certificate: "
    "try again later, or ask its operator.",
    (Role.CA, "other"): "Its certificate must come with a time stamp (SCT) of a CT log of the trusted root: "
    "do the trust config's servers and its trusted root belong together?",
    (Role.LOG, "silent"): f"It may be overloaded, and may still take the entry. {_KEPT}",
    (Role.LOG, "unreachable"): "Is that its URL (rekorTlogUrls in the trust config), "
    f"and may this machine connect to it? {_KEPT}",
    (
        Role.LOG,
        "refused",
    ): f"It does not take the entry: is it a log of the version that the trust config says? {_KEPT}",
    (Role.LOG, "failed"): f"It failed itself: try again later. {_KEPT}",
    (Role.LOG, "other"): f"That is no answer of a log: does a proxy stand before it? {_KEPT}",
}


def trouble(server: Server, err: BaseException, *, secret: str) -> UndecidedError:
    """Return the error for what the library raised while it talked to a server.

    Args:
        server: The server that it asked last.
        err: What it raised.
        secret: The token, which is not in the error whatever the server says.
    """
    kind, found = _found(err, secret)
    return UndecidedError(
        "signing-failed",
        f"expected {server} to sign, found {found}",
        hint=_HINTS.get((server.role, kind), _KEPT),
    )


def silence(server: Server, seconds: float, log_version: int) -> UndecidedError:
    """Return the error for a server that did not answer.

    Args:
        server: The server that was asked last.
        seconds: How long was waited.
        log_version: Version of the log.
    """
    if server.role is Role.TSA:
        return no_stamp(server, None, log_version=log_version, secret="")
    return UndecidedError(
        "signing-failed",
        f"expected an answer of {server} within {seconds:g} s, found none",
        hint=_HINTS[server.role, "silent"],
    )


def no_stamp(server: Server, err: BaseException | None, *, log_version: int, secret: str) -> UndecidedError:
    """Return the error for an authority that gave no time stamp.

    Args:
        server: The authority.
        err: What the library raised; None where it did not answer in time.
        log_version: Version of the log, on which it depends whether there is a way without.
        secret: The token.
    """
    found = "no answer in time" if err is None else _found(err, secret)[1]
    way_out = (
        "--allow-no-timestamp signs without it: then the log's own clock is all that dates the signature."
        if log_version == 1
        else "The log states no time of its own, so no signature is good without it."
    )
    return UndecidedError(
        "no-timestamp",
        f"expected a time stamp of {server}, found {found}",
        hint=f"Nothing was logged for this file. {way_out} {_KEPT}",
    )


def _found(err: BaseException, secret: str) -> tuple[str, str]:
    """Return the kind of failure, and what was found, escaped."""
    chain = list(_chain(err))
    for link in chain:
        response = getattr(link, "response", None)
        if response is not None:
            status = int(response.status_code)
            said = cleaned(_words(response.content), secret)
            return ("failed" if status >= 500 else "refused"), f"HTTP {status}" + (
                f": {said}" if said else ""
            )
    if any(isinstance(link, TimeoutError) or "Timeout" in type(link).__name__ for link in chain):
        return "silent", "no answer in time"
    if any(getattr(link, "request", None) is not None for link in chain):
        reasons = [link.strerror for link in chain if isinstance(link, OSError) and link.strerror]
        return "unreachable", f"no connection ({cleaned(reasons[-1] if reasons else str(err), secret)})"
    return "other", cleaned(said_by(err), secret)


def _words(body: bytes) -> str:
    """Return the message of an error answer: of Fulcio, of Rekor, or whatever text it is."""
    try:
        message = loads_object(body, max_bytes=_LARGEST_ANSWER).get("message")
    except MalformedError:
        message = None
    return message if isinstance(message, str) else body[:_LARGEST_ANSWER].decode("utf-8", "replace").strip()


def cleaned(text: str, secret: str) -> str:
    """Return foreign text without the token and without other tokens, escaped and of limited length.

    Args:
        text: What a server or the library said.
        secret: The token.
    """
    for part in (secret, *secret.split(".")):
        if len(part) >= 8:
            text = text.replace(part, "***")
    return escape_text(without_userinfo(_JWT.sub("***", text)), _LONGEST)


def _chain(err: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, also what others only mention in their arguments."""
    waiting, seen = [err], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        named = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args)
        waiting += [each for each in named if isinstance(each, BaseException)]
