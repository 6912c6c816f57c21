"""``pip-warden demo``: the whole promise once, on the sandbox, with the very commands a user types."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.style import columns, layout_of, print_block, rich_console, text_columns
from pip_warden.display import escape_line, escape_text
from pip_warden.values import dataclass, field

if TYPE_CHECKING:
    from pip_warden.sandbox.example import Example
    from pip_warden.sandbox.world import Sandbox

_GEARS = "acme_gears-1.0-py3-none-any.whl"
_WIDGETS = "acme_widgets-1.0-py3-none-any.whl"

_WIDE = 110
"""Columns in which the table of what was shown needs no folding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One thing that was shown.

    Attributes:
        title: What was tried.
        expected: What had to happen, for people.
        found: What happened.
        good: Whether that is what had to happen.
    """

    title: str
    expected: str
    found: str
    good: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the demo plays.

    Attributes:
        sandbox: The sandbox.
        example: What it publishes.
        directory: The user's project directory.
        environment: The user's environment: PATH, and the token for this GitLab.
        shown_on: Where commands and their output are shown.
    """

    sandbox: Sandbox
    example: Example
    directory: Path
    environment: dict[str, str] = field(hash=False)
    shown_on: TextIO

    def run(self, *words: str, show: bool = True) -> subprocess.CompletedProcess[str]:
        """Type a command as the user would, and show it with its output."""
        if show:
            typed = "\n".join(layout_of(self.shown_on).command(shlex.join(words), indent=0))
            print(f"\n$ {typed}", file=self.shown_on, flush=True)
        with subprocess.Popen(  # noqa: S603 -- our own commands
            _installed(words),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        ) as process:
            try:
                output = process.communicate()[0]
            except BaseException:
                # It ends its own run in order.
                process.terminate()
                process.communicate()
                raise
        if show:
            said = "\n".join(escape_line(line) for line in output.rstrip().splitlines())
            print(said, file=self.shown_on, flush=True)
        return subprocess.CompletedProcess(words, process.returncode, output)

    def fresh_environment(self, name: str) -> Path:
        """Make an empty virtual environment without pip: safe-install brings its own."""
        target = self.directory / name
        words = [sys.executable, "-I", "-m", "venv", "--without-pip", str(target)]
        subprocess.run(words, check=True, cwd=self.directory)  # noqa: S603 -- our own interpreter
        return target

    def installed(self, target: Path) -> str:
        """Name what an environment holds."""
        code = "from importlib.metadata import distributions as d; print(*sorted(x.name for x in d()))"
        result = self.run(str(target / "bin/python"), "-I", "-c", code, show=False)
        return result.stdout.strip() or "nothing"


@click.command("demo", epilog=examples("pip-warden demo"))
@format_option
@color_option
def command(*, output_format: str) -> int:
    """Publish two packages, pin their publisher and install them; then attack the registry in four ways.

    Exit code 0 only if the packages were installed and each attack was refused.
    """
    need_extra("sandbox", "demo")
    from pip_warden.cli.session import open_workspace
    from pip_warden.sandbox.example import fill
    from pip_warden.sandbox.world import Sandbox

    is_data = output_format == "json"
    with Sandbox() as sandbox, open_workspace() as directory:
        example = fill(sandbox)
        sandbox.write_trust(directory)
        stage = Stage(
            sandbox=sandbox,
            example=example,
            directory=directory,
            environment=_environment(sandbox, example, directory),
            shown_on=sys.stderr if is_data else sys.stdout,
        )
        print_block(
            f"A GitLab and a Sigstore of our own are up at {sandbox.gitlab_url}.\n"
            "acme-gears 1.0 and acme-widgets 1.0 (which needs it) are built, signed by their pipelines and"
            " published.",
            stage.shown_on,
        )
        acts = [*_promise(stage), *(_attack(stage, *attack) for attack in _ATTACKS)]
    exit_code = 0 if all(act.good for act in acts) else 1
    if is_data:
        from pip_warden.report.document import document

        print(document("demo", {"acts": [asdict(act) for act in acts]}, exit_code=exit_code))
    else:
        _table(acts)
    return exit_code


def _environment(sandbox: Sandbox, example: Example, directory: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "NO_COLOR") if name in os.environ}
    width = columns(sys.stdout)
    return (
        kept
        | ({} if width is None else {"COLUMNS": str(width)})
        | {
            "HOME": str(directory),
            "PIP_WARDEN_CACHE_DIR": str(directory / "cache"),
            "GITLAB_URL": sandbox.gitlab_url,
            "GITLAB_TOKEN": example.token,
        }
    )


def _installed(words: tuple[str, ...]) -> list[str]:
    """Run our commands from the interpreter that runs the demo, whatever PATH says."""
    script = Path(sys.executable).parent / words[0]
    return [str(script), *words[1:]] if script.exists() else list(words)


