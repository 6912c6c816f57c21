"""What a run over images works with: registries, with the credentials and realms that are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from pip_warden._sigstore.root import Root
from pip_warden.events import Reporter
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.registry import ImageRegistry
from pip_warden.oci.wire import Wire
from pip_warden.session.opening import Hold, open_transport, open_workspace
from pip_warden.session.settings import Settings
from pip_warden.supply.images import ImageSupply
from pip_warden.transport import Transport
from pip_warden.trust.model import ImageEntry, TrustFile
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageParts:
    """The parts of an open run over images; its opener closes it.

    Attributes:
        registry: The registries.
        transport: The HTTP client.
        workspace: A private directory of this run.
        reporter: Receives progress.
        settings: How network and credentials are used.
    """

    registry: ImageRegistry
    transport: Transport
    workspace: Path
    reporter: Reporter
    settings: Settings

    def supply(self, roots: Mapping[str, Root], entry: ImageEntry) -> ImageSupply:
        """Return where the evidence of a pinned repository comes from.

        The logs of the roots that its identities name are asked for what cosign 2 signed, and no others.
        """
        names = dict.fromkeys(identity.root for identity in entry.identities)
        return ImageSupply(registry=self.registry, transport=self.transport, roots=roots, logs=tuple(names))


@contextmanager
def open_images(
    trust: TrustFile | None,
    settings: Settings,
    reporter: Reporter,
    *,
    named: Mapping[str, frozenset[str]] = MappingProxyType({}),
    hold: Hold = nullcontext,
    measures: Measures = UNMEASURED,
) -> Iterator[ImageParts]:
    """Open what a run over images works with.

    Args:
        trust: The trust file, whose realms may be shown credentials; None where there is none.
        settings: How network and credentials are used; an image is never taken from a cache.
        reporter: Receives progress.
        named: Realms by registry, which the user names for this run: they may be shown credentials, too.
        hold: As for :func:`~pip_warden.session.opening.open_workspace`.
        measures: Told what it costs.

    Raises:
        UsageError: A setting is no good.
        UndecidedError: ``cannot-store``.
    """
    # The HTTP client's own credentials are for package registries, and never sent to one of images.
    network = replace(settings, token_files={})
    credentials = RegistryCredentials(
        environ=settings.environ,
        token_files={host: Path(file) for host, file in settings.token_files.items()},
    )
    pinned = {} if trust is None else trust.realms
    realms = pinned | {registry: each | pinned.get(registry, each) for registry, each in named.items()}
    with open_workspace(hold) as workspace, open_transport(network, {}, reporter, measures) as transport:
        yield ImageParts(
            registry=ImageRegistry(Wire(transport, credentials, realms=realms)),
            transport=transport,
            workspace=workspace,
            reporter=reporter,
            settings=settings,
        )
