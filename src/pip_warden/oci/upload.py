"""Uploads blobs: what is there is not sent again, and what is large goes in pieces.

An upload begins with a session; the registry names it in ``Location``, which leads on to its own origin and
nowhere else, since the next request carries a token and the content. What breaks off leaves a session behind,
which registries clear away, and nothing else: a blob is there as a whole or not at all.

Source: OCI distribution specification 1.1, "Pushing blobs".
"""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO
from urllib.parse import urlencode

from pip_warden.digests import Digest
from pip_warden.errors import CredentialsError, InternalError
from pip_warden.oci.answers import bad_answer, check_echo, location, unexpected
from pip_warden.oci.door import Door
from pip_warden.oci.manifest import Descriptor
from pip_warden.oci.names import Repository, spelled
from pip_warden.transport import Response

PIECE = 16 << 20
"""Bytes sent at once: a larger blob goes in pieces, since proxies limit what one request may bring."""

_LARGEST_PIECE = 128 << 20
_SMALL = 64 << 10
_BYTES = "application/octet-stream"


class Upload:
    """Blobs on their way into a registry.

    Args:
        door: Sends the requests.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def has(self, repository: Repository, digest: Digest) -> bool:
        """Return whether a repository has a blob.

        Raises:
            RegistryError: A status that does not say so.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        reply = self._door.ask("HEAD", repository, f"blobs/{spelled(digest)}", max_bytes=_SMALL)
        if reply.status not in {200, 404}:
            raise unexpected(reply, f"whether {repository} has {spelled(digest)}")
        return reply.status == 200

    def mount(self, repository: Repository, digest: Digest, source: Repository) -> bool:
        """Have a blob of another repository of the same registry taken over; False where that cannot be.

        A registry may answer anything here, so whatever does not say that it is done means that it is not.

        Raises:
            RefusedError: ``image-digest-differs``: the registry says that it took another.
            NetworkError: No response, or a broken one.
        """
        if source.registry != repository.registry:
            return False
        query = urlencode({"mount": spelled(digest), "from": source.path}, safe=":/")
        try:
            reply = self._post(repository, f"blobs/uploads/?{query}")
        except CredentialsError:  # whoever may write here may not read there
            return False
        if reply.status != 201:
            return False
        check_echo(reply, digest, f"the blob {spelled(digest)} of {repository}")
        return True

    def send(self, repository: Repository, content: bytes | BinaryIO, descriptor: Descriptor) -> None:
        """Upload a blob, in one request where it is small.

        Raises:
            RefusedError: ``image-digest-differs``: the registry says that it took another.
            RegistryError: ``bad-registry-answer``, or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        source = BytesIO(content) if isinstance(content, bytes) else content
        if source.seek(0, 2) != descriptor.size:
            raise InternalError("bug", f"a blob described with {descriptor.size} bytes has another size")
        source.seek(0)
        name = spelled(descriptor.digest)
        reply = self._post(repository, "blobs/uploads/")
        if reply.status != 202:
            raise unexpected(reply, f"an upload to {repository}")
        session = location(reply, repository)
        rest: bytes | BinaryIO = source
        if descriptor.size > PIECE:
            session, rest = self._send_pieces(repository, source, session, _piece(reply)), b""
        closing = f"{session}{'&' if '?' in session else '?'}{urlencode({'digest': name}, safe=':')}"
        reply = self._door.ask(
            "PUT", repository, closing, writes=True, content=rest, content_type=_BYTES, max_bytes=_SMALL
        )
        what = f"{repository} to take the blob {name}"
        if reply.status != 201:
            raise unexpected(reply, what)
        check_echo(reply, descriptor.digest, what)

    def _send_pieces(self, repository: Repository, source: BinaryIO, session: str, size: int) -> str:
        sent = 0
        while piece := source.read(size):
            reply = self._door.ask(
                "PATCH", repository, session, writes=True, content=piece, content_type=_BYTES,
                content_range=f"{sent}-{sent + len(piece) - 1}", max_bytes=_SMALL,
            )  # fmt: skip
            if reply.status != 202:
                raise unexpected(reply, f"{repository} to take a piece of a blob")
            sent += len(piece)
            if reply.headers.get("range", f"0-{sent - 1}") not in {f"0-{sent - 1}", f"bytes=0-{sent - 1}"}:
                raise bad_answer(reply.url, "that only a part of a piece was taken")
            session = location(reply, repository)
        return session

    def _post(self, repository: Repository, path: str) -> Response:
        return self._door.ask("POST", repository, path, writes=True, content=b"", max_bytes=_SMALL)


def _piece(reply: Response) -> int:
    """Return how large pieces are: as large as the registry wants them at least, within reason.

    Source: OCI distribution specification 1.1, "Pushing a blob in chunks": ``OCI-Chunk-Min-Length``.
    """
    asked = reply.headers.get("oci-chunk-min-length", "")
    least = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 12 else 0
    return min(max(PIECE, least), _LARGEST_PIECE)
