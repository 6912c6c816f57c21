"""What a pin says of a package's signer: the strictest that its newest releases satisfy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError
from pip_warden.faults import Fault
from pip_warden.first_use.observe import Observation, PackageObservation
from pip_warden.trust.model import Identity, Requirements
from pip_warden.trust.subject import SubjectPattern, parse_subject, read_subject
from pip_warden.values import dataclass
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.triggers import ASKED, USUAL, require_pinnable

_TAGS = "refs/tags/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """What will be pinned.

    Attributes:
        identity: The signer.
        require: Further requirements.
    """

    identity: Identity
    require: Requirements

    @property
    def triggers(self) -> tuple[str, ...]:
        """Return the build triggers, where they are others than the usual one alone."""
        return () if self.require == Requirements() else tuple(sorted(self.require.build_trigger))


def template_of(observations: Sequence[Observation], *, root: str) -> Template:
    """Return the strictest template that releases satisfy, as far as they have the newest one's maker.

    The maker is issuer, project and workflow file, or an account. What would be refused in any case widens
    nothing. A tag keeps what the tags have in common:
    ``{version}``, else ``*`` for a segment in which they differ. Branches are never put together: anybody who
    may push can make one.

    Args:
        observations: Newest first; never empty.
        root: Name of the trusted root that verified them.

    Raises:
        RefusedError: ``build-trigger-unsafe``: the newest was built by a trigger that strangers can start;
            ``signer-unpinnable``: by a signer whom no pin can name.
    """
    newest = observations[0]
    trigger = newest.claims.get("build-trigger")
    require_pinnable(trigger)
    _require_subject(newest)
    alike = [newest, *(each for each in observations[1:] if _may_widen(each, newest, root))]
    subject = _common(alike)
    fitting = [each for each in alike if subject.matches(each.claims.subjects[0], each.name.version)]
    seen = {each.claims.get("build-trigger") or "" for each in fitting} & {USUAL, *ASKED}
    # Any other trigger is never written: the pin then refuses the release, and says what to do.
    triggers = seen if trigger in seen else {USUAL}
    return Template(identity=_identity(newest, subject, root), require=required(triggers))


def _require_subject(observation: Observation) -> None:
    """Refuse a signer whom no pin can name.

    Raises:
        RefusedError: ``signer-unpinnable``.
    """
    try:
        parse_subject(observation.pattern)
    except UsageError as err:
        subject = observation.claims.subjects[0]
        raise RefusedError(
            "signer-unpinnable",
            f"expected {observation.name} to be signed from a tag or branch that a pin can name, "
            f"found {escape_text(subject, 500)}: {err.message.rpartition(': ')[2]}",
            hint="Ask the publisher to release from a tag, or look at an older release (NAME==VERSION), or "
            "review this one and pin it by hash.",
        ) from err


def _may_widen(each: Observation, newest: Observation, root: str) -> bool:
    """Return whether a release has the newest one's maker, and a pin of its own would take it.

    What no pin that a command writes takes (a fork's code, a trigger that strangers can start) would be
    refused by the template as well: its tag and its trigger would widen that for nothing.
    """
    if _maker(each) != _maker(newest):
        return False
    trigger = each.claims.get("build-trigger") or ""
    own = _identity(each, parse_subject(each.pattern), root)
    return refusal_of(each, Template(identity=own, require=required({trigger} & {USUAL, *ASKED}))) is None


def _identity(observation: Observation, subject: SubjectPattern, root: str) -> Identity:
    claims = observation.claims
    return Identity(
        issuer=claims.issuer,
        subject=subject,
        project_id=claims.get("project-id"),
        root=root,
        is_account=subject.project is None,
    )


def required(triggers: Iterable[str]) -> Requirements:
    """Return the requirement of one of some build triggers; of none given, the usual one."""
    return Requirements(build_trigger=frozenset(triggers) or Requirements().build_trigger)


def history(look: PackageObservation, template: Template) -> str:
    """Say how many of the releases that were looked at fit, and why the others would be refused."""
    refused = [
        (each.name.filename, fault.code, fault.found)
        for each in look.observations
        if (fault := refusal_of(each, template)) is not None
    ]
    refused += [(each.subject, each.code, each.fault.found) for each in look.unsigned]
    total = len(look.observations) + len(look.unsigned)
    lines = [f"\n  {total - len(refused)} of the last {total} releases fit this"]
    if refused:
        lines.append("  it would have refused:")
    lines += [f"    {escape_text(name)}  [{code}] {escape_text(found, 300)}" for name, code, found in refused]
    return "\n".join(lines)


def refusal_of(observation: Observation, template: Template) -> Fault | None:
    """Judge a release by the template, as a run with the pin would."""
    claims, version = observation.claims, observation.name.version
    found = match_identity(claims, (template.identity,), version)
    return found if isinstance(found, Fault) else check_policy(claims, found, template.require, version)


def _maker(observation: Observation) -> tuple[str | None, ...]:
    claims = observation.claims
    subject = read_subject(claims.subjects[0])
    if subject is None:
        return claims.issuer, claims.subjects[0]
    return claims.issuer, claims.get("project-id"), subject.project, subject.config


def _common(observations: Sequence[Observation]) -> SubjectPattern:
    newest = parse_subject(observations[0].pattern)
    if newest.ref is None or not newest.ref.text.startswith(_TAGS):
        return newest
    ref = newest.ref.text
    for each in observations[1:]:
        other = parse_subject(each.pattern).ref
        if other is not None and other.text.startswith(_TAGS) and other.text.count("/") == ref.count("/"):
            ref = "/".join(
                mine if mine == theirs else "*"
                for mine, theirs in zip(ref.split("/"), other.text.split("/"), strict=True)
            )
    return parse_subject(newest.text.removesuffix(newest.ref.text) + ref)
