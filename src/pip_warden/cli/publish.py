"""``pip-warden publish`` and ``publish-evidence``: upload to a GitLab project, evidence first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import connection_options, format_option
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.output import Console
from pip_warden.cli.session import settings_of
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text
from pip_warden.errors import UsageError

if TYPE_CHECKING:
    from pip_warden.publish.registry import Destination, UploadResult
    from pip_warden.transport import Transport

F = TypeVar("F", bound=Callable[..., object])


def _destination_options(function: F) -> F:
    options = [
        click.option("--gitlab", metavar="URL", help="The GitLab instance; in CI that of the job."),
        click.option(
            "--project", metavar="PATH", help="The project: group/project or its id; in CI that of the job."
        ),
        click.option(
            "--evidence",
            metavar="TEMPLATE",
            default="{project-name}/{version}",
            show_default=True,
            help="Package and version of the evidence.",
        ),
        click.option("--dry-run", is_flag=True, help="Ask what is there; upload nothing."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command(
    "publish",
    epilog=examples(
        "pip-warden publish dist/*", "pip-warden publish dist/* --project acme/widgets --dry-run"
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@_destination_options
@format_option
@connection_options
@color_option
def command(*, files: tuple[Path, ...], **options: object) -> None:
    """Publish each FILE: its evidence to the generic registry, read back; then the file to the PyPI registry.

    In CI the job token is used and nothing needs to be configured. The same command can be run again after
    any failure: what is there with the same content is done; other content under the same name is an error.
    """
    # Before the evidence goes up, not between it and the files.
    need_extra("publish", "publish")
    _publish(files, options, with_files=True)


@click.command("publish-evidence", epilog=examples("pip-warden publish-evidence dist/*"))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@_destination_options
@format_option
@connection_options
@color_option
def evidence_command(*, files: tuple[Path, ...], **options: object) -> None:
    """Publish only the evidence of each FILE, where another program uploads the files, twine for instance."""
    _publish(files, options, with_files=False)


def _publish(files: tuple[Path, ...], options: dict[str, object], *, with_files: bool) -> None:
    from pip_warden.publish.registry import Registry, signed_files
    from pip_warden.session.opening import open_transport

    found = signed_files(files)
    console = Console.of(options)
    settings = settings_of(options)
    uploads: list[UploadResult] = []
    instance = _instance(_text(options["gitlab"]))
    with open_transport(settings, {"destination": instance}, console) as transport:
        destination = _destination(instance, _text(options["project"]), str(options["evidence"]), transport)
        registry = Registry(transport, destination, dry_run=bool(options["dry_run"]), reporter=console)
        for signed in found:
            uploads += registry.publish(signed) if with_files else registry.publish_evidence(signed)
    console.clear()
    output_format = str(options["output_format"])
    if output_format == "json" or not console.quiet:
        _tell("publish" if with_files else "publish-evidence", uploads, output_format)


def _instance(given: str | None) -> str:
    """Return the instance: ``--gitlab``, else the job's own, else ``GITLAB_URL``."""
    api = os.environ.get("CI_API_V4_URL", "")
    found = given or api.removesuffix("/api/v4") or os.environ.get("GITLAB_URL")
    if not found:
        raise UsageError(
            "destination-needed", "expected --gitlab URL, or the variables of a CI job, found neither"
        )
    return found.rstrip("/")


def _destination(instance: str, project: str | None, evidence: str, transport: Transport) -> Destination:
    from pip_warden.index.gitlab import GitLab
    from pip_warden.publish.registry import Destination

    if project is None and os.environ.get("CI_PROJECT_ID") and os.environ.get("CI_PROJECT_PATH"):
        return Destination(
            instance=instance,
            project=os.environ["CI_PROJECT_ID"],
            path=os.environ["CI_PROJECT_PATH"],
            evidence=evidence,
        )
    if project is None:
        raise UsageError(
            "destination-needed", "expected --project PATH, or the variables of a CI job, found neither"
        )
    path = GitLab(transport, instance).project_info(project).path if project.isdecimal() else project
    return Destination(instance=instance, project=project, path=path, evidence=evidence)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _tell(command_name: str, uploads: list[UploadResult], output_format: str) -> None:
    if output_format == "json":
        rows = [
            {"name": u.name, "kind": u.kind, "outcome": u.outcome.replace(" ", "_"), "url": u.where}
            for u in uploads
        ]
        print(
            json.dumps(
                {"schema_version": 1, "command": command_name, "exit_code": 0, "uploads": rows}, indent=2
            )
        )
        return
    print_block("".join(f"{upload.outcome}: {escape_text(upload.name)}\n" for upload in uploads))
