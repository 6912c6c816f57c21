"""The order of publishing.

::

    private copies → judge every file → look at what is there, of every file → upload evidence, then the file

Nothing is uploaded before every file was judged and every name was looked at. Each step can be run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pip_warden.publication.again import EarlierEvidence
from pip_warden.publication.copies import PrivateCopy
from pip_warden.publication.judging import Publishable, judge_copy
from pip_warden.publication.rules import JudgingRules
from pip_warden.publish.registry import Registry, UploadResult
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Line
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What judging came to.

    Attributes:
        lines: The line of every file.
        exit_code: 0 where all of them may be published.
        files: Those files; empty where one of them may not: it is all or nothing.
        said: Under what was judged, and whose evidence it is, each in words once.
    """

    lines: tuple[Line, ...]
    exit_code: int
    files: tuple[Publishable, ...]
    said: tuple[str, ...]


def judge_all(copies: Sequence[PrivateCopy], rules: JudgingRules, today: date) -> Judgement:
    """Judge every file.

    Args:
        copies: The private copies.
        rules: Under what each is judged.
        today: The day (UTC).

    Raises:
        UsageError: ``bad-trust-config``.
        TrustRootError: The root for what is not pinned cannot be had.
    """
    ledger = Ledger()
    good: list[Publishable] = []
    said: dict[str, None] = {}
    for copy in copies:
        rule = rules.rule_for(copy.artifact.name)
        outcome = judge_copy(copy, rule, today)
        if isinstance(outcome, Publishable):
            good.append(outcome)
            said[f"judged {rule.words}; signed by {', '.join(outcome.signers)}"] = None
            ledger.add(outcome.line)
        else:
            said[f"judged {rule.words}"] = None
            ledger.add(outcome)
    code = ledger.exit_code()
    return Judgement(
        lines=ledger.lines(), exit_code=code, files=() if code else tuple(good), said=tuple(said)
    )


def publish_all(
    files: Sequence[Publishable],
    registry: Registry,
    today: date,
    *,
    with_files: bool = True,
    skip_existing: bool = False,
) -> tuple[UploadResult, ...]:
    """Publish what was judged: the copies, not the paths.

    Args:
        files: The files.
        registry: The registry.
        today: The day (UTC).
        with_files: Whether the files are uploaded, or their evidence alone.
        skip_existing: Whether a file under whose name other bytes are published is left out, with its
            evidence.

    Raises:
        RefusedError: ``other-content``.
        UsageError: ``bad-distribution``.
        UndecidedError: The registry did not respond, or not as expected.
    """
    weighing = [EarlierEvidence(each, today).weigh for each in files]
    plans = [
        registry.look(each.copy.signed, weigh, with_file=with_files, skip_existing=skip_existing)
        for each, weigh in zip(files, weighing, strict=True)
    ]
    return tuple(
        registry.bring(planned, weigh)
        for plan, weigh in zip(plans, weighing, strict=True)
        for planned in plan
    )
