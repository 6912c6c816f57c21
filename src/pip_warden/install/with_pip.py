"""Our pip, which asks before it opens a link, and before it installs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from packaging.utils import canonicalize_name

from pip_warden.environments.model import InstalledDistribution
from pip_warden.environments.scan import find_distributions
from pip_warden.errors import InstallerError, WardenError
from pip_warden.install.arguments import pip_arguments
from pip_warden.install.attempt import Installer
from pip_warden.install.backend import GateBackend
from pip_warden.install.left import names_in_target, replaced
from pip_warden.install.notes import note_hidden, note_present, note_unused
from pip_warden.install.places import places_of_pip
from pip_warden.install.receipts import accepted_by_digest, write_receipts
from pip_warden.install.request import Run
from pip_warden.install.unmet import PipWords, why_unmet
from pip_warden.installer.installed import Installed, read_report
from pip_warden.installer.local import LocalInputs, project_arguments
from pip_warden.installer.pip import command_line
from pip_warden.installer.python import installed
from pip_warden.installer.reconcile import reconcile_report
from pip_warden.installer.report_file import write_report_file
from pip_warden.installer.surroundings import Surroundings
from pip_warden.verdict.model import Accepted


class PipAttempt:
    """A run of pip; see :class:`~pip_warden.install.attempt.Attempt`."""

    def __init__(self, run: Run, around: Surroundings, local: LocalInputs, arguments: list[str]) -> None:
        self._run = run
        self._around = around
        self._local = local
        self._words = PipWords()
        self._staging = around.workspace / "download"
        self.report = around.workspace / "report.json"
        prepared = run.prepared
        self._before = names_in_target(prepared)
        if prepared.download is not None:
            self._staging.mkdir(mode=0o700)
        words = pip_arguments(prepared, arguments, workspace=around.workspace, staging=self._staging)
        if prepared.download is not None:
            self.command = command_line(prepared.target, "download", words, report=None)
        else:
            self.command = command_line(prepared.target, "install", words, report=self.report)

    def hear(self, line: str) -> None:
        """Listen for the requirement that it finds nothing for."""
        self._words.hear(line)

    def ended(self, backend: GateBackend) -> None:
        """Nothing is there that it has not asked for."""

    def why_failed(self, shown: str, backend: GateBackend) -> WardenError:
        """Say why nothing meets a requirement, where that is why."""
        unmet = self._words.unmet
        if unmet is not None and (why := why_unmet(self._run, unmet, backend.pages)) is not None:
            return why
        return InstallerError(
            "pip-failed", f"expected pip to succeed, found {shown}", hint="pip's own words are above."
        )

    def look_back(self, backend: GateBackend) -> None:
        """Deliver what was downloaded, or compare pip's report with what was accepted."""
        run = self._run
        if run.prepared.download is not None:
            from pip_warden.install.keep import keep_downloads

            kept = keep_downloads(run, self._staging, run.prepared.download)
            note_unused(run.ledger, {*backend.taken, *kept})
            return
        items = read_report(self.report)
        if run.prepared.dry_run or not items:
            reconcile_report(items, run.ledger.accepted_digests(), self._local.directories)
        elif not backend.has_agreed:
            raise InstallerError(
                "unknown-pip",
                "expected pip to ask before it installs, found that it did not",
                hint="Do not trust what it installed; install pip-warden again, with the pip that it "
                "asks for.",
            )
        with run.measures.phase("report"):
            self._tell(backend, items)

    def _tell(self, backend: GateBackend, items: tuple[Installed, ...]) -> None:
        """Note what a reader must know; the user's copy of the report is always written."""
        run = self._run
        try:
            note_hidden(run, (str(canonicalize_name(item.name)) for item in items))
            note_present(run, items, partial(installed, run.prepared.target, self._around.environment))
            note_unused(run.ledger, backend.taken, (item.sha256 for item in items))
            if not run.prepared.dry_run:
                write_receipts(run, replaced(run, self._found(items), self._before))
        finally:
            if run.prepared.report is not None:
                write_report_file(self.report, run.prepared.report)

    def _found(self, items: tuple[Installed, ...]) -> Iterator[tuple[Accepted, InstalledDistribution | None]]:
        """Find what was installed from each archive, where pip has put it."""
        by_digest = accepted_by_digest(self._run)
        archives = [accepted for item in items if (accepted := by_digest.get(item.sha256)) is not None]
        names = [accepted.artifact.name for accepted in archives]
        there = find_distributions(places_of_pip(self._run.prepared), names) if names else {}
        for accepted in archives:
            yield accepted, there.get(accepted.artifact.name)


PIP = Installer(name="pip", project_arguments=project_arguments, attempt=PipAttempt)
