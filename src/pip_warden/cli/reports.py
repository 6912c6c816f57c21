"""``--format``, ``--output`` and ``--html``: in which formats a run is told, and into which files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from pip_warden.cli.common import with_options
from pip_warden.cli.outputs import Reports, make_ready
from pip_warden.cli.system import asked_format, asked_values
from pip_warden.cli.typed import Typed
from pip_warden.errors import UsageError
from pip_warden.report.formats import FORMATS, PRINTED

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--format",
        "output_format",
        type=click.Choice(PRINTED),
        default="text",
        help="How results are printed.",
    ),
    click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="FORMAT=FILE",
        help="Also write them there: in one of these formats, or html.",
    ),
    click.option("--html", metavar="FILE", help="Short for --output html=FILE: a page for a browser."),
)


def report_options(function: F) -> F:
    """Add the options of every command that judges; it gets what they say as ``reports``."""

    @wraps(function)
    def told(*, output_format: str, outputs: tuple[str, ...], html: str | None, **options: Any) -> object:
        named = outputs if html is None else (*outputs, f"html={html}")
        reports = begin(output_format, named, taken=_paths(options.values()))
        return function(reports=reports, **options)

    return with_options(cast("F", told), _OPTIONS)


def begin(output_format: str, outputs: Sequence[str], *, taken: Iterable[str | Path] = ()) -> Reports:
    """Read what the options say, and make the places ready, before anything is fetched.

    From here on a fatal error is told in the same formats, and into the same files.

    Args:
        output_format: ``--format``.
        outputs: Each ``--output``.
        taken: Files that the command reads, or writes something else to.

    Raises:
        UsageError: ``option-value`` or ``output-file``.
    """
    if output_format not in PRINTED:
        raise UsageError("option-value", f"expected --format {' or '.join(PRINTED)}, found {output_format!r}")
    reports = Reports(output_format=output_format, files=tuple(map(_read, outputs)))
    typed = click.get_current_context().find_object(Typed) or Typed(())
    try:
        make_ready(reports, taken)
    except UsageError:
        typed.reports = replace(reports, files=())  # what is wrong with a file is not told in the others
        raise
    typed.reports = reports
    return reports


def forget_files() -> None:
    """Have an error that is raised from now on leave the files alone: they tell more of it already."""
    typed = click.get_current_context().find_object(Typed)
    if typed is not None and typed.reports is not None:
        typed.reports = replace(typed.reports, files=())


def begin_unread(words: Sequence[str], *, with_files: bool) -> Reports:
    """Do what :func:`begin` does where the options could not be read, as far as they are understood.

    No file may then be left of an earlier run, which may have been a success.

    Args:
        words: The arguments.
        with_files: Whether the command takes ``--output`` and ``--html``.
    """
    asked = asked_format(words)
    plain = Reports(output_format=asked if asked in PRINTED else "text")
    named = [*asked_values(words, "--output"), *(f"html={each}" for each in asked_values(words, "--html"))]
    files = []
    for each in named if with_files else ():
        with suppress(UsageError):
            files.append(_read(each))
    reports = replace(plain, files=tuple(files))
    try:
        make_ready(reports, ())
    except UsageError:
        return plain
    return reports


def _paths(values: Iterable[object]) -> Iterator[Path]:
    """Yield every file that a command's other options and arguments name."""
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, tuple):
            yield from _paths(value)


def _read(output: str) -> tuple[str, Path]:
    """Read one ``--output``.

    Raises:
        UsageError: ``option-value``.
    """
    name, equals, path = output.partition("=")
    if name not in FORMATS or not equals or not path or "\0" in path:
        raise UsageError(
            "option-value",
            f"expected --output FORMAT=FILE with {' or '.join(FORMATS)}, found {output!r}",
        )
    return name, Path(path)
