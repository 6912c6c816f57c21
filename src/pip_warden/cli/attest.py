"""``pip-warden attest``: sign statements about files."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.signing import Access, open_signatory, signing_options, tell
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.publish.attest import Predicate

_LARGEST_PREDICATE = 8 << 20
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", re.ASCII)
"""A URI, as far as it can be told apart from a slip (RFC 3986 section 3)."""


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
@click.option(
    "--build-info",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What `pip-warden build-info` wrote in the job that built; else this job built.",
)
@click.option(
    "--predicate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A predicate of your own (JSON), instead of provenance.",
)
@click.option("--predicate-type", metavar="URI", help="Its type.")
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
        _refuse_beside_a_predicate(annotations, build_info)
        statements = _own_statement(predicate, predicate_type, kind or "predicate")
    paths = files_to_sign(files)
    with open_signatory(Access(**access), console) as (by, claimed):
        signed = attest_files(
            paths, by, statements, directory=output_directory, overwrite=overwrite, claimed=claimed
        )
    tell("attest", signed, output_format, console)


def _own_statement(predicate: Path | None, predicate_type: str | None, kind: str) -> list[Predicate]:
    from pip_warden.evidence.names import is_kind

    if predicate is None or predicate_type is None:
        raise UsageError(
            "predicate-options",
            "expected --predicate and --predicate-type together, and --kind only with them, "
            "found one without the others",
        )
    # What is logged is so for ever: a name that no consumer reads is found before.
    if not is_kind(kind):
        raise UsageError(
            "predicate-options",
            f'expected a short name of letters, digits, "_" and "-" for --kind, found {escape_text(kind)}',
        )
    if not _TYPE.fullmatch(predicate_type):
        raise UsageError(
            "predicate-options",
            f"expected a URI as the predicate type, found {escape_text(predicate_type)!r}",
        )
    return [(kind, predicate_type, _read(predicate))]


def _refuse_beside_a_predicate(annotations: tuple[str, ...], build_info: Path | None) -> None:
    """Refuse what says something else: it would be left out silently."""
    for option, is_given in (("--build-info", build_info is not None), ("--annotation", bool(annotations))):
        if is_given:
            raise UsageError(
                "predicate-options",
                f"expected {option} with the statements about a job, found it together with --predicate",
                hint="Attest twice: once with --predicate, once without.",
            )


def _about_the_job(
    annotations: tuple[str, ...], build_info: Path | None, console: Console
) -> list[Predicate]:
    """Return provenance and annotations, each as short name, type and predicate."""
    from pip_warden.publish.build_info import check_same_build, read_build_info, this_job
    from pip_warden.publish.provenance import (
        ANNOTATIONS,
        PROVENANCE,
        default_annotations,
        parse_annotation,
        provenance,
    )

    wanted = default_annotations(os.environ) | dict(parse_annotation(text) for text in annotations)
    build = here = this_job(os.environ, now=datetime.now(UTC))
    if build_info is not None:
        build = read_build_info(build_info)
        check_same_build(build, here)
    else:
        console.note(
            "the provenance names this job as the one that built. If another did, let that run "
            "`pip-warden build-info -o FILE` and pass --build-info FILE here."
        )
    found: list[Predicate] = [("slsa", PROVENANCE, provenance(build))]
    if wanted:
        found.append(("annotations", ANNOTATIONS, {"annotations": dict(wanted)}))
    return found


def _read(path: Path) -> dict[str, JSONValue]:
    try:
        return loads_object(path.read_bytes(), max_bytes=_LARGEST_PREDICATE)
    except OSError as err:
        raise UsageError("bad-predicate", f"expected a JSON object in {path}, found: {err.strerror}") from err
    except MalformedError as err:
        raise UsageError("bad-predicate", f"expected a JSON object in {path}, found {err}") from err
