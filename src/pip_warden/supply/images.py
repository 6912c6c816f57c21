"""Where images and their evidence come from: their registry, and for what cosign 2 signed the logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pip_warden._sigstore.rekor import Hashedrekord, LoggedEnvelope
from pip_warden._sigstore.wire import LogEntry
from pip_warden.digests import Digest
from pip_warden.evidence.image import image_evidence
from pip_warden.evidence.model import BadItem, Item
from pip_warden.oci.names import Repository
from pip_warden.oci.referrers import each_referrer
from pip_warden.oci.registry import ImageRegistry
from pip_warden.supply.registries import look_up
from pip_warden.transport import Transport
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSupply:
    """The evidence of images.

    Attributes:
        registry: The registries.
        transport: The HTTP client, which asks the logs.
        roots: The trusted roots by name.
        logs: Names of those whose logs may be asked; none where nothing may.
    """

    registry: ImageRegistry
    transport: Transport
    roots: Mapping[str, Root]
    logs: tuple[str, ...] = ()

    def evidence(self, repository: Repository, digest: Digest) -> Iterator[Item | BadItem]:
        """Yield the evidence of an image, best form first; nothing is asked before the first is wanted.

        Raises:
            RegistryError: As for :func:`~pip_warden.oci.referrers.each_referrer`, and ``too-many-referrers``.
            UndecidedError: A request to the registry or to a log failed.
        """
        listed = each_referrer(self.registry, repository, digest)
        find_entry = self.find_entry if self.logs else None
        yield from image_evidence(self.registry, repository, digest, listed, find_entry)

    def find_entry(self, wanted: Hashedrekord | LoggedEnvelope) -> LogEntry | None:
        """Look up the log entry of what cosign 2 signed; None where the logs have none.

        Raises:
            UndecidedError: A log could not be asked.
        """
        return look_up(self.transport, self.roots, self.logs, wanted)
