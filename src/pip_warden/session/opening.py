"""Everything a run over a trust file works with, opened in one place and closed there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.disk import cannot_store
from pip_warden.measures import UNMEASURED, Measures

if TYPE_CHECKING:
    from pip_warden.events import Reporter
    from pip_warden.session.parts import SessionParts
    from pip_warden.session.settings import Settings
    from pip_warden.supply import Supply
    from pip_warden.transport import Transport
    from pip_warden.trust.model import TrustFile
    from pip_warden.trust.roots import PinnedRoots
    from pip_warden.vault import Vault

Hold = Callable[[], AbstractContextManager[None]]
"""Holds signals back while something is done that must be done wholly or not at all."""

_TRIES = 20
"""How often a directory is removed into which something is still written."""


@contextmanager
def open_transport(
    settings: Settings, sources: Mapping[str, str], reporter: Reporter, measures: Measures = UNMEASURED
) -> Iterator[Transport]:
    """Open the HTTP client, with the credentials that the settings name.

    Args:
        settings: How the network is used.
        sources: URL of each place that is asked, by what it is: the name of a source, for instance.
        reporter: Receives the progress of transfers.
        measures: Counts the requests.

    Raises:
        UsageError: A token file, the file of CA certificates or a variable is no good.
    """
    from pip_warden.transport import Transport, credentials_from_environment, settings_from_environment

    ca_file = None if settings.ca_file is None else Path(settings.ca_file)
    network = settings_from_environment(settings.environ, cert=ca_file)
    credentials = credentials_from_environment(
        settings.environ,
        sources=sources,
        token_files={host: Path(file) for host, file in settings.token_files.items()},
        # A keyring is the user's too: who says nothing of the environment has said nothing of it.
        use_keyring=bool(settings.environ),
    )
    network = replace(network, offline=settings.offline)
    if settings.timeout is not None:
        network = replace(network, read_timeout=settings.timeout, connect_timeout=settings.timeout)
    if settings.retries is not None:
        network = replace(network, retries=settings.retries)
    with Transport(network, credentials=credentials, reporter=reporter, measures=measures) as transport:
        yield transport


@contextmanager
def open_workspace(hold: Hold = nullcontext) -> Iterator[Path]:
    """Make a private directory (mode 0700) for one run, and remove it, whatever ends the run.

    What cannot be removed changes no verdict.

    Args:
        hold: Holds signals back while it is made and removed.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    directory = None
    try:
        with hold():
            directory = _make()
        yield Path(directory.name)
    finally:
        if directory is not None:
            with hold():
                _remove(directory)


@contextmanager
def open_parts(
    trust: TrustFile,
    settings: Settings,
    reporter: Reporter,
    *,
    supply: Supply | None = None,
    vault: Vault | None = None,
    hold: Hold = nullcontext,
    measures: Measures = UNMEASURED,
) -> Iterator[SessionParts]:
    """Open what a run over a trust file works with.

    Args:
        trust: The trust file.
        settings: How network, cache and credentials are used.
        reporter: Receives progress.
        supply: Where pages, files and evidence come from instead of the trust file's sources.
        vault: Where accepted files are kept instead of the settings' cache.
        hold: As for :func:`open_workspace`.
        measures: Told what it costs.

    Raises:
        UsageError: A setting is no good.
        UndecidedError: ``cannot-store``.
    """
    from pip_warden.session.parts import SessionParts

    trust, http = _asking(trust, settings, reporter, measures, is_fetching=supply is None)
    with open_workspace(hold) as workspace, http as transport:
        yield SessionParts(
            trust=trust,
            roots=_roots(trust),
            transport=transport,
            vault=_vault(settings, measures) if vault is None else vault,
            workspace=workspace,
            reporter=reporter,
            settings=settings,
            supply=supply,
            measures=measures,
        )


def _asking(
    trust: TrustFile, settings: Settings, reporter: Reporter, measures: Measures, *, is_fetching: bool
) -> tuple[TrustFile, AbstractContextManager[Transport]]:
    """Return the trust file with this machine's mirrors, and the HTTP client for all that may be asked.

    What is said of mirrors, and of a token for one, is checked in any case; they are used where pages are
    fetched.
    """
    from pip_warden.session.mirrors import mirrored, mirrors_of, places_of

    asking = mirrored(trust, mirrors_of(trust.sources, settings))
    http = open_transport(settings, places_of(asking.sources), reporter, measures)
    return asking if is_fetching and not settings.offline else trust, http


def _roots(trust: TrustFile) -> PinnedRoots:
    from pip_warden.trust.roots import PinnedRoots

    return PinnedRoots(trust.roots)


def _vault(settings: Settings, measures: Measures) -> Vault:
    from pip_warden.vault import Vault

    return Vault(settings.cache_directory(), measures=measures)


def _make() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="pip-warden-", ignore_cleanup_errors=True)
    except OSError as err:
        raise cannot_store("to a temporary directory (TMPDIR)", err) from err


def _remove(directory: tempfile.TemporaryDirectory[str]) -> None:
    """Remove a directory, into which a thread that nobody waited for may still be writing a file."""
    for _ in range(_TRIES):
        directory.cleanup()
        if not os.path.lexists(directory.name):
            return
