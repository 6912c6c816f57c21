"""What a command that talks to registries works with: opened from its options and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pip_warden.errors import UsageError
from pip_warden.measures import UNMEASURED, Measures

if TYPE_CHECKING:
    from pip_warden.events import Reporter
    from pip_warden.session.parts import SessionParts
    from pip_warden.session.settings import Settings
    from pip_warden.trust.model import TrustFile


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Read the values of :func:`~pip_warden.cli.common.connection_options`, and the environment.

    Raises:
        UsageError: ``token-file``, or ``bad-mirror``.
    """
    from pip_warden.session.settings import Settings

    return Settings(
        offline=options.get("offline", False),
        cache_dir=options.get("cache_dir"),
        token_files=dict(_token_file(text) for text in options["token_file"]),
        ca_file=options["cert"],
        timeout=options["timeout"],
        retries=options["retries"],
        mirrors=dict(_mirror(text) for text in options.get("mirror", ())),
        environ=os.environ,
    )


def open_workspace() -> AbstractContextManager[Path]:
    """Make a private directory for one run, and remove it, whatever ends the run: no signal comes between."""
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.session.opening import open_workspace

    return open_workspace(deferring_signals)


@contextmanager
def open_session(
    trust: TrustFile, settings: Settings, reporter: Reporter, measures: Measures = UNMEASURED
) -> Iterator[SessionParts]:
    """Open what a command over a trust file works with.

    Args:
        trust: The trust file.
        settings: What :func:`settings_of` read.
        reporter: Receives progress.
        measures: Told what the run costs.

    Raises:
        UsageError: A setting is no good.
        UndecidedError: ``cannot-store``.
    """
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.session.opening import open_parts

    with open_parts(trust, settings, reporter, hold=deferring_signals, measures=measures) as parts:
        yield parts


def _mirror(text: str) -> tuple[str, str]:
    return _halves(text, "bad-mirror", "--mirror SOURCE=URL", "it may hold a password")


def _token_file(text: str) -> tuple[str, Path]:
    host, path = _halves(text, "token-file", "--token-file HOST=FILE", "it may be the token")
    return host, Path(path)


def _halves(text: str, code: str, form: str, secret: str) -> tuple[str, str]:
    """Split an option's value at its first equals sign; it may be a secret, and is never shown."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(
            code,
            f"expected {form}, found something else",
            hint=f"The value is not shown, since {secret}.",
        )
    return name, value
