"""Says in words what the trust file says of a package or of images, to people who do not know Sigstore."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from pip_warden.names import ProjectName
from pip_warden.trust.model import (
    HashEntry,
    Identity,
    IdentityEntry,
    ImageEntry,
    Requirements,
    Revocation,
    TrustFile,
)
from pip_warden.trust.segments import ANY_SEGMENT, TAG, VERSION
from pip_warden.trust.subject import RefPattern
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One question about a package or an image, and its answers.

    Attributes:
        key: Stable kebab-case name.
        title: The question's subject, for people.
        lines: Sentences; they may hold foreign text, not escaped.
    """

    key: str
    title: str
    lines: tuple[str, ...]


def explained(project: ProjectName, trust: TrustFile, today: date) -> tuple[Section, ...]:
    """Return what holds for a package that is pinned, or revoked; no section is empty.

    Args:
        project: The package.
        trust: The trust file; its sources may know their mirrors.
        today: The day (UTC), which tells what has ended.
    """
    sections = (
        ("publisher", "Who may publish it", _publishers(project, trust, today)),
        ("place", "Where it comes from", _place(project, trust)),
        ("requirements", "What else is required", _requirements(project, trust)),
        ("exemptions", "What is exempt, and why", _exemptions(project, trust, today)),
        ("revoked", "What is revoked", _revocations(project, trust)),
    )
    return _answered(sections)


def explained_image(entry: ImageEntry, trust: TrustFile) -> tuple[Section, ...]:
    """Return what holds for the images of a repository that is pinned; no section is empty."""
    return _answered(
        (
            ("publisher", "Who may publish it", _image_publishers(entry, trust)),
            ("place", "Where it comes from", _registry(entry, trust)),
            ("requirements", "What else is required", _of_signer(entry)),
            ("revoked", "What is revoked", _revoked_digests(trust)),
        )
    )


def _answered(sections: Iterable[tuple[str, str, Iterator[str]]]) -> tuple[Section, ...]:
    answers = ((key, title, tuple(lines)) for key, title, lines in sections)
    return tuple(Section(key=key, title=title, lines=lines) for key, title, lines in answers if lines)


def _image_publishers(entry: ImageEntry, trust: TrustFile) -> Iterator[str]:
    for identity in entry.identities:
        yield _signer(identity, trust)
    yield "An image is accepted only with a signature that proves this, made for exactly its digest."


def _registry(entry: ImageEntry, trust: TrustFile) -> Iterator[str]:
    yield f"{entry.repository}, and nowhere else. Where an image lies, and its tag, prove nothing."
    registry = entry.repository.registry
    for realm in sorted(trust.realms.get(registry, ())):
        yield f"Credentials for {registry} may be sent to {realm}, too."


def _revoked_digests(trust: TrustFile) -> Iterator[str]:
    count = sum(each.sha256 is not None for each in trust.revoked)
    if count:
        yield f"{count} by digest alone, which may be images of any repository."


def _publishers(project: ProjectName, trust: TrustFile, today: date) -> Iterator[str]:
    entry = trust.identity_entry(project)
    has_exempt = any(not each.is_over(today) for each in _exempt(project, trust))
    if entry is None and has_exempt:
        yield "Nobody by a signature. Only the files below are accepted, each by its recorded digest."
        return
    if entry is None:
        yield "Nobody: no file of it is accepted."
        return
    for identity in entry.identities:
        yield _signer(identity, trust)
    subject = "But for what is exempt below, a file" if has_exempt else "A file"
    yield f"{subject} is accepted only with a signature that proves this, made for exactly its bytes."


def _signer(identity: Identity, trust: TrustFile) -> str:
    root = trust.root(identity.root)
    proof = f"Proof: a certificate that {identity.issuer} had issued"
    proof += f", checked against {root.path.name}." if root is not None else "."
    return " ".join(filter(None, (f"{_name(identity)}.", _period(identity), proof)))


def _name(identity: Identity) -> str:
    subject = identity.subject
    if subject.project is None or subject.ref is None:
        return f"Whoever signs in as {subject.text}"
    host, _, path = subject.project.partition("/")
    configuration = subject.text.partition("@")[0].removeprefix(f"https://{subject.project}").strip("/")
    number = f" (number {identity.project_id})" if identity.project_id is not None else ""
    words = f"The pipeline {configuration} of project {path}{number} on {host}, run for {_ref(subject.ref)}"
    if ANY_SEGMENT in f"{path}/{subject.ref.text}".split("/"):
        words += f"; {ANY_SEGMENT} is any one name"
    return words


