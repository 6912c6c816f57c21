"""The trust file that an identity on the command line stands for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pip_warden.digests import digest_of
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.names import parse_artifact_name
from pip_warden.oci.names import Repository
from pip_warden.trust.model import (
    COMMAND_LINE,
    Identity,
    IdentityEntry,
    ImageEntry,
    Requirements,
    RootPin,
    TrustFile,
)
from pip_warden.trust.placeholders import parse_image_subject, parse_package_subject
from pip_warden.trust.roots import read_root_file
from pip_warden.trust.subject import SubjectPattern

_PATH = Path("the command line")


def check_triggers(subject: SubjectPattern, triggers: Iterable[str]) -> None:
    """Check that triggers are named of a pipeline: nothing would be required of an account by them.

    Raises:
        UsageError: ``usage``.
    """
    if subject.project is None and tuple(triggers):
        raise UsageError(
            "usage",
            "expected --build-trigger together with the subject of a pipeline, "
            f"found it with {escape_text(subject.text, 200)}, which names no project",
            hint="What an account signs says nothing of a pipeline. Leave the option out.",
        )


def command_line_trust(
    files: tuple[Path, ...], *, subject: str, issuer: str, root: Path, build_trigger: Iterable[str] = ()
) -> TrustFile:
    """Return a trust file for an identity on the command line: a pin with all defaults.

    Args:
        files: The files to verify; each one's project is pinned to the identity.
        subject: ``--certificate-identity``.
        issuer: ``--certificate-oidc-issuer``.
        root: ``--trusted-root``.
        build_trigger: Each ``--build-trigger``; none for the default.

    Raises:
        UsageError: ``invalid-subject``, ``invalid-filename``, ``no-such-file``, or ``usage``: a trigger of
            an account.
    """
    identity, require = _signer(parse_package_subject(subject), issuer, build_trigger)
    projects = {parse_artifact_name(path.name).project for path in files}
    return TrustFile(
        path=_PATH,
        roots=(_root(root, issuer),),
        sources=(COMMAND_LINE,),
        entries=tuple(
            IdentityEntry(project=project, source=COMMAND_LINE.name, identities=(identity,), require=require)
            for project in sorted(projects)
        ),
    )


def command_line_image_trust(
    repository: Repository, *, subject: str, issuer: str, root: Path, build_trigger: Iterable[str] = ()
) -> TrustFile:
    """Return a trust file for an identity on the command line: a pin of a repository with all defaults.

    Args:
        repository: The repository of the image to verify.
        subject: ``--certificate-identity``.
        issuer: ``--certificate-oidc-issuer``.
        root: ``--trusted-root``.
        build_trigger: Each ``--build-trigger``; none for the default.

    Raises:
        UsageError: ``invalid-subject``, ``no-such-file``, or ``usage``: a trigger of an account.
    """
    identity, require = _signer(parse_image_subject(subject), issuer, build_trigger)
    entry = ImageEntry(repository=repository, identities=(identity,), require=require)
    return TrustFile(path=_PATH, roots=(_root(root, issuer),), images=(entry,))


def _signer(
    pattern: SubjectPattern, issuer: str, build_trigger: Iterable[str]
) -> tuple[Identity, Requirements]:
    triggers = frozenset(build_trigger)
    check_triggers(pattern, triggers)
    identity = Identity(issuer=issuer, subject=pattern, is_account=pattern.project is None)
    return identity, Requirements(build_trigger=triggers or Requirements().build_trigger)


def _root(root: Path, issuer: str) -> RootPin:
    digest = digest_of(read_root_file(root))
    return RootPin(name="default", path=root.absolute(), sha256=digest, issuers=(issuer,))
