"""``safe-install``: pip install, with pip's own arguments, through the gate."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import CHOICES
from pip_warden.cli.style import layout_of
from pip_warden.display import escape_line
from pip_warden.errors import UsageError, WardenError

if TYPE_CHECKING:
    from pip_warden.cli.output import Console
    from pip_warden.cli.outputs import Reports
    from pip_warden.install import InstallRequest
    from pip_warden.installer.options import Parsed
    from pip_warden.installer.surroundings import Surroundings
    from pip_warden.measures import Recorder
    from pip_warden.report.model import Report
    from pip_warden.session.settings import Settings

_HELP = """\
Usage: safe-install [OPTIONS] REQUIREMENT…
       safe-install [OPTIONS] -r FILE
       safe-install --download DIR [--with-sdist] [OPTIONS] REQUIREMENT…

  pip install, through the gate: every file that pip sees was fetched from its
  pinned source, verified and sealed first, build dependencies included. Takes
  pip install's own arguments; a refused file ends the run and nothing is
  installed.

Examples:
  safe-install --python .venv acme-widgets
  safe-install -r requirements.txt --format json

Options of safe-install:
  --installer pip|uv      What installs; else PIP_WARDEN_INSTALLER, else pip. uv
                          takes those of pip's options that it has too.
  --trust FILE            The trust file; else pytrust.toml from here upwards.
  --python PATH           Install into this interpreter or virtual environment;
                          else $VIRTUAL_ENV, else pip-warden's own.
  --download DIR          Download instead of installing: all files or none, and
                          never over other bytes.
  --with-sdist            With --download: the sdist of each release too.
  --dry-run               Resolve and verify; install nothing, and with
                          --download write nothing.
  --strict                Present but unverified packages and hidden newer
                          releases are refusals too.
  --offline               Open no connection; use what the cache holds, judged
                          again.
  --format text|json|junit|sarif|markdown
                          How the result is printed.
  --output FORMAT=FILE    Also write it there: in one of these formats, or html.
                          Several times for several files.
  --html FILE             Short for --output html=FILE: a page for a browser.
  --color auto|always|never
                          Colour the output; by default (auto) on a terminal.
  --report FILE           Write pip's installation report there; not with
                          --download.
  --timings FILE          Write a trace there: what took how long. A browser's
                          trace viewer opens it (ui.perfetto.dev).
  --cache-dir DIR         Where accepted files are kept; else
                          PIP_WARDEN_CACHE_DIR, else the user's cache directory.
  --token-file HOST=FILE  A token for the registry on one host.
  --mirror SOURCE=URL     Take a simple index's pages and files from there; a
                          mirror proves nothing.
  --timeout SECONDS       Give up on a registry that sends nothing for so long.
  --retries N             How often a request to a registry is tried again.
  --cert FILE             CA certificates to trust (PEM).
  --pass-env NAME         Let builds see this variable of the environment.
  -v, --verbose           Say more, pip too.
  -q, --quiet             Say only warnings, refusals and what was present; pip
                          too. Twice: only errors.
  -V, --version           Show the version and exit.

Options of pip that are passed on:
{passed}

Options of pip that are refused, since they would step round the gate:
{refused}

Exit codes: 0 installed, everything accepted; 1 refused; 2 usage or a faulty
  trust file; 3 could not decide; 4 pip itself failed, or all was accepted and
  something could not be written; 70 a bug; 129, 130, 143 ended by a signal.
