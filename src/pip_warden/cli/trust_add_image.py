"""``trust add`` of a container repository: pin who signs the images of a repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pip_warden.cli.common import with_options
from pip_warden.cli.edited import edited_by, print_pins
from pip_warden.cli.pinning import check_names, path_to_write
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.first_use.image_request import ImageRequest

F = TypeVar("F", bound=Callable[..., object])

_OF_IMAGES = {
    "project_id": "--project-id",
    "realm": "--realm",
    "require_provenance": "--require-provenance",
    "require_annotations": "--require-annotation",
}
_OF_PACKAGES = {
    "names": "NAME",
    "source": "--source",
    "project": "--project",
    "group": "--group",
    "from_history": "--from-history",
    "by_hash": "--hash",
    "reason": "--reason",
    "expires": "--expires",
    "requirements": "-r",
    "mirror": "--mirror",
}


def image_options(function: F) -> F:
    """Add the options that belong to images alone."""
    options = [
        click.option(
            "--image",
            metavar="REF",
            help="Pin who signs these images: registry.example.com/acme/app, or :TAG of it to look at.",
        ),
        click.option(
            "--project-id",
            type=click.IntRange(1, 2**63 - 1),
            metavar="N",
            help="With --image: the numeric id of the signer's project.",
        ),
        click.option(
            "--realm",
            metavar="URL",
            help="With --image: where credentials for its registry may be sent, besides the usual places.",
        ),
        click.option("--require-provenance", is_flag=True, help="With --image: require signed provenance."),
        click.option(
            "--require-annotation",
            "require_annotations",
            multiple=True,
            metavar="K=V",
            help="With --image: require this signed annotation; {tag} in V is the image's tag.",
        ),
    ]
    return with_options(function, options)


def check_of_packages(options: Mapping[str, Any]) -> None:
    """Check that nothing is given that belongs to images.

    Raises:
        UsageError: ``usage``.
    """
    for name, option in _OF_IMAGES.items():
        if options[name]:
            raise UsageError("usage", f"expected {option} together with --image, found it without")
    check_names(options["names"])


def add_image(trust: Path | None, options: Mapping[str, Any]) -> int:
    """Pin what the options name, and return the exit code."""
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import settings_of
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.first_use import image
    from pip_warden.first_use.draft import Draft
    from pip_warden.report.edited import report_of
    from pip_warden.session.images import open_images

    wanted = _request(options)
    person = TerminalPrompt.of(options)
    draft = Draft(path_to_write(trust))
    settings = settings_of(options)
    with open_images(draft.trust(), settings, person, named=wanted.realms, hold=deferring_signals) as parts:
        image.add_image(wanted, draft, parts, person)
        person.show(draft.write(person))
    edited = edited_by("trust add", draft, person)
    return print_pins(edited, report_of(edited), person, options["reports"])


def _request(options: Mapping[str, Any]) -> ImageRequest:
    from pip_warden.first_use.image_request import ImageRequest
    from pip_warden.first_use.template import required as started_by
    from pip_warden.oci.names import parse_reference
    from pip_warden.trust.demands import Demands, read_demands, required
    from pip_warden.trust.locations import parse_issuer

    for name, option in _OF_PACKAGES.items():
        if options[name]:
            raise UsageError("usage", f"expected --image without {option}, found both")
    subject, issuer, realm = (options[name] for name in ("identity", "issuer", "realm"))
    if (subject is None) != (issuer is None):
        raise UsageError("issuer-needed", "expected --identity and --issuer together, found one of them")
    if options["build_triggers"] and subject is None:
        raise UsageError("usage", "expected --build-trigger together with --identity, found it alone")
    demands = read_demands(
        provenance=options["require_provenance"], annotations=options["require_annotations"]
    )
    says = options["build_triggers"] or demands != Demands()
    return ImageRequest(
        image=parse_reference(options["image"]),
        subject=subject,
        issuer=None if issuer is None else parse_issuer(issuer),
        build_triggers=options["build_triggers"],
        project_id=options["project_id"],
        require=required(demands, started_by(options["build_triggers"])) if says else None,
        realm=None if realm is None else parse_issuer(realm),
        trusted_root=options["trusted_root"],
        yes=options["yes"],
    )
