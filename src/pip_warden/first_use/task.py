"""A request to pin packages, and what one run of it works with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pip_warden.events import Reporter
from pip_warden.first_use.draft import Draft
from pip_warden.first_use.observe import SignerObserver
from pip_warden.session.mirrors import mirrored
from pip_warden.supply import RegistrySupply
from pip_warden.transport import Transport
from pip_warden.trust.model import Source, TrustFile
from pip_warden.values import dataclass, field


class Prompt(Reporter):
    """The person who is shown the findings, and asked."""

    def show(self, text: str) -> None:
        """Show a finding: a result, not progress."""

    def clear(self) -> None:
        """Remove the progress that is shown."""

    def confirm(self, question: str) -> None:
        """Ask, and return only after a yes.

        Raises:
            UsageError: ``yes-needed``: nobody can be asked.
            RefusedError: ``declined``.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class PinRequest:
    """A request to pin packages.

    Attributes:
        names: Each ``NAME`` or ``NAME==VERSION``.
        source: Name or URL of the source; None for the only one there is.
        project: Path or id of the GitLab project that publishes it.
        group: Path of a GitLab group to ask for that project.
        identity: The signer, where the user names it.
        issuer: Its OIDC issuer.
        build_triggers: What may start its pipeline, where the user names the signer.
        from_history: Look at so many releases, and pin the strictest that they satisfy; None to pin what the
            newest one says.
        by_hash: Pin what the files are, not who published them.
        reason: Why a hash is enough; ``""`` for what the source says.
        expires: The last day (UTC) on which it is; None for that of the package's newest release.
        requirements: Requirements files of which every release is to be pinned.
        trusted_root: A trusted root to pin.
        yes: Pin without asking, unless there are doubts.
        typed: The command as typed, for hints that say what it lacks; empty where nothing was typed.
    """

    names: tuple[str, ...]
    source: str | None = None
    project: str | None = None
    group: str | None = None
    identity: str | None = None
    issuer: str | None = None
    build_triggers: tuple[str, ...] = ()
    from_history: int | None = None
    by_hash: bool = False
    reason: str = ""
    expires: date | None = None
    requirements: tuple[Path, ...] = ()
    trusted_root: Path | None = None
    yes: bool = False
    typed: str = ""

    def with_option(self, option: str) -> str:
        """Return the command with one more option, or the option alone."""
        return f"`{self.typed} {option}`" if self.typed else f"`{option}`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What one run works with.

    Attributes:
        wanted: The request.
        source: The source of the packages.
        draft: The trust file as it will be.
        transport: The HTTP client.
        workspace: A private directory of this run.
        today: The day (UTC) of the run.
        person: The person who is shown the findings, and asked.
        is_offline: Fetch no trusted root.
        mirrors: URL of the mirror of a source, by the source's name.
    """

    wanted: PinRequest
    source: Source
    draft: Draft
    transport: Transport
    workspace: Path
    today: date
    person: Prompt
    is_offline: bool = False
    mirrors: Mapping[str, str] = field(default_factory=dict)

    def trust(self) -> TrustFile:
        """Return the trust file as drafted so far, with this machine's mirrors."""
        return mirrored(self.draft.trust(), self.mirrors)

    def first_use(self) -> SignerObserver:
        """Return a :class:`SignerObserver` with the trust file as drafted so far."""
        trust, roots = self.trust(), self.draft.roots()
        return SignerObserver(
            trust=trust,
            roots=roots,
            supply=RegistrySupply(trust=trust, roots=roots, transport=self.transport),
            workspace=self.workspace,
            today=self.today,
            reporter=self.person,
        )

    def confirm(self, question: str) -> None:
        """Ask, unless the answer was given beforehand.

        Raises:
            UsageError: ``yes-needed``.
            RefusedError: ``declined``.
        """
        if not self.wanted.yes:
            self.person.confirm(question)
