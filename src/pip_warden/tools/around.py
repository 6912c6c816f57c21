"""What a tool is called with, and where the user has things."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pip_warden.display import escape_text
from pip_warden.installer.requirements_file import redact_credentials
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.words import Call
from pip_warden.values import dataclass, field

COMMAND_LINE = "the command line"
ENVIRONMENT = "the environment"

_GITLAB = re.compile(r"/api/v4/(?:projects/[^/]+|groups/[^/]+/-)/packages/pypi(?:/simple)?", re.ASCII)
"""Below a GitLab instance: the PyPI registry of a project or group."""

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Pinned:
    """The indexes that the trust file names, which the gate answers for.

    Attributes:
        urls: Their URLs, normalised.
    """

    urls: frozenset[str]

    @classmethod
    def of(cls, urls: Iterable[str]) -> Pinned:
        """Make it from URLs as the trust file has them."""
        return cls(frozenset(filter(None, map(normal_url, urls))))

    def has(self, url: str) -> bool:
        """Return whether an index is one of them, or the PyPI registry of a GitLab that is one."""
        normal = normal_url(url)
        return normal is not None and (
            normal in self.urls
            or any(
                normal.startswith(known) and _GITLAB.fullmatch(normal[len(known) :]) for known in self.urls
            )
        )


def normal_url(url: str) -> str | None:
    """Return a URL without credentials, default port, fragment and last slash; None for any other."""
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or parts.query:
        return None
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


def bare_url(url: str) -> str:
    """Return a pinned index's URL as it is, but for its credentials, query and fragment."""
    parts = urlsplit(url.strip())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """A call of a tool, and what is around it.

    Attributes:
        call: The command line.
        environ: The user's environment.
        directory: The directory that the tool works in.
        private: The run's private directory.
        pinned: The indexes that the gate answers for.
    """

    call: Call
    environ: Mapping[str, str] = field(hash=False, repr=False)
    directory: Path
    private: Path
    pinned: Pinned

    def replaced(self, *, call: Call | None = None, directory: Path | None = None) -> Around:
        """Return the same for another command line or directory."""
        return replace(self, call=call or self.call, directory=directory or self.directory)

    def home(self) -> Path:
        """Return the user's home; the tool itself is given a private one."""
        return Path(self.environ.get("HOME") or os.path.expanduser("~"))

    def data(self, *below: str) -> Path:
        """Return a path below the user's directory of application data (XDG Base Directory Specification)."""
        return self._of("XDG_DATA_HOME", ".local/share").joinpath(*below)

    def cache(self, *below: str) -> Path:
        """Return a path below the user's directory of caches."""
        return self._of("XDG_CACHE_HOME", ".cache").joinpath(*below)

    def config(self, *below: str) -> Path:
        """Return a path below the user's directory of configuration."""
        return self._of("XDG_CONFIG_HOME", ".config").joinpath(*below)

    def _of(self, name: str, default: str) -> Path:
        value = self.environ.get(name, "")
        return Path(value) if os.path.isabs(value) else self.home() / default

    def given(self, name: str, default: Path) -> Path:
        """Return the directory that a variable of the user's names, else the default."""
        value = self.environ.get(name)
        return self.within(value) if value else default

    def within(self, text: str) -> Path:
        """Return the absolute path of one that the user has given."""
        return Path(os.path.normpath(self.directory / _expanded(text, self.home())))

    def own(self, *below: str) -> str:
        """Return a path below the run's private directory, as a variable's value."""
        return str(self.private.joinpath("tool", *below))


def _expanded(text: str, home: Path) -> str:
    return f"{home}{text[1:]}" if text == "~" or text.startswith("~/") else text


def passed_on(environ: Mapping[str, str], names: str) -> dict[str, str]:
    """Return those of the user's variables that are harmless.

    Args:
        environ: The user's environment.
        names: Their names, with blanks between.
    """
    return {name: environ[name] for name in names.split() if name in environ}


def index_variables(
    around: Around, names: Collection[str], *, wanted: bool
) -> tuple[dict[str, str], tuple[Elsewhere, ...]]:
    """Return the user's variables that name pinned indexes, and what is said of those that name others.

    Args:
        around: What the tool is called with.
        names: Variables that name indexes, one or more, with blanks between.
        wanted: Whether the tool is to have the user's indexes: else it is given the reserved one.
    """
    kept, said = {}, []
    for name in sorted(names):
        urls = around.environ.get(name, "").split()
        if not all(around.pinned.has(url.partition("=")[2] if _named(url) else url) for url in urls):
            said.append(Elsewhere(what=f"{name} is not passed on", where=ENVIRONMENT, adds_source=False))
        elif urls and wanted:
            kept[name] = " ".join(
                f"{url.partition('=')[0]}={bare_url(url.partition('=')[2])}" if _named(url) else bare_url(url)
                for url in urls
            )
    return kept, tuple(said)


def _named(url: str) -> bool:
    """Return whether an index has its name before it, as uv takes it: ``internal=https://…``."""
    return re.match(r"[A-Za-z0-9._-]+=", url, re.ASCII) is not None


def shown(text: str) -> str:
    """Return foreign text for people: escaped, and without what a URL in it may have of credentials."""
    scheme, separator, rest = text.partition("://")
    host, rest = rest[: _end_of_host(rest)], rest[_end_of_host(rest) :]
    if not separator or not re.fullmatch(r"[^:\s]*(:\d*)?", host.rpartition("@")[2]):
        return redact_credentials(text)
    login = "…@" if "@" in host else ""
    return escape_text(f"{scheme}://{login}{host.rpartition('@')[2]}{re.sub(r'[?].*', '?…', rest)}")


def _end_of_host(text: str) -> int:
    found = re.search(r"[/?#\\]", text)
    return found.start() if found else len(text)
