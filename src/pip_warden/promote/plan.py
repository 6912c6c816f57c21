"""What is to be promoted, from where, and the trust file that it is judged with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from packaging.version import Version

from pip_warden._sigstore.sign import Signatory
from pip_warden.digests import Digest
from pip_warden.errors import UndecidedError, UsageError
from pip_warden.index.gitlab import GitLab
from pip_warden.names import ProjectName
from pip_warden.transport import Transport
from pip_warden.trust.model import IdentityEntry, TrustFile
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The trust file, as a verification summary names it.

    Attributes:
        uri: Where others find it.
        digest: SHA-256 of its bytes.
        demanded: What the command line demanded besides, as it was typed.
    """

    uri: str
    digest: Digest
    demanded: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SummarySigner:
    """Who signs the verification summaries.

    Attributes:
        claimed_subject: The subject that the certificate will have, as the token claims it.
        opens: Exchanges the token for a certificate; only called when there is something to sign.
    """

    claimed_subject: str
    opens: Callable[[], AbstractContextManager[Signatory]]

    @property
    def uri(self) -> str:
        """The subject as a URI: a person's is a mail address."""
        return self.claimed_subject if "://" in self.claimed_subject else f"mailto:{self.claimed_subject}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be promoted.

    Attributes:
        project: The project.
        version: The release.
        from_source: Name of the source it is judged and copied from.
        from_registry: The registry project there.
        min_age: The least age of its signatures.
        now: The time, aware.
        policy: What it is judged by, for the verification summary.
        kinds: Further kinds of evidence that must be carried, and no others; empty for all that is there.
        signer: Who signs the verification summaries; None for nobody.
    """

    project: ProjectName
    version: Version
    from_source: str
    from_registry: str
    min_age: timedelta
    now: datetime
    policy: Policy
    kinds: tuple[str, ...] = ()
    signer: SummarySigner | None = None


def trust_from(trust: TrustFile, plan: Plan) -> TrustFile:
    """Return the target's trust file with the pin's source and registry project those of ``--from``.

    Raises:
        UsageError: ``not-promotable``: no identity is pinned, ``--from`` is not a GitLab of the trust
            file, or it is the target itself.
    """
    entry = trust.entry_for(plan.project, plan.version)
    sources = {source.name: source for source in trust.sources}
    if not isinstance(entry, IdentityEntry):
        raise UsageError(
            "not-promotable",
            f"expected {plan.project} pinned by an identity in {trust.path.name}, found none",
        )
    if plan.from_source not in sources or sources[plan.from_source].type != "gitlab":
        raise UsageError(
            "not-promotable",
            f"expected --from to name a gitlab source of {trust.path.name}, found {plan.from_source!r}",
        )
    if plan.from_source == entry.source and is_same_path(plan.from_registry, entry.registry or ""):
        raise UsageError(
            "not-promotable",
            f"expected another project than {entry.registry}, the target itself, found it as the origin",
            hint="--from-project PATH names the project that the release is copied from.",
        )
    moved = replace(entry, source=plan.from_source, registry=plan.from_registry, registry_id=None)
    others = tuple(other for other in trust.entries if other.project != plan.project)
    return replace(trust, entries=(*others, moved))


def is_same_path(one: str, other: str) -> bool:
    """Return whether two spellings name one project: GitLab tells no upper case from lower case."""
    return one.strip("/").casefold() == other.strip("/").casefold()


def as_gitlab_spells(transport: Transport, trust: TrustFile, plan: Plan) -> Plan:
    """Return a plan with the path of ``--from-project`` as GitLab spells it.

    GitLab finds a project by its path in any case, but a generic package only by its exact name, and
    evidence lies in one that has the project's name. A job token may not ask; then the spelling stays. So
    does it where the answer is another path: evidence of a project that was renamed keeps its place.
    """
    source = trust.source(plan.from_source)
    pinned = [e.registry for e in trust.entries if e.source == source.name and e.registry is not None]
    if plan.from_registry in pinned:
        return plan
    try:
        info = GitLab(transport, source.url).project_info(plan.from_registry)
    except UndecidedError:
        known = [path for path in pinned if is_same_path(path, plan.from_registry)]
        return replace(plan, from_registry=known[0]) if known else plan
    is_its = plan.from_registry.isdecimal() or is_same_path(info.path, plan.from_registry)
    return replace(plan, from_registry=info.path) if is_its else plan
