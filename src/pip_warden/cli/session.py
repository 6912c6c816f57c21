"""What a command that talks to registries works with, opened from its options and the environment."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pip_warden.disk import cannot_store
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.events import Reporter
    from pip_warden.session import Session
    from pip_warden.transport import Transport
    from pip_warden.trust.model import TrustFile

_TRIES = 20
"""How often a directory is removed into which something is still written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """The options that say how we talk to registries.

    Attributes:
        offline: Open no connection.
        cache_dir: Where accepted files are kept.
        token_files: Each ``HOST=FILE``.
        cert: PEM file of certificate authorities.
        timeout: Seconds without a byte before an answer counts as broken; None for the usual ones.
        retries: How often a request is tried again; None for as usual.
    """

    offline: bool = False
    cache_dir: Path | None = None
    token_files: tuple[str, ...] = ()
    cert: Path | None = None
    timeout: float | None = None
    retries: int | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read the values of :func:`~pip_warden.cli.common.connection_options`."""
        return cls(
            offline=options["offline"],
            cache_dir=options["cache_dir"],
            token_files=options["token_file"],
            cert=options["cert"],
            timeout=options["timeout"],
            retries=options["retries"],
        )


@contextmanager
def open_transport(
    connection: Connection, sources: Mapping[str, str], reporter: Reporter
) -> Iterator[Transport]:
    """Open the HTTP client with the credentials of the environment.

    Args:
        connection: The options.
        sources: URL of each source by name.
        reporter: Told of transfers.

    Raises:
        UsageError: A token file or the file of CA certificates is no good.
    """
    from dataclasses import replace

    from pip_warden.transport import Transport, credentials_from_environment, settings_from_environment

    settings = settings_from_environment(os.environ, cert=connection.cert)
    token_files = dict(_token_file(text) for text in connection.token_files)
    credentials = credentials_from_environment(os.environ, sources=sources, token_files=token_files)
    settings = replace(settings, offline=connection.offline)
    if connection.timeout is not None:
        settings = replace(settings, read_timeout=connection.timeout, connect_timeout=connection.timeout)
    if connection.retries is not None:
        settings = replace(settings, retries=connection.retries)
    with Transport(settings, credentials=credentials, reporter=reporter) as transport:
        yield transport


@contextmanager
def open_workspace() -> Iterator[Path]:
    """Make a private directory (mode 0700) for one run, and remove it, whatever ends the run.

    What cannot be removed changes no verdict.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    from pip_warden.cli.signals import unbroken

    directory = None
    try:
        with unbroken():
            directory = _make()
        yield Path(directory.name)
    finally:
        if directory is not None:
            with unbroken():
                _remove(directory)


def _make() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="pip-warden-", ignore_cleanup_errors=True)
    except OSError as err:
        raise cannot_store("to a temporary directory (TMPDIR)", err) from err


def _remove(directory: tempfile.TemporaryDirectory[str]) -> None:
    """Remove a directory; a thread that was not waited for may still write a file there that it fetches."""
    for _ in range(_TRIES):
        directory.cleanup()
        if not os.path.lexists(directory.name):
            return


@contextmanager
def open_session(trust: TrustFile, connection: Connection, reporter: Reporter) -> Iterator[Session]:
    """Open what a command over a trust file works with.

    Args:
        trust: The trust file.
        connection: The options.
        reporter: Told what happens.

    Raises:
        UsageError: A setting is no good.
        UndecidedError: ``cannot-store``.
    """
    from pip_warden.cli.common import cache_directory
    from pip_warden.session import Session
    from pip_warden.trust.roots import PinnedRoots
    from pip_warden.vault import Vault

    sources = {source.name: source.url for source in trust.sources}
    with open_workspace() as workspace:
        vault = Vault(cache_directory(connection.cache_dir))
        with open_transport(connection, sources, reporter) as transport:
            yield Session(
                trust=trust,
                roots=PinnedRoots(trust.roots),
                transport=transport,
                vault=vault,
                workspace=workspace,
                reporter=reporter,
                is_offline=connection.offline,
            )


def _token_file(text: str) -> tuple[str, Path]:
    host, equals, path = text.partition("=")
    if not (host and equals and path):
        raise UsageError("token-file", f"expected --token-file HOST=FILE, found {text!r}")
    return host, Path(path)
