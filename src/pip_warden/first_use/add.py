"""Adds each requested name in turn: where it comes from, and by what it is pinned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packaging.version import Version

from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError
from pip_warden.first_use.by_hash import add_hashes
from pip_warden.first_use.by_identity import add_signer
from pip_warden.first_use.owner import owner_in_group
from pip_warden.first_use.task import PinRequest, Task
from pip_warden.installer.requirements import pinned_releases
from pip_warden.names import ProjectName, parse_name_or_release
from pip_warden.trust.command_line import check_triggers
from pip_warden.trust.likeness import close_names
from pip_warden.trust.model import HashEntry, Probe, Source
from pip_warden.trust.subject import parse_subject
from pip_warden.trust.suggest import CLOSE
from pip_warden.values import dataclass
from pip_warden.verdict.triggers import require_pinnable


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedName:
    """One name.

    Attributes:
        project: The project.
        version: The release, None for the newest.
        sha256: The digests that a requirements file requires; empty where it has none.
    """

    project: ProjectName
    version: Version | None
    sha256: frozenset[str] = frozenset()


def check_wanted(wanted: PinRequest) -> None:
    """Check that a request is complete, and does not contradict itself.

    Raises:
        UsageError: ``nothing-to-pin``, ``usage``, ``issuer-needed`` or ``invalid-subject``.
        RefusedError: ``build-trigger-unsafe``.
    """
    if not wanted.names and not wanted.requirements:
        raise UsageError("nothing-to-pin", "expected a NAME, or -r FILE with --hash, found neither")
    if wanted.requirements and not wanted.by_hash:
        raise UsageError("usage", "expected --hash together with -r FILE, found -r alone")
    if (wanted.identity is None) != (wanted.issuer is None):
        raise UsageError("issuer-needed", "expected --identity and --issuer together, found one of them")
    if wanted.expires is not None and not wanted.by_hash:
        raise UsageError("usage", "expected --hash together with --expires, found --expires alone")
    _check_build(wanted)


def check_reason(wanted: PinRequest, sources: Iterable[Source]) -> None:
    """Check that somebody says why a hash is enough: the request, or one of the sources that it may mean.

    Raises:
        UsageError: ``reason-missing``.
    """
    if wanted.by_hash and not wanted.reason.strip() and not any(source.hash_reason for source in sources):
        raise UsageError(
            "reason-missing",
            "expected --reason saying why a hash is enough for what is not signed, found none",
            hint="Say it: " + wanted.with_option('--reason "WHY"') + ".",
        )


def _check_build(wanted: PinRequest) -> None:
    """Check what is said of builds: it is about a signer who is named, or about releases looked at."""
    if wanted.build_triggers and wanted.identity is None:
        raise UsageError("usage", "expected --build-trigger together with --identity, found it alone")
    for trigger in wanted.build_triggers:
        require_pinnable(trigger)
    if wanted.identity is not None:
        check_triggers(parse_subject(wanted.identity), wanted.build_triggers)
    if wanted.from_history is not None and (wanted.by_hash or wanted.identity is not None):
        raise UsageError(
            "usage", "expected --from-history without --hash and --identity, found it together with one"
        )
    if wanted.from_history is not None and any("==" in name for name in wanted.names):
        raise UsageError("usage", "expected --from-history with names alone, found a version")


def add_all(task: Task) -> None:
    """Look up every name, and add its pin to the draft, which has the source already.

    Raises:
        RefusedError: A release is refused; ``close-to-pinned``; or the person declines.
        UndecidedError: A page or file could not be fetched.
        UsageError: The request is incomplete, or contradicts the trust file.
    """
    wishes = _wishes(task.wanted)
    if not wishes:
        raise UsageError(
            "nothing-to-pin",
            f"expected a release in {', '.join(map(str, task.wanted.requirements))}, found none",
            hint="Each line names one: NAME==VERSION, with its --hash where it has one.",
        )
    for wish in wishes:
        _ask_about_its_name(wish.project, task)
        probe = _agreeing(_probe(wish.project, task), task)
        if not task.wanted.by_hash:
            add_signer(task, probe, wish.version)
        elif wish.version is not None:
            add_hashes(task, probe, wish.version, wish.sha256)
        else:
            raise UsageError(
                "version-needed",
                f"expected {wish.project}==VERSION with --hash, found no version",
                hint="A hash is of one release.",
            )


def _ask_about_its_name(project: ProjectName, task: Task) -> None:
    """Ask once more about a name that is close to a pinned one: it may be a typing error, or live off one.

    Raises:
        RefusedError: ``close-to-pinned``: it is to be pinned unasked; ``declined``.
        UsageError: ``yes-needed``.
    """
    close = ", ".join(close_names(project, task.draft.trust().projects))
    if not close:
        return
    if task.wanted.yes:
        raise RefusedError(
            "close-to-pinned",
            f"expected a name that is not close to one that is pinned ({close}), found {project}",
            hint=f"The trust file is unchanged. {CLOSE} If {project} itself is meant, say so at a terminal, "
            "without --yes.",
        )
    task.person.warning(f"{project} is not pinned, but close to what is: {close}. {CLOSE}")
    task.person.confirm(f"Do you mean {project}, and not {close}?")


def _wishes(wanted: PinRequest) -> list[WantedName]:
    named = [parse_name_or_release(text) for text in wanted.names]
    found = [WantedName(project=project, version=version) for project, version in named]
    for path in wanted.requirements:
        releases = pinned_releases(path)
        found += [WantedName(project=r.project, version=r.version, sha256=r.sha256) for r in releases]
    return found


def _probe(name: ProjectName, task: Task) -> Probe:
    """Return where to look for a project."""
    source, wanted = task.source, task.wanted
    if source.type == "simple":
        if wanted.project is not None or wanted.group is not None:
            raise UsageError(
                "usage",
                f"expected neither --project nor --group for the simple index {source.name}, found one",
            )
        return Probe(project=name, source=source.name)
    registry = wanted.project
    if registry is None and wanted.group is not None:
        registry = owner_in_group(task.transport, source, wanted.group, name)
        task.person.note(f"{name} is published by {escape_text(registry)}")
    if registry is None:
        known = task.draft.trust().entries_of(name)
        registry = known[0].registry if known else None
    if registry is None:
        raise UsageError(
            "project-needed",
            f"expected --project PATH (the GitLab project that publishes {name}), found none",
            hint=f"Name it: {wanted.with_option('--project GROUP/PROJECT')}. "
            "The URL of a simple index ends in /simple, and needs none.",
        )
    return Probe(project=name, source=source.name, registry=registry)


def _agreeing(probe: Probe, task: Task) -> Probe:
    """Check that the probe is the place that the trust file gives for the package: a package has one place.

    Raises:
        UsageError: ``pin-conflict``: the trust file gives another.
    """
    trust = task.draft.trust()
    old = trust.identity_entry(probe.project) or next(iter(trust.entries_of(probe.project)), None)
    if old is None:
        return probe
    names = {old.registry, None if old.registry_id is None else str(old.registry_id)}
    if old.source != probe.source or probe.registry not in names:
        raise UsageError(
            "pin-conflict",
            f"expected {probe.project} from {old.source} {old.registry or ''} as the trust file has it, "
            f"found {probe.source} {probe.registry or ''}",
            hint="A pin is never replaced silently: "
            "review why it differs, then change the trust file by hand.",
        )
    probe = replace(probe, registry=old.registry, registry_id=old.registry_id)
    return probe if isinstance(old, HashEntry) else replace(probe, evidence=old.evidence)
