"""What a reader must know besides the verdicts: what was installed already, and what the index hides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from packaging.utils import canonicalize_name

from pip_warden.gate.dependencies import wanted_here
from pip_warden.index.candidate import Candidate
from pip_warden.install.places import places_of_pip
from pip_warden.install.request import Run
from pip_warden.installer.installed import Installed, Present
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Outcome
from pip_warden.verdict.listing import Listing


def note_present(
    run: Run, items: tuple[Installed, ...], what_is_there: Callable[[], Mapping[str, Present]]
) -> None:
    """Report what was wanted and installed before this run: verified earlier, or present and not verified.

    Args:
        run: The run.
        items: What was installed.
        what_is_there: Tells what there is now where it was to be installed, by normalised name.
    """
    taken = {str(canonicalize_name(item.name)) for item in items}
    asked: set[str] = {named.project for named in run.prepared.wanted.named}
    wanted = asked | _names(text for item in items for text in item.requires_dist)
    if not wanted - taken or "--no-deps" in run.prepared.options:
        wanted = asked
    if not wanted - taken:
        return
    from pip_warden.install.earlier import lines_of_present

    there, found = what_is_there(), dict[str, Present]()
    queue, seen = sorted(wanted - taken), set(taken)
    while queue:
        name = queue.pop(0)
        if name in seen or name not in there:
            continue
        seen.add(name)
        found[name] = there[name]
        queue += sorted(_names(there[name].requires_dist) - seen)
    present = ((f"{name} {each.version}", each.info) for name, each in found.items())
    for line in lines_of_present(run, present, sites=places_of_pip(run.prepared)):
        run.ledger.add(line)


def note_unused(
    ledger: Ledger,
    taken: Iterable[str],
    digests: Iterable[str] = (),
    *,
    why: str = "pip read only its metadata",
) -> None:
    """Say of each file that was judged and not used that it was not.

    An installer reads the metadata of a wheel before it decides, and may then take another release.

    Args:
        ledger: What the run has come to.
        taken: The names of the files that were taken whole.
        digests: SHA-256 of what was installed, or would be.
        why: How it is known, for people.
    """
    used, by_digest = set(taken), set(digests)
    for line in ledger.lines():
        if (
            line.source
            and line.outcome is Outcome.ACCEPTED
            and not (line.subject in used or line.sha256 in by_digest)
        ):
            ledger.note(line.subject, f"not used: {why}")


def note_hidden(run: Run, taken: Iterable[str]) -> None:
    """Warn of newer releases that the index hides (design decision D2).

    Args:
        run: The run.
        taken: The projects of which a file was taken.
    """
    projects = set(taken)
    chosen: dict[ProjectName, ArtifactName] = {}
    # A local file has no source, and no page that could hide anything: nothing is fetched for it.
    for name in run.ledger.accepted_from_sources():
        if name.project in projects:
            rival = chosen.get(name.project, name)
            chosen[name.project] = max(name, rival, key=lambda known: known.version)
    by_time = "--uploaded-prior-to" in run.prepared.options
    for project, best in chosen.items():
        for candidate, why in newer_hidden(run.gate.listing(project), best, by_time=by_time):
            run.ledger.warn(
                f"{candidate.name} is newer than {best.version} and is passed "
                f"over because the index calls it {why}"
            )


def newer_hidden(
    listing: Listing, chosen: ArtifactName, *, by_time: bool
) -> tuple[tuple[Candidate, str], ...]:
    """Return newer releases that an installer skips because of the index's metadata, each with the reason.

    Any Developer can set it for a whole version, so a newer release hidden by it is worth a look (design
    decision D2).

    Args:
        listing: The project's listing.
        chosen: The file that was taken.
        by_time: Whether the installer was told to pass over late uploads.
    """
    found = []
    for candidate in listing.allowed:
        is_newer = candidate.name.version > chosen.version
        if not is_newer or (candidate.name.version.is_prerelease and not chosen.version.is_prerelease):
            continue
        if candidate.claimed_yanked is not None:
            found.append((candidate, f"yanked ({candidate.claimed_yanked or 'no reason given'})"))
        elif by_time and candidate.claimed_upload_time is not None:
            found.append((candidate, f"uploaded at {candidate.claimed_upload_time:%Y-%m-%d %H:%M} UTC"))
    return tuple(found)


def _names(requirements: Iterable[str]) -> set[str]:
    """Return the names of projects that are required here, without extras."""
    wanted = (wanted_here(text) for text in requirements)
    return {str(project) for project in wanted if project is not None}
