"""Puts downloaded files where the user wants them, each checked against what was accepted."""

from __future__ import annotations

from pathlib import Path

from pip_warden.errors import RefusedError
from pip_warden.install.files import denied
from pip_warden.install.notes import note_hidden
from pip_warden.install.request import Run
from pip_warden.installer.downloads import AcceptedFile, deliver, find_present
from pip_warden.installer.reconcile import accepted_under_its_name, reconcile_directory
from pip_warden.names import ArtifactName, parse_artifact_name
from pip_warden.vault import hand_over


def keep_downloads(run: Run, staging: Path, target: Path) -> tuple[str, ...]:
    """Put downloaded files where the user wants them, all or none, and return their names.

    Args:
        run: The run.
        staging: Where pip has downloaded to.
        target: Where the user wants them.

    Raises:
        RefusedError: One was not accepted, there is none, or a release has no sdist where one is wanted.
        UndecidedError: An sdist could not be judged.
        DeliveryError: They could not be put there.
    """
    files = list(reconcile_directory(staging, run.ledger.accepted_digests()))
    if not files:
        raise RefusedError("nothing-downloaded", "expected at least one file, found that pip downloaded none")
    if run.prepared.with_sdist:
        files += _add_sdists(run, files, staging)
    accepted = run.ledger.accepted()
    found = [AcceptedFile(path=file, digest=accepted_under_its_name(file, accepted)) for file in files]
    with run.measures.phase("report"):
        kept = find_present(found, target) if run.prepared.dry_run else deliver(found, target)
    for name in kept:
        run.reporter.note(f"{name} is in {target} already, the same bytes: kept")
    note_hidden(run, (str(parse_artifact_name(file.name).project) for file in files))
    return tuple(file.name for file in files)


def _add_sdists(run: Run, files: list[Path], staging: Path) -> list[Path]:
    """Admit the sdist of every release that was downloaded as a wheel."""
    names = [parse_artifact_name(file.name) for file in files]
    added = []
    for sdist in [_sdist_beside(run, name) for name in names if name.kind == "wheel"]:
        admission = run.gate.admit(sdist.project, sdist.filename)
        if admission.sealed is None:
            raise denied(admission.line)
        if not (staging / sdist.filename).exists():
            added.append(hand_over(admission.sealed, staging, run.measures))
    return added


def _sdist_beside(run: Run, wheel: ArtifactName) -> ArtifactName:
    for candidate in run.gate.listing(wheel.project).allowed:
        if candidate.name.kind == "sdist" and candidate.name.version == wheel.version:
            return candidate.name
    raise RefusedError(
        "no-sdist",
        f"expected an sdist of {wheel.project} {wheel.version} next to its wheel, found none",
        hint="Leave out --with-sdist.",
    )
