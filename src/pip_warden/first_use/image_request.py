"""A request to pin images, and what of it has to agree with the pin that there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.oci.names import ImageReference, Repository
from pip_warden.report.pins import requirements_of
from pip_warden.trust.command_line import check_triggers
from pip_warden.trust.editing.changed import conflict
from pip_warden.trust.model import Identity, ImageEntry, Requirements
from pip_warden.trust.placeholders import parse_image_subject
from pip_warden.values import dataclass
from pip_warden.verdict.triggers import require_pinnable


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRequest:
    """A request to pin images.

    Attributes:
        image: An image of their repository, or the repository alone.
        subject: The signer; None for who signed the image.
        issuer: Its OIDC issuer; None together with the subject.
        build_triggers: What may start its pipeline, where the user names the signer.
        project_id: The numeric id of its project; None for that of the certificate that was looked at.
        require: What must hold besides, with those triggers; None where nothing is said of that.
        realm: Where credentials for the registry may be sent; None for no more than usual.
        trusted_root: A trusted root to pin.
        yes: Pin without asking, unless there are doubts.
    """

    image: ImageReference
    subject: str | None = None
    issuer: str | None = None
    build_triggers: tuple[str, ...] = ()
    project_id: int | None = None
    require: Requirements | None = None
    realm: str | None = None
    trusted_root: Path | None = None
    yes: bool = False

    @property
    def repository(self) -> Repository:
        """Return the repository that is to be pinned."""
        return self.image.repository

    @property
    def looks(self) -> bool:
        """Return whether the registry is asked: who names the signer and no image has said everything."""
        return self.subject is None or self.image.tag is not None or self.image.digest is not None

    @property
    def realms(self) -> dict[str, frozenset[str]]:
        """Return the realm by its registry, as the trust file will pin it."""
        return {} if self.realm is None else {self.repository.registry: frozenset({self.realm})}

    def identity(self, root: str) -> Identity | None:
        """Return the signer that the user names, None where that is nobody.

        Raises:
            UsageError: ``invalid-subject``.
        """
        if self.subject is None or self.issuer is None:
            return None
        subject = parse_image_subject(self.subject)
        return Identity(
            issuer=self.issuer,
            subject=subject,
            project_id=None if self.project_id is None else str(self.project_id),
            root=root,
            is_account=subject.project is None,
        )

    def entry(
        self, identity: Identity, pinned: ImageEntry | None, seen: frozenset[str] | None = None
    ) -> ImageEntry:
        """Return what is to be pinned; of a repository that is pinned, all but the signer stays.

        Args:
            identity: The signer.
            pinned: The pin of the repository; None where it has none.
            seen: What started its pipeline, where the user does not say what may.

        Raises:
            UsageError: ``pin-conflict``.
        """
        if pinned is not None:
            _check_signer(identity, pinned)
            return replace(pinned, identities=(identity,))
        require = Requirements() if self.require is None else self.require
        if seen is not None and not self.build_triggers:
            require = replace(require, build_trigger=seen)
        return ImageEntry(
            repository=self.repository, identities=(identity,), require=require, realm=self.realm
        )


def check_agrees(wanted: ImageRequest, pinned: ImageEntry | None) -> None:
    """Check what is asked for besides the signer: it holds for every signer, so it is what is pinned.

    Raises:
        RefusedError: ``build-trigger-unsafe``.
        UsageError: ``invalid-subject``; ``pin-conflict``; ``usage``: a build trigger of an account.
    """
    for trigger in wanted.build_triggers:
        require_pinnable(trigger)
    if wanted.subject is not None:
        check_triggers(parse_image_subject(wanted.subject), wanted.build_triggers)
    if pinned is None:
        return
    what = f"image {wanted.repository}"
    if wanted.realm not in {None, pinned.realm}:
        raise conflict(what, f"realm {pinned.realm or 'none'}", f"realm {wanted.realm}")
    require = pinned.require if wanted.require is None else wanted.require
    if require != pinned.require:
        asked = _spelled(replace(pinned, require=require))
        hint = "change [image.require] by hand: it holds for every signer"
        raise conflict(what, _spelled(pinned), asked, hint)


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
