"""The commands that hints suggest. Each runs as printed once its words in capitals are replaced."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.oci.names import ImageReference, Repository
from pip_warden.trust.likeness import close_names
from pip_warden.trust.model import COMMAND_LINE, Entry, Probe, Source, TrustFile

_ADD = "pip-warden trust add"
_BY_HASH = '--hash --reason "WHY"'
_USUAL_NAME = "pytrust.toml"

CLOSE = "A name close to a pinned one may be somebody else's package."
"""Why nobody should pin such a name without looking again."""

CLOSE_IMAGE = "A repository close to a pinned one may be somebody else's."
"""The same of the images of a repository."""


def not_in_trust_file(project: ProjectName, trust: TrustFile) -> UsageError:
    """Return the error of a command about a project that is not pinned; names close to it come first."""
    meant = close_names(project, trust.projects)
    wish = f"{CLOSE} If {project} itself is meant" if meant else "If you want it"
    return _absent(
        project, trust, f"{wish}: {either(pin_by_identity([project], trust.sources, trust.path))}."
    )


def nothing_to_change(project: ProjectName, trust: TrustFile) -> UsageError:
    """Return the error of a command that was to change or take out a pin of a project that has none."""
    return _absent(project, trust, _listed(trust))


def image_not_in_trust_file(repository: Repository, trust: TrustFile) -> UsageError:
    """Return the error of a command about images that are not pinned."""
    add = pin_image(repository, trust.path)
    return _absent_image(repository, trust, f"{_listed(trust)} If you want it: `{add}`.")


def no_image_to_change(repository: Repository, trust: TrustFile) -> UsageError:
    """Return the error of a command that was to change or take out the pin of images that have none."""
    return _absent_image(repository, trust, _listed(trust))


def _absent_image(repository: Repository, trust: TrustFile, hint: str) -> UsageError:
    return UsageError(
        "not-in-trust-file",
        f"expected an entry for the images of {repository} in {trust.path}, found none",
        hint=hint,
    )


def _listed(trust: TrustFile) -> str:
    return f"`pip-warden trust list{_trust(trust.path)}` shows what is pinned."


def _absent(project: ProjectName, trust: TrustFile, hint: str) -> UsageError:
    meant = close_names(project, trust.projects)
    asked = f"did you mean {', or '.join(meant)}? " if meant else ""
    return UsageError(
        "not-in-trust-file",
        f"{asked}expected an entry for {project} in {trust.path}, found none",
        hint=hint,
    )


def pin_by_identity(names: Sequence[str], sources: Sequence[Source], path: str | PurePath = "") -> list[str]:
    """Return the command that pins the signer of projects, one for each kind of source there is.

    Args:
        names: Normalised project names.
        sources: The trust file's sources.
        path: The trust file, named in the command if it is not one that is found by its name.
    """
    words = " ".join(map(shlex.quote, names))
    return [f"{_ADD} {words} {place}{_trust(path)}" for place in _places(sources, several=len(names) > 1)]


def pin_image(image: Repository | ImageReference, path: str | PurePath = "") -> str:
    """Return the command that looks who signed an image, and pins that; the path as of `pin_by_identity`."""
    return f"{_ADD} --image {shlex.quote(str(image))}{_trust(path)}"


def pin_by_hash(release: str, sources: Sequence[Source], path: str | PurePath = "") -> list[str]:
    """Return the command that pins the files of a release, one for each kind of source there is.

    Args:
        release: ``NAME==VERSION``.
        sources: The trust file's sources.
        path: As for `pin_by_identity`.
    """
    word = shlex.quote(release)
    return [f"{_ADD} {word} {place} {_BY_HASH}{_trust(path)}" for place in _places(sources, several=False)]


def pin_known_by_hash(entry: Entry | Probe, version: Version, trust: TrustFile) -> str:
    """Return the command that pins the files of a release of a known source, ``""`` where that is none.

    Args:
        entry: An entry of the project. A probe's source may not be written yet, so it is named by its URL.
        version: The release.
        trust: The trust file.
    """
    source = next((each for each in trust.sources if each.name == entry.source), None)
    if source is None or source == COMMAND_LINE:
        return ""
    place = f"--source {shlex.quote(source.url if isinstance(entry, Probe) else source.name)}"
    if entry.registry is not None and isinstance(entry, Probe):
        place += f" --project {shlex.quote(entry.registry)}"
    return f"{_ADD} {shlex.quote(f'{entry.project}=={version}')} {place} {_BY_HASH}{_trust(trust.path)}"


def renew(release: str, path: str | PurePath) -> str:
    """Return the command that gives what is pinned by hash a later last day.

    Args:
        release: ``NAME`` or ``NAME==VERSION``.
        path: As for `pin_by_identity`.
    """
    return f"pip-warden trust update {shlex.quote(release)} --expires YYYY-MM-DD{_trust(path)}"


def give_reason(release: str, path: str | PurePath) -> str:
    """Return the command that gives what is pinned by hash another reason; parameters as of `renew`."""
    return f'pip-warden trust update {shlex.quote(release)} --reason "WHY"{_trust(path)}'


def either(commands: Iterable[str]) -> str:
    """Join commands, of which one is to be typed, in a sentence."""
    return ", or ".join(f"`{command}`" for command in commands)


def _places(sources: Sequence[Source], *, several: bool) -> list[str]:
    owner = "--group GROUP" if several else "--project GROUP/PROJECT"
    if not sources:
        return [f"--source URL {owner}", "--source URL"]
    places = []
    for kind, more in (("gitlab", f" {owner}"), ("simple", "")):
        named = [source.name for source in sources if source.type == kind]
        if named:
            places.append(f"--source {shlex.quote(named[0]) if len(named) == 1 else 'SOURCE'}{more}")
    return places


def _trust(path: str | PurePath) -> str:
    """Name a trust file that is not found by its name."""
    return f" --trust {shlex.quote(str(path))}" if str(path) and PurePath(path).name != _USUAL_NAME else ""
