"""``pip-warden trust remove``: take packages and images out of the trust file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.edited import edited_by, print_edited
from pip_warden.cli.examples import examples
from pip_warden.cli.pinning import check_names
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from packaging.version import Version

    from pip_warden.names import ProjectName
    from pip_warden.trust.model import Identity, TrustFile


@click.command("remove", epilog=examples("pip-warden trust remove idna==3.20"))
@click.argument("names", nargs=-1, metavar="NAME[==VERSION]…")
@click.option(
    "--image", "images", multiple=True, metavar="REPOSITORY", help="Take out the pin of these images."
)
@trust_option
@click.option("--yes", "-y", is_flag=True, help="Remove without asking.")
@format_option
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
@color_option
def command(
    *,
    names: tuple[str, ...],
    images: tuple[str, ...],
    trust: Path | None,
    yes: bool,
    output_format: str,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> int:
    """Take every pin of NAME or of images out of the trust file, or one release that is pinned by hash.

    Sources, trusted roots and revocations stay.
    """
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.draft import Draft
    from pip_warden.names import parse_name_or_release
    from pip_warden.oci.names import parse_repository

    if not names and not images:
        raise UsageError("usage", "expected a NAME or --image REPOSITORY, found neither")
    check_names(names)
    wanted = dict.fromkeys(map(parse_name_or_release, names))
    repositories = dict.fromkeys(map(parse_repository, images))
    loaded = load_trust(trust)
    person = TerminalPrompt.of({"verbose": 0, "quiet": 0, "output_format": output_format})
    draft = Draft(loaded.path)
    for project, version in wanted:
        draft.remove(project, version)
    for repository in repositories:
        draft.remove_image(repository)
    for project, version in wanted:
        for line in _told(loaded, project, version):
            person.show(line)
    for entry in loaded.images:
        if entry.repository in repositories:
            person.show("\n".join((f"{entry.repository}  by identity", *_signers(entry.identities))))
    _confirm(yes=yes)
    person.show(draft.write(person))
    return print_edited(edited_by("trust remove", draft, person), person)


def _told(trust: TrustFile, project: ProjectName, version: Version | None) -> Iterator[str]:
    """Say what is removed, and what decides about a release after that."""
    from pip_warden.report.summary import counted
    from pip_warden.trust.model import HashEntry

    for entry in trust.entries_of(project):
        if isinstance(entry, HashEntry) and version in {None, entry.version}:
            yield f"{project} {entry.version}  by hash, {counted(len(entry.files), 'file', 'files')}"
        elif not isinstance(entry, HashEntry) and version is None:
            yield f"{project}  by identity"
            yield from _signers(entry.identities)
    signed = trust.identity_entry(project)
    if version is not None and signed is not None:
        yield f"  From then on {project} {version} is accepted if a signer of {project} has signed it."


def _signers(identities: Iterable[Identity]) -> Iterator[str]:
    return (f"  signer  {escape_text(each.subject.text, 2000)}" for each in identities)


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "yes-needed", "expected a yes, found no terminal to ask at", hint="--yes removes without asking."
        )
    if not click.confirm("Remove from the trust file?", err=True):
        raise RefusedError("declined", "expected a yes, found a no; nothing was changed")
