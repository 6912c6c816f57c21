"""How every command ends: an exit code for each error, one message, no traceback (design decision D11)."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import click

from pip_warden.cli.color import asked_color
from pip_warden.cli.delivery import choose_color, delivering, was_left
from pip_warden.cli.outputs import Reports
from pip_warden.cli.reports import begin_unread
from pip_warden.cli.signals import SignalledError, ended_in_order, what_ended_the_run
from pip_warden.cli.style import layout_of
from pip_warden.cli.typed import Typed
from pip_warden.disk import cannot_store, is_full
from pip_warden.display import escape_line, without_secrets
from pip_warden.errors import EndedError, InternalError, UsageError, WardenError

INTERRUPTED = 130
_REPORT_IT = "Please report it."


@delivering
def run(command: click.Command, name: str, args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        command: The click command; it returns its exit code, or None for 0.
        name: What the user typed.
        args: The arguments; ``sys.argv`` where None.
    """
    words = list(sys.argv[1:] if args is None else args)
    choose_color(asked_color(words))
    typed = Typed((name, *words))
    try:
        with ended_in_order():
            code = _run(command, typed)
            return code if isinstance(code, int) else _fail(code, command, typed)
    except SignalledError as err:
        return _say_ended(str(err), err.exit_code, command, typed)
    except KeyboardInterrupt:
        return _say_ended("interrupted", INTERRUPTED, command, typed)


def _run(command: click.Command, typed: Typed) -> int | WardenError:
    """Run a command, and return its exit code, or what went wrong."""
    name, *words = typed.words
    try:
        code = command.main(words, prog_name=name, standalone_mode=False, obj=typed)
    except click.exceptions.Abort as err:
        raise KeyboardInterrupt from err
    except click.exceptions.NoArgsIsHelpError as err:  # its message is the help, of many lines
        print(err.format_message(), file=sys.stderr)
        return UsageError.exit_code
    except click.ClickException as err:
        hint = _usage_hint(err, command, name, words)
        return UsageError("usage", without_secrets(err.format_message()), hint=hint)
    except WardenError as err:
        return err
    except SystemExit:
        # click ends the process with 1, the exit code of a refusal here, for a broken pipe and, not being
        # standalone, for nothing else. The standard streams break none (see delivering), so this one was
        # not expected.
        return InternalError("bug", "a pipe of our own broke", hint=_REPORT_IT)
    except Exception as err:
        # The last line of defence: a bug is reported as one, never as a traceback.
        if "--debug" in words:
            for line in traceback.format_exc().splitlines():
                print(escape_line(line), file=sys.stderr)
        if (ending := what_ended_the_run()) is not None:
            # Python makes an error of its own of it where it comes in the middle of an import.
            raise ending from err
        where = " --debug shows where it happened." if _takes(command, words, "--debug") else ""
        hint = f"{_REPORT_IT}{where}"
        return _unexpected(err, hint)
    return code if isinstance(code, int) else 0


def _say_ended(what: str, code: int, command: click.Command, typed: Typed) -> int:
    """Say what ended the run, in the files that were asked for, too, and return its exit code."""
    with suppress(Exception):  # whatever it is, the exit code says that the run was ended
        _write_ended(what, code, command, typed)
    print(f"\n{what}", file=sys.stderr, flush=True)
    return code


def _write_ended(what: str, code: int, command: click.Command, typed: Typed) -> None:
    """Write what ended the run to the files that were asked for: whatever they held is not its result."""
    reports = _reports(command, typed)
    reports.discard()
    if reports.files:
        error = EndedError("ended-by-signal", f"expected a run that comes to its end, found it {what}")
        _render(error, code, replace(reports, output_format="text"), command, typed)


def _reports(command: click.Command, typed: Typed) -> Reports:
    """Return how the run is told, also where it ended before its options were read."""
    words = typed.words[1:]
    return typed.reports or begin_unread(
        _own_words(command, words), with_files=_takes(command, words, "--html")
    )


