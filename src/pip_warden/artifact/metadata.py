"""Core metadata (METADATA, PKG-INFO) and the requirements in it."""

from __future__ import annotations

import email.errors
import email.parser
import email.policy
from collections.abc import Iterable
from email.message import Message

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pip_warden.artifact.problem import MalformedError
from pip_warden.names import ProjectName

LARGEST_METADATA = 16 << 20
"""Bytes."""


def headers(raw: bytes, where: str) -> Message:
    """Read the headers of a metadata file: UTF-8, one ``Name`` and one ``Version`` where they matter.

    Raises:
        MalformedError: ``bad-metadata``.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise _bad(where, "bytes that are not UTF-8") from err
    if "\x00" in text:
        raise _bad(where, "a NUL character")
    message = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)
    if message.defects:
        raise _bad(where, f"{type(message.defects[0]).__name__}")
    return message


def one(message: Message, name: str, where: str) -> str:
    """Return the value of a header that must stand exactly once.

    Raises:
        MalformedError: ``bad-metadata``.
    """
    values = message.get_all(name) or []
    if len(values) != 1 or not str(values[0]).strip():
        raise _bad(where, f"{len(values)} {name} lines")
    return str(values[0]).strip()


def at_most_one(message: Message, name: str, where: str) -> str | None:
    """Return the value of a header that may stand once.

    Raises:
        MalformedError: ``bad-metadata``.
    """
    return one(message, name, where) if message.get_all(name) else None


def every(message: Message, name: str) -> tuple[str, ...]:
    """Return every value of a header."""
    return tuple(str(value).strip() for value in message.get_all(name) or [])


def project_and_version(message: Message, where: str) -> tuple[ProjectName, Version]:
    """Read name and version.

    Raises:
        MalformedError: ``bad-metadata``.
    """
    try:
        project = ProjectName(str(canonicalize_name(one(message, "Name", where), validate=True)))
        return project, Version(one(message, "Version", where))
    except (InvalidVersion, ValueError) as err:
        raise _bad(where, str(err)) from err


def direct_references(requirements: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the requirements that name a URL or path instead of a version.

    Raises:
        MalformedError: ``bad-metadata``: one of them cannot be read at all.
    """
    found = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as err:
            raise _bad(where, f"the requirement {text!r}") from err
        if requirement.url is not None:
            found.append(text)
    return tuple(found)


def _bad(where: str, found: str) -> MalformedError:
    return MalformedError(
        "bad-metadata",
        f"well-formed core metadata in {where}",
        found,
        hint="The publisher's build tool is at fault.",
    )
