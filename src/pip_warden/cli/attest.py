"""``pip-warden attest``: sign statements about files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.predicates import (
    own_predicate,
    predicate_options,
    provenance_of,
    refuse_beside_a_predicate,
)
from pip_warden.cli.signing import Access, open_signatory, signing_options, tell
from pip_warden.display import escape_text
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.publish.attest import Predicate


@click.command(
    "attest",
    epilog=examples(
        "pip-warden attest dist/* --annotation reviewed-by=security",
        "pip-warden attest dist/* --build-info build-info.json",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--annotation",
    "annotations",
    multiple=True,
    metavar="K=V",
    help="A signed annotation, added to the defaults of a CI job.",
)
@predicate_options
@click.option("--kind", metavar="NAME", help="Its short name in the file name; else predicate.")
@format_option
@signing_options
@color_option
def command(
    *,
    files: tuple[Path, ...],
    annotations: tuple[str, ...],
    build_info: Path | None,
    predicate: Path | None,
    predicate_type: str | None,
    kind: str | None,
    output_format: str,
    output_directory: Path | None,
    overwrite: bool,
    quiet: int,
    debug: bool,  # noqa: ARG001 -- read by cli.run
    **access: Any,
) -> None:
    """Attest how each FILE was built: SLSA v1 provenance from a job's variables, and signed annotations.

    Where another job builds than signs, the provenance is the building job's with --build-info, so that
    build code never sees an ID token.

    Writes FILE.slsa.sigstore.json and FILE.annotations.sigstore.json; with a Rekor v1 log also
    FILE.slsa.attestation (PEP 740).
    """
    from pip_warden.cli.output import Console
    from pip_warden.publish.attest import attest_files
    from pip_warden.publish.sign import files_to_sign

    console = Console(quiet=quiet)
    if predicate is None and predicate_type is None and kind is None:
        statements = _about_the_job(annotations, build_info, console)
    else:
        refuse_beside_a_predicate(build_info=build_info is not None, annotation=bool(annotations))
        statements = _own_statement(predicate, predicate_type, kind or "predicate")
    paths = files_to_sign(files)
    with open_signatory(Access(**access), console) as (by, claimed):
        signed = attest_files(
            paths, by, statements, directory=output_directory, overwrite=overwrite, claimed=claimed
        )
    tell("attest", signed, output_format, console)


def _own_statement(predicate: Path | None, predicate_type: str | None, kind: str) -> list[Predicate]:
    from pip_warden.evidence.names import is_kind

    own_type, content = own_predicate(predicate, predicate_type)
    # What is logged is so for ever: a name that no consumer reads is found before.
    if not is_kind(kind):
        raise UsageError(
            "predicate-options",
            f'expected a short name of letters, digits, "_" and "-" for --kind, found {escape_text(kind)}',
        )
    return [(kind, own_type, content)]


def _about_the_job(
    annotations: tuple[str, ...], build_info: Path | None, console: Console
) -> list[Predicate]:
    """Return provenance and annotations, each as short name, type and predicate."""
    from pip_warden.publish.provenance import ANNOTATIONS, PROVENANCE, default_annotations, parse_annotation

    wanted = default_annotations(os.environ) | dict(parse_annotation(text) for text in annotations)
    found: list[Predicate] = [("slsa", PROVENANCE, provenance_of(build_info, console))]
    if wanted:
        found.append(("annotations", ANNOTATIONS, {"annotations": dict(wanted)}))
    return found
