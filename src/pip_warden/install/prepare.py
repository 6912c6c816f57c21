"""A request is read: what was asked for, in pip's words, becomes what is to be done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.errors import UsageError
from pip_warden.install.request import InstallRequest, PreparedRequest
from pip_warden.installer.options import parse_arguments
from pip_warden.installer.python import Target, choose_target
from pip_warden.installer.requirements import gather
from pip_warden.installer.wanted import Wanted
from pip_warden.trust.model import TrustFile

if TYPE_CHECKING:
    from pip_warden.installer.uv import Uv

_PLACES = frozenset({"--target", "--root", "--prefix"})
"""Options of pip's with which files go to a place of their own, whichever Python is the target."""


def prepare(
    request: InstallRequest,
    *,
    trust: TrustFile,
    environ: Mapping[str, str],
    where: str,
    target: Target | None = None,
) -> PreparedRequest:
    """Read a request.

    Args:
        request: What is asked for.
        trust: The trust file: an index line in a file of requirements that names one of its sources is
            dropped with a note.
        environ: Our own environment, whose ``VIRTUAL_ENV`` counts where no target is named.
        where: What the request was read from, for people.
        target: The target, where it was chosen already from the same request and environment.

    Raises:
        UsageError: Something that was asked for is not what it was said to be, or an option would step
            around the gate.
    """
    _check(request)
    urls = tuple(source.url for source in trust.sources)
    build = gather(constraints=_spelled(request.build_constraints), source_urls=urls)
    options, wanted = _options(request), _wanted(request, urls, where)
    return PreparedRequest(
        wanted=wanted,
        build_constraints=build.constraints,
        options=options,
        target=target or _target(request, options, environ),
        dry_run=request.dry_run,
        download=_path(request.download),
        with_sdist=request.with_sdist,
        strict=request.strict,
        report=_path(request.report),
        pass_env=tuple(request.pass_env),
        verbosity=("--verbose",) * request.verbosity + ("--quiet",) * -request.verbosity,
        uv=_uv(request, (*wanted.options, *options), environ),
    )


def _spelled(paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    return tuple(os.fspath(path) for path in paths)


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)


def _check(request: InstallRequest) -> None:
    if request.with_sdist and request.download is None:
        raise UsageError("option-value", "expected --with-sdist together with --download DIR, found it alone")
    if request.report is not None and request.download is not None:
        raise UsageError(
            "option-value",
            "expected --report with an installation, found it with --download, of which pip makes none",
            hint="`--format json` names every file with its digest and what spoke for it.",
        )


def _uv(request: InstallRequest, options: tuple[str, ...], environ: Mapping[str, str]) -> Uv | None:
    """Find uv where it is to install, and hold what is asked of it against what it has."""
    if request.installer == "pip":
        return None
    if request.installer != "uv":
        raise UsageError("option-value", f"expected the installer pip or uv, found {request.installer!r}")
    from pip_warden.installer.uv import find_uv
    from pip_warden.installer.uv_options import not_with_uv, uv_options

    uv_options(options, ())
    for option, value in (("--download", request.download), ("--report", request.report)):
        if value is not None:
            raise not_with_uv(option)
    return find_uv(environ)


def _wanted(request: InstallRequest, urls: tuple[str, ...], where: str) -> Wanted:
    return gather(
        positional=request.packages,
        files=_spelled(request.requirements),
        constraints=_spelled(request.constraints),
        editables=_spelled(request.editables),
        source_urls=urls,
        where=where,
    )


def _target(request: InstallRequest, options: tuple[str, ...], environ: Mapping[str, str]) -> Target:
    has_place = request.download is not None or not _PLACES.isdisjoint(options)
    return choose_target(request.python, environ, sys.executable, own_is_enough=has_place)


def _options(request: InstallRequest) -> tuple[str, ...]:
    """Hold pip's options against the table of them all: what would step around the gate is refused."""
    words = tuple(request.options)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"options are words, not {type(word).__name__}")
        if "\0" in word:
            raise UsageError("option-value", f"expected options without NUL, found {word!r}")
    parsed = parse_arguments(words)
    surplus = [*parsed.requirements, *(name for name, _value in parsed.ours)]
    if surplus:
        raise UsageError(
            "refused-option",
            f"expected options that are passed to pip, found {surplus[0]}",
            hint="It is an attribute of the request, or a setting of the session.",
        )
    return parsed.passed
