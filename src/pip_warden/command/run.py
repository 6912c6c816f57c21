"""The order of a run of any command.

What leads past the gate is refused before anything is started. Afterwards lock files and environments are
compared with what they were: proxy variables bind nobody who does not read them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pip_warden.command.backend import GateRegistries
from pip_warden.command.bundled import brought_along
from pip_warden.command.ending import raise_if_failed
from pip_warden.command.groups import GroupNumbers
from pip_warden.command.installed import compare_environments
from pip_warden.command.locks import (
    LockState,
    Shown,
    compare_lock,
    demanded,
    locked_places,
    read_again,
    read_state,
    versions_not_pinned,
    want_unpinned,
)
from pip_warden.command.model import CommandRequest, CommandRun
from pip_warden.command.origins import answered_origins, unanswered_origins
from pip_warden.environments.model import AcceptedArchive, Snapshot
from pip_warden.environments.scan import snapshot
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.install.notes import note_unused
from pip_warden.install.receipts import clear_drafts
from pip_warden.install.unsaid import report_of
from pip_warden.installer.authority import make_authority
from pip_warden.installer.environment import command_environment
from pip_warden.installer.gate_port import GatePort
from pip_warden.installer.pip import Child
from pip_warden.installer.registries import Registries
from pip_warden.installer.server import Server
from pip_warden.locks.read import find_locks
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Report, refused_line
from pip_warden.session.parts import SessionParts
from pip_warden.tools.known import recognise
from pip_warden.tools.model import Tool


def run_command(session: SessionParts, request: CommandRequest, *, output: int = 1) -> Report:
    """Run a command that has the gate as its only network, and report what it has done.

    Args:
        session: What the run works with.
        request: What is to be done.
        output: The descriptor that takes the command's standard output; its other streams are our own.

    Raises:
        UsageError: The request itself is wrong: there is no such command (``no-such-command``), or a variable
            that must not be passed on.
    """
    ledger, workspace = Ledger(), Path(tempfile.mkdtemp(dir=session.workspace))
    (workspace / "child").mkdir(mode=0o700)
    environ = session.settings.environ
    _check_command(request, environ)
    tool = recognise(
        request.words,
        environ=environ,
        directory=request.directory,
        index_urls=[source.url for source in session.trust.sources],
        private=workspace / "child",
    )
    locks = list[LockState]()
    if not _leads_elsewhere(tool, session, ledger):
        with session.gate(ledger, postpones=True) as gate:
            locks += _perform(
                CommandRun(
                    session=session,
                    request=request,
                    tool=tool,
                    gate=gate,
                    ledger=ledger,
                    workspace=workspace,
                    output=output,
                )
            )
    report = report_of(ledger, session.trust, command="run", strict=request.strict)
    return replace(report, places=locked_places(locks))


def _check_command(request: CommandRequest, environ: Mapping[str, str]) -> None:
    """Find the program as it will be found when it is started.

    Raises:
        UsageError: ``no-such-command``.
    """
    word = request.words[0]
    if os.path.dirname(word):
        word = str(request.directory / word)
    if shutil.which(word, path=environ.get("PATH", os.defpath)) is None:
        raise UsageError(
            "no-such-command",
            f"expected a command to run, found {request.words[0]!r}, which is no program on $PATH",
            hint="The command stands after `--`, as you would type it without pip-warden.",
        )


def _leads_elsewhere(tool: Tool | None, session: SessionParts, ledger: Ledger) -> bool:
    """Say what leads past the gate, and return whether anything of it would add a source."""
    for found in tool.elsewhere if tool is not None else ():
        if found.adds_source:
            fault = Fault(
                code="leads-elsewhere",
                expected="no source but those of the trust file",
                found=found.what,
                hint="Mend it or take it out: packages are asked for by name, from what the trust file pins.",
            )
            ledger.add(refused_line(found.where, fault))
        else:
            session.reporter.note(f"{found.where}: {found.what}")
    return bool(ledger.lines())


def _perform(run: CommandRun) -> list[LockState]:
    """Run the command and compare what it has changed; return its locks as they are now, and were before."""
    trust, ledger = run.session.trust, run.ledger
    before, bundled = Snapshot(), tuple[AcceptedArchive, ...]()
    if run.tool is not None:
        before = snapshot(run.tool.environments)
        clear_drafts(before.sites, run.session.reporter)
        bundled = brought_along(run.request, run.session.settings.environ)
    locks = [read_state(path, trust) for path in _locks(run)]
    want_unpinned(locks, trust, ledger)
    served = run.workspace / "served"
    served.mkdir(mode=0o700)
    backend = GateRegistries(
        run.gate,
        trust,
        served,
        demanded=demanded(locks),
        number_of=GroupNumbers(run.session.transport).number,
        measures=run.session.measures,
    )
    origins = answered_origins(trust, run.gate)
    with ledger.keeping_error(run.workspace):
        server, code = _run_child(run, backend, origins)
        raise_if_failed(ledger, server, code, lacking=[*versions_not_pinned(locks, trust)])
    with ledger.keeping_error(run.workspace), run.session.measures.phase("reconcile"):
        locks = [*_compare_locks(run, locks, Shown(backend.seen, origins, locks)), *locks]
        compare_environments(run, before, (*backend.handed_over(), *bundled))
    note_unused(ledger, backend.taken, why="only its metadata was asked for")
    return locks


def _locks(run: CommandRun) -> tuple[Path, ...]:
    return run.tool.locks if run.tool is not None else find_locks(run.request.directory)


def _run_child(run: CommandRun, backend: GateRegistries, origins: tuple[str, ...]) -> tuple[Server, int]:
    """Run the command; return the server that it had, ended, and how it ended."""
    session, request, tool = run.session, run.request, run.tool
    authority = make_authority(origins, run.workspace)
    registries = Registries(session.trust.sources, origins, backend)
    with closing(GatePort()) as place, closing(Child()) as child:
        environment = {
            **command_environment(
                session.settings.environ,
                proxy_url=place.proxy_url,
                private=run.private,
                pass_env=request.pass_env,
            ),
            **(tool.environment if tool is not None else {}),
            **authority.environment(),
        }
        child.keep_open(place.fileno())
        if request.isolate_network:
            child.isolate(place)
        name = tool.name if tool is not None else request.words[0]
        session.reporter.note(f"running {name} behind the gate, which answers for {', '.join(origins)}")
        server = Server(backend, on_denial=child.end, place=place, registries=registries, authority=authority)
        with server, session.measures.phase("pip"):
            code = child.run_attached(request.words, environment, request.directory, output=run.output)
    run.ledger.installer_code = code
    for origin in unanswered_origins(backend.seen.listed, origins):
        run.ledger.warn(f"files are listed on {origin}, for which the gate does not answer")
    return server, code


def _compare_locks(run: CommandRun, before: list[LockState], shown: Shown) -> list[LockState]:
    """Compare every lock with what it was before, and return them as they are now."""
    states = {state.path: state for state in before}
    try:
        # One may be new: of an unknown command none is known before it is there.
        paths = dict.fromkeys((*states, *_locks(run)))
    except UsageError as err:
        run.ledger.warn(f"locks were not looked for again: {err.message}")
        paths = dict.fromkeys(states)
    found = []
    for path in paths:
        state = states.get(path, LockState(path=path))
        after = read_again(state, run.session.trust)
        compare_lock(state, after, shown=shown, local=run.local, ledger=run.ledger)
        found.append(after)
    return found
