"""The order of a promotion: nothing leaves before the copy was judged, and no file before its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pip_warden.errors import InternalError, RefusedError
from pip_warden.evidence.locate import generic_packages
from pip_warden.evidence.names import BUNDLE
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.promote.carried import FindEntry, Gathered, gather
from pip_warden.promote.plan import Plan, trust_from
from pip_warden.promote.rows import SourceRows
from pip_warden.promote.summary import Judged, Summaries
from pip_warden.promote.target import Settled, Target
from pip_warden.publish.registry import Destination, Registry, SignedFile, UploadResult
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Report
from pip_warden.session.parts import SessionParts
from pip_warden.supply import look_up
from pip_warden.trust.model import IdentityEntry
from pip_warden.values import dataclass
from pip_warden.vault import Sealed, hand_over
from pip_warden.verdict.carried import PieceJudge
from pip_warden.verdict.model import Accepted, ItemRefusal, SignedBy
from pip_warden.verify import NamedEvidence, judge_release, verify_files, verify_release


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """How a promotion went.

    Attributes:
        report: Of the last verification: the target's, or the one that refused a file.
        uploads: Every upload; none where a file was not accepted before.
        left: Evidence of the source that is not good, and was left there.
        kept: Names of evidence of which the target has other, good content, which stays.
        notes: What else is to be known, for people.
    """

    report: Report
    uploads: tuple[UploadResult, ...] = ()
    left: tuple[ItemRefusal, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Copied:
    """A file in the workspace, with the evidence that it will have in the target."""

    signed: SignedFile
    gathered: Gathered
    settled: Settled


def promote(
    session: SessionParts, plan: Plan, destination: Destination, *, dry_run: bool = False
) -> Promotion:
    """Judge a release, copy what was judged, and judge it again.

    Args:
        session: What the run works with; its trust file is the target's.
        plan: What is to be promoted.
        destination: The registry project that it is published to.
        dry_run: Judge, upload nothing.

    Raises:
        UsageError: ``not-promotable``.
        RefusedError: ``too-young``; ``kind-missing``; ``other-content``: the target has other bytes under one
            of the names.
        UndecidedError: A registry, a log or Sigstore did not respond.
    """
    report, accepted = _judge_source(session, plan)
    if report.exit_code != 0:
        return Promotion(report=report)
    check_age(report, plan)
    rows = SourceRows(
        GitLab(session.transport, session.trust.source(plan.from_source).url), plan.from_registry
    )
    target = Target(session.transport, destination)
    copied = [_copy(session, plan, rows, target, each) for each in accepted]
    report = verify_files(session, tuple(each.signed.path for each in copied), given=NamedEvidence())
    done = Promotion(
        report=report,
        left=tuple(refusal for each in copied for refusal in each.gathered.left),
        kept=tuple(name for each in copied for name in each.settled.kept),
        notes=tuple(_notes(copied, rows)),
    )
    if report.exit_code != 0:
        return done
    uploads = _upload(session, plan, destination, [each.signed for each in copied], dry_run=dry_run)
    if not dry_run:
        report = verify_release(session, plan.project, plan.version)
    return Promotion(report=report, uploads=uploads, left=done.left, kept=done.kept, notes=done.notes)


def _judge_source(session: SessionParts, plan: Plan) -> tuple[Report, tuple[tuple[Accepted, Sealed], ...]]:
    """Judge the release in its source, as consumers of the target would."""
    trust, ledger = trust_from(session.trust, plan), Ledger()
    with session.gate(ledger, trust=trust, fresh=True) as gate:
        report = judge_release(gate, ledger, session.trust, plan.project, plan.version)
        if report.exit_code != 0:
            return report, ()
        admissions = gate.admit_release(plan.project, plan.version)
    found = ((admission.line.verdict, admission.sealed) for admission in admissions)
    return report, tuple(
        (verdict, sealed) for verdict, sealed in found if isinstance(verdict, Accepted) and sealed is not None
    )


def _days(age: timedelta) -> str:
    number = age / timedelta(days=1)
    return "1 day" if number == 1 else f"{number:g} days"


def check_age(report: Report, plan: Plan) -> None:
    """Require that every file was signed long enough ago.

    Raises:
        RefusedError: ``too-young``.
    """
    for line in report.lines:
        match line.verdict:
            case Accepted(basis=SignedBy(log_time=signed)) if plan.now - signed < plan.min_age:
                raise RefusedError(
                    "too-young",
                    f"expected {line.subject} to be signed {_days(plan.min_age)} ago or earlier, "
                    f"found {signed:%Y-%m-%d %H:%M} UTC",
                    hint="Promote it later: the time between is when a stolen identity is noticed.",
                )
            case _:
                pass


def _copy(
    session: SessionParts, plan: Plan, rows: SourceRows, target: Target, found: tuple[Accepted, Sealed]
) -> _Copied:
    """Copy a file into the workspace, with the evidence that goes along."""
    accepted, sealed = found
    entry = session.trust.entry_for(plan.project, plan.version)
    if not isinstance(entry, IdentityEntry):
        raise InternalError("bug", "what is promoted is pinned by an identity")
    source = session.trust.source(plan.from_source)
    judge = PieceJudge(accepted, entry, session.roots)
    # What a pin requires of statements may rest on another piece than the one whose age was looked at.
    aged = PieceJudge(accepted, entry, session.roots, logged_by=plan.now - plan.min_age)
    places = generic_packages(entry.evidence or source.evidence, sealed.name, plan.from_registry)
    find_entry: FindEntry = partial(look_up, session.transport, session.roots, (judge.root,))
    session.reporter.step(f"looking at the evidence of {sealed.name}")
    gathered = gather(aged, rows, places, kinds=plan.kinds, find_entry=find_entry)
    _check_kinds(sealed.name.filename, gathered, plan)
    settled = target.settle(judge, gathered.carried, find_entry)
    directory = session.workspace / "release"
    directory.mkdir(mode=0o700, exist_ok=True)
    path = hand_over(sealed, directory)
    evidence = []
    for suffix, content in (each for piece in settled.carried for each in piece.contents):
        evidence.append(path.with_name(f"{path.name}{suffix}"))
        evidence[-1].write_bytes(content)
    signed = SignedFile(name=sealed.name, path=path, digest=sealed.digest, evidence=tuple(evidence))
    return _Copied(signed=signed, gathered=gathered, settled=settled)


def _check_kinds(filename: str, gathered: Gathered, plan: Plan) -> None:
    """Require each kind of evidence that the command line names."""
    there = {suffix for piece in gathered.carried for suffix, _ in piece.contents}
    stored = without_epoch(filename)
    missing = [f"{stored}.{kind}{BUNDLE}" for kind in plan.kinds if f".{kind}{BUNDLE}" not in there]
    if missing:
        bad = [item for item in gathered.left if item.label.partition("#")[0] in missing]
        found = f"{bad[0].label}, which is not good: {bad[0].code}" if bad else "none"
        raise RefusedError(
            "kind-missing",
            f"expected {missing[0]}, signed by the publisher, as --kind demands, found {found}",
            hint="`pip-warden attest` makes it. Or leave --kind out: then what is good is carried.",
        )


def _notes(copied: Sequence[_Copied], rows: SourceRows) -> list[str]:
    notes = [
        f"not looked at: {each.signed.path.name}{suffix}: too many kinds; --kind NAME names one"
        for each in copied
        for suffix in each.gathered.skipped
    ]
    if rows.denied:
        notes.append(
            "the source does not list its evidence: only the newest of each usual name was looked at"
        )
    return notes


def _upload(
    session: SessionParts,
    plan: Plan,
    destination: Destination,
    wanted: Sequence[SignedFile],
    *,
    dry_run: bool,
) -> tuple[UploadResult, ...]:
    """Upload all evidence of all files first, so that a consumer sees no file without its evidence."""
    entry = session.trust.entry_for(plan.project, plan.version)
    if not isinstance(entry, IdentityEntry):
        raise InternalError("bug", "what is promoted is pinned by an identity")
    at = session.settings.now()
    summaries = Summaries(session.transport, destination, plan, dry_run=dry_run)
    judged = [Judged(signed=signed, require=entry.require, at=at) for signed in wanted]
    registry = Registry(session.transport, destination, dry_run=dry_run, reporter=session.reporter)
    # Other bytes under a file's name are found before a log keeps a signature, and before any upload.
    planned = [each for signed in wanted for each in registry.look(signed)]
    written = summaries.make(judged)  # before anything is uploaded: no Sigstore, no half promotion
    planned.sort(key=lambda each: each.result.kind == "file")
    uploads = [registry.bring(each) for each in planned]
    ends = [summaries.upload(each, path) for each, path in zip(judged, written, strict=True)]
    return tuple(uploads + ends)
