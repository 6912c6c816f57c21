"""Options that several commands share, how they find the trust file, and how a report is printed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from pip_warden.cli.typed import Typed

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.cli.outputs import Reports
    from pip_warden.measures import Measured
    from pip_warden.report.model import Report
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.model import TrustFile

F = TypeVar("F", bound=Callable[..., object])

trust_option = click.option(
    "--trust",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The trust file; else pytrust.toml from here upwards.",
)
format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How results are printed.",
)


successes_option = click.option(
    "--show-successes", is_flag=True, help="List what was checked and passed, per step."
)


_CACHE = (
    click.option("--offline", is_flag=True, help="Open no connection; use what the cache holds."),
    click.option(
        "--cache-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where accepted files are kept.",
    ),
)
_NETWORK = (
    click.option(
        "--token-file", multiple=True, metavar="HOST=FILE", help="A token for the registry on one host."
    ),
    click.option(
        "--cert", type=click.Path(dir_okay=False, path_type=Path), help="CA certificates to trust (PEM)."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds without a byte before giving up.",
    ),
    click.option("--retries", type=click.IntRange(min=0), help="How often a request is tried again."),
    click.option("--verbose", "-v", count=True, help="Say more."),
    click.option("--quiet", "-q", count=True, help="Only warnings and refusals; twice: only errors."),
    click.option("--debug", is_flag=True, help="Show where a bug happened."),
)


def with_options(function: F, options: Iterable[Callable[[F], F]]) -> F:
    """Add options, of which the first comes first in the help."""
    for option in reversed([*options]):
        function = option(function)
    return function


def connection_options(function: F) -> F:
    """Add the options of every command that talks to a registry."""
    return with_options(function, _CACHE + _NETWORK)


def registry_options(function: F) -> F:
    """Add the options of every command that talks to a registry of images: it is always asked."""
    return with_options(function, _NETWORK)


def mirror_option(function: F) -> F:
    """Add the option of every command that fetches pages and files."""
    return click.option(
        "--mirror",
        multiple=True,
        metavar="SOURCE=URL",
        help="Take a simple index's pages and files from this mirror; it proves nothing.",
    )(function)


def demand_options(function: F) -> F:
    """Add the options that demand more than the trust file does."""
    options = [
        click.option(
            "--source-repository", multiple=True, metavar="URL", help="Demand that it was built from there."
        ),
        click.option(
            "--source-revision",
            multiple=True,
            metavar="SHA",
            help="Demand that exactly this commit was built.",
        ),
        click.option("--require-provenance", is_flag=True, help="Demand signed provenance."),
        click.option(
            "--require-annotation",
            "annotations",
            multiple=True,
            metavar="K=V",
            help="Demand this signed annotation.",
        ),
        click.option("--annotation", "more_annotations", multiple=True, hidden=True),
    ]
    return with_options(function, options)


def demanding(trust: TrustFile, options: dict[str, Any]) -> TrustFile:
    """Add what :func:`demand_options` demand to what a trust file does.

    Args:
        trust: The trust file.
        options: A command's options; those that demand something are taken out.

    Raises:
        UsageError: ``bad-source-repository``, ``bad-source-revision`` or ``bad-annotation``.
    """
    from pip_warden.trust.demands import demand, read_demands

    demands = read_demands(
        source_repository=options.pop("source_repository"),
        source_revision=options.pop("source_revision"),
        provenance=options.pop("require_provenance"),
        annotations=(*options.pop("annotations"), *options.pop("more_annotations")),
    )
    return demand(trust, demands)


def trust_path(given: Path | None) -> Path | None:
    """Return the trust file's path: the one given, or the one found; None where there is none."""
    from pip_warden.library import find_trust

    return given if given is not None else find_trust()


def load_trust(given: Path | None) -> TrustFile:
    """Read the trust file, wherever it is; whoever names one vouches for whose it is.

    Raises:
        TrustFileError: There is none, or it is faulty.
    """
    from pip_warden import library

    return library.load_trust(given, check_owner=given is None)


def load_trust_if_any(given: Path | None) -> TrustFile | None:
    """Read the trust file where one is given or found, as :func:`load_trust` does; None where there is none.

    Raises:
        TrustFileError: It is faulty, or the one that is given is not there.
    """
    return None if trust_path(given) is None else load_trust(given)


def print_report(
    report: Report,
    reports: Reports,
    console: Console,
    measured: Measured | None = None,
    *,
    more: Mapping[str, JSONValue] | None = None,
    apart: bool = False,
) -> int:
    """Print a report, write it to every file that was asked for, and return its exit code.

    Data goes to stdout; text goes to stdout when all is well, else to stderr. Where the reader of stdout
    has gone, it goes to stderr.

    Args:
        report: The report.
        reports: In which formats it is told, and in which files.
        console: It knows how long the run took, and how quiet it has to be.
        measured: What it has cost, which is data, and told to whoever wants to know more; None where nobody
            measured it.
        more: What JSON tells besides, by key.
        apart: Whether text goes to stderr in any case: what the report is about has written to stdout.
    """
    from pip_warden.cli.delivery import was_left
    from pip_warden.cli.outputs import deliver, deliver_untold
    from pip_warden.report.figures import figures
    from pip_warden.report.formats import render

    report = deliver(report, reports, console, measured, more)
    console.clear()
    if not reports.is_text:
        print(render(report, reports.output_format, measured, more))
    elif report.exit_code == 0 and not apart:
        _print_text(report, sys.stdout, console)
    if was_left(sys.stdout) or (reports.is_text and (apart or report.exit_code != 0)):
        _print_text(report, sys.stderr, console)
    for line in () if measured is None else figures(measured):
        console.detail(line)
    deliver_untold(report, reports, console, measured, more)
    return report.exit_code


def _print_text(report: Report, stream: TextIO, console: Console) -> None:
    from pip_warden.cli.style import layout_of
    from pip_warden.report import text

    said = text.render(report, layout_of(stream), seconds=console.seconds, quiet=console.quiet)
    if said:
        print(said, file=stream)


def typed_command() -> str:
    """Return the command as it was typed, ``""`` where it may hold a secret: in a URL, or for a file."""
    typed = click.get_current_context().find_object(Typed)
    words = () if typed is None else typed.words
    is_secret = any(
        "@" in word or ("/" in word and "?" in word) or word.startswith("--token") for word in words
    )
    return "" if is_secret else shlex.join(words)
