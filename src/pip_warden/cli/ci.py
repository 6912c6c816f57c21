"""``pip-warden ci``: write the pipeline file of a publisher, a consumer, a promotion or an image."""

from __future__ import annotations

from pathlib import Path

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.group import HelpfulGroup
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text

_NEXT = {
    "publisher": "It needs pytrust.toml, which pins this pipeline, and publishes in the pipelines of tags.",
    "consumer": "It needs requirements.txt, and pytrust.toml, which `pip-warden trust add` makes.",
    "promotion": "It needs pytrust.toml, and runs where WARDEN_RELEASE is set.",
    "image": "It needs pytrust.toml, which pins both repositories, and promotes in the pipelines of tags.",
}


@click.group("ci", cls=HelpfulGroup, epilog=examples("pip-warden ci init publisher"))
@color_option
def command() -> None:
    """Write pipeline files for GitLab."""


@command.command(
    "init",
    epilog=examples(
        "pip-warden ci init publisher", "pip-warden ci init consumer -o pip-warden.gitlab-ci.yml"
    ),
)
@click.argument("kind", type=click.Choice(list(_NEXT)))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".gitlab-ci.yml"),
    show_default=True,
    help="Where it is written.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option(
    "--source", metavar="URL", help="The repository its jobs fetch pip-warden from; else this one's own."
)
@click.option("--commit", metavar="SHA", help="The commit they install; else this one's own, or its tag.")
@format_option
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
@color_option
def init(
    *,
    kind: str,
    output: Path,
    force: bool,
    source: str | None,
    commit: str | None,
    output_format: str,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Write the pipeline of a publisher, consumer, promotion or image, for those who want no component.

    It runs the same commands, installs this pip-warden by its commit, and asks nothing.
    """
    from pip_warden.pipelines import Kind, pipeline, write_pipeline

    text = pipeline(Kind(kind), source=source, commit=commit)
    write_pipeline(output, text, force=force)
    if output_format == "json":
        from pip_warden.report.document import document

        print(document("ci init", {"kind": kind, "path": str(output), "note": _NEXT[kind]}))
        return
    print_block(f"written {escape_text(str(output))}\n{_NEXT[kind]}")