def _fail(error: WardenError, command: click.Command, typed: Typed) -> int:
    """Say what went wrong, in the format and the files that were asked for, and return the exit code."""
    reports = _reports(command, typed)
    is_plain = reports.is_text and not reports.files
    if (
        is_plain
        or not _render(error, error.exit_code, reports, command, typed)
        or reports.is_text
        or was_left(sys.stdout)
    ):
        from pip_warden.report import text

        print(text.render_error(error, layout_of(sys.stderr)), file=sys.stderr)
    return error.exit_code


def _render(error: WardenError, code: int, reports: Reports, command: click.Command, typed: Typed) -> bool:
    """Write the files, and print what is no text; return whether that went well.

    A bug in there, where there may be one already, hides nothing: then it is told as text.
    """
    from pip_warden.report import json
    from pip_warden.report.formats import render
    from pip_warden.report.model import Report

    name, *words = typed.words
    name = _command_name(command, name, words)
    about: Literal["files", "images"] = "images" if name.startswith("image ") else "files"
    report = Report(command=name, exit_code=code, error=error, about=about)
    try:
        for failed in reports.write(report):
            print(f"warning: {escape_line(failed.message)}", file=sys.stderr)
        if reports.output_format == "json":
            print(json.render_error(name, error))
        elif not reports.is_text:
            print(render(report, reports.output_format))
    except Exception as err:  # noqa: BLE001 -- as above
        print(f"warning: a report could not be made: {type(err).__name__}", file=sys.stderr)
        return False
    return True


def _own_words(command: click.Command, words: Sequence[str]) -> Sequence[str]:
    """Return what of the arguments is ours: where another command is run, all before its name.

    An option that we do not know counts as one without a value: rather is a report of ours not written than
    one of that command's taken for ours.
    """
    inner, _ = _typed(command, "", words)
    settings = inner.context_settings
    if settings.get("allow_interspersed_args", True) or settings.get("ignore_unknown_options"):
        return words
    options = [each for each in inner.params if isinstance(each, click.Option)]
    valued = {name for each in options if not (each.is_flag or each.count) for name in each.opts}
    at = words.index(str(inner.name)) + 1 if inner.name in words else 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in valued else 1
    return words[:at]


def _takes(command: click.Command, words: Sequence[str], option: str) -> bool:
    """Return whether the typed command has an option; safe-install, which parses its own words, has each."""
    command, _ = _typed(command, "", words)
    return command.name == "safe-install" or any(option in param.opts for param in command.params)


def _unexpected(err: Exception, hint: str) -> WardenError:
    """Return an unconverted exception as an error of ours: a full disk, a lost directory, or a bug."""
    if isinstance(err, OSError) and is_full(err):
        return cannot_store(err.filename or "what this command needs", err)
    if isinstance(err, FileNotFoundError) and not _is_somewhere():
        return UsageError(
            "working-directory",
            "expected a working directory, found that it was removed",
            hint="Change to one that is there.",
        )
    return InternalError("bug", f"{type(err).__name__}: {err}", hint=hint)


def _is_somewhere() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _usage_hint(err: click.ClickException, command: click.Command, name: str, words: Sequence[str]) -> str:
    """Name the help that lists what was mistyped; click's errors about an option's value have no context."""
    context = getattr(err, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else _typed(command, name, words)[1]
    return f"`{path} --help` lists what it takes."


def _command_name(command: click.Command, name: str, words: Sequence[str]) -> str:
    """Return the command that was typed as its reports name it: ``trust list``, without the program."""
    path = _typed(command, name, words)[1]
    return path.removeprefix(f"{name} ")


def _typed(command: click.Command, name: str, words: Sequence[str]) -> tuple[click.Command, str]:
    """Return the command of a tree that was typed, and its path."""
    for word in words:
        with click.Context(command) as context:
            inner = command.get_command(context, word) if isinstance(command, click.Group) else None
        command, name = (inner, f"{name} {word}") if inner else (command, name)
    return command, name
