"""``pip-warden image annotate``: say something of an image, signed with the job's identity."""

from __future__ import annotations

import os
from typing import Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.examples import examples
from pip_warden.cli.image_signing import (
    annotation_option,
    image_signing_options,
    sign_and_tell,
    signature_of,
)


@click.command(
    "annotate",
    short_help="Say something more of an image, signed.",
    epilog=examples(
        "pip-warden image annotate registry.example.com/acme/app:1.0 \\\n    -a reviewed-by=security",
    ),
)
@annotation_option(required=True)
@image_signing_options
@color_option
def command(*, image: str, annotations: tuple[str, ...], **options: Any) -> None:
    """Say something of IMAGE: a further signature, whose annotations are those given and the job's own.

    What was signed before stays. A consumer demands an annotation with --require-annotation K=V, or in the
    trust file.
    """
    from pip_warden.cli.output import Console
    from pip_warden.oci.names import parse_image

    named = parse_image(image)
    statement = signature_of(named, annotations, os.environ)
    sign_and_tell("image annotate", "annotated", named, statement, options, Console.of(options))
