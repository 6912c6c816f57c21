"""Pins who signs the images of a repository: as the user names the signer, or as the registry has it."""

from __future__ import annotations

from dataclasses import replace

from pip_warden.display import escape_text
from pip_warden.errors import RefusedError
from pip_warden.first_use.doubts import image_doubts, instance_of
from pip_warden.first_use.draft import Draft
from pip_warden.first_use.draft_root import draft_root, vouch
from pip_warden.first_use.image_look import SignedImage, look_at, pinnable
from pip_warden.first_use.image_request import ImageRequest, check_agrees
from pip_warden.first_use.image_shown import pinned_as, who_signed
from pip_warden.first_use.task import Prompt
from pip_warden.session.images import ImageParts
from pip_warden.trust.likeness import close_repositories
from pip_warden.trust.model import Identity, ImageEntry
from pip_warden.trust.suggest import CLOSE_IMAGE
from pip_warden.values import dataclass
from pip_warden.verdict.model import AcceptedImage, Refused, VerdictError
from pip_warden.verdict.triggers import USUAL

_MOST_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """What is to be pinned.

    Attributes:
        entry: With the one signer.
        doubts: What speaks against pinning it unasked.
    """

    entry: ImageEntry
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pinning:
    """What one run works with."""

    wanted: ImageRequest
    draft: Draft
    parts: ImageParts
    person: Prompt
    root: str
    pinned: ImageEntry | None

    def look(self) -> SignedImage:
        return look_at(
            self.wanted.image,
            self.parts,
            root=self.root,
            roots=self.draft.roots(),
            revoked=self.draft.trust().revoked,
        )


def add_image(wanted: ImageRequest, draft: Draft, parts: ImageParts, person: Prompt) -> None:
    """Show who signs images and what is to be pinned, ask, and add it to the draft.

    Args:
        wanted: The request.
        draft: The trust file as it will be.
        parts: The registries, which are asked unless the request says everything.
        person: The person who is shown the pin, and asked.

    Raises:
        RefusedError: ``build-trigger-unsafe``; ``close-to-pinned``; ``several-signers``; ``no-release``;
            ``not-pinned-unasked``; ``declined``; or the image is refused, or would be under the new pin.
        TrustFileError: What is to be pinned makes no valid trust file.
        TrustRootError: The trusted root cannot be used.
        UndecidedError: The registry or a log could not be asked.
        UsageError: ``invalid-subject``; ``pin-conflict``; ``tag-needed``; ``usage``: a build trigger of an
            account; ``yes-needed``; or there is no trusted root.
    """
    pinned = draft.trust().image_entry(wanted.repository)
    check_agrees(wanted, pinned)
    _ask_about_its_name(wanted, draft, person)
    root = draft_root(
        draft,
        wanted.issuer or (pinned.identities[0].issuer if pinned else _instance(wanted, draft, parts)),
        given=wanted.trusted_root,
        workspace=parts.workspace,
        reporter=person,
        is_offline=parts.settings.offline,
    )
    draft.roots()[root]  # one that cannot be read is not pinned
    pinning = _Pinning(wanted=wanted, draft=draft, parts=parts, person=person, root=root, pinned=pinned)
    choice = _choose(pinning)
    if choice is not None:
        _pin(choice, pinning)


def _ask_about_its_name(wanted: ImageRequest, draft: Draft, person: Prompt) -> None:
    """Ask once more about a repository that is close to a pinned one, as about a package's name.

    Raises:
        RefusedError: ``close-to-pinned``: it is to be pinned unasked; ``declined``.
        UsageError: ``yes-needed``.
    """
    repository = wanted.repository
    pinned = (each.repository for each in draft.trust().images)
    close = ", ".join(map(str, close_repositories(repository, pinned)))
    if not close:
        return
    if wanted.yes:
        raise RefusedError(
            "close-to-pinned",
            f"expected a repository that is not close to one that is pinned ({close}), found {repository}",
            hint=f"The trust file is unchanged. {CLOSE_IMAGE} If {repository} itself is meant, say so at a "
            "terminal, without --yes.",
        )
    person.warning(f"{repository} is not pinned, but close to what is: {close}. {CLOSE_IMAGE}")
    person.confirm(f"Do you mean {repository}, and not {close}?")


def _instance(wanted: ImageRequest, draft: Draft, parts: ImageParts) -> str | None:
    registry = wanted.repository.registry
    realms = draft.trust().realms.get(registry, frozenset()) | wanted.realms.get(registry, frozenset())
    return instance_of(registry, realms, parts.settings.environ)


def _choose(pinning: _Pinning) -> _Choice | None:
    """Return what is to be pinned; None where what is pinned accepts the image that was looked at."""
    wanted, pinned = pinning.wanted, pinning.pinned
    named = wanted.identity(pinning.root)
    if not wanted.looks and named is not None:
        return _Choice(entry=wanted.entry(named, pinned))
    look = pinning.look()
    if named is not None:
        return _as_named(named, look, pinning)
    if pinned is not None and wanted.project_id is None:
        verdict = look.judge(pinned)
        if isinstance(verdict, AcceptedImage):
            pinning.person.clear()
            pinning.person.show(who_signed(verdict))
            return None
    return _as_seen(look, pinning)


