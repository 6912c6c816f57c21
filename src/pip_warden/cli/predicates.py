"""What ``attest`` and ``image attest`` say: a predicate of one's own, or how a job built."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pip_warden.cli.common import with_options
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from pip_warden.cli.output import Console

    F = TypeVar("F", bound=Callable[..., object])
else:
    F = TypeVar("F")

_LARGEST_PREDICATE = 8 << 20
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", re.ASCII)
"""A URI, as far as it can be told apart from a slip (RFC 3986 section 3)."""


def predicate_options(function: F) -> F:
    """Add the options that say what is attested."""
    options = (
        click.option(
            "--build-info",
            type=click.Path(dir_okay=False, path_type=Path),
            help="What `pip-warden build-info` wrote in the job that built; else this job built.",
        ),
        click.option(
            "--predicate",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A predicate of your own (JSON), instead of provenance.",
        ),
        click.option("--predicate-type", metavar="URI", help="Its type."),
    )
    return with_options(function, options)


def own_predicate(predicate: Path | None, predicate_type: str | None) -> tuple[str, dict[str, JSONValue]]:
    """Return the type of a predicate of one's own, and the predicate.

    What is logged is so for ever, so that a type which no consumer reads is found before.

    Raises:
        UsageError: ``predicate-options``, or ``bad-predicate``.
    """
    if predicate is None or predicate_type is None:
        raise UsageError(
            "predicate-options",
            "expected both --predicate and --predicate-type, found one of them, or --kind, alone",
        )
    if not _TYPE.fullmatch(predicate_type):
        raise UsageError(
            "predicate-options",
            f"expected a URI as the predicate type, found {escape_text(predicate_type)!r}",
        )
    return predicate_type, _read(predicate)


def refuse_beside_a_predicate(*, build_info: bool, annotation: bool = False) -> None:
    """Refuse what says something else: it would be left out silently.

    Args:
        build_info: Whether ``--build-info`` is given.
        annotation: Whether ``--annotation`` is.

    Raises:
        UsageError: ``predicate-options``.
    """
    for option, is_given in (("--build-info", build_info), ("--annotation", annotation)):
        if is_given:
            raise UsageError(
                "predicate-options",
                f"expected {option} with the statements about a job, found it together with --predicate",
                hint="Attest twice: once with --predicate, once without.",
            )


def provenance_of(build_info: Path | None, console: Console) -> dict[str, JSONValue]:
    """Return the provenance of what this job built, or another one of its pipeline.

    Args:
        build_info: What the job that built wrote; None where it is this one.
        console: Told that this job is named as the one that built.

    Raises:
        UsageError: ``not-in-ci``, or ``bad-build-info``.
        RefusedError: ``build-info-mismatch``.
    """
    from pip_warden.publish.build_info import check_same_build, read_build_info, this_job
    from pip_warden.publish.provenance import provenance

    build = here = this_job(os.environ, now=datetime.now(UTC))
    if build_info is not None:
        build = read_build_info(build_info)
        check_same_build(build, here)
    else:
        console.note(
            "the provenance names this job as the one that built. If another did, let that run "
            "`pip-warden build-info -o FILE` and pass --build-info FILE here."
        )
    return provenance(build)


def _read(path: Path) -> dict[str, JSONValue]:
    try:
        return loads_object(path.read_bytes(), max_bytes=_LARGEST_PREDICATE)
    except OSError as err:
        raise UsageError("bad-predicate", f"expected a JSON object in {path}, found: {err.strerror}") from err
    except MalformedError as err:
        raise UsageError("bad-predicate", f"expected a JSON object in {path}, found {err}") from err
