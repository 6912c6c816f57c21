"""``pip-warden build-info``: write down in the building job what the signing job will state."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text


@click.command(
    "build-info",
    epilog=examples(
        "pip-warden build-info -o build-info.json", "pip-warden attest dist/* --build-info build-info.json"
    ),
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where it is written; an artifact of the job.",
)
@click.option("--quiet", "-q", count=True, help="Say nothing.")
@format_option
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
@color_option
def command(
    *,
    output: Path,
    quiet: int,
    output_format: str,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Write down how this job builds, for the job that signs: `pip-warden attest dist/* --build-info FILE`.

    Last in the job that builds. It needs no token, no network and no extra, and writes no secret: project,
    commit, ref, configuration, trigger, pipeline, job, runner, image and times, as the predefined variables
    say.
    """
    from pip_warden.publish.build_info import this_job, write_build_info

    info = this_job(os.environ, now=datetime.now(UTC))
    write_build_info(info, output)
    if output_format == "json":
        from pip_warden.report.document import document

        print(document("build-info", {"path": str(output), "job_url": info.job_url}))
    elif not quiet:
        print_block(f"{escape_text(str(output))}: {escape_text(info.job_url)}")