def _as_named(identity: Identity, look: SignedImage, pinning: _Pinning) -> _Choice:
    """Return the pin of a signer whom the user names, after a check that this one signed.

    Raises:
        RefusedError: ``several-signers``; or nobody whom the pin allows did.
    """
    wanted, pinned = pinning.wanted, pinning.pinned
    if pinned is None or identity not in pinned.identities:
        identity = _of_one_project(identity, look)
    seen = None if wanted.build_triggers else look.triggers_of(identity)
    entry = wanted.entry(identity, pinned, seen)
    _show(_accepted(look.judge(entry)), pinning)
    unusual = sorted((seen or frozenset()) - {USUAL}) if pinned is None else []
    doubt = f"the pipeline was started by {', '.join(unusual)}, not by push"
    return _Choice(entry=entry, doubts=(doubt,) if unusual else ())


def _of_one_project(identity: Identity, look: SignedImage) -> Identity:
    """Return an identity with the id of its project, which nobody gets who takes over the project's path.

    Raises:
        RefusedError: ``several-signers``: projects that had the path in turn.
    """
    ids = look.project_ids_of(identity)
    if identity.project_id is not None or not ids:
        return identity
    if len(ids) > 1:
        raise _several(look, [replace(identity, project_id=each) for each in ids])
    return replace(identity, project_id=ids[0])


def _as_seen(look: SignedImage, pinning: _Pinning) -> _Choice:
    """Return the pin of the only signer who can be pinned.

    Raises:
        RefusedError: ``several-signers``; or no pin would accept what any of them signed.
    """
    found, refused = [], []
    for signer in look.signers:
        try:
            identity, triggers = pinnable(signer, look)
            if pinning.wanted.project_id is not None:
                identity = replace(identity, project_id=str(pinning.wanted.project_id))
            entry = pinning.wanted.entry(identity, pinning.pinned, triggers)
            found.append((entry, _accepted(look.judge(entry, signer))))
        except RefusedError as err:
            refused.append((signer, err))
    if not found:
        raise refused[0][1]
    for _, accepted in found[:_MOST_SHOWN]:
        _show(accepted, pinning)
    for signer, why in refused[:_MOST_SHOWN]:
        pinning.person.note(f"{escape_text(signer.claims.subjects[0], 500)} signed it, too [{why.code}]")
    if len(found) > 1:
        raise _several(look, [entry.identities[0] for entry, _ in found])
    ((entry, accepted),) = found
    instance = _instance(pinning.wanted, pinning.draft, pinning.parts)
    return _Choice(entry=entry, doubts=image_doubts(accepted, instance))


def _several(look: SignedImage, identities: list[Identity]) -> RefusedError:
    subjects = ", ".join(
        f"{escape_text(each.subject.text, 200)} (project id {each.project_id or 'none'})"
        for each in identities[:_MOST_SHOWN]
    )
    # A project that was made anew at another one's path has the same subject.
    apart = {(each.issuer, each.subject.text) for each in identities}
    and_id = "" if len(apart) == len(identities) else " --project-id ID"
    return RefusedError(
        "several-signers",
        f"expected one signer of {look.image.name}, found {len(identities)}: {subjects}",
        hint="The trust file is unchanged. Choose who publishes these images: "
        f"--identity SUBJECT --issuer URL{and_id}.",
    )


def _accepted(verdict: AcceptedImage | Refused) -> AcceptedImage:
    if isinstance(verdict, Refused):
        raise VerdictError(verdict)
    return verdict


def _show(accepted: AcceptedImage, pinning: _Pinning) -> None:
    pinning.person.clear()
    pinning.person.show(f"{who_signed(accepted)}\n")


def _pin(choice: _Choice, pinning: _Pinning) -> None:
    """Add the pin to the draft, and ask.

    Raises:
        RefusedError: ``not-pinned-unasked``; ``declined``.
        UsageError: ``yes-needed``.
    """
    draft, person, pinned, entry = pinning.draft, pinning.person, pinning.pinned, choice.entry
    (identity,) = entry.identities
    vouch(draft, pinning.root, identity.issuer)
    person.clear()
    person.show(pinned_as(entry))
    doubts = choice.doubts
    if pinned is None:
        draft.add_image(entry)
    elif identity in pinned.identities:
        return
    else:
        draft.add_image_identity(entry.repository, identity)
        others = ", ".join(known.subject.text for known in pinned.identities)
        doubts += (f"the trust file pins another signer already: {others}",)
    _warn_of_root(identity, draft, person)
    for doubt in doubts:
        person.warning(escape_text(doubt, 500))
    # Whoever names the signer has answered all but what only a look at the image can show.
    _ask(choice.doubts if pinning.wanted.subject is not None else doubts, choice, pinning)


def _warn_of_root(identity: Identity, draft: Draft, person: Prompt) -> None:
    root = draft.before().root(identity.root)
    if root is not None and identity.issuer not in root.issuers:
        file = escape_text(root.path.name, 200)
        person.warning(f"the trusted root {file} is to vouch for {identity.issuer} from now on")


def _ask(doubts: tuple[str, ...], choice: _Choice, pinning: _Pinning) -> None:
    if not pinning.wanted.yes:
        pinning.person.confirm("Pin this signer?")
    elif doubts:
        triggers = sorted(choice.entry.require.build_trigger - {USUAL})
        more = "".join(f" --build-trigger {each}" for each in triggers)
        raise RefusedError(
            "not-pinned-unasked",
            f"expected nothing that speaks against this signer, found: {'; '.join(doubts)}",
            hint="The trust file is unchanged. "
            f"If the signer is right, spell it out: --identity SUBJECT --issuer URL{more}.",
        )
