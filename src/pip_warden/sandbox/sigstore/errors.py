"""The embedded Sigstore's refusals, with the responses of the real services."""

from __future__ import annotations


# A refusal is the service's response, not a fault of the sandbox.
class SigstoreRefusal(Exception):  # noqa: N818
    """A request that the real service would refuse.

    Attributes:
        status: HTTP status of the response.
        code: The code in the body where it is not the status: go-openapi has its own, from 600, for failed
            validation.
        message: The message a client is shown.
        reason: Why, for debugging the sandbox; the real services keep it in their log.
    """

    def __init__(self, message: str, *, status: int = 400, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"{message}: {reason}" if reason else message)
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason


class TokenRefused(SigstoreRefusal):
    """An identity token that the CA does not accept (Fulcio `invalidIdentityToken`)."""

    def __init__(self, reason: str) -> None:
        super().__init__("There was an error processing the identity token", reason=reason)


class EntryRefused(SigstoreRefusal):
    """A proposed log entry that does not verify (Rekor `validationError`).

    Attributes:
        bare: The message without its prefix, as in a search for the entry.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"error processing entry: {reason}")
        self.bare = reason


class EntryMalformed(EntryRefused):
    """A proposal without even the outline of an entry: refused before its content is read."""

    def __init__(self, reason: str, *, status: int = 422, code: int = 422) -> None:
        SigstoreRefusal.__init__(self, reason, status=status, code=code)
        self.bare = reason


class EntryExists(SigstoreRefusal):
    """A proposed log entry that the active tree already holds.

    Attributes:
        uuid: The entry's id, for the `Location` header.
    """

    def __init__(self, uuid: str) -> None:
        super().__init__(
            f"an equivalent entry already exists in the transparency log with UUID {uuid}", status=409
        )
        self.uuid = uuid


class TimestampRefused(SigstoreRefusal):
    """A time-stamp request that is not RFC 3161."""
