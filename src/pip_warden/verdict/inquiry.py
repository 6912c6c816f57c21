"""The inquiry: ten numbered steps about one file.

========  ============  =================================================================================
step      name          what is judged
========  ============  =================================================================================
1         pin           the project has an entry in the trust file
2         origin        page and file URLs are those of the entry's source
3         name          file name, index entry and project agree
4         archive       the archive is well-formed and agrees with its file name; no direct references
5         digest        the bytes have every digest stated for them; then revocation; a hash pin ends here
6         evidence      there is at least one item, and it parses, strictly
7         signature     certificate chain, log entry, signing time, signature over the digest
8         subject       what was signed is this artifact
9         identity      the signer is one that the pin names
10        policy        the certificate meets the pin's other requirements
========  ============  =================================================================================

The caller offers what it has, the inquiry says what it wants next, and it has a verdict once nothing more
could change it::

    Inquiry(candidate)  1, 2          wants ARTIFACT   or nothing: refused before anything is fetched
    offer_artifact      3, 4, 5       wants EVIDENCE   or nothing: refused, or accepted by its hash
    offer_evidence      6 … 10        wants EVIDENCE   or nothing: accepted by this item
    no_more_evidence                  wants NOTHING

No network, clock or environment is used: everything judged is offered, the day included. No file is read but
the artifact itself, where a proved statement states a digest other than SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from enum import Enum

from pip_warden.artifact.model import Artifact
from pip_warden.errors import InternalError
from pip_warden.evidence.model import BadItem, Evidence, Item
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate
from pip_warden.names import ArtifactName
from pip_warden.trust.model import Entry, HashEntry, Probe, TrustFile
from pip_warden.verdict.evidence import EvidenceEvaluation, Roots
from pip_warden.verdict.examined import examine
from pip_warden.verdict.hearing import hear_all, heard
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, Observed, Passed, Refused, Step, StepFailure, Verdict
from pip_warden.verdict.pin import by_hash, find_pin, unsigned_hint, words_of


class Wants(Enum):
    """What an inquiry wants next."""

    ARTIFACT = "the artifact"
    EVIDENCE = "evidence"
    NOTHING = "nothing"


class Inquiry:
    """The state of judging one file: it only moves forward, and takes only what it wants.

    Args:
        asked: The candidate of an index; or the name of a user's file, which no index lists.
        trust: The trust file.
        roots: The trusted roots that it pins.
        today: The day (UTC) on which exemptions must not have ended.
        listing: The judged page that lists the candidate.
        probe: Replaces the entry of a project for which no identity is pinned yet.

    Attributes:
        wants: What is wanted next.

    Raises:
        InternalError: A candidate without its page.
    """

    def __init__(
        self,
        asked: Candidate | ArtifactName,
        *,
        trust: TrustFile,
        roots: Roots,
        today: date,
        listing: Listing | None = None,
        probe: Probe | None = None,
    ) -> None:
        self._candidate = asked if isinstance(asked, Candidate) else None
        self._name = asked.name if isinstance(asked, Candidate) else asked
        self._project = asked.project
        self._trust = trust
        self._roots = roots
        self._today = today
        self._evidence: list[Item | BadItem] = []
        self._passed: list[Passed] = []
        self._weighing: EvidenceEvaluation[Artifact] | None = None
        self._outcome: Verdict | Observed | None = None
        self.wants = Wants.ARTIFACT
        self._entry = self._find_entry(probe)
        if self._candidate is not None:
            self._check_origin(self._candidate, listing)

    @property
    def entry(self) -> Entry | Probe | None:
        """The entry that decides; None where there is none."""
        return self._entry

    @property
    def evidence(self) -> Evidence:
        """Every item that was taken before the verdict, in order."""
        return tuple(self._evidence)

    @property
    def proved(self) -> int:
        """How many signatures were verified so far: of one item under two roots they are two."""
        return 0 if self._weighing is None else self._weighing.proved

    @property
    def verdict(self) -> Verdict:
        """Return the verdict, once nothing more is wanted.

        Raises:
            InternalError: Something is still wanted, or no identity is pinned.
        """
        if isinstance(self._outcome, Accepted | Refused):
            return self._outcome
        raise InternalError(
            "bug", f"no verdict on {self._name}: {self.wants.value} is wanted, or no identity is pinned"
        )

    @property
    def observation(self) -> Observed | Refused:
        """Return who signed the file, where no identity is pinned, once nothing more is wanted.

        Raises:
            InternalError: Something is still wanted, or an identity is pinned.
        """
        if isinstance(self._outcome, Observed | Refused):
            return self._outcome
        raise InternalError("bug", f"no observation of {self._name}: {self.wants.value} is wanted, or a pin")

    def offer_artifact(self, artifact: Artifact) -> None:
        """Judge the bytes: steps 3 to 5, and revocation; with a hash pin this is the end.

        Raises:
            InternalError: It is not wanted, or has another name.
        """
        self._take(Wants.ARTIFACT)
        if artifact.name != self._name or self._entry is None:
            raise InternalError("bug", f"{artifact.name} was offered where {self._name} is judged")
        failure = self._look_at(artifact, self._entry)
        if failure is not None:
            self._end(self._refused(failure))
        elif isinstance(self._entry, HashEntry):
            basis = by_hash(self._entry, self._today)
            self._end(Accepted(artifact=artifact, basis=basis, passed=tuple(self._passed)))
        else:
            self.wants = Wants.EVIDENCE
            self._weighing = EvidenceEvaluation(artifact, self._entry, self._roots)

    def offer_evidence(self, item: Item | BadItem) -> None:
        """Judge one item of evidence: steps 6 to 10.

        The first that is good by itself, or with those before it, ends the inquiry.

        Raises:
            InternalError: None is wanted.
        """
        weighing = self._take_evidence()
        self._evidence.append(item)
        weighing.add(item)
        good = weighing.good
        if good is not None and isinstance(self._entry, Probe):
            self._end(Observed(signed=good))
        elif good is not None:
            passed = (*self._passed, *weighing.passed)
            self._end(heard(Accepted(artifact=weighing.judged, basis=good, passed=passed), weighing))

    def no_more_evidence(self) -> None:
        """End the inquiry without a good item; the verdict reports the bad item that came furthest.

        Raises:
            InternalError: No evidence is wanted.
        """
        weighing = self._take_evidence()
        hint = unsigned_hint(self._entry, self._name, self._trust, is_local=self._candidate is None)
        refused = self._refused(weighing.closest(hint=hint))
        self._end(replace(refused, bad_items=weighing.refusals))

    def offer_all(self, found: Iterable[Item | BadItem]) -> None:
        """Take one item after the other until nothing more is wanted.

        Further evidence is not looked up, so that an error there cannot change the verdict.

        Args:
            found: The evidence, best form first; exceptions of its look-up propagate.

        Raises:
            InternalError: No evidence is wanted.
        """
        self._take_evidence()
        for item in found:
            self.offer_evidence(item)
            if self.wants is Wants.NOTHING:
                return
        self.no_more_evidence()

    def hear(self, further: Iterable[Item | BadItem]) -> None:
        """Take what else speaks for an accepted file, for what it says: the verdict stays what it is.

        Args:
            further: What :meth:`offer_all` left. An error of its look-up is told, and passes to nobody.
        """
        if isinstance(self._outcome, Accepted) and self._weighing is not None:
            self._outcome = hear_all(self._outcome, self._weighing, further)

    def _find_entry(self, probe: Probe | None) -> Entry | Probe | None:
        """Step 1."""
        entry = probe or find_pin(self._project, self._name.version, self._trust, self._today)
        if isinstance(entry, Fault):
            self._end(self._refused(StepFailure(Step.PIN, entry)))
            return None
        self._note(Step.PIN, words_of(entry, self._trust))
        return entry

    def _check_origin(self, candidate: Candidate, listing: Listing | None) -> None:
        """Step 2, the part that the page does not decide for all of its files."""
        if listing is None or (self._entry is not None and not listing.is_for(self._entry)):
            raise InternalError("bug", "a candidate was judged without its page")
        fault = listing.check_candidate(candidate)
        if fault is not None and self.wants is not Wants.NOTHING:
            self._end(self._refused(StepFailure(Step.ORIGIN, fault)))
        if self.wants is not Wants.NOTHING:
            self._note(Step.ORIGIN, f"a file listed on {listing.page.url}")

    def _look_at(self, artifact: Artifact, entry: Entry | Probe) -> StepFailure | None:
        """Steps 3 to 5, revocation, and whether a hash pin is enough."""
        revoked = self._trust.revoked
        for step, fault, found in examine(artifact, self._candidate, self._project, entry, revoked):
            if fault is not None:
                return StepFailure(step, fault)
            self._note(step, found)
        return None

    def _note(self, step: Step, found: str) -> None:
        """Remember what a step found; without words it had nothing to compare."""
        if found:
            self._passed.append(Passed(step, found))

    def _refused(self, failure: StepFailure) -> Refused:
        return Refused(subject=self._name.filename, failure=failure, passed=tuple(self._passed))

    def _end(self, outcome: Verdict | Observed) -> None:
        self._outcome = outcome
        self.wants = Wants.NOTHING

    def _take(self, offered: Wants) -> None:
        if self.wants is not offered:
            raise InternalError(
                "bug", f"{offered.value} was offered for {self._name}, {self.wants.value} is wanted"
            )

    def _take_evidence(self) -> EvidenceEvaluation[Artifact]:
        self._take(Wants.EVIDENCE)
        if self._weighing is None:
            raise InternalError("bug", "evidence is wanted for nothing")
        return self._weighing


def judge(
    artifact: Artifact,
    evidence: Iterable[Item | BadItem],
    *,
    trust: TrustFile,
    roots: Roots,
    today: date,
    candidate: Candidate | None = None,
    listing: Listing | None = None,
) -> Verdict:
    """Judge a file with all of its evidence.

    Args:
        artifact: The file.
        evidence: All of its evidence, best form first.
        trust: The trust file.
        roots: The trusted roots that the trust file pins.
        today: The day (UTC) on which exemptions must not have ended.
        candidate: The index entry that it came from; None for a user's file.
        listing: The judged page that lists the candidate.
    """
    inquiry = Inquiry(candidate or artifact.name, trust=trust, roots=roots, today=today, listing=listing)
    if inquiry.wants is Wants.ARTIFACT:
        inquiry.offer_artifact(artifact)
    if inquiry.wants is Wants.EVIDENCE:
        inquiry.offer_all(evidence)
    return inquiry.verdict
