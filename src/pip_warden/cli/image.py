"""``pip-warden image``: sign, verify and promote container images."""

from __future__ import annotations

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.examples import examples
from pip_warden.cli.group import LateGroup

_LATE = {
    "verify": "image_verify",
    "inspect": "image_inspect",
    "sign": "image_sign",
    "attest": "image_attest",
    "annotate": "image_annotate",
    "promote": "image_promote",
}
"""Modules of commands by name, in the order in which people need them."""


@click.group(
    "image",
    cls=LateGroup,
    late=_LATE,
    epilog=examples("pip-warden image verify registry.example.com/acme/app:1.0"),
)
@color_option
def command() -> None:
    """Sign, verify and promote container images: the same identities and trust file as for packages.

    A tag is looked up once, and what is signed and judged is the digest that it is of.
    """