def _promise(stage: Stage) -> Iterator[Act]:
    """Pin, install, import."""
    url = stage.sandbox.gitlab_url
    words = ["--source", url, "--trusted-root", "trusted_root.json"]
    pinned = stage.run("pip-warden", "trust", "add", "acme-gears", "--project", "acme/gears", *words, "--yes")
    yield _act("pin acme-gears: trust add makes the trust file", "exit 0", pinned)
    pinned = stage.run("pip-warden", "trust", "add", "acme-widgets", "--project", "acme/widgets", "--yes")
    yield _act("pin acme-widgets", "exit 0", pinned)
    target = stage.fresh_environment("env")
    result = stage.run("safe-install", "--python", str(target), "acme-widgets")
    yield _act("safe-install acme-widgets", "exit 0", result)
    code = 'import acme_widgets, acme_gears; print("imported")'
    result = stage.run(str(target / "bin/python"), "-c", code)
    yield _act("import what was installed", "exit 0", result)


def _act(title: str, expected: str, result: subprocess.CompletedProcess[str]) -> Act:
    return Act(title=title, expected=expected, found=f"exit {result.returncode}", good=result.returncode == 0)


def _attack(stage: Stage, title: str, code: str, spoil: Callable[[Stage], Callable[[], None]]) -> Act:
    """Spoil the registry, install into a new environment with an empty cache, and repair the registry."""
    print(f"\n--- attack: {title}", file=stage.shown_on)
    mend = spoil(stage)
    target = stage.fresh_environment(f"env-{spoil.__name__}")
    before = stage.installed(target)
    result = stage.run(
        "safe-install",
        "--python",
        str(target),
        "--cache-dir",
        str(stage.directory / f"cache-{spoil.__name__}"),
        "acme-widgets",
    )
    after = stage.installed(target)
    mend()
    refused = result.returncode == 1 and f"[{code}]" in result.stdout and before == after
    found = f"exit {result.returncode}, {'nothing' if before == after else escape_text(after)} installed"
    return Act(title=title, expected=f"refused, {code}", found=found, good=refused)


def _change_bytes(stage: Stage) -> Callable[[], None]:
    widgets = stage.example.widgets
    good = next(file for file in stage.example.files if file.name == _WIDGETS)
    evil = stage.sandbox.wheel(
        "acme-widgets", "1.0", files={"acme_widgets/__init__.py": "print('all your base')\n"}
    )
    stage.sandbox.tamper(widgets, _WIDGETS, data=evil.data, keep_claimed_hash=False)
    return lambda: stage.sandbox.tamper(widgets, _WIDGETS, data=good.data, keep_claimed_hash=False)


def _swap_signature(stage: Stage) -> Callable[[], None]:
    widgets, name = stage.example.widgets, f"{_WIDGETS}.sigstore.json"
    good = stage.sandbox.evidence(widgets, name)
    stage.sandbox.replace_evidence(
        widgets, name, stage.sandbox.evidence(stage.example.gears, f"{_GEARS}.sigstore.json")
    )
    return lambda: stage.sandbox.replace_evidence(widgets, name, good)


def _rename_old_release(stage: Stage) -> Callable[[], None]:
    from pip_warden.sandbox import File

    widgets = stage.example.widgets
    newer = _WIDGETS.replace("1.0", "2.0")
    old = next(file for file in stage.example.files if file.name == _WIDGETS)
    evidence = stage.sandbox.evidence(widgets, f"{_WIDGETS}.sigstore.json")
    stage.sandbox.put_evidence(widgets, "2.0", {f"{newer}.sigstore.json": evidence})
    stage.sandbox.put_files(widgets, [File(name=newer, data=old.data)])
    return lambda: stage.sandbox.delete_file(widgets, newer)


def _need_unpinned(stage: Stage) -> Callable[[], None]:
    widgets = stage.example.widgets
    newer = stage.sandbox.wheel("acme-widgets", "1.1", requires=("acme-gears", "acme-sprockets"))
    stage.sandbox.publish(
        stage.sandbox.project("acme/sprockets"), [stage.sandbox.wheel("acme-sprockets", "1.0")]
    )
    stage.sandbox.publish(widgets, [newer])
    return lambda: stage.sandbox.delete_file(widgets, newer.name)


_ATTACKS: tuple[tuple[str, str, Callable[[Stage], Callable[[], None]]], ...] = (
    ("the wheel is replaced by another in the registry", "bad-signature", _change_bytes),
    ("its signature is replaced by that of another file", "bad-signature", _swap_signature),
    ("the old release is renamed as a newer one", "version-inside-differs", _rename_old_release),
    ("a new release needs a package that is not pinned", "not-pinned", _need_unpinned),
)


def _table(acts: list[Act]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    width = text_columns(sys.stdout)
    # A code is never folded, so it has a line of its own where there is little room.
    gap = ", " if width >= _WIDE else ",\n"
    table = Table(title="What was shown", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for heading in ("", "what", "had to be", "was"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "had to be")
    for act in acts:
        mark = Text("✓", "green") if act.good else Text("✗", "bold red")
        table.add_row(mark, Text(act.title), Text(act.expected.replace(", ", gap)), Text(act.found))
    print()
    rich_console(sys.stdout).print(table)
