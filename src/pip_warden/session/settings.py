"""What is said of network, cache and credentials: by the options of a command, or by a program."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import inf
from os import PathLike
from pathlib import Path
from typing import Self

from pip_warden.errors import UsageError
from pip_warden.values import dataclass, field


def utc_now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How a session uses network, cache and credentials.

    ``Settings()`` reads nothing of the environment: no token is sent, no proxy is used, and builds see no
    ``PATH``. :meth:`from_environment` is what the commands use.

    Attributes:
        offline: Open no connection; what is needed comes from the cache, and is judged again.
        cache_dir: Where accepted files are kept; None for ``PIP_WARDEN_CACHE_DIR`` of ``environ``, else the
            user's cache directory.
        token_files: Files that hold a token, by the host (``HOST`` or ``HOST:PORT``) to which alone it is
            sent.
        ca_file: Certificate authorities to trust instead of the usual ones (PEM).
        timeout: Seconds without a byte before an answer counts as broken; None for the usual ones.
        retries: How often a request is tried again; None for as usual.
        mirrors: Where the pages and files of simple indexes are taken from instead, by the source's name;
            ``environ`` may name more of them (``PIP_WARDEN_MIRROR_SOURCE``). They prove nothing.
        environ: Environment variables: tokens, proxies, certificate authorities, and what builds may see.
            Never shown.
        now: The clock by which exemptions of the trust file end; it returns an aware time, once in a run.

    Raises:
        UsageError: ``option-value``: a time or number that is none.
        TypeError: ``token_files``, ``mirrors`` or ``environ`` is no mapping.
    """

    offline: bool = False
    cache_dir: str | PathLike[str] | None = None
    token_files: Mapping[str, str | PathLike[str]] = field(default_factory=dict, hash=False)
    ca_file: str | PathLike[str] | None = None
    timeout: float | None = None
    retries: int | None = None
    mirrors: Mapping[str, str] = field(default_factory=dict, hash=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    now: Callable[[], datetime] = field(default=utc_now, repr=False)

    def __post_init__(self) -> None:
        """Refuse what would make every request fail."""
        for name in ("token_files", "mirrors", "environ"):
            if not isinstance(given := getattr(self, name), Mapping):
                raise TypeError(f"{name} is a mapping, not {type(given).__name__}")
        if self.timeout is not None and not 0 < self.timeout < inf:
            raise UsageError(
                "option-value", f"expected a timeout of more than 0 seconds, found {self.timeout}"
            )
        if self.retries is not None and self.retries < 0:
            raise UsageError("option-value", f"expected 0 retries or more, found {self.retries}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return settings that use the environment as the commands do.

        Combine them with others by :func:`dataclasses.replace`.

        Args:
            environ: Environment variables; None for those of this process, as they are now.
        """
        return cls(environ=dict(os.environ if environ is None else environ))

    def cache_directory(self) -> Path:
        """Return where accepted files are kept.

        Raises:
            UsageError: ``cache-directory``: it is not named, and there is no home directory.
        """
        if self.cache_dir is not None:
            return Path(self.cache_dir).absolute()
        named = self.environ.get("PIP_WARDEN_CACHE_DIR")
        if named:
            return Path(named).absolute()
        import platformdirs

        try:
            found = Path(platformdirs.user_cache_dir("pip-warden"))
        except RuntimeError:
            found = Path("~")
        if not found.is_absolute():  # older versions return it unexpanded, and it would be made right here
            raise UsageError(
                "cache-directory",
                "expected a home directory for the cache, found neither HOME nor an entry of this user"
                " in the passwd file",
                hint="Name one with --cache-dir or PIP_WARDEN_CACHE_DIR.",
            )
        return found


def today(settings: Settings) -> date:
    """Return the day (UTC) by the settings' clock.

    Raises:
        TypeError: The clock says no zone: its day could be another.
    """
    now = settings.now()
    if now.tzinfo is None:
        raise TypeError("now returns an aware time, not a naive one")
    return now.astimezone(UTC).date()
