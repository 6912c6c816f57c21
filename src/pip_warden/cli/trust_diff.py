"""``pip-warden trust diff``: what a change of the trust file means."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.comparing.change import Change
    from pip_warden.trust.model import TrustFile

_HEAD = "HEAD"


@click.command(
    "diff",
    epilog=examples("pip-warden trust diff", "pip-warden trust diff origin/main --format json"),
)
@click.argument("revision", metavar="[REV]", default=_HEAD)
@click.option(
    "--from",
    "from_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare with this file, and not with a revision of git.",
)
@trust_option
@format_option
@color_option
def command(*, revision: str, from_file: Path | None, trust: Path | None, output_format: str) -> int:
    """Say what changed since REV (HEAD), and whether more is accepted than was.

    Each change is widened, narrowed or neutral; what is in doubt is widened. Exit code 1 where anything is
    widened, so that a job can ask for another approval: there, name the revision that the change is merged
    into.
    """
    from pip_warden.trust.comparing.change import Effect

    loaded = load_trust(trust)
    since, found = _compared(revision, from_file, loaded)
    exit_code = int(any(change.effect is Effect.WIDENED for change in found))
    if output_format == "json":
        from pip_warden.report.document import document

        print(document("trust diff", _told(loaded, since, found), exit_code=exit_code))
    else:
        _print(loaded, since, found)
    return exit_code


def _compared(revision: str, from_file: Path | None, loaded: TrustFile) -> tuple[str, tuple[Change, ...]]:
    """Return what it was compared with, and what changed."""
    from pip_warden.errors import UsageError
    from pip_warden.trust.comparing.comparison import compare_with
    from pip_warden.trust.comparing.history import read_revision
    from pip_warden.trust.file import read_bytes

    if from_file is None:
        found = read_revision(revision, loaded.path, os.environ)
        since = f"{revision} ({found.commit[:12]})"
        earlier = partial(_earlier, found.commit)
        return since, compare_with(
            found.content, loaded, earlier, problem=found.problem, is_submodule=found.is_submodule
        )
    if revision != _HEAD:
        raise UsageError("usage", "expected a revision or --from FILE, found both")
    return str(from_file), compare_with(read_bytes(from_file), loaded, lambda _: None)


def _earlier(commit: str, path: Path) -> bytes | None:
    """Return the bytes of a trusted root in a commit; without them its content is not told."""
    from pip_warden.errors import UsageError
    from pip_warden.trust.comparing.history import read_revision

    try:
        found = read_revision(commit, path, os.environ)
    except UsageError:
        return None
    return None if found.problem else found.content


def _told(loaded: TrustFile, since: str, found: tuple[Change, ...]) -> dict[str, JSONValue]:
    return {
        "trust_file": str(loaded.path),
        "since": since,
        "changes": [
            {
                "kind": change.kind,
                "subject": change.subject,
                "effect": change.effect.value,
                "words": change.words,
            }
            for change in found
        ],
    }


def _print(loaded: TrustFile, since: str, found: tuple[Change, ...]) -> None:
    from pip_warden.trust.comparing.change import Effect

    counts = {effect: sum(change.effect is effect for change in found) for effect in Effect}
    said = ", ".join(f"{count} {effect.value}" for effect, count in counts.items() if count)
    print_block(f"{escape_text(str(loaded.path), 500)} since {escape_text(since)}: {said or 'the same'}")
    for effect in Effect:
        for change in found:
            if change.effect is effect:
                print_block(
                    f"  {effect.value:8}  {escape_text(change.subject)}: {escape_text(change.words, 2000)}"
                )
