"""What ``trust add`` and ``trust sync`` share: where the pins go, and what pinning works with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.cli.common import trust_path
from pip_warden.display import escape_text, without_secrets
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.task import PinRequest, Task
    from pip_warden.session.settings import Settings
    from pip_warden.trust.model import Source


def path_to_write(given: Path | None) -> Path:
    """Return the trust file that is named or found, else where a new one is made."""
    from pip_warden.trust.file import TRUST_FILE_NAME

    return trust_path(given) or Path.cwd() / TRUST_FILE_NAME


def check_names(names: Iterable[str]) -> None:
    """Check that no repository of images stands where names of packages do.

    Raises:
        UsageError: ``usage``.
    """
    for name in names:
        if "/" in name:
            raise UsageError(
                "usage",
                f"expected the NAME of a package, found `{escape_text(without_secrets(name), 300)}`",
                hint="A repository of images is named with --image.",
            )


@contextmanager
def open_task(
    wanted: PinRequest,
    draft: Draft,
    sources: Iterable[Source],
    mirrors: Mapping[str, str],
    settings: Settings,
    person: TerminalPrompt,
) -> Iterator[Task]:
    """Open what a run works with: a workspace and the network.

    Args:
        wanted: The request.
        draft: The trust file as it will be.
        sources: Where packages may come from, with this machine's mirrors; the first is the task's own.
        mirrors: URL of the mirror of a source, by the source's name.
        settings: This machine's settings.
        person: Who is asked.
    """
    from pip_warden.cli.session import open_workspace
    from pip_warden.first_use.task import Task
    from pip_warden.session.mirrors import places_of
    from pip_warden.session.opening import open_transport
    from pip_warden.session.settings import today

    places = tuple(sources)
    with (
        open_workspace() as workspace,
        open_transport(settings, places_of(places), person) as transport,
    ):
        yield Task(
            wanted=wanted,
            source=places[0],
            draft=draft,
            transport=transport,
            workspace=workspace,
            today=today(settings),
            person=person,
            is_offline=settings.offline,
            mirrors=mirrors,
        )
