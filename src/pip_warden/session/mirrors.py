"""Mirrors: where this machine takes the pages and files of simple indexes from.

They belong to the machine, as its proxies do, and never to the committed file. A mirror proves nothing: the
pin and the source's own evidence decide about every file, as they do without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pip_warden.errors import UsageError
from pip_warden.session.settings import Settings
from pip_warden.trust.locations import parse_url
from pip_warden.trust.model import Source, TrustFile

_VARIABLE = "PIP_WARDEN_MIRROR_"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)


def mirrors_of(sources: Iterable[Source], settings: Settings) -> dict[str, str]:
    """Return the URL of each source's mirror, by the source's name.

    A mirror that the settings name themselves comes before one of the environment. A variable that no source
    has is ignored, since an environment serves several projects.

    Args:
        sources: The trust file's sources.
        settings: They name mirrors, and hold the environment.

    Raises:
        UsageError: ``bad-mirror``: of a source that is unknown or a GitLab, or a variable that two sources
            share; ``invalid-url``.
    """
    known = {source.name: source for source in sources}
    for name in settings.mirrors:
        if name not in known:
            names = ", ".join(known) or "none"
            raise _bad(f"a source of the trust file ({names})", _shown(name))
    named = {**_from_environment(known, settings.environ), **settings.mirrors}
    for name in named:
        if known[name].type != "simple":
            raise _bad("a simple index", f"{name}, which is a GitLab")
    return {name: _url(name, text) for name, text in named.items()}


def mirrored(trust: TrustFile, mirrors: Mapping[str, str]) -> TrustFile:
    """Return a trust file whose sources know their mirrors; nothing else of it changes."""
    if not mirrors:
        return trust
    sources = (replace(source, mirror=mirrors.get(source.name)) for source in trust.sources)
    return replace(trust, sources=tuple(sources))


def places_of(sources: Iterable[Source]) -> dict[str, str]:
    """Return every URL that sources are asked at, by what it is: where a credential may be meant for."""
    places = {}
    for source in sources:
        places[source.name] = source.url
        if source.mirror is not None:
            places[f"{source.name} (mirror)"] = source.mirror
        if source.type == "simple" and source.evidence:
            places[f"{source.name} (evidence)"] = source.evidence[0]
    return places


def _from_environment(known: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    takers: dict[str, str] = {}
    for name in known:
        variable = _VARIABLE + name.upper().replace("-", "_")
        if not environ.get(variable):
            continue
        if variable in takers:
            raise _bad(f"one source for {variable}", f"{takers[variable]} and {name}")
        takers[variable], found[name] = name, environ[variable]
    return found


def _shown(name: str) -> str:
    """Return what was given as a source's name; a URL in its place may hold a password, even half of one."""
    return repr(name) if _NAME.fullmatch(name) else "what no source is called"


def _url(name: str, text: str) -> str:
    try:
        return parse_url(text)
    except UsageError as err:
        raise UsageError(
            err.code,
            f"the mirror of {name}: {err.message}",
            hint="No user name or password belongs into it: `--token-file HOST=FILE` or netrc hold those.",
        ) from err


def _bad(expected: str, found: str) -> UsageError:
    return UsageError(
        "bad-mirror",
        f"expected the mirror of {expected}, found {found}",
        hint="Name it so: `--mirror SOURCE=URL`, or the variable PIP_WARDEN_MIRROR_SOURCE in capitals.",
    )
