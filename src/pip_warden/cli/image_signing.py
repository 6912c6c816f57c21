"""What ``image sign``, ``image attest`` and ``image annotate`` share: options, the run, and what is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pip_warden.cli.common import (
    format_option,
    load_trust_if_any,
    registry_options,
    trust_option,
    with_options,
)
from pip_warden.cli.signing import Access, access_options, open_signatory
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.oci.names import ImageReference
    from pip_warden.publish.images import ImageStatement, SignedImage
    from pip_warden.strict_json import JSONValue

F = TypeVar("F", bound=Callable[..., object])


def annotation_option(*, required: bool) -> Callable[[F], F]:
    """Return the option for what is said of an image beside its signature."""
    return click.option(
        "-a",
        "--annotation",
        "annotations",
        multiple=True,
        required=required,
        metavar="K=V",
        help="A signed annotation, added to the defaults of a CI job.",
    )


def image_signing_options(function: F) -> F:
    """Add what every command that signs an image takes: the image, registry, signer and form of output."""
    return with_options(
        function,
        (
            click.argument("image", metavar="IMAGE"),
            click.option("--recursive", is_flag=True, help="The same of every image that an index lists."),
            format_option,
            trust_option,
            access_options,
            registry_options,
        ),
    )


def signature_of(
    image: ImageReference, annotations: tuple[str, ...], environ: Mapping[str, str]
) -> ImageStatement:
    """Return the statement that is an image's signature, with its annotations.

    Raises:
        UsageError: ``bad-annotation``.
    """
    from pip_warden.publish.image_statement import COSIGN_SIGN, image_annotations, signature_statement
    from pip_warden.publish.images import ImageStatement
    from pip_warden.publish.provenance import parse_annotation

    said = image_annotations(environ, image.tag, dict(parse_annotation(text) for text in annotations))
    return ImageStatement(predicate_type=COSIGN_SIGN, about=lambda digest: signature_statement(digest, said))


def sign_and_tell(
    command: str,
    done: str,
    image: ImageReference,
    statement: ImageStatement,
    options: Mapping[str, Any],
    console: Console,
) -> None:
    """Sign a statement about an image, store it in the image's registry, and print what was done.

    Args:
        command: The command's name.
        done: What is said of an image for which it was done: ``signed``.
        image: The image.
        statement: What is said of it.
        options: The values of :func:`image_signing_options`.
        console: Where notes go.
    """
    from pip_warden.cli.session import settings_of
    from pip_warden.cli.signals import deferring_signals
    from pip_warden.publish.images import sign_image
    from pip_warden.session.images import open_images

    settings = settings_of(options)
    trust = load_trust_if_any(options["trust"])  # all that is used of it are the realms that it pins
    access = Access(**{field.name: options[field.name] for field in fields(Access)})
    with (
        open_signatory(access, console) as (by, claimed),
        open_images(trust, settings, console, hold=deferring_signals) as parts,
    ):
        signed = sign_image(
            image, statement, by, parts.registry, claimed=claimed, recursive=bool(options["recursive"])
        )
    console.clear()
    _tell(command, done, signed, str(options["output_format"]), console)


def _tell(command: str, done: str, signed: list[SignedImage], output_format: str, console: Console) -> None:
    """Print what was signed; quiet prints it only as JSON."""
    if output_format == "json":
        from pip_warden.report.document import document

        print(document(command, {"images": [_told(one) for one in signed]}))
        return
    if console.quiet:
        return
    for one in signed:
        said = f"already {done}" if one.is_kept else done
        print_block(f"{escape_text(str(one.image), 500)}: {said} (log index {one.proved.log_index})")


def _told(one: SignedImage) -> JSONValue:
    from pip_warden.oci.names import spelled

    return {
        "image": str(one.image),
        "repository": str(one.image.repository),
        "tag": one.image.tag,
        "digest": None if one.image.digest is None else spelled(one.image.digest),
        "artifact": spelled(one.artifact),
        "kept": one.is_kept,
        "subject": one.proved.claims.subjects[0],
        "issuer": one.proved.claims.issuer,
        "log_index": one.proved.log_index,
    }
