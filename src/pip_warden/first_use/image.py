"""Pins who signs the images of a repository, as the user names them; nothing is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.first_use.draft import Draft
from pip_warden.first_use.draft_root import draft_root, vouch
from pip_warden.first_use.task import Prompt
from pip_warden.oci.names import Repository
from pip_warden.report.pins import requirements_of
from pip_warden.trust.command_line import check_triggers
from pip_warden.trust.editing.changed import conflict
from pip_warden.trust.model import Identity, ImageEntry, Requirements
from pip_warden.trust.placeholders import parse_image_subject
from pip_warden.trust.segments import ANY_SEGMENT, TAG
from pip_warden.verdict.triggers import require_pinnable


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRequest:
    """A request to pin images.

    Attributes:
        repository: Their repository.
        subject: The signer.
        issuer: Its OIDC issuer.
        project_id: The numeric id of its project; None to pin none.
        require: What must hold besides; None where nothing is said of that.
        realm: Where credentials for the registry may be sent; None for no more than usual.
        trusted_root: A trusted root to pin.
        yes: Pin without asking.
    """

    repository: Repository
    subject: str
    issuer: str
    project_id: int | None = None
    require: Requirements | None = None
    realm: str | None = None
    trusted_root: Path | None = None
    yes: bool = False


def add_image(
    wanted: ImageRequest, draft: Draft, workspace: Path, person: Prompt, *, is_offline: bool
) -> None:
    """Show what is to be pinned, ask, and add it to the draft.

    Args:
        wanted: The request.
        draft: The trust file as it will be.
        workspace: A private directory of this run.
        person: The person who is shown the pin, and asked.
        is_offline: Fetch no trusted root.

    Raises:
        RefusedError: ``build-trigger-unsafe``; ``declined``.
        TrustFileError: What is to be pinned makes no valid trust file.
        TrustRootError: The trusted root cannot be used.
        UsageError: ``invalid-subject``; ``pin-conflict``; ``usage``: a build trigger of an account;
            ``yes-needed``; or there is no trusted root.
    """
    pinned = draft.trust().image_entry(wanted.repository)
    _check_agrees(wanted, pinned)
    root = draft_root(
        draft,
        wanted.issuer,
        given=wanted.trusted_root,
        workspace=workspace,
        reporter=person,
        is_offline=is_offline,
    )
    entry = _entry(wanted, pinned, root)
    vouch(draft, root, wanted.issuer)
    draft.roots()[root]  # one that cannot be read is not pinned
    person.clear()
    person.show("\n".join(_shown(entry)))
    if pinned is not None and entry.identities[0] in pinned.identities:
        return
    _draft_signer(entry, pinned, draft, person)
    if not wanted.yes:
        person.confirm("Pin this signer?")


def _draft_signer(entry: ImageEntry, pinned: ImageEntry | None, draft: Draft, person: Prompt) -> None:
    (identity,) = entry.identities
    root = draft.before().root(identity.root)
    if root is not None and identity.issuer not in root.issuers:
        file = escape_text(root.path.name, 200)
        person.warning(f"the trusted root {file} is to vouch for {identity.issuer} from now on")
    if pinned is None:
        draft.add_image(entry)
        return
    draft.add_image_identity(entry.repository, identity)
    others = ", ".join(known.subject.text for known in pinned.identities)
    person.warning(f"the trust file pins another signer already: {escape_text(others, 500)}")


def _entry(wanted: ImageRequest, pinned: ImageEntry | None, root: str) -> ImageEntry:
    """Return what is to be pinned; of a repository that is pinned, all but the signer stays.

    Raises:
        UsageError: ``invalid-subject``; ``pin-conflict``.
    """
    subject = parse_image_subject(wanted.subject)
    identity = Identity(
        issuer=wanted.issuer,
        subject=subject,
        project_id=None if wanted.project_id is None else str(wanted.project_id),
        root=root,
        is_account=subject.project is None,
    )
    if pinned is not None:
        _check_signer(identity, pinned)
        return replace(pinned, identities=(identity,))
    return ImageEntry(
        repository=wanted.repository,
        identities=(identity,),
        require=wanted.require or Requirements(),
        realm=wanted.realm,
    )


def _check_agrees(wanted: ImageRequest, pinned: ImageEntry | None) -> None:
    """Check what is asked for besides the signer: it holds for every signer, so it is what is pinned.

    Raises:
        RefusedError: ``build-trigger-unsafe``.
        UsageError: ``invalid-subject``; ``pin-conflict``; ``usage``: a build trigger of an account.
    """
    require = wanted.require or Requirements()
    for trigger in sorted(require.build_trigger):
        require_pinnable(trigger)
    if require.build_trigger != Requirements().build_trigger:
        check_triggers(parse_image_subject(wanted.subject), require.build_trigger)
    if pinned is None:
        return
    what = f"image {wanted.repository}"
    if wanted.realm not in {None, pinned.realm}:
        raise conflict(what, f"realm {pinned.realm or 'none'}", f"realm {wanted.realm}")
    if wanted.require not in {None, pinned.require}:
        there, asked = _spelled(pinned), _spelled(replace(pinned, require=require))
        raise conflict(what, there, asked, "change [image.require] by hand: it holds for every signer")


def _check_signer(wanted: Identity, pinned: ImageEntry) -> None:
    """Check that a signer is not pinned on other terms: one identity is enough, so the wider would win.

    Raises:
        UsageError: ``pin-conflict``.
    """
    known = [each for each in pinned.identities if _signer(each) == _signer(wanted)]
    if known and wanted not in known:
        raise conflict(
            f"signer {wanted.subject.text} of image {pinned.repository}",
            _terms(known[0]),
            _terms(wanted),
            "change its [[image.identity]] by hand",
        )


def _signer(identity: Identity) -> tuple[str, str, str]:
    return identity.issuer, identity.subject.text, identity.root


def _terms(identity: Identity) -> str:
    terms = {
        "project-id": identity.project_id,
        "not-before": identity.not_before,
        "not-after": identity.not_after,
    }
    return ", ".join(f"{name} {value}" for name, value in terms.items() if value is not None) or "none"


def _spelled(entry: ImageEntry) -> str:
    return "; ".join(f"{name} {escape_text(value, 200)}" for name, value in requirements_of(entry))


def _shown(entry: ImageEntry) -> Iterator[str]:
    identity = entry.identities[0]
    facts = [
        ("pinned as", identity.subject.text),
        ("issuer", identity.issuer),
        ("project id", identity.project_id),
        *requirements_of(entry),
        ("realm", entry.realm),
    ]
    width = max(len(name) for name, value in facts if value)
    yield str(entry.repository)
    yield from (f"  {name:{width}}  {escape_text(value, 500)}" for name, value in facts if value)
    ref = identity.subject.ref
    if ref is not None and TAG in ref.text:
        yield (
            f"  {TAG} is each image's own tag: each must be signed by the pipeline of its tag.\n"
            "  Protect that tag pattern in GitLab: no certificate shows whether it is."
        )
    elif ref is not None and ANY_SEGMENT in ref.text:
        yield f"  {ANY_SEGMENT} is any name: a build of any such tag may sign any image."
