"""What a client of registries needs of the network."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from pip_warden.oci.names import Repository
from pip_warden.transport import Download, Response


class Door(Protocol):
    """Authorised requests to registries, over the one HTTP door: ``wire.Wire`` is the one that is used."""

    def ask(  # noqa: PLR0913 - what a request of this protocol has
        self,
        method: str,
        repository: Repository,
        path: str,
        *,
        writes: bool = False,
        accept: str | None = None,
        content: bytes | BinaryIO | None = None,
        content_type: str | None = None,
        content_range: str | None = None,
        max_bytes: int,
    ) -> Response:
        """Send a request, and return the response whatever its status.

        Args:
            method: ``HEAD``, ``GET``, ``POST``, ``PUT`` or ``PATCH``.
            repository: What is asked about, and what a token is asked for.
            path: Below ``/v2/NAME/``, or an absolute URL of the registry's own origin.
            writes: Whether the token must allow writing.
            accept: The ``Accept`` header.
            content: The body; a file is sent from its beginning.
            content_type: Its media type.
            content_range: The ``Content-Range`` header of a piece: ``FIRST-LAST``.
            max_bytes: The largest body of a response.

        Raises:
            CredentialsError: A final 401 or 403.
            NetworkError: No response, or a broken one.
        """
        ...

    def download(
        self, repository: Repository, path: str, *, to: BinaryIO, max_bytes: int, label: str
    ) -> Download:
        """Write a body as it arrives, and hash it.

        Raises:
            RegistryError: The status is not 200.
            NetworkError: No response, a broken one, or one that is too large.
        """
        ...
