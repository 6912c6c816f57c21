"""Pins a package by who signs it."""

from __future__ import annotations

from dataclasses import replace

from packaging.version import Version

from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UndecidedError, UsageError
from pip_warden.first_use.doubts import doubts
from pip_warden.first_use.draft_root import draft_root, vouch
from pip_warden.first_use.observe import RELEASES, PackageObservation, SignerObserver
from pip_warden.first_use.task import Task
from pip_warden.first_use.template import Template, history, required, template_of
from pip_warden.index.gitlab import GitLab
from pip_warden.trust.model import Identity, IdentityEntry, Probe
from pip_warden.trust.segments import ANY_SEGMENT
from pip_warden.trust.subject import parse_subject


def add_signer(
    task: Task, probe: Probe, version: Version | None, *, first: SignerObserver | None = None
) -> None:
    """Find out who signed the newest releases, ask, and add the pin to the draft.

    Args:
        task: What the run works with.
        probe: Where to look.
        version: Look at this release only.
        first: It looks, with the trust file and the roots as drafted; None: at any file that the page has.

    Raises:
        RefusedError: The newest release is refused, or would be under the new pin; ``build-trigger-unsafe``;
            ``not-pinned-unasked``; ``declined``.
        UndecidedError: A page or file could not be fetched.
        UsageError: ``yes-needed``, ``pin-conflict``, or there is no trusted root.
    """
    probe = replace(probe, root=choose_root(task))
    first = replace(first or task.first_use(), trust=task.trust(), roots=task.draft.roots())
    most = task.wanted.from_history
    look = first.look(probe, version=version, most=most or RELEASES)
    newest = look.observations if most else look.observations[:1]
    template = _spelled_out(task, look, probe.root) or template_of(newest, root=probe.root)
    template = _as_pinned(task, probe, template)
    shown = f"{_who(look)}\n{_pinned_as(look, template)}"
    task.person.clear()
    task.person.show(f"{shown}\n{history(look, template)}" if most else shown)
    _ask(task, look, probe, template)
    vouch(task.draft, probe.root, template.identity.issuer)
    _draft_identity(task, look, probe, template)
    first.confirm(look, task.trust())


def choose_root(task: Task) -> str:
    """Return the root to verify with: one that may vouch for the issuer, the default, or a new one."""
    expected = task.wanted.issuer or (task.source.url if task.source.type == "gitlab" else None)
    return draft_root(
        task.draft,
        expected,
        given=task.wanted.trusted_root,
        workspace=task.workspace,
        reporter=task.person,
        is_offline=task.is_offline,
    )


def _spelled_out(task: Task, look: PackageObservation, root: str) -> Template | None:
    """Return what the user names; the build trigger that is not named is the one that was seen."""
    wanted = task.wanted
    if wanted.identity is None or wanted.issuer is None:
        return None
    subject = parse_subject(wanted.identity)
    identity = Identity(issuer=wanted.issuer, subject=subject, root=root, is_account=subject.project is None)
    if wanted.build_triggers:
        return Template(identity=identity, require=required(wanted.build_triggers))
    return replace(template_of(look.observations[:1], root=root), identity=identity)


def _ask(task: Task, look: PackageObservation, probe: Probe, template: Template) -> None:
    """Ask a person, and say what speaks against the signer; what the user spelled out is not asked again."""
    wanted = task.wanted
    if wanted.identity is None:
        _decide(task, doubts_about(task, look, probe, template.identity), template)
    elif template.triggers and not wanted.build_triggers and _pinned(task, probe) is None:
        _decide(task, (f"the pipeline was started by {', '.join(template.triggers)}, not by push",), template)


def _as_pinned(task: Task, probe: Probe, template: Template) -> Template:
    """Return the template with the requirements of the package's entry: they hold for every signer of it.

    Raises:
        UsageError: ``pin-conflict``: other build triggers were named.
    """
    pinned, named = _pinned(task, probe), frozenset(task.wanted.build_triggers)
    if pinned is None:
        return template
    there = pinned.require.build_trigger
    if named and named != there:
        raise UsageError(
            "pin-conflict",
            f"expected {' and '.join(sorted(there))} as the build triggers of {probe.project}, "
            f"as the trust file has it, found {escape_text(' and '.join(sorted(named)), 200)}",
            hint="They hold for every signer of a package, so that adding one does not change them. "
            "Review why they differ, then change [package.require] by hand.",
        )
    return replace(template, require=pinned.require)