"""


@click.command(
    "safe-install",
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def safe_install(words: tuple[str, ...]) -> int:
    """Install through the gate."""
    from pip_warden.cli.common import print_report
    from pip_warden.cli.output import Console
    from pip_warden.installer.options import parse_arguments
    from pip_warden.measures import Recorder

    parsed = parse_arguments(words)
    if parsed.has("--help"):
        print(_help(), end="")
        return 0
    if parsed.has("--version"):
        from importlib.metadata import version

        print(f"safe-install, version {version('pip-warden')} (with pip {_pip_version()})")
        return 0
    if (color := parsed.last("--color")) is not None and color not in CHOICES:
        raise UsageError("option-value", f"expected --color auto, always or never, found {color!r}")
    reports = _reports(parsed)
    console = Console.of({option: len(parsed.values(f"--{option}")) for option in ("verbose", "quiet")})
    timings = parsed.last("--timings")
    recorder = Recorder(traced=timings is not None)
    run = partial(_run, parsed, console, recorder, is_data=not reports.is_text)
    report = run() if timings is None else _traced(run, parsed, console, recorder)
    return print_report(report, reports, console, recorder.measured())


def _reports(parsed: Parsed) -> Reports:
    from pip_warden.cli.reports import begin

    outputs = (*parsed.values("--output"), *(f"html={file}" for file in parsed.values("--html")))
    named = ("--trust", "--report", "--timings", "--requirement", "--constraint", "--cert")
    taken = (path for option in named for path in parsed.values(option))
    return begin(parsed.last("--format") or "text", outputs, taken=taken)


def _traced(run: Callable[[], Report], parsed: Parsed, console: Console, recorder: Recorder) -> Report:
    from pip_warden.cli.timings import check_timings_file, with_timings

    given = parsed.values("--timings")[-1]
    check_timings_file(given, parsed.last("--report"))
    return with_timings(run, recorder, given, console)


def _pip_version() -> str:
    """Ask our own interpreter for its pip: the one that resolves and installs."""
    import pip_api

    return str(pip_api.version())


def _help() -> str:
    import textwrap

    from pip_warden.installer.options import OPTIONS, Treatment

    def listed(treatment: Treatment) -> str:
        names = ", ".join(option.names[0] for option in OPTIONS if option.treatment is treatment)
        return textwrap.fill(names, 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)

    return _HELP.format(passed=listed(Treatment.PASSED), refused=listed(Treatment.REFUSED))


def _run(parsed: Parsed, console: Console, recorder: Recorder, *, is_data: bool) -> Report:
    from pip_warden.cli.common import load_trust
    from pip_warden.cli.session import open_session

    given = parsed.last("--trust")

    def on_line(line: str) -> None:
        console.clear()
        stream = sys.stderr if is_data else sys.stdout
        # Indented, so that a build cannot print what looks like a line of ours.
        for part in layout_of(stream).line(escape_line(line), indent=2, hang=4):
            print(part, file=stream, flush=True)

    with ExitStack() as opened:
        with recorder.phase("start", "imports, trust file and session"):
            surroundings = opened.enter_context(_begun(parsed))
            from pip_warden.install import install

            trust = load_trust(Path(given) if given is not None else None)
            session = opened.enter_context(open_session(trust, _settings(parsed), console, recorder))
        return install(session, _request(parsed), on_line=on_line, surroundings=surroundings)


@contextmanager
def _begun(parsed: Parsed) -> Iterator[Surroundings | None]:
    """Start pip, which takes as long to load as we do; it waits to be told what it is to do.

    Whatever stands against it is said when it is its turn: nothing is begun then, and what was made for it is
    released, since the run needs its descriptors and its room on the disk.
    """
    with ExitStack() as stack:
        surroundings = None
        try:
            # uv is there at once, and needs to be told all of it.
            surroundings = _begin(parsed, stack) if _installer(parsed) == "pip" else None
        except (WardenError, OSError, RuntimeError):  # the last where there may be no more threads
            stack.close()
        yield surroundings


def _begin(parsed: Parsed, stack: ExitStack) -> Surroundings:
    from pip_warden.cli.session import open_workspace
    from pip_warden.installer.python import choose_target
    from pip_warden.installer.surroundings import open_surroundings

    target = choose_target(parsed.last("--python"), os.environ, sys.executable)
    workspace = stack.enter_context(open_workspace())
    pass_env = tuple(parsed.values("--pass-env"))
    made = stack.enter_context(open_surroundings(target, os.environ, workspace=workspace, pass_env=pass_env))
    made.begin()
    return made


def _settings(parsed: Parsed) -> Settings:
    from pip_warden.cli.session import settings_of

    return settings_of(
        {
            "offline": parsed.has("--offline"),
            "cache_dir": parsed.last("--cache-dir"),
            "token_file": parsed.values("--token-file"),
            "mirror": parsed.values("--mirror"),
            "cert": parsed.last("--cert"),
            "timeout": _number(parsed.last("--timeout"), "--timeout"),
            "retries": _whole(parsed.last("--retries"), "--retries"),
        }
    )


def _request(parsed: Parsed) -> InstallRequest:
    from pip_warden.install import InstallRequest

    return InstallRequest(
        packages=parsed.requirements,
        requirements=parsed.values("--requirement"),
        constraints=parsed.values("--constraint"),
        build_constraints=parsed.values("--build-constraint"),
        editables=parsed.values("--editable"),
        python=parsed.last("--python"),
        options=parsed.passed,
        dry_run=parsed.has("--dry-run"),
        download=parsed.last("--download"),
        with_sdist=parsed.has("--with-sdist"),
        strict=parsed.has("--strict"),
        report=parsed.last("--report"),
        pass_env=parsed.values("--pass-env"),
        verbosity=len(parsed.values("--verbose")) - len(parsed.values("--quiet")),
        installer=_installer(parsed),
    )


def _installer(parsed: Parsed) -> str:
    given = parsed.last("--installer")
    return given if given is not None else os.environ.get("PIP_WARDEN_INSTALLER") or "pip"


def _number(text: str | None, option: str) -> float | None:
    """Read the value of an option that is a number.

    Raises:
        UsageError: ``option-value``.
    """
    try:
        value = None if text is None else float(text)
    except ValueError as err:
        raise UsageError("option-value", f"expected a number after {option}, found {text!r}") from err
    if value is not None and not 0 < value < float("inf"):
        raise UsageError("option-value", f"expected a positive number after {option}, found {text!r}")
    return value


def _whole(text: str | None, option: str) -> int | None:
    """Read the value of an option that is a whole number.

    Raises:
        UsageError: ``option-value``.
    """
    if text is not None and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError("option-value", f"expected a whole number after {option}, found {text!r}")
    return None if text is None else int(text)
