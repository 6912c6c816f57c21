"""What a person is shown of an image's signer, and of the pin that is to be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pip_warden.display import escape_text
from pip_warden.report.pins import requirements_of
from pip_warden.trust.model import ImageEntry
from pip_warden.trust.segments import ANY_SEGMENT, TAG
from pip_warden.verdict.model import AcceptedImage, SignedBy

_MOST_ANNOTATIONS = 32


def who_signed(accepted: AcceptedImage) -> str:
    """Return who signed an image, and what is signed about it under the same identity."""
    facts = [*_certified(accepted.basis)] if isinstance(accepted.basis, SignedBy) else []
    facts += _stated(accepted)
    return "\n".join([str(accepted.image.name), *_table(facts)])


def pinned_as(entry: ImageEntry) -> str:
    """Return the pin of a repository's images by one signer."""
    return "\n".join(_pinned_as(entry))


def _certified(signed: SignedBy) -> Iterator[tuple[str, str | None]]:
    claims = signed.claims
    yield "signed by", ", ".join(claims.subjects)
    yield "issued by", claims.issuer
    yield "project id", claims.get("project-id")
    yield "source", claims.get("source-repository")
    yield "commit", claims.get("source-digest")
    yield "ref", claims.get("source-ref")
    yield "runner", claims.get("runner-environment")
    yield "trigger", claims.get("build-trigger")
    yield "time", f"{signed.log_time:%Y-%m-%d %H:%M:%S} UTC"
    yield "log index", str(signed.log_index)
    yield "evidence", signed.label


def _stated(accepted: AcceptedImage) -> Iterator[tuple[str, str | None]]:
    """Yield what signed statements say: each under the identity that the acceptance rests on."""
    found = [each.provenance for each in accepted.statements if each.provenance is not None]
    yield "provenance", f"of the builder {found[0].builder_id}" if found else "none that agrees"
    said = dict.fromkeys(pair for each in accepted.statements for pair in each.annotations)
    for key, value in islice(said, _MOST_ANNOTATIONS):
        yield "annotation", f"{key}={value}"
    if len(said) > _MOST_ANNOTATIONS:
        yield "annotation", f"and {len(said) - _MOST_ANNOTATIONS} more"


def _pinned_as(entry: ImageEntry) -> Iterator[str]:
    (identity,) = entry.identities
    yield str(entry.repository)
    yield from _table(
        [
            ("pinned as", identity.subject.text),
            ("issuer", identity.issuer),
            ("project id", identity.project_id),
            *requirements_of(entry),
            ("realm", entry.realm),
        ]
    )
    ref = identity.subject.ref
    if ref is not None and TAG in ref.text:
        yield (
            f"  {TAG} is each image's own tag: each must be signed by the pipeline of its tag.\n"
            "  Protect that tag pattern in GitLab: no certificate shows whether it is."
        )
    elif ref is not None and ANY_SEGMENT in ref.text:
        yield f"  {ANY_SEGMENT} is any name: a build of any such tag may sign any image."


def _table(facts: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    rows = [(name, value) for name, value in facts if value]
    width = max(len(name) for name, _ in rows)
    yield from (f"  {name:{width}}  {escape_text(value, 500)}" for name, value in rows)
