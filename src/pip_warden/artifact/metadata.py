"""Core metadata (METADATA, PKG-INFO), the WHEEL file, and the requirements in them.

One lenient reader ends the headers at the first odd line and takes the rest for the body; another continues.
So an odd line is a fault here.
"""

from __future__ import annotations

import email.parser
import re
from collections.abc import Iterable
from email.message import Message

from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact.problem import bad_metadata
from pip_warden.artifact.requirements import (
    extras_of,
    is_extra,
    is_plain_python,
    is_specifier,
    read_agreed,
    read_requirement,
)
from pip_warden.names import ProjectName

LARGEST_METADATA = 16 << 20
"""Bytes."""
_LONGEST_VALUE = 4096
_ODD = ("\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""What str.splitlines, and so the email parser, may take for the end of a line, and other readers do not."""
_TOO_LARGE = re.compile(r"[0-9]{19}", re.ASCII)
"""A number that may not fit into the 64 bits that some installers use."""
_MAIL = ("content-", "mime-")


def headers(raw: bytes, where: str) -> Message:
    """Read the headers of a metadata file: UTF-8, and nothing that two readers could read differently.

    Args:
        raw: The file.
        where: Its name, for people.

    Raises:
        FaultError: ``bad-metadata``.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise bad_metadata(where, "bytes that are not UTF-8") from err
    head = _head(text)
    if head.startswith(("From ", "\ufeff", " ", "\t")) or any(char in head for char in _ODD):
        raise bad_metadata(
            where,
            "a first line that is no header, or characters that only some readers take for a line's end",
        )
    # By compat32, as importlib.metadata: the default, since naming it would load four more modules.
    message = email.parser.HeaderParser().parsestr(head)
    if message.defects or message.get_payload():
        raise bad_metadata(where, "a line among the headers that is none")
    for name in message:
        if name.lower().startswith(_MAIL):
            raise bad_metadata(
                where, f"a header of mail, which would change how the rest is read: {name[:80]!r}"
            )
    return message


def _head(text: str) -> str:
    """Return everything before the first empty line; a carriage return must precede a line feed."""
    unix = text.replace("\r\n", "\n")
    head = unix.partition("\n\n")[0] + "\n"
    if "\r" in head:
        raise bad_metadata("a metadata file", "a carriage return within a line")
    return head


def required_header(message: Message, name: str, where: str) -> str:
    """Return the value of a header that must occur exactly once, on one line.

    Raises:
        FaultError: ``bad-metadata``.
    """
    values = message.get_all(name) or []
    if len(values) != 1:
        raise bad_metadata(where, f"{len(values)} {name} lines")
    value = str(values[0])
    if not value or value != value.strip() or "\n" in value or len(value) > _LONGEST_VALUE:
        raise bad_metadata(where, f"an empty, folded or overlong {name} line, or one that ends in blanks")
    return value


def at_most_one(message: Message, name: str, where: str) -> str | None:
    """Return the value of a header that may occur once, None where absent.

    Raises:
        FaultError: ``bad-metadata``.
    """
    return required_header(message, name, where) if message.get_all(name) else None


def all_headers(message: Message, name: str) -> tuple[str, ...]:
    """Return every value of a header."""
    return tuple(str(value).strip() for value in message.get_all(name) or [])


def core(raw: bytes, where: str) -> Message:
    """Read core metadata of a known version (PEP 241 to PEP 794: 1.x and 2.x).

    Raises:
        FaultError: ``bad-metadata``.
    """
    message = headers(raw, where)
    stated = required_header(message, "Metadata-Version", where)
    major, _, minor = stated.partition(".")
    if major not in {"1", "2"} or not (minor.isascii() and minor.isdecimal()):
        raise bad_metadata(where, f"Metadata-Version {stated}, where 1.x and 2.x are known")
    return message


def project_and_version(message: Message, where: str) -> tuple[ProjectName, Version]:
    """Read name and version.

    Raises:
        FaultError: ``bad-metadata``.
    """
    name, version = required_header(message, "Name", where), required_header(message, "Version", where)
    if name == "UNKNOWN" or _TOO_LARGE.search(version):
        raise bad_metadata(where, f"{name[:200]!r} {version[:200]!r}")
    try:
        return ProjectName(str(canonicalize_name(name, validate=True))), Version(version)
    except ValueError as err:  # InvalidName, InvalidVersion, or a number of too many digits
        raise bad_metadata(where, str(err)) from err


def requires_python(message: Message, where: str) -> str | None:
    """Read ``Requires-Python``.

    Raises:
        FaultError: ``bad-metadata``: it occurs twice or is not a version specifier.
    """
    stated = at_most_one(message, "Requires-Python", where)
    if stated is not None and not (is_specifier(stated) and is_plain_python(stated)):
        raise bad_metadata(where, f"Requires-Python {stated!r}")
    return stated


def direct_references(requirements: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the requirements that name a URL or path instead of a version.

    Raises:
        FaultError: ``bad-metadata``: one of them cannot be read at all.
    """
    return tuple(text for text in requirements if read_requirement(text, where).url is not None)


def dependencies(message: Message, where: str) -> tuple[str, ...]:
    """Read every ``Requires-Dist``; each must be one that every installer reads alike.

    Of an extra that no ``Provides-Extra`` names, it would be installed by some and left out by others.

    Raises:
        FaultError: ``bad-metadata``.
    """
    found = all_headers(message, "Requires-Dist")
    # Not stripped: with a space behind it, or on its own line, it is another name to some readers.
    provided = tuple(str(value) for value in message.get_all("Provides-Extra") or [])
    for extra in provided:
        if not is_extra(extra):
            raise bad_metadata(where, f"the extra {extra[:200]!r}")
    wanted = {extra for requirement in read_agreed(found, where) for extra in extras_of(requirement)}
    unknown = wanted - {canonicalize_name(extra) for extra in provided}
    if unknown:
        raise bad_metadata(where, f"requirements of an extra that is not provided: {min(unknown)[:200]!r}")
    return found
