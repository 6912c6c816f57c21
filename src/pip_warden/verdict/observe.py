"""Before a pin exists: prove who signed a file, without judging whether that is the right one.

Everything that does not depend on a pinned identity is judged exactly as in :mod:`pip_warden.verdict.judge`: steps 2 to 8.
"""

from __future__ import annotations

from pip_warden._sigstore.root import Root
from pip_warden.evidence.model import Item
from pip_warden.trust.pins import IdentityEntry, TrustFile
from pip_warden.verdict.judge import No, judge_file, no_evidence, prove_item, refused, signed_by
from pip_warden.verdict.model import Exhibit, Refused, SignedBy, Step


def observe(
    exhibit: Exhibit, *, trust: TrustFile, probe: IdentityEntry, root_name: str, root: Root
) -> SignedBy | Refused:
    """Prove who signed a file.

    Args:
        exhibit: The file with all its evidence.
        trust: A trust file that has the probe's source.
        probe: An entry for the project that pins nobody yet.
        root_name: Name of the trusted root.
        root: The trusted root.
    """
    no = judge_file(exhibit, probe, trust)
    if no is not None:
        return refused(exhibit, no)
    closest = No(Step.EVIDENCE, no_evidence(exhibit))
    for item in exhibit.evidence:
        if not isinstance(item, Item):
            closest = max(closest, No(Step.EVIDENCE, item.fault), key=lambda outcome: outcome.step)
            continue
        proved = prove_item(item, exhibit, probe, root)
        if not isinstance(proved, No):
            return signed_by(item, proved, root_name)
        closest = max(closest, proved, key=lambda outcome: outcome.step)
    return refused(exhibit, closest)
