"""uv, which asks nothing before it installs: what it has changed is compared afterwards.

Its only network is the gate, as it is pip's. On this machine it opens what the user named, and what a local
project or the build of an accepted sdist asks for, of which pip asks first.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.environments.compare import compare
from pip_warden.environments.files import Stamp, read_bounded
from pip_warden.environments.model import (
    AcceptedArchive,
    Comparison,
    InstalledDistribution,
    Likeness,
    Snapshot,
)
from pip_warden.environments.scan import snapshot
from pip_warden.errors import InstallerError, InternalError, RefusedError, WardenError
from pip_warden.faults import Fault
from pip_warden.install.arguments import uv_arguments
from pip_warden.install.attempt import Installer
from pip_warden.install.backend import GateBackend
from pip_warden.install.notes import note_hidden, note_present, note_unused
from pip_warden.install.receipts import of_archives, write_receipts
from pip_warden.install.request import PreparedRequest, Run
from pip_warden.install.unmet import why_unmet
from pip_warden.installer.installed import Installed, Present
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.origin import record_own_file
from pip_warden.installer.passed import last_value
from pip_warden.installer.python import installed
from pip_warden.installer.surroundings import Surroundings
from pip_warden.installer.uv import may_link, packages_of, uv_command, uv_project_arguments
from pip_warden.names import parse_artifact_name

_UNMET = "No solution found when resolving"
_RESOLVED = re.compile(r"Resolved [0-9]+ packages? in .*", re.ASCII)
_INSTALLED = re.compile(r"Installed [1-9][0-9]* packages? in .*", re.ASCII)
_MOST_METADATA = 16 << 20


class UvAttempt:
    """A run of uv; see :class:`~pip_warden.install.attempt.Attempt`."""

    def __init__(self, run: Run, around: Surroundings, local: LocalInputs, arguments: list[str]) -> None:
        prepared = run.prepared
        if prepared.uv is None:
            raise InternalError("bug", "uv was not looked for")
        self._run = run
        self._around = around
        self._local = local
        self._finds_nothing = self._installs = False
        words = uv_arguments(prepared, arguments, workspace=around.workspace)
        self._sites = _sites(prepared)
        links = may_link(around.workspace, self._sites)
        self._cache = around.workspace / "child" / "uv"
        self.command = uv_command(prepared.uv, prepared.target, words, cache=self._cache, links=links)
        self.report = around.workspace / "report.json"
        self._before = self._after = self._look()
        self._compared: tuple[Comparison, ...] = ()

    def _look(self) -> Snapshot:
        return snapshot(self._sites, sites=self._sites)

    def hear(self, line: str) -> None:
        """Listen whether it finds nothing for a requirement, has all that it wants, and installs anything."""
        if _RESOLVED.fullmatch(line):
            self._run.gate.agree()
        self._finds_nothing = self._finds_nothing or _UNMET in line
        self._installs = self._installs or _INSTALLED.fullmatch(line) is not None

    def ended(self, backend: GateBackend) -> None:
        """Compare what it changed with what was accepted, whether it succeeded, failed or was ended."""
        self._run.gate.meanwhile(partial(shutil.rmtree, self._cache, ignore_errors=True))
        self._after = self._look()
        accepted = [*backend.handed_over(), *self._files()]
        with self._run.measures.phase("reconcile"):
            found = compare(self._before, self._after, accepted, self._local.directories)
        self._compared = found
        # Until then it is one more name of a file that the vault may take by a move.
        shutil.rmtree(backend.directory, ignore_errors=True)
        for fault in (each.fault for each in found if each.likeness is Likeness.OTHER):
            raise _past_the_gate(fault)

    def why_failed(self, shown: str, backend: GateBackend) -> WardenError:
        """Say why nothing meets a requirement of the user's, where that is why."""
        for named in self._run.prepared.wanted.named if self._finds_nothing else ():
            if (why := why_unmet(self._run, Requirement(named.requirement), backend.pages)) is not None:
                return why
        return InstallerError(
            "uv-failed", f"expected uv to succeed, found {shown}", hint="uv's own words are above."
        )

    def look_back(self, backend: GateBackend) -> None:
        """Note what a reader must know besides the verdicts. A dry run takes no file, and shows no more."""
        run = self._run
        if run.prepared.dry_run:
            items = tuple(self._would())
        else:
            items = tuple(self._did())
            if self._installs and not items:
                raise self._nowhere()
            self._record_own_files()
            note_unused(run.ledger, backend.taken, why="uv read only its metadata")
        with run.measures.phase("report"):
            note_hidden(run, (str(canonicalize_name(item.name)) for item in items))
            note_present(run, items, self._there)
            if not run.prepared.dry_run:
                write_receipts(run, of_archives(run, self._compared))

    def _there(self) -> Mapping[str, Present]:
        """Return what there is now, where it has installed to."""
        if _place(self._run.prepared) is None:
            return installed(self._run.prepared.target, self._around.environment)
        return {
            str(canonicalize_name(each.name)): Present(
                version=each.version, requires_dist=_requires(each), info=each.site / each.folder
            )
            for each in self._after.distributions
        }

    def _new(self) -> Iterator[InstalledDistribution]:
        """Yield what it has installed: what is installed anew may describe itself as it did before."""
        before = {each: _written(each) for each in self._before.distributions}
        return (each for each in self._after.distributions if before.get(each) != _written(each))

    def _record_own_files(self) -> None:
        for found in self._new():
            info = found.site / found.folder
            try:
                record_own_file(info, self._local.files)
            except (OSError, ValueError, LookupError, TypeError) as err:
                self._run.ledger.warn(
                    f"{info} names a copy that is gone after this run ({type(err).__name__})"
                )

    def _nowhere(self) -> InstallerError:
        return InstallerError(
            "inspect-failed",
            f"expected what uv has installed in {', '.join(map(str, self._sites))}, found nothing new",
            hint="It was not compared with what was accepted. Name the Python that it is for with --python, "
            "and please report it.",
        )

    def _files(self) -> Iterator[AcceptedArchive]:
        """Yield the user's own files, which went through the gate like all others."""
        digests = self._run.ledger.accepted()
        for copy in self._local.files:
            name = parse_artifact_name(copy.name)
            yield AcceptedArchive(name=name, digest=Digest(digests[copy.name]), path=copy)

    def _would(self) -> Iterator[Installed]:
        for name in self._run.ledger.accepted_from_sources():
            yield Installed(name=name.project, version=str(name.version), sha256="", directory="")

    def _did(self) -> Iterator[Installed]:
        for found in self._new():
            required = _requires(found)
            yield Installed(
                name=found.name, version=found.version, sha256="", directory="", requires_dist=required
            )