def _ref(ref: RefPattern) -> str:
    _, kind, name = ref.text.split("/", 2)
    words = f"the {'tag' if kind == 'tags' else 'branch'} {name}"
    if TAG in name:
        return f"{words}, {TAG} being the image's own tag"
    return f"{words}, {VERSION} being the release's own version" if VERSION in name else words


def _period(identity: Identity) -> str:
    if identity.not_before is None and identity.not_after is None:
        return ""
    days = (f"from {identity.not_before}", f"to {identity.not_after}")
    given = (identity.not_before, identity.not_after)
    period = " ".join(day for day, limit in zip(days, given, strict=True) if limit is not None)
    return f"Only what was signed {period} (UTC); later use does not matter."


def _place(project: ProjectName, trust: TrustFile) -> Iterator[str]:
    entry = trust.page_entry(project)
    if entry is None:
        yield "Nowhere: it is not pinned."
        return
    source = trust.source(entry.source)
    words = f"{source.url} (source {source.name})"
    if entry.registry is not None:
        words += f", the package registry of project {entry.registry}"
        has_number = entry.registry_id is not None and str(entry.registry_id) != entry.registry
        words += f" (number {entry.registry_id})" if has_number else ""
    yield f"{words}, and nowhere else. Where a file lies proves nothing."
    if source.mirror is not None:
        yield f"Here, pages and files come from the mirror {source.mirror}, which proves nothing."
    if source.type == "simple" and trust.identity_entry(project) is not None:
        where = f"looked for at {source.evidence[0]}" if source.evidence else "where the index's pages say"
        yield f"What speaks for its files is {where}."


def _requirements(project: ProjectName, trust: TrustFile) -> Iterator[str]:
    entry = trust.identity_entry(project)
    if entry is not None:
        yield from _of_signer(entry)


def _of_signer(entry: IdentityEntry | ImageEntry) -> Iterator[str]:
    require = entry.require
    if not all(identity.is_account for identity in entry.identities):
        yield "The pipeline built its own project's code, not that of a fork."
        yield f"The pipeline was started by {' or '.join(sorted(require.build_trigger))}."
    yield from _exact_requirements(require)
    if require.predicate_types:
        types = ", ".join(sorted(require.predicate_types))
        yield f"Signed statements of these types count as a release, too: {types}."
    if require.provenance is not None:
        yield (
            f"There is a signed statement of how it was built ({require.provenance}), "
            "by the same publisher, about the repository and commit in the certificate."
        )
    if require.confirmed_build:
        yield "That statement names the job that signed as the one that built: both are one, on one machine."
    for key, value in require.annotations:
        yield f"The publisher has signed the annotation {key} = {value}."


def _exact_requirements(require: Requirements) -> Iterator[str]:
    stated = {
        "machine of the job that signed (runner environment)": require.runner_environment,
        "ref that was built": require.source_ref and require.source_ref.text,
        "repository that was built": require.source_repository,
        "deployment environment": require.environment,
        "repository's visibility": require.visibility,
    }
    for name, value in stated.items():
        if value is not None:
            yield f"The {name} is {value}."


def _exemptions(project: ProjectName, trust: TrustFile, today: date) -> Iterator[str]:
    entries = _exempt(project, trust)
    for entry in sorted(entries, key=lambda each: each.version):
        files = f"{len(entry.files)} file{'s' if len(entry.files) > 1 else ''}"
        last = entry.expires
        if entry.is_over(today):
            yield f"{entry.version}: refused, since its last day was {last}. Reason: {entry.reason}"
            continue
        until = f", until {last}" if last is not None else ""
        yield (
            f"{entry.version}: {files} by digest{until}. This proves that they are the bytes that were "
            f"recorded, not who published them. Reason: {entry.reason}"
        )
    if entries and not any(isinstance(entry, IdentityEntry) for entry in trust.entries_of(project)):
        yield "Every other version is refused."


def _exempt(project: ProjectName, trust: TrustFile) -> list[HashEntry]:
    return [entry for entry in trust.entries_of(project) if isinstance(entry, HashEntry)]


def _revocations(project: ProjectName, trust: TrustFile) -> Iterator[str]:
    pinned = {
        digest: name
        for entry in trust.entries_of(project)
        if isinstance(entry, HashEntry)
        for name, digest in entry.files
    }
    elsewhere = 0
    for each in trust.revoked:
        what = _revoked(each, project) or (each.sha256 and pinned.get(each.sha256))
        if what:
            yield f"{what} is refused whatever else is said. Reason: {each.reason}"
        elsewhere += each.sha256 is not None and not what
    if elsewhere:
        yield f"{elsewhere} more by digest alone, which may be files of any package."


def _revoked(each: Revocation, project: ProjectName) -> str:
    if each.project != project:
        return ""
    return "Every version" if each.version is None else f"Version {each.version}"
