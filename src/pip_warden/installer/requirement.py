"""Reads a requirement, a name or local path; refuses what could bypass the gate or pip reads differently."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pip_warden.errors import UsageError
from pip_warden.installer.requirements_file import redact_credentials
from pip_warden.installer.wanted import LocalFile, LocalProject, NamedRequirement
from pip_warden.names import ProjectName

_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ufeff\ud800-\udfff]")
_ARCHIVES = (
    ".whl",
    ".tar.gz",
    ".zip",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".tlz",
    ".txz",
    ".tar.lzma",
)
_OPTION = re.compile(r"\s--?[a-zA-Z]", re.ASCII)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}", re.ASCII)
_HASH = re.compile(r"[a-z0-9]+:[0-9a-f]+", re.ASCII)
_EXTRAS = re.compile(r"(.*?)(\[[^\[\]]*\])?", re.DOTALL)


def read_requirement(text: str, base: Path, where: str) -> NamedRequirement | LocalFile | LocalProject:
    """Read one requirement.

    Args:
        text: The requirement, on one line.
        base: The directory that local paths start from.
        where: Where it was found, for people.

    Raises:
        UsageError: ``refused-requirement`` or ``bad-requirement``.
    """
    _check_text(text, where)
    body, options = _split_options(text)
    place, extras = _split_extras(body.strip())
    if re.match(r"[a-z+]+://|[a-z]+\+|file:", body.strip(), re.IGNORECASE | re.ASCII):
        raise _refused(where, redact_credentials(body), "A URL is fetched past the gate; name the package.")
    is_archive = place.lower().endswith(_ARCHIVES) and "@" not in place
    if not (is_archive or _is_path(place)):
        return read_named_requirement(text, where)
    if options:
        raise UsageError(
            "bad-requirement",
            f"expected nothing after a local path, found {redact_credentials(text)} in {where}",
            hint="A local file is judged by the evidence next to it, or by its hash in the trust file.",
        )
    if is_archive:
        return LocalFile(path=_archive(place, base, where), extras=extras)
    return read_project(body, base, where)


def read_named_requirement(text: str, where: str) -> NamedRequirement:
    """Read a requirement by name, with its ``--hash`` and ``--config-settings``.

    Raises:
        UsageError: ``refused-requirement`` or ``bad-requirement``.
    """
    _check_text(text, where)
    body, options = _split_options(text)
    try:
        requirement = Requirement(body)
        # pip reads a name such as `a.tar.gz` as a file if there is one; a normalised name has no dots. The
        # parser lets `acme_` pass, which is no name (PEP 508), and is normalised to one that it cannot read.
        requirement.name = str(canonicalize_name(requirement.name, validate=True))
        words = shlex.split(options)
    except (InvalidRequirement, ValueError, RecursionError) as err:
        raise UsageError(
            "bad-requirement",
            f"expected a requirement such as name>=1.0, found {redact_credentials(text)} in {where}",
        ) from err
    if requirement.url is not None:
        raise _refused(
            where, redact_credentials(text), "A direct reference is fetched past the gate; name the package."
        )
    hashes, settings = _hashes_and_settings(words, text, where)
    named = NamedRequirement(
        requirement=str(requirement),
        project=ProjectName(requirement.name),
        hashes=hashes,
        settings=settings,
    )
    if named.rendered().endswith("\\"):
        raise UsageError(
            "bad-requirement",
            f"expected no backslash at the end of a requirement, found {redact_credentials(text)} in {where}",
            hint="pip would read the next requirement as a part of it.",
        )
    return named


def read_project(text: str, base: Path, where: str, *, editable: bool = False) -> LocalProject:
    """Read the path of a project directory.

    Raises:
        UsageError: ``refused-requirement`` or ``bad-requirement``.
    """
    _check_text(text, where)
    place, extras = _split_extras(text.strip())
    if "://" in place or re.match(r"[a-z]+\+|file:", place, re.ASCII | re.IGNORECASE):
        raise _refused(where, redact_credentials(text), "A URL is fetched past the gate; name the package.")
    path = _resolved(_existing(place, base))
    if not place or path is None:
        raise UsageError(
            "bad-requirement",
            f"expected a local wheel, sdist or project directory, "
            f"found {redact_credentials(text)} in {where}",
        )
    return LocalProject(path=path, extras=extras, editable=editable)


def _is_path(place: str) -> bool:
    return place.startswith((".", "/", "~")) or (("/" in place or place == "") and "@" not in place)


def _check_text(text: str, where: str) -> None:
    """Refuse line breaks, and variables that pip would replace in the requirements file that it is given."""
    if _UNWRITABLE.search(text):
        raise UsageError(
            "bad-requirement",
            f"expected one line without control characters, found {redact_credentials(text)} in {where}",
        )
    if _VARIABLE.search(text):
        raise _refused(
            where,
            f"the variable in {redact_credentials(text)}",
            "Write it out: what it stands for differs from machine to machine.",
        )


def _split_extras(text: str) -> tuple[str, str]:
    match = _EXTRAS.fullmatch(text)
    return (match[1], match[2] or "") if match else (text, "")


def _existing(place: str, base: Path) -> Path:
    """Return the absolute path, links not resolved: the evidence is next to the name that was given."""
    try:
        return (base / Path(place).expanduser()).absolute()
    except (OSError, ValueError, RuntimeError) as err:
        raise UsageError(
            "bad-requirement", f"expected a local path, found {redact_credentials(place)}"
        ) from err


def _archive(place: str, base: Path, where: str) -> Path:
    path = _existing(place, base)
    # Not Path.is_file, which raises for a name that is too long.
    if not os.path.isfile(path):
        raise UsageError(
            "bad-requirement",
            f"expected a local file, found no {redact_credentials(place)}; {where} names it",
        )
    return path


def _resolved(path: Path) -> Path | None:
    """Return an existing directory, links resolved, else None."""
    try:
        return path.resolve() if path.is_dir() else None
    except (OSError, RuntimeError):
        return None


def _split_options(text: str) -> tuple[str, str]:
    match = _OPTION.search(text)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def _hashes_and_settings(words: list[str], text: str, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    hashes, settings = [], []
    for name, value in _pairs(words, text, where):
        if name == "--hash" and _HASH.fullmatch(value):
            hashes.append(value)
        elif name in {"--config-settings", "--config-setting"} and "=" in value:
            settings.append(value)
        else:
            found = redact_credentials(f"{name} {value}" if name == "--hash" else name)
            raise UsageError(
                "bad-requirement",
                f"expected --hash=ALGORITHM:DIGITS (lower-case hexadecimal) or --config-settings=KEY=VALUE, "
                f"found {found} in {where}",
            )
    return tuple(hashes), tuple(settings)


def _pairs(words: list[str], text: str, where: str) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals:
            value = next(rest, "")
        if not name.startswith("--") or not value:
            raise UsageError(
                "bad-requirement",
                f"expected options after the requirement, found {redact_credentials(text)} in {where}",
            )
        yield name, value


def _refused(where: str, found: str, hint: str) -> UsageError:
    return UsageError(
        "refused-requirement",
        f"expected requirements by name or local files in {where}, found {found}",
        hint=hint,
    )