def _written(found: InstalledDistribution) -> tuple[InstalledDistribution, Stamp | None]:
    """Return a distribution, and what differs as soon as its RECORD was written."""
    return found, found.stamps.get(f"{found.folder}/RECORD")


def _past_the_gate(fault: Fault | None) -> WardenError:
    if fault is None:
        return InternalError("bug", "what is not as accepted was not said to differ")
    return RefusedError(
        fault.code,
        f"expected {escape_text(fault.expected, 500)}, found {escape_text(fault.found, 500)}",
        hint=fault.hint,
    )


def _sites(prepared: PreparedRequest) -> tuple[Path, ...]:
    """Return where it installs to: with ``--target`` or ``--prefix`` there, else into the target."""
    place = _place(prepared)
    return packages_of(prepared.target) if place is None else (place,)


def _place(prepared: PreparedRequest) -> Path | None:
    options = prepared.every_option
    if (directory := last_value(options, "--target")) is not None:
        return Path(os.path.abspath(directory))
    if (prefix := last_value(options, "--prefix")) is not None:
        return Path(os.path.abspath(prefix), "lib", f"python{prepared.target.version}", "site-packages")
    return None


def _requires(found: InstalledDistribution) -> tuple[str, ...]:
    """Return the requirements in METADATA, none where it cannot be read; the comparison has said so then."""
    try:
        content = read_bounded(found.site / found.folder / "METADATA", _MOST_METADATA)
    except (OSError, ValueError):
        return ()
    return tuple(map(str, BytesHeaderParser().parsebytes(content).get_all("Requires-Dist", ())))


UV = Installer(name="uv", project_arguments=uv_project_arguments, attempt=UvAttempt)
