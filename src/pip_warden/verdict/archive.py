"""Steps 3 to 5: the file's name, the archive's own statements, and the digest of its bytes."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_version
from packaging.version import Version

from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import Digest
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.trust.model import Entry, HashEntry, Probe, Revocation

_RENAMED = (
    "The file was renamed, or built by something else than the release it claims to be; ask its publisher."
)


def check_name(
    artifact: Artifact, candidate: Candidate | None, project: ProjectName, entry: Entry | Probe
) -> Fault | None:
    """Step 3: the entry, the requested project and the file name agree (PEP 503)."""
    names = {entry.project, project, artifact.name.project}
    if candidate is not None:
        names.add(candidate.name.project)
    if len(names) == 1:
        return None
    return Fault(
        code="wrong-project",
        expected=f"a file of {entry.project}",
        found=f"{artifact.name}, which is a file of {artifact.name.project}",
        hint=_RENAMED,
    )


def check_archive(artifact: Artifact) -> Fault | None:
    """Step 4: the archive is well-formed and agrees with its file name."""
    match artifact.contents:
        case Fault() as fault:
            return fault
        case Contents() as contents:
            return _check_identity_inside(artifact, contents) or _check_direct_references(contents)


def _check_identity_inside(artifact: Artifact, contents: Contents) -> Fault | None:
    name = artifact.name
    if contents.project != name.project:
        return _differs("name-inside-differs", f"project {name.project}", contents.project)
    # Equal ones are spelled alike, and spelling both costs more than the rest of this step.
    if contents.version != name.version and (
        canonicalize_version(contents.version) != canonicalize_version(name.version)
    ):
        return _differs("version-inside-differs", f"version {name.version}", str(contents.version))
    if name.kind == "wheel" and contents.tags != name.tags:
        return _differs("tags-inside-differ", " ".join(sorted(name.tags)), " ".join(sorted(contents.tags)))
    if name.kind == "wheel" and _build_key(contents.build) != _build_key(name.build):
        return _differs("build-inside-differs", f"build tag {name.build!r}", repr(contents.build))
    return None


def _differs(code: str, expected: str, found: str) -> Fault:
    return Fault(
        code=code, expected=f"{expected}, as the file name says", found=f"{found} inside it", hint=_RENAMED
    )


def _build_key(build: str) -> tuple[int, str]:
    """Return the sort key of a build tag (PEP 427): leading digits as a number, then the rest."""
    digits = build[: len(build) - len(build.lstrip("0123456789"))]
    return int(digits or "0"), build[len(digits) :]


def _check_direct_references(contents: Contents) -> Fault | None:
    if not contents.direct_references:
        return None
    return Fault(
        code="direct-reference",
        expected="dependencies by name and version only",
        found="; ".join(contents.direct_references),
        hint="A URL or path in a dependency would be fetched past the gate. "
        "The publisher must depend on a released version.",
    )


def check_digest(artifact: Artifact, candidate: Candidate | None, entry: Entry | Probe) -> Fault | None:
    """Step 5: the bytes received have every digest that the pin and the index state."""
    digest = artifact.digest
    if isinstance(entry, HashEntry):
        pinned = entry.digest_for(artifact.name.filename)
        if pinned is None:
            return Fault(
                code="file-not-in-hash-pin",
                expected=f"one of the files pinned for {entry.project} {entry.version}: "
                f"{', '.join(n for n, _ in entry.files)}",
                found=artifact.name.filename,
                hint=f"Review the file, then: `pip-warden trust add {entry.project}=={entry.version} "
                f'--source {entry.source} --hash --reason "WHY"`.',
            )
        if not pinned.matches(digest):
            return _other_bytes("pinned-digest-differs", f"{pinned}, as the trust file pins", digest.hex)
    claimed = candidate.claimed_sha256 if candidate is not None else None
    if claimed is not None and not claimed.matches(digest):
        return _other_bytes("index-digest-differs", f"{claimed}, as the index says", digest.hex)
    return None


def _other_bytes(code: str, expected: str, found: str) -> Fault:
    return Fault(
        code=code,
        expected=f"SHA-256 {expected}",
        found=f"SHA-256 {found}",
        hint="These are not the bytes that were published or reviewed. "
        "Do not use them; tell the registry's operators.",
    )


def check_revoked(artifact: Artifact, revoked: Iterable[Revocation]) -> Fault | None:
    """Check revocation by digest, name or version, for every kind of pin, right after step 5."""
    revocation = find_revocation(artifact.name.project, artifact.name.version, artifact.digest, revoked)
    if revocation is None:
        return None
    return Fault(
        code="revoked",
        expected="a file that is not revoked",
        found=f"{artifact.name}, revoked: {revocation.reason}",
        hint="The trust file revokes it. Choose another release.",
    )


def find_revocation(
    project: ProjectName, version: Version, sha256: Digest | None, revoked: Iterable[Revocation]
) -> Revocation | None:
    """Return what revokes a file, by its digest, its release or its project; None where nothing does.

    Args:
        project: The file's project.
        version: Its version.
        sha256: Its digest; None where that is not known, and only a name can revoke it.
        revoked: The trust file's revocations.
    """
    return next((each for each in revoked if _hits(each, project, version, sha256)), None)


def _hits(revocation: Revocation, project: ProjectName, version: Version, sha256: Digest | None) -> bool:
    if revocation.sha256 is not None and sha256 is not None and revocation.sha256.matches(sha256):
        return True
    if revocation.project != project:
        return False
    return revocation.version is None or revocation.version == version