def _pinned(task: Task, probe: Probe) -> IdentityEntry | None:
    return task.draft.trust().identity_entry(probe.project)


def doubts_about(task: Task, look: PackageObservation, probe: Probe, identity: Identity) -> tuple[str, ...]:
    """Return what speaks against pinning a signer without a person's confirmation."""
    instance = task.source.url if task.source.type == "gitlab" else None
    pinned = _pinned(task, probe)
    signers = () if pinned is None else pinned.identities
    found = doubts(look, instance=instance, default_branch=_default_branch(task, look, probe))
    if signers and identity not in signers:
        others = ", ".join(known.subject.text for known in signers)
        found += (f"the trust file pins another signer already: {others}",)
    return found


def _default_branch(task: Task, look: PackageObservation, probe: Probe) -> str | None:
    """Request the default branch only where it decides something."""
    subject = look.observations[0].claims.subjects[0]
    if task.source.type != "gitlab" or probe.registry is None or "@refs/heads/" not in subject:
        return None
    try:
        return GitLab(task.transport, task.source.url).project_info(probe.registry).default_branch
    except UndecidedError:
        return None


def _decide(task: Task, found: tuple[str, ...], template: Template) -> None:
    for doubt in found:
        task.person.warning(escape_text(doubt, 500))
    if found and task.wanted.yes:
        more = "".join(f" --build-trigger {each}" for each in template.triggers)
        raise RefusedError(
            "not-pinned-unasked",
            f"expected nothing that speaks against this signer, found: {'; '.join(found)}",
            hint="The trust file is unchanged. "
            f"If the signer is right, spell it out: --identity SUBJECT --issuer URL{more}.",
        )
    task.confirm("Pin this signer?")


def _draft_identity(task: Task, look: PackageObservation, probe: Probe, template: Template) -> None:
    trust = task.draft.trust()
    known, pinned = trust.entries_of(probe.project), trust.identity_entry(probe.project)
    if pinned is not None:
        task.draft.add_identity(pinned, template.identity)
        return
    task.draft.add_entry(
        IdentityEntry(
            project=probe.project,
            source=probe.source,
            registry=probe.registry,
            registry_id=known[0].registry_id if known else look.registry_id,
            evidence=probe.evidence,
            identities=(template.identity,),
            require=template.require,
        )
    )


def _who(look: PackageObservation) -> str:
    newest = look.observations[0]
    claims, signed = newest.claims, newest.signed
    facts = [
        ("file", newest.name.filename),
        ("signed by", ", ".join(claims.subjects)),
        ("issued by", claims.issuer),
        ("project id", claims.get("project-id")),
        ("source", claims.get("source-repository")),
        ("ref", claims.get("source-ref")),
        ("runner", claims.get("runner-environment")),
        ("trigger", claims.get("build-trigger")),
        ("time", f"{signed.log_time:%Y-%m-%d %H:%M:%S} UTC"),
        ("log index", str(signed.log_index)),
        ("evidence", f"{signed.label} ({signed.form.value})"),
    ]
    lines = [f"{newest.name.project} {newest.name.version}"]
    lines += [f"  {name:11} {escape_text(value, 500)}" for name, value in facts if value]
    return "\n".join(lines)


def _pinned_as(look: PackageObservation, template: Template) -> str:
    """Return the pin next to the subject that it was made from."""
    identity = template.identity
    lines = [
        f"\n  pinned as   {escape_text(identity.subject.text, 500)}",
        f"  issuer      {escape_text(identity.issuer)}",
    ]
    if identity.project_id is not None:
        lines.append(f"  project id  {identity.project_id}")
    if template.triggers:
        lines.append(f"  trigger     {escape_text(', '.join(template.triggers))}")
    if "{version}" in identity.subject.text:
        version = look.observations[0].name.version
        lines.append(
            f"  {{version}} is each release's own version, {version} here: "
            "each must be signed by its own tag.\n"
            "  Protect that tag pattern in GitLab: no certificate shows whether it is."
        )
    elif identity.subject.ref is not None and ANY_SEGMENT in identity.subject.ref.text:
        lines.append(f"  {ANY_SEGMENT} is any name: a build of any such tag may sign any version.")
    return "\n".join(lines)
