"""``pip-warden image attest``: sign a statement about an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.examples import examples
from pip_warden.cli.image_signing import image_signing_options, sign_and_tell
from pip_warden.cli.predicates import (
    own_predicate,
    predicate_options,
    provenance_of,
    refuse_beside_a_predicate,
)

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.publish.images import ImageStatement


@click.command(
    "attest",
    short_help="Attest how an image was built.",
    epilog=examples(
        "pip-warden image attest registry.example.com/acme/app:1.0",
        "pip-warden image attest registry.example.com/acme/app:1.0 \\\n    --build-info build-info.json",
    ),
)
@predicate_options
@image_signing_options
@color_option
def command(
    *,
    image: str,
    build_info: Path | None,
    predicate: Path | None,
    predicate_type: str | None,
    **options: Any,
) -> None:
    """Attest how IMAGE was built: SLSA v1 provenance from a job's variables.

    Where another job builds than signs, the provenance is the building job's with --build-info, so that
    build code never sees an ID token. The statement is stored beside the image in its registry.
    """
    from pip_warden.cli.output import Console
    from pip_warden.oci.names import parse_image

    console = Console.of(options)
    named = parse_image(image)
    statement = _statement(build_info, predicate, predicate_type, console)
    sign_and_tell("image attest", "attested", named, statement, options, console)


def _statement(
    build_info: Path | None, predicate: Path | None, predicate_type: str | None, console: Console
) -> ImageStatement:
    from pip_warden.publish.image_statement import image_statement
    from pip_warden.publish.images import ImageStatement
    from pip_warden.publish.provenance import PROVENANCE

    if predicate is None and predicate_type is None:
        own_type, said = PROVENANCE, provenance_of(build_info, console)
    else:
        refuse_beside_a_predicate(build_info=build_info is not None)
        own_type, said = own_predicate(predicate, predicate_type)
    return ImageStatement(
        predicate_type=own_type, about=lambda digest: image_statement(digest, own_type, said)
    )
