"""What a command that talks to registries works with: opened from options and environment, closed in one place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pip_warden.disk import cannot_store
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.artifact.model import Artifact
    from pip_warden.events import Reporter
    from pip_warden.evidence.locate import EntryFinder
    from pip_warden.gate import Gate
    from pip_warden.transport import Transport
    from pip_warden.trust.pins import TrustFile
    from pip_warden.trust.shelf import RootShelf
    from pip_warden.vault import Vault

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
    """Open the HTTP door with the credentials of the environment.

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
    """Make a private directory (mode 0700) for one run, and remove it, whatever ends the run. What cannot be removed changes no verdict.

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
    """Remove a directory in which a thread that nobody waited for may be writing a file that it still fetches."""
    for _ in range(_TRIES):
        directory.cleanup()
        if not os.path.lexists(directory.name):
            return


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """An open gate and the HTTP door behind it.

    Attributes:
        gate: The gate.
        transport: The HTTP door.
        offline_from: With ``--offline``: the vault, which stands in for what the door does not open to.
    """

    gate: Gate
    transport: Transport
    offline_from: Vault | None


@contextmanager
def open_gate(
    trust: TrustFile,
    roots: RootShelf,
    connection: Connection,
    workspace: Path,
    reporter: Reporter,
    *,
    read_again: Callable[[Artifact], Artifact] | None = None,
    fresh: bool = False,
) -> Iterator[Opened]:
    """Open the gate over a trust file; ``read_again`` and ``fresh`` as :class:`~pip_warden.gate.Gate` has them."""
    from pip_warden.cli.common import cache_directory
    from pip_warden.gate import Gate
    from pip_warden.supply import Registries, Stored
    from pip_warden.vault import Vault

    vault = Vault(cache_directory(connection.cache_dir))
    sources = {source.name: source.url for source in trust.sources}
    with open_transport(connection, sources, reporter) as transport:
        supply = (
            Stored(trust=trust, vault=vault)
            if connection.offline
            else Registries(trust=trust, roots=roots, transport=transport)
        )
        with Gate(
            trust=trust,
            roots=roots,
            supply=supply,
            vault=vault,
            workspace=workspace,
            reporter=reporter,
            read_again=read_again,
            fresh=fresh,
        ) as gate:
            yield Opened(gate=gate, transport=transport, offline_from=vault if connection.offline else None)


def entry_finder(roots: RootShelf, transport: Transport, *, offline_from: Vault | None = None) -> EntryFinder:
    """Return how the detached signatures of local files are looked up: in the logs of the trusted roots.

    Args:
        roots: The trusted roots.
        transport: The HTTP door.
        offline_from: With ``--offline``: the vault, where what was verified once is completed already.
    """
    from pip_warden._sigstore.rekor import Hashedrekord, find_entry
    from pip_warden._sigstore.wire import LogEntry
    from pip_warden.evidence.locate import refuse_lookup

    if offline_from is not None:
        return lambda wanted: offline_from.entry(wanted) or refuse_lookup(wanted)

    def find(wanted: Hashedrekord) -> LogEntry | None:
        urls = tuple(dict.fromkeys(url for name in roots for url in roots[name].rekor_v1_urls))
        return find_entry(transport, urls, wanted)

    return find


def _token_file(text: str) -> tuple[str, Path]:
    host, equals, path = text.partition("=")
    if not (host and equals and path):
        raise UsageError("token-file", f"expected --token-file HOST=FILE, found {text!r}")
    return host, Path(path)
