"""``pip-warden trust``: look at and edit the trust file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.group import LateGroup
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.model import Entry, IdentityEntry, ImageEntry, TrustFile

_LATE = {
    "add": "trust_add",
    "sync": "trust_sync",
    "update": "trust_update",
    "list": "trust_list",
    "remove": "trust_remove",
    "prune": "trust_prune",
    "diff": "trust_diff",
    "explain": "trust_explain",
}


@click.group(
    "trust",
    cls=LateGroup,
    late=_LATE,
    epilog=examples("pip-warden trust add acme-widgets --source gitlab --project acme/widgets"),
)
@color_option
def command() -> None:
    """Look at and edit the trust file: who may publish what.

    The file is pytrust.toml, looked for from the working directory up to the repository's root; without a
    repository, never in the home directory or above it. Commit it, and review its changes.
    """


@command.command("check", epilog=examples("pip-warden trust check"))
@trust_option
@format_option
@color_option
def check(*, trust: Path | None, output_format: str) -> None:
    """Validate the trust file as a whole, trusted roots included."""
    from pip_warden.cli.common import load_trust
    from pip_warden.trust.roots import PinnedRoots

    loaded = load_trust(trust)
    roots = PinnedRoots(loaded.roots)
    left_out = {name: roots[name].dropped for name in roots}
    if output_format == "json":
        from pip_warden.report.document import document

        told: dict[str, JSONValue] = {
            "trust_file": str(loaded.path),
            "trusted_roots": [{"name": name, "left_out": list(parts)} for name, parts in left_out.items()],
        }
        print(document("trust check", told))
        return
    print_block(f"{loaded.path} is valid: {_counted(loaded)}")
    for name, parts in left_out.items():
        for part in parts:
            print_block(f"  trusted root {name}: not usable here, and left out: {escape_text(part, 500)}")


@command.command("show", epilog=examples("pip-warden trust show acme-widgets"))
@click.argument("name", required=False)
@trust_option
@format_option
@color_option
def show(*, name: str | None, trust: Path | None, output_format: str) -> None:
    """Show who may publish NAME, or every package and image.

    What has a slash is a repository of images: registry.example.com/acme/app.
    """
    from pip_warden.cli.common import load_trust

    loaded = load_trust(trust)
    entries, images = (loaded.entries, loaded.images) if name is None else _named(name, loaded)
    if output_format == "json":
        from pip_warden.report.document import document
        from pip_warden.report.pins import as_json, image_as_json

        told: dict[str, JSONValue] = {
            "trust_file": str(loaded.path),
            "packages": [as_json(entry) for entry in entries],
            "images": [image_as_json(entry) for entry in images],
        }
        print(document("trust show", told))
        return
    print_block(f"{loaded.path}: {_counted(loaded)}")
    for entry in entries:
        print_block("\n".join(_as_text(entry, loaded)))
    for image in images:
        realm = [f"  realm   {image.realm}"] if image.realm is not None else []
        print_block("\n".join((f"\n{image.repository}  by identity", *realm, *_signers(image))))


def _named(name: str, trust: TrustFile) -> tuple[tuple[Entry, ...], tuple[ImageEntry, ...]]:
    from pip_warden.names import parse_project_name
    from pip_warden.oci.names import parse_repository
    from pip_warden.trust.suggest import image_not_in_trust_file, not_in_trust_file

    if "/" in name:
        repository = parse_repository(name)
        image = trust.image_entry(repository)
        if image is None:
            raise image_not_in_trust_file(repository, trust)
        return (), (image,)
    project = parse_project_name(name)
    entries = trust.entries_of(project)
    if not entries:
        raise not_in_trust_file(project, trust)
    return entries, ()


def _counted(trust: TrustFile) -> str:
    from pip_warden.report.summary import counted
    from pip_warden.trust.model import IdentityEntry

    signed = sum(isinstance(entry, IdentityEntry) for entry in trust.entries)
    images = (counted(len(trust.images), "image", "images"),) if trust.images else ()
    return ", ".join(
        (
            f"{signed} pinned by identity",
            f"{len(trust.entries) - signed} by hash",
            *images,
            counted(len(trust.sources), "source", "sources"),
            counted(len(trust.roots), "trusted root", "trusted roots"),
            counted(len(trust.revoked), "revocation", "revocations"),
        )
    )


def _as_text(entry: Entry, trust: TrustFile) -> list[str]:
    from pip_warden.session.settings import utc_now
    from pip_warden.trust.model import HashEntry

    source = trust.source(entry.source)
    place = f"{source.url} {entry.registry}" if entry.registry else source.url
    if isinstance(entry, HashEntry):
        lines = [
            f"\n{entry.project} {entry.version}  by hash (what, not who)",
            f"  from    {place}",
            f"  reason  {escape_text(entry.reason)}",
        ]
        if entry.expires is not None:
            over = " (over)" if entry.is_over(utc_now().date()) else ""
            lines.append(f"  until   {entry.expires}{over}")
        return lines + [f"  file    {name}  sha256 {digest}" for name, digest in entry.files]
    return [f"\n{entry.project}  by identity", f"  from    {place}", *_signers(entry)]


def _signers(entry: IdentityEntry | ImageEntry) -> list[str]:
    from pip_warden.report.pins import requirements_of

    lines = []
    for identity in entry.identities:
        lines += [
            f"  signer  {escape_text(identity.subject.text)}",
            f"          issued by {escape_text(identity.issuer)}",
        ]
        if identity.project_id is not None:
            lines.append(f"          project id {identity.project_id}")
        if identity.not_before or identity.not_after:
            lines.append(
                f"          signed from {identity.not_before or 'ever'} to {identity.not_after or 'ever'}"
            )
    return lines + [f"  require {name} {value}" for name, value in requirements_of(entry)]
