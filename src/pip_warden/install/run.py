"""The order of a run.

An installer gets no file that was not accepted: the first denial ends it and everything it started. Our pip
asks once more before it installs (:mod:`~pip_warden.install.with_pip`); what uv has changed is compared
afterwards (:mod:`~pip_warden.install.with_uv`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from pip_warden.artifact.inspect import read_by
from pip_warden.errors import WardenError
from pip_warden.events import Reporter
from pip_warden.gate import Gate
from pip_warden.install.arguments import line_origins
from pip_warden.install.attempt import Attempt, Installer
from pip_warden.install.backend import GateBackend
from pip_warden.install.guesses import find_target_facts, first_guesses, recalled, request_key
from pip_warden.install.local import admit_local_things
from pip_warden.install.places import places_of_pip
from pip_warden.install.prepare import prepare
from pip_warden.install.receipts import clear_drafts
from pip_warden.install.request import InstallRequest, PreparedRequest, Run, say_nothing
from pip_warden.install.unsaid import asked_places, report_of, waiting
from pip_warden.install.with_pip import PIP
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.pip import how_it_ended
from pip_warden.installer.python import marker_environment
from pip_warden.installer.relay import Relay, RunPlaces
from pip_warden.installer.report_file import check_report_file
from pip_warden.installer.server import Server
from pip_warden.installer.surroundings import Surroundings, open_surroundings
from pip_warden.installer.wanted import check_wanted, nothing_wanted
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Report
from pip_warden.session.parts import SessionParts


def install(
    session: SessionParts,
    request: InstallRequest,
    *,
    on_line: Callable[[str], None] = say_nothing,
    where: str = "the command line",
    surroundings: Surroundings | None = None,
) -> Report:
    """Carry out an install request and report the result.

    Args:
        session: What the run works with.
        request: What is to be done.
        on_line: Called with each line the installer prints.
        where: What the request was read from, for people.
        surroundings: Of a pip that was begun for this request; None to start one when it is time.

    Raises:
        UsageError: The request itself is wrong.
    """
    target = surroundings.target if surroundings is not None else None
    with session.measures.phase("start", "the request"):
        environ = session.settings.environ
        prepared = prepare(request, trust=session.trust, environ=environ, where=where, target=target)
    _announce(prepared, session.reporter)
    ledger = Ledger()
    read_again = None if prepared.target.has_our_readers else partial(read_by, prepared.target.executable)
    facts = partial(find_target_facts, prepared)
    # In a dry run nothing may be handed over: what changed after its verdict is noticed where it is copied.
    postpones = not prepared.dry_run
    with session.gate(ledger, read_again=read_again, facts=facts, postpones=postpones) as gate:
        report = perform(_run(session, prepared, gate, ledger, on_line, surroundings))
    if report.exit_code == 0:
        session.vault.remember(request_key(prepared), ledger.accepted_from_sources())
    return report


def _run(
    session: SessionParts,
    prepared: PreparedRequest,
    gate: Gate,
    ledger: Ledger,
    on_line: Callable[[str], None],
    surroundings: Surroundings | None,
) -> Run:
    return Run(
        prepared=prepared,
        trust=session.trust,
        gate=gate,
        ledger=ledger,
        workspace=session.workspace,
        environ=session.settings.environ,
        find_entry=session.find_entry,
        reporter=session.reporter,
        on_line=on_line,
        measures=session.measures,
        guesses=(*first_guesses(prepared), *recalled(session.vault, prepared)),
        surroundings=surroundings,
    )


def _announce(prepared: PreparedRequest, reporter: Reporter) -> None:
    for note in prepared.wanted.notes:
        reporter.note(note)
    what = "installing into" if prepared.download is None else "downloading for"
    reporter.note(f"{what} {prepared.target}")


def perform(run: Run) -> Report:
    """Carry out a run; a refusal, an error of a registry and pip's own failure are in the report.

    Raises:
        UsageError: The request itself is wrong.
    """
    prepared, wanted = run.prepared, run.prepared.wanted
    check_wanted(wanted, partial(marker_environment, prepared.target), build=prepared.build_constraints)
    if prepared.download is not None:
        from pip_warden.installer.downloads import check_directory

        check_directory(prepared.download)
    if prepared.report is not None:
        check_report_file(prepared.report)
    with run.ledger.keeping_error(run.workspace):
        run.gate.require_pinned({named.project: "you" for named in wanted.named})
        run.gate.look_ahead(run.guesses)
        if not prepared.dry_run and prepared.download is None:
            clear_drafts(places_of_pip(prepared), run.reporter)
        _run_installer(run, _installer(prepared))
    report = _report(run)
    if report.exit_code == 0 and not report.lines:
        raise nothing_wanted("that pip wanted none of it")
    return report


def _installer(prepared: PreparedRequest) -> Installer:
    if prepared.uv is None:
        return PIP
    from pip_warden.install.with_uv import UV

    return UV


def _run_installer(run: Run, installer: Installer) -> None:
    local, local_arguments = admit_local_things(run, installer.project_arguments)
    with _surroundings(run) as around:
        served = around.workspace / "served"
        served.mkdir(mode=0o700)
        attempt = installer.attempt(run, around, local, local_arguments)
        backend = GateBackend(run, served, local, attempt.report)
        on_denial = around.child.end
        with Server(backend, on_denial=on_denial, place=around.place) as server, run.measures.phase("pip"):
            run.reporter.step(f"running {installer.name}")
            on_line, meanwhile = _listening(run, attempt, local, around.workspace), run.gate.warm_up
            code = around.child.run(attempt.command, around.environment, on_line, None, meanwhile=meanwhile)
        for stray in server.strays:
            run.ledger.warn(f"stopped at the gate: {stray}")
        attempt.ended(backend)
        if server.denial is not None:
            raise server.denial
    run.ledger.installer_code = code
    if code != 0:
        raise _failed(run, attempt, code, backend)
    attempt.look_back(backend)


def _surroundings(run: Run) -> AbstractContextManager[Surroundings]:
    """Return what an installer has around it: what was made when it was begun, or what is made now."""
    if run.surroundings is not None:
        return nullcontext(run.surroundings)
    # A directory of its own: there may be several runs in one session.
    workspace = Path(tempfile.mkdtemp(dir=run.workspace))
    prepared = run.prepared
    return open_surroundings(prepared.target, run.environ, workspace=workspace, pass_env=prepared.pass_env)


def _listening(run: Run, attempt: Attempt, local: LocalInputs, workspace: Path) -> Callable[[str], None]:
    """Return what handles an installer's lines: each is shown with the user's own names for files."""
    places = RunPlaces(
        private=run.workspace,
        workspace=workspace,
        staging=workspace / "download",
        download=run.prepared.download,
        is_dry=run.prepared.dry_run,
        sources=f"the sources of {run.trust.path.name}",
        files=local.files,
        origins=line_origins(run.prepared),
    )
    relay = Relay(places, run.on_line)

    def on_line(line: str) -> None:
        attempt.hear(line)
        relay.tell(line)

    return on_line


def _failed(run: Run, attempt: Attempt, code: int, backend: GateBackend) -> WardenError:
    """Return the error of a failed installer: a page that could not be fetched is why, whatever it says."""
    undecided = next((line.undecided for line in run.ledger.lines() if line.undecided is not None), None)
    if undecided is not None:
        return undecided
    return attempt.why_failed(how_it_ended(code), backend)


def _report(run: Run) -> Report:
    prepared = run.prepared
    found = report_of(
        run.ledger, run.trust, command="safe-install", strict=prepared.strict, is_dry=prepared.dry_run
    )
    return replace(
        found,
        lines=(*found.lines, *waiting(run)),
        target=str(prepared.target),
        places=asked_places(prepared.wanted),
    )
