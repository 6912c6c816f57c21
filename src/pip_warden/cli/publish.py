"""``pip-warden publish`` and ``publish-evidence``: upload to a GitLab project, evidence first."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    load_trust,
    print_report,
    trust_option,
    trust_path,
    with_options,
)
from pip_warden.cli.examples import examples
from pip_warden.cli.extras import need_extra
from pip_warden.cli.output import Console
from pip_warden.cli.outputs import deliver, deliver_untold
from pip_warden.cli.reports import report_options
from pip_warden.cli.session import open_workspace, settings_of
from pip_warden.cli.signing import read_trust_config
from pip_warden.cli.style import print_block
from pip_warden.errors import RefusedError, UsageError, WardenError

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root
    from pip_warden.cli.outputs import Reports
    from pip_warden.publication.rules import JudgingRules
    from pip_warden.publication.run import Judgement
    from pip_warden.publish.registry import Destination, UploadResult
    from pip_warden.report.model import Report
    from pip_warden.strict_json import JSONValue
    from pip_warden.transport import Transport

F = TypeVar("F", bound=Callable[..., object])


def _publishing_options(function: F) -> F:
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
        trust_option,
        click.option(
            "--trust-config",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The Sigstore client trust config that files without a pin are judged under; else the "
            "public-good instance.",
        ),
        click.option(
            "--skip-existing",
            is_flag=True,
            help="Leave out, and say so, a file under whose name other bytes are published.",
        ),
        click.option("--dry-run", is_flag=True, help="Judge, and ask what is there; upload nothing."),
    ]
    return with_options(function, options)


@click.command(
    "publish",
    epilog=examples(
        "pip-warden publish dist/*", "pip-warden publish dist/* --project acme/widgets --dry-run"
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@_publishing_options
@report_options
@connection_options
@color_option
def command(*, files: tuple[Path, ...], **options: Any) -> int:
    """Publish each FILE: its evidence to the generic registry, read back; then the file to the PyPI registry.

    Before anything is uploaded, every file is judged with all evidence next to it: under the trust file where
    that pins its project, else by its signatures alone.

    In CI the job token is used. The same command can be run again after any failure, also by a job that
    signed again: equal bytes, and evidence that is as good, are already there; other content under the same
    name is an error.
    """
    # Before the evidence goes up, not between it and the files.
    need_extra("publish", "publish")
    return _publish(files, options, with_files=True)


@click.command("publish-evidence", epilog=examples("pip-warden publish-evidence dist/*"))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@_publishing_options
@report_options
@connection_options
@color_option
def evidence_command(*, files: tuple[Path, ...], **options: Any) -> int:
    """Publish only the evidence of each FILE, where another program uploads the files, twine for instance.

    It is judged as `publish` does.
    """
    return _publish(files, options, with_files=False)


def _publish(files: tuple[Path, ...], options: dict[str, Any], *, with_files: bool) -> int:
    from pip_warden.publication.copies import copy_all, files_to_publish
    from pip_warden.publication.run import judge_all, publish_all
    from pip_warden.publish.registry import Registry
    from pip_warden.report.model import Report
    from pip_warden.session.opening import open_transport
    from pip_warden.session.settings import today

    command_name = "publish" if with_files else "publish-evidence"
    paths = files_to_publish(files)
    console, settings = Console.of(options), settings_of(options)
    instance = _instance(_text(options["gitlab"]))
    day = today(settings)
    with (
        open_workspace() as workspace,
        open_transport(settings, {"destination": instance}, console) as transport,
    ):
        judgement = judge_all(copy_all(paths, workspace), _rules(transport, options), day)
        for words in judgement.said:
            console.note(words)
        report = Report(
            command=command_name,
            exit_code=judgement.exit_code,
            lines=judgement.lines,
            trust_file=str(trust_path(options["trust"]) or ""),
        )
        if judgement.exit_code != 0:
            return _tell_judgement(report, judgement, options["reports"], console)
        destination = _destination(instance, _text(options["project"]), str(options["evidence"]), transport)
        registry = Registry(transport, destination, dry_run=bool(options["dry_run"]), reporter=console)
        uploads = publish_all(
            judgement.files,
            registry,
            day,
            with_files=with_files,
            skip_existing=bool(options["skip_existing"]),
        )
    console.clear()
    return _tell(report, uploads, judgement, options["reports"], console)


def _rules(transport: Transport, options: dict[str, Any]) -> JudgingRules:
    """Return under what files are judged: the trust file, where there is one, and the Sigstore instance."""
    from pip_warden.publication.rules import JudgingRules

    path, config = trust_path(options["trust"]), options["trust_config"]
    trust = None if path is None else load_trust(options["trust"])
    content = read_trust_config(config)

    def root() -> Root:
        from pip_warden._sigstore.trust_config import root_of_trust_config

        return root_of_trust_config(content)

    name = "the public-good Sigstore" if config is None else config.name
    return JudgingRules(transport, trust, config_name=name, config_root=root)


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
    from pip_warden.trust.locations import parse_evidence, parse_registry

    evidence = parse_evidence(evidence)
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
    is_id = project.isascii() and project.isdecimal()
    path = GitLab(transport, instance).project_info(project).path if is_id else parse_registry(project)
    return Destination(instance=instance, project=project, path=path, evidence=evidence)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _tell(
    report: Report,
    uploads: Sequence[UploadResult],
    judgement: Judgement,
    reports: Reports,
    console: Console,
) -> int:
    """Say what was uploaded; what was judged is told where data is asked for, and in files."""
    from pip_warden.report import text

    for upload in uploads:
        if upload.outcome == "not published":
            console.warning(
                f"{upload.name} of this build was not published: the registry has other bytes under its name"
            )
    rows: list[JSONValue] = [
        {
            "name": upload.name,
            "kind": upload.kind,
            "outcome": upload.outcome.replace(", ", "_").replace(" ", "_"),
            "url": upload.where,
        }
        for upload in uploads
    ]
    more: dict[str, JSONValue] = {"judged": [*judgement.said], "uploads": rows}
    report = replace(report, done=tuple((upload.outcome, upload.name) for upload in uploads))
    report = deliver(report, reports, console, None, more)
    if reports.is_text and not console.quiet:
        print_block(text.done(report))
    shown = replace(report, lines=()) if reports.is_text else report  # who signed them was noted
    code = print_report(shown, replace(reports, files=()), console, more=more)
    deliver_untold(report, reports, console, None, more)
    return code


def _tell_judgement(report: Report, judgement: Judgement, reports: Reports, console: Console) -> int:
    """Say why nothing is uploaded."""
    more: dict[str, JSONValue] = {"judged": [*judgement.said], "uploads": []}
    report = deliver(report, reports, console, None, more)
    if reports.output_format == "json":
        report = replace(report, error=_first_error(report))
    return print_report(report, replace(reports, files=()), console, more=more)


def _first_error(report: Report) -> WardenError:
    """Return the first of what outranks: why nothing was uploaded, where the error of a run is looked for."""
    from pip_warden.verdict.model import Refused

    for line in report.lines:
        if isinstance(line.verdict, Refused):
            fault = line.verdict.fault
            said = f"{line.subject}: expected {fault.expected}, found {fault.found}"
            return RefusedError(line.code, said, hint=fault.hint)
    return next(line.undecided for line in report.lines if line.undecided is not None)
