"""Reads ``WWW-Authenticate``: how a registry wants to know who asks (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pip_warden.strict_json import MalformedError
from pip_warden.values import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- a grammar
_END = r"(?=[ \t]*(?:,|\Z))"
_GAP = re.compile(r"[ \t]*(?:,[ \t]*)+")
_SCHEME = re.compile(rf"({_TOKEN})(?: +|{_END})")
_TOKEN68 = re.compile(rf"[A-Za-z0-9._~+/-]+=*{_END}")
_PARAMETER = re.compile(
    rf"({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|\"((?:[ !#-\[\]-~]|\\[ -~])*)\"){_END}", re.ASCII
)
_LONGEST = 8 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """One way in which a server lets itself be shown who asks.

    Attributes:
        scheme: Lower case: ``bearer`` or ``basic``, or one that is not known here.
        parameters: By lower-case name; claims of whoever answered.
    """

    scheme: str
    parameters: Mapping[str, str] = field(hash=False)


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Read a header, or several that were joined by commas.

    Raises:
        MalformedError: It does not follow the grammar, repeats a parameter, or is longer than 8 KiB.
    """
    if len(header) > _LONGEST:
        raise MalformedError(f"longer than {_LONGEST} characters")
    found: list[Challenge] = []
    at, end = 0, len(header.rstrip(" \t,"))
    while at < end:
        gap = _GAP.match(header, at)
        scheme = _SCHEME.match(header, gap.end() if gap else at)
        if scheme is None or (found and gap is None):
            raise MalformedError(f"no scheme at character {at}")
        parameters, at = _parameters(header, scheme.end())
        found.append(Challenge(scheme=scheme[1].lower(), parameters=MappingProxyType(parameters)))
    return tuple(found)


def _parameters(header: str, at: int) -> tuple[dict[str, str], int]:
    """Read what follows a scheme, and return where it ends; the word that some schemes send is skipped."""
    if (word := _TOKEN68.match(header, at)) is not None:
        return {}, word.end()
    found: dict[str, str] = {}
    while True:
        gap = _GAP.match(header, at)
        each = _PARAMETER.match(header, gap.end() if gap else at)
        if each is None or (found and gap is None):
            return found, at
        name, plain, quoted = each[1].lower(), each[2], each[3]
        if name in found:
            raise MalformedError(f"the parameter {name[:40]!r} twice")
        found[name] = plain if plain is not None else re.sub(r"\\(.)", r"\1", quoted)
        at = each.end()
