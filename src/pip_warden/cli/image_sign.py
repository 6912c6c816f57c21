"""``pip-warden image sign``: sign an image with the job's identity."""

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
    "sign",
    short_help="Sign an image without a key.",
    epilog=examples(
        "pip-warden image sign registry.example.com/acme/app:1.0",
        "pip-warden image sign registry.example.com/acme/app:1.0 \\\n    -a reviewed-by=security",
    ),
)
@annotation_option(required=False)
@image_signing_options
@color_option
def command(*, image: str, annotations: tuple[str, ...], **options: Any) -> None:
    """Sign IMAGE without a key: the job's ID token is exchanged for a short-lived certificate.

    The tag is looked up once, and what is signed is the digest that it is of. The signature is stored beside
    the image in its registry, as cosign 3 stores it. It says the tag, and in CI which job signed.
    """
    from pip_warden.cli.output import Console
    from pip_warden.oci.names import parse_image

    named = parse_image(image)
    statement = signature_of(named, annotations, os.environ)
    sign_and_tell("image sign", "signed", named, statement, options, Console.of(options))
