"""The order of a run.

Nothing is installed before every file was accepted: the first denial ends pip and everything it started, and
pip asks once more before it installs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden.artifact.inspect import read_by
from pip_warden.errors import InstallerError, RefusedError, UndecidedError
from pip_warden.events import Reporter
from pip_warden.gate import Gate
from pip_warden.install.arguments import line_origins, pip_arguments
from pip_warden.install.backend import GateBackend
from pip_warden.install.guesses import find_target_facts, first_guesses, recalled, request_key
from pip_warden.install.local import admit_local_things
from pip_warden.install.notes import note_hidden, note_present, note_unused
from pip_warden.install.prepare import prepare
from pip_warden.install.request import InstallRequest, PreparedRequest, Run, say_nothing
from pip_warden.install.unmet import PipWords, why_unmet
from pip_warden.install.unsaid import strict_refusal, waiting
from pip_warden.installer.installed import Installed, read_report
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.pip import command_line, how_it_ended
from pip_warden.installer.python import marker_environment
from pip_warden.installer.reconcile import reconcile_report
from pip_warden.installer.relay import Relay, RunPlaces
from pip_warden.installer.report_file import check_report_file, write_report_file
from pip_warden.installer.server import Server
from pip_warden.installer.surroundings import Surroundings, open_surroundings
from pip_warden.installer.wanted import check_wanted, nothing_wanted
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Outcome, Report
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
        _run_pip(run, *admit_local_things(run))
    report = _report(run)
    if report.exit_code == 0 and not report.lines:
        raise nothing_wanted("that pip wanted none of it")
    return report


def _run_pip(run: Run, local: LocalInputs, local_arguments: list[str]) -> None:
    prepared, words = run.prepared, PipWords()
    with _surroundings(run) as around:
        served, staging = around.workspace / "served", around.workspace / "download"
        for directory in (served, *([staging] if prepared.download is not None else [])):
            directory.mkdir(mode=0o700)
        report = around.workspace / "report.json"
        backend = GateBackend(run, served, local, report)
        on_denial = around.child.end
        with Server(backend, on_denial=on_denial, place=around.place) as server, run.measures.phase("pip"):
            arguments = pip_arguments(prepared, local_arguments, workspace=around.workspace, staging=staging)
            if prepared.download is not None:
                command = command_line(prepared.target, "download", arguments, report=None)
            else:
                command = command_line(prepared.target, "install", arguments, report=report)
            run.reporter.step("running pip")
            on_line, meanwhile = _listening(run, words, local, around.workspace), run.gate.warm_up
            code = around.child.run(command, around.environment, on_line, None, meanwhile=meanwhile)
            for stray in server.strays:
                run.ledger.warn(f"stopped at the gate: {stray}")
            if server.denial is not None:
                raise server.denial
    run.ledger.installer_code = code
    if code != 0:
        raise _pip_failed(run, code, words, backend)
    if prepared.download is not None:
        from pip_warden.install.keep import keep_downloads

        note_unused(run, {*backend.taken, *keep_downloads(run, staging, prepared.download)}, ())
    else:
        _look_back(run, backend, local, report, around.environment)


def _surroundings(run: Run) -> AbstractContextManager[Surroundings]:
    """Return what pip has around it: what was made when it was begun, or what is made now."""
    if run.surroundings is not None:
        return nullcontext(run.surroundings)
    # A directory of its own: there may be several runs in one session.
    workspace = Path(tempfile.mkdtemp(dir=run.workspace))
    prepared = run.prepared
    return open_surroundings(prepared.target, run.environ, workspace=workspace, pass_env=prepared.pass_env)


def _listening(run: Run, words: PipWords, local: LocalInputs, workspace: Path) -> Callable[[str], None]:
    """Return what handles pip's lines: each is shown with the user's own names for files and directories."""
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
        words.hear(line)
        relay.tell(line)

    return on_line


def _look_back(
    run: Run, backend: GateBackend, local: LocalInputs, report: Path, environment: Mapping[str, str]
) -> None:
    """Compare what pip has done with what was accepted, and note what else a reader must know."""
    items = read_report(report)
    if run.prepared.dry_run or not items:
        reconcile_report(items, run.ledger.accepted_digests(), local.directories)
    elif not backend.has_agreed:
        raise InstallerError(
            "unknown-pip",
            "expected pip to ask before it installs, found that it did not",
            hint="Do not trust what it installed; install pip-warden again, with the pip that it asks for.",
        )
    with run.measures.phase("report"):
        _tell(run, backend, items, report, environment)


def _tell(
    run: Run,
    backend: GateBackend,
    items: tuple[Installed, ...],
    report: Path,
    environment: Mapping[str, str],
) -> None:
    """Note what a reader must know besides the verdicts; the user's copy of the report is always written."""
    try:
        note_hidden(run, (str(canonicalize_name(item.name)) for item in items))
        note_present(run, items, environment)
        note_unused(run, backend.taken, (item.sha256 for item in items))
    finally:
        if run.prepared.report is not None:
            write_report_file(report, run.prepared.report)


def _pip_failed(
    run: Run, code: int, words: PipWords, backend: GateBackend
) -> UndecidedError | RefusedError | InstallerError:
    """Return the error of a failed pip: a page that could not be fetched is the cause, whatever pip says."""
    undecided = next((line.undecided for line in run.ledger.lines() if line.undecided is not None), None)
    if undecided is not None:
        return undecided
    if words.unmet is not None and (why := why_unmet(run, words.unmet, backend.pages)) is not None:
        return why
    return InstallerError(
        "pip-failed",
        f"expected pip to succeed, found {how_it_ended(code)}",
        hint="pip's own words are above.",
    )


def _report(run: Run) -> Report:
    ledger = run.ledger
    lines = ledger.lines()
    exit_code = ledger.exit_code(strict=run.prepared.strict)
    is_only_strict = exit_code != ledger.exit_code()
    return Report(
        command="safe-install",
        exit_code=exit_code,
        lines=(*lines, *waiting(run)),
        unpinned=ledger.unpinned() if any(line.outcome is Outcome.REFUSED for line in lines) else (),
        warnings=ledger.warnings(),
        target=str(run.prepared.target),
        trust_file=str(run.trust.path),
        installer_code=ledger.installer_code,
        error=strict_refusal(ledger, is_dry=run.prepared.dry_run) if is_only_strict else ledger.unsaid(),
        sources=run.trust.sources,
    )
