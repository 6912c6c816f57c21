"""Chooses the source of ``trust add``: one of the trust file, or a new one from a URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pip_warden.display import escape_text
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.trust.model import Source

_WELL_KNOWN = {"pypi.org": "pypi"}


def choose_source(text: str | None, known: Sequence[Source], *, gitlab: bool) -> Source:
    """Return the chosen source; one that is not among the known is new.

    Args:
        text: Name or URL; None for the only one there is.
        known: The trust file's sources.
        gitlab: The user has named a GitLab project or group, so a new source is a GitLab whatever its URL.

    Raises:
        UsageError: ``source-needed``, or ``invalid-url``: the URL is not an allowed one, or holds a password.
    """
    if text is None:
        if len(known) == 1:
            return known[0]
        raise _needed("--source NAME or URL", "none", known)
    bare = text.rstrip("/")
    match = next((source for source in known if text == source.name or bare == source.url), None)
    if match is not None:
        return match
    if "://" not in text and "@" not in text:
        shown = escape_text(text.partition("?")[0])  # a query may hold a token
        raise _needed("a source of the trust file or a URL", repr(shown), known)
    return _new(bare, {source.name for source in known}, gitlab=gitlab)


def _new(url: str, taken: set[str], *, gitlab: bool) -> Source:
    from pip_warden.trust.locations import parse_url
    from pip_warden.trust.model import Source

    if "@" in url:
        raise UsageError(
            "invalid-url",
            "expected a URL without a user name or password, found one",
            hint="The trust file is no place for secrets: use GITLAB_TOKEN, --token-file or netrc.",
        )
    base, api, _ = url.partition("/api/v4/")
    if api:
        host = urlsplit(base).hostname or base
        raise UsageError(
            "source-needed",
            f"expected the URL of the GitLab itself, found that of an API of {escape_text(host)}",
            hint="A GitLab's own index says nothing about signers: "
            "name the instance with --source, and the project with --project PATH.",
        )
    try:
        parse_url(url)
    except UsageError as err:
        raise UsageError(
            err.code, f"--source: {err.message}", hint="Name the source by its https URL."
        ) from err
    kind: Literal["gitlab", "simple"] = "simple" if url.endswith("/simple") and not gitlab else "gitlab"
    return Source(name=_name_for(url, kind, taken), type=kind, url=url)


def _name_for(url: str, kind: str, taken: set[str]) -> str:
    """Choose a short name: the distinctive part of the host, or the source's kind if that is an address."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    labels = [label for label in host.split(".") if label.isascii() and label.replace("-", "a").isalnum()]
    is_address = not labels or labels[-1].isdecimal()
    plain = ("index" if kind == "simple" else "gitlab") if is_address else labels[max(len(labels) - 2, 0)]
    base = _WELL_KNOWN.get(host, plain)
    name, number = base, 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name


def _needed(expected: str, found: str, known: Sequence[Source]) -> UsageError:
    names = ", ".join(source.name for source in known) or "none yet"
    return UsageError(
        "source-needed",
        f"expected {expected}, found {found}; the file has: {names}",
        hint="A new source is named by its URL: --source https://gitlab.com, or https://pypi.org/simple.",
    )
