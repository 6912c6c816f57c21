"""What a command line demands besides the trust file: it only ever adds to what the file requires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.trust.locations import parse_issuer
from pip_warden.trust.model import Entry, IdentityEntry, Requirements, TrustFile
from pip_warden.values import dataclass

_PROVENANCE = "https://slsa.dev/provenance/v1"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
"""Git's object ids, by SHA-1 and by SHA-256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demands:
    """What is demanded of the signer of every file; the default demands nothing.

    Attributes:
        source_repository: Claim 12, exactly; beside the one of the pin, where that names one.
        source_revision: Claim 13, and the commit of the provenance: a whole commit id in small letters.
        provenance: Whether provenance is demanded; of the type that the pin names, else SLSA v1.
        annotations: ``(key, value)`` of signed annotations.
    """

    source_repository: str | None = None
    source_revision: str | None = None
    provenance: bool = False
    annotations: tuple[tuple[str, str], ...] = ()

    def spelled(self) -> Iterator[str]:
        """Yield the options that say it, for people."""
        if self.source_repository is not None:
            yield f"--source-repository {self.source_repository}"
        if self.source_revision is not None:
            yield f"--source-revision {self.source_revision}"
        if self.provenance:
            yield "--require-provenance"
        for key, value in self.annotations:
            yield f"--require-annotation {key}={value}"


def read_demands(
    *,
    source_repository: Sequence[str] = (),
    source_revision: Sequence[str] = (),
    provenance: bool = False,
    annotations: Sequence[str] = (),
) -> Demands:
    """Read the options of a command line.

    Args:
        source_repository: Each ``--source-repository``: one URL, however often it is said.
        source_revision: Each ``--source-revision``: one commit, however often it is said.
        provenance: ``--require-provenance``.
        annotations: Each ``--require-annotation``, as ``K=V``.

    Raises:
        UsageError: ``bad-source-repository``, ``bad-source-revision`` or ``bad-annotation``.
    """
    return Demands(
        source_repository=_only("source-repository", [_repository(text) for text in source_repository]),
        source_revision=_only("source-revision", [_commit(text) for text in source_revision]),
        provenance=provenance,
        annotations=tuple(_annotation(text) for text in annotations),
    )


def demand(trust: TrustFile, demands: Demands) -> TrustFile:
    """Add demands to every entry: what the trust file requires must hold as well.

    What is pinned by hash has no known signer to meet them, and is refused.

    Args:
        trust: The trust file.
        demands: What is demanded.

    Raises:
        UsageError: Another commit or repository is demanded already.
    """
    return replace(
        trust,
        entries=tuple(_demanding(entry, demands) for entry in trust.entries),
        images=tuple(replace(each, require=required(demands, each.require)) for each in trust.images),
    )


def required(demands: Demands, known: Requirements) -> Requirements:
    """Return requirements with what is demanded besides.

    Raises:
        UsageError: Another commit or repository is demanded already.
    """
    repositories = [each for each in (known.demanded_repository, demands.source_repository) if each]
    revisions = [each for each in (known.source_revision, demands.source_revision) if each]
    return replace(
        known,
        demanded_repository=_only("source-repository", repositories),
        source_revision=_only("source-revision", revisions),
        provenance=known.provenance or (_PROVENANCE if demands.provenance else None),
        annotations=(*known.annotations, *demands.annotations),
    )


def _demanding(entry: Entry, demands: Demands) -> Entry:
    if not isinstance(entry, IdentityEntry):
        return replace(entry, demanded=(*entry.demanded, *demands.spelled()))
    return replace(entry, require=required(demands, entry.require))


def _only(option: str, values: Sequence[str]) -> str | None:
    """Return what is demanded; two that differ cannot both hold, and the last one would replace the first."""
    if len(set(values)) > 1:
        raise UsageError(
            f"bad-{option}", f"expected one --{option}, found {escape_text(' and '.join(values), 300)}"
        )
    return values[0] if values else None


def _repository(text: str) -> str:
    hint = "Write it as the certificate does: https://gitlab.com/GROUP/PROJECT, without .git at its end."
    try:
        parse_issuer(text)
    except UsageError as err:
        raise UsageError("bad-source-repository", f"--source-repository: {err.message}", hint=hint) from err
    path = text.partition("://")[2].partition("/")[2]
    if not path or path.endswith(("/", ".git")) or "//" in path:
        raise UsageError(
            "bad-source-repository",
            "expected --source-repository with a project's URL as the certificate has it, "
            f"found {escape_text(text, 200)!r}",
            hint=hint,
        )
    return text


def _commit(text: str) -> str:
    if not _COMMIT.fullmatch(text.lower()):
        raise UsageError(
            "bad-source-revision",
            "expected --source-revision with a whole commit id (40 or 64 hexadecimal digits), "
            f"found {escape_text(text, 80)!r}",
            hint="A branch, a tag or a short id can come to mean another commit: "
            "`git rev-parse 'TAG^{commit}'` prints the whole id.",
        )
    return text.lower()


def _annotation(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not key.isprintable() or not value.isprintable():
        raise UsageError(
            "bad-annotation", f"expected --require-annotation KEY=VALUE, found {escape_text(text)!r}"
        )
    return key, value
