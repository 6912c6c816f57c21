"""A report in which a run has come to everything that one can come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import samples
from builds import CLAIMS, ours
from pip_warden.digests import digest_of
from pip_warden.errors import NetworkError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.faults import Fault
from pip_warden.report.model import Line, Outcome, Place, Report, Unpinned, line_of, undecided_line
from pip_warden.trust.model import Requirements, Source
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.model import (
    Accepted,
    ItemRefusal,
    Passed,
    PinnedByHash,
    ProvedStatement,
    Refused,
    SignedBy,
    Step,
    StepFailure,
)
from pip_warden.verdict.passed import passed_by
from pip_warden.verdict.provenance import Provenance, read_provenance
from pip_warden.verdict.statement import PROVENANCE

SIGNED = SignedBy(
    label=f"{samples.WHEEL}.sigstore.json",
    form=EvidenceForm.BUNDLE,
    claims=CLAIMS,
    log_index=184_460_711,
    log_time=datetime(2026, 7, 1, 0, 0, 4, tzinfo=UTC),
    root="default",
)
OTHER_FILE = "acme_widgets-1.0.tar.gz"
MEANT = f"{samples.GITLAB}/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
FOUND = f"{samples.GITLAB}/acme/wigdets//.gitlab-ci.yml@refs/heads/v1.0"
WRONG = Fault(
    code="identity-mismatch",
    expected=f"subject {MEANT}",
    found=f"subject {FOUND}",
    hint="If the project has moved, look at who owns it now, and move the pin: `pip-warden trust update`.",
)
_CHECKED = (
    Passed(Step.PIN, "acme-widgets is pinned to one identity"),
    Passed(Step.ORIGIN, "source acme, project 4711"),
    Passed(Step.NAME, "acme-widgets 1.0"),
    Passed(Step.ARCHIVE, "a wheel whose RECORD agrees with its members"),
    Passed(Step.DIGEST, f"sha256:{samples.DIGEST.hex}"),
)


def accepted() -> Accepted:
    """Make an acceptance by a signature, with provenance and annotations, and evidence that is not good."""
    built = read_provenance(ours(), CLAIMS)
    assert isinstance(built, Provenance)
    bad = ItemRefusal(label="old.sigstore.json", form=EvidenceForm.BUNDLE, failure=_failure())
    file = samples.artifact(size=48_213)
    return Accepted(
        artifact=file,
        basis=SIGNED,
        bad_items=(bad,),
        statements=(
            ProvedStatement(signed=SIGNED, predicate_type=PROVENANCE, provenance=built),
            ProvedStatement(signed=SIGNED, predicate_type=ANNOTATIONS, annotations=(("reviewed", "yes"),)),
        ),
        passed=(*_CHECKED, *passed_by(SIGNED, None, samples.identity(), Requirements(), file)),
    )


def refused() -> Refused:
    """Make a refusal because of who signed."""
    item = ItemRefusal(label=f"{OTHER_FILE}.sigstore.json", form=EvidenceForm.DSSE_BUNDLE, failure=_failure())
    return Refused(subject=OTHER_FILE, failure=_failure(), bad_items=(item,), passed=_CHECKED)


def everything() -> Report:
    """Make a report with a line of every kind."""
    hashed = PinnedByHash(reason="unsigned; read by two of us", expires=date(2026, 12, 24), days_left=24)
    kit = samples.artifact("acme_kit-2.0-py3-none-any.whl", digest_of(b"the kit"))
    lines = (
        line_of(accepted(), source="acme"),
        line_of(Accepted(artifact=kit, basis=hashed), source="acme"),
        line_of(refused(), source="acme", sha256=digest_of(b"the sdist").hex),
        line_of(samples.refused("request", Step.PIN, "not-pinned", "an entry for request", "none")),
        undecided_line("acme-tools", NetworkError("unreachable", "expected an answer, found none")),
        replace(line_of(accepted(), source="acme"), outcome=Outcome.EARLIER),
        Line(subject="acme_local", outcome=Outcome.LOCAL, note="a directory of yours"),
        Line(subject="setuptools 80.0", outcome=Outcome.PRESENT, note="it was there before"),
        Line(subject="acme-last 1.0", outcome=Outcome.NOT_JUDGED),
    )
    return Report(
        command="safe-install",
        exit_code=1,
        lines=lines,
        unpinned=(Unpinned(project="request", wanted_by=samples.WHEEL),),
        warnings=("the trusted root is 200 days old",),
        target="/work/app/.venv/bin/python",
        trust_file="pytrust.toml",
        sources=(Source(name="acme", type="gitlab", url=samples.GITLAB),),
        places=((samples.PROJECT, Place(path="requirements.txt", line=3)),),
    )


def _failure() -> StepFailure:
    return StepFailure(Step.IDENTITY, WRONG)
