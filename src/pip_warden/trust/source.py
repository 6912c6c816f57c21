"""The sources of a trust file: where files come from, and where what speaks for them is."""

from __future__ import annotations

from typing import Literal

from pip_warden.values import dataclass, field

DEFAULT_EVIDENCE = ("{project-name}/{version}", "{name}/{version}")
"""Default places of evidence: the last segment of the registry project's path, then the package's name."""

_PYPI = "https://pypi.org/simple"
_PYPI_EVIDENCE = ("https://pypi.org/integrity/{name}/{version}/{filename}/provenance",)


def default_evidence(kind: Literal["gitlab", "simple"], url: str) -> tuple[str, ...]:
    """Return the templates of a source that gives none: empty where the index's pages name the evidence."""
    if kind == "gitlab":
        return DEFAULT_EVIDENCE
    return _PYPI_EVIDENCE if url == _PYPI else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where files come from.

    Attributes:
        name: X of ``[source.X]``.
        type: ``gitlab`` (a GitLab instance: PyPI registry for files, generic registry for evidence) or
            ``simple`` (a PEP 503/691 index with PEP 740 provenance).
        url: Root URL of the instance or index, without a trailing slash.
        evidence: ``gitlab``: templates of the evidence's package and version in the generic registry, tried
            in order. ``simple``: one template of the provenance's URL, or none where the pages name it. Empty
            stands for the default, and is replaced by it.
        hash_reason: Why a hash is enough for its packages that give no reason themselves; ``""`` for none.
        mirror: Where this machine takes the index's pages and files from instead (``simple``); it proves
            nothing, is never written into a trust file, and makes no other source.
    """

    name: str
    type: Literal["gitlab", "simple"]
    url: str
    evidence: tuple[str, ...] = ()
    hash_reason: str = ""
    mirror: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.evidence:
            object.__setattr__(self, "evidence", default_evidence(self.type, self.url))

    @property
    def home(self) -> str:
        """Return the URL that its pages and files are asked from: its mirror's, else its own."""
        return self.mirror or self.url


COMMAND_LINE = Source(name="command-line", type="simple", url="https://localhost")
"""Source of a package whose signer is named on the command line. Nothing is fetched from it."""
