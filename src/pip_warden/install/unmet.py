"""Why pip found nothing that meets a requirement, where it says only that it found nothing.

Asked after pip has failed, so that a good run costs nothing. pip's output only says which requirement to look
at, and a build may print the same; what is reported is read from the trust file and from the judged page.
"""

from __future__ import annotations

import re
from itertools import pairwise

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from pip_warden.display import escape_text
from pip_warden.errors import InstallerError, RefusedError
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate
from pip_warden.install.request import Run
from pip_warden.installer.python import supported_tags
from pip_warden.names import ProjectName
from pip_warden.report.model import line_of
from pip_warden.trust.model import HashEntry
from pip_warden.trust.suggest import pin_known_by_hash
from pip_warden.verdict.model import Refused, Step, StepFailure, VerdictError

_UNMET = re.compile(r"ERROR: No matching distribution found for ([^()]{1,500}?)(?: \(from .*\))?")
_MOST_TAGS = 6


class PipWords:
    """Listens to what pip prints for the requirement that it found nothing for.

    Attributes:
        unmet: The last one that was named; None where none was.
    """

    def __init__(self) -> None:
        self.unmet: Requirement | None = None

    def hear(self, line: str) -> None:
        """Look at a line."""
        if match := _UNMET.fullmatch(line):
            try:
                self.unmet = Requirement(match[1])
            except InvalidRequirement:
                return


def why_unmet(run: Run, unmet: Requirement, pages: set[ProjectName]) -> RefusedError | InstallerError | None:
    """Say why nothing meets a requirement.

    Args:
        run: The run.
        unmet: The requirement that pip has named.
        pages: The projects whose pages pip asked for: what it names besides is not looked up.

    Returns:
        ``version-not-pinned``: the trust file pins only other versions, by hash; ``no-fitting-wheel``: there
        are only wheels for other Pythons or platforms; None for any other reason, which pip's output says.
    """
    project = ProjectName(str(canonicalize_name(unmet.name)))
    if project not in pages:
        return None
    listing = run.gate.listing(project)
    pinned = run.trust.entries_of(project)
    if all(isinstance(entry, HashEntry) and not _meets(entry.version, unmet.specifier) for entry in pinned):
        return _not_pinned(run, project, unmet.specifier)
    found = [c for c in listing.allowed if _meets(c.name.version, unmet.specifier)]
    wheels = [candidate for candidate in found if candidate.name.kind != "sdist"]
    if not wheels or (len(wheels) < len(found) and not _only_wheels(run, project)):
        return None
    return _not_fitting(run, wheels)


def _only_wheels(run: Run, project: ProjectName) -> bool:
    """Return whether ``--only-binary`` keeps pip from a project's sdists, as ``--platform`` demands of it."""
    return any(
        option == "--only-binary" and not {":all:", project}.isdisjoint(value.split(","))
        for option, value in pairwise(run.prepared.options)
    )


def _meets(version: object, specifier: SpecifierSet) -> bool:
    return specifier.contains(str(version), prereleases=True)


def _not_pinned(run: Run, project: ProjectName, wanted: SpecifierSet) -> VerdictError:
    entries = run.trust.entries_of(project)
    versions = sorted(entry.version for entry in entries if isinstance(entry, HashEntry))
    listed = [c.name.version for c in run.gate.listing(project).page.candidates]
    there = max((version for version in listed if _meets(version, wanted)), default=None)
    fault = Fault(
        code="version-not-pinned",
        expected=f"{project}{wanted} in {run.trust.path.name}",
        found=f"only {', '.join(map(str, versions))}, by hash",
        hint=f"{project} has no such version either: its source lists none."
        if there is None
        else f"Review the release, then: `{pin_known_by_hash(entries[0], there, run.trust)}`.",
    )
    refused = Refused(subject=project, failure=StepFailure(Step.PIN, fault))
    run.ledger.record(line_of(refused))
    return VerdictError(refused)


def _not_fitting(run: Run, wheels: list[Candidate]) -> InstallerError | None:
    tags = supported_tags(run.prepared.target, run.prepared.options)
    theirs = {c: {str(tag) for tag in parse_wheel_filename(c.name.filename)[3]} for c in wheels}
    if not tags or any(not found.isdisjoint(tags) for found in theirs.values()):
        return None
    newest = max(candidate.name.version for candidate in wheels)
    found = sorted({tag for c in wheels if c.name.version == newest for tag in theirs[c]})
    more = f" and {len(found) - _MOST_TAGS} more" if len(found) > _MOST_TAGS else ""
    project = wheels[0].project
    return InstallerError(
        "no-fitting-wheel",
        f"expected a wheel of {project} for {run.prepared.target}, which takes {tags[0]} and more general "
        f"tags down to {tags[-1]}; "
        f"found for {newest} only {escape_text(', '.join(found[:_MOST_TAGS]), 400)}{more}, "
        "and no sdist that may be built",
        hint="Install into a Python and on a platform that one of them is for, "
        "or ask the publisher for an sdist, or a wheel for yours.",
    )
