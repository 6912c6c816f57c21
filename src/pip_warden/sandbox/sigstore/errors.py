"""What the embedded Sigstore refuses, with the answer the real services give."""

from __future__ import annotations


class SigstoreRefusal(Exception):  # noqa: N818 - a refusal is the service's answer, not a fault of the sandbox
    """A request that the real service would refuse.

    Attributes:
        status: HTTP status of the answer.
        message: The message a client is shown.
        reason: Why, for whoever debugs the sandbox; the real services keep it in their log.
    """

    def __init__(self, message: str, *, status: int = 400, reason: str = "") -> None:
        super().__init__(f"{message}: {reason}" if reason else message)
        self.status = status
        self.message = message
        self.reason = reason


class TokenRefused(SigstoreRefusal):
    """An identity token that the CA does not accept (Fulcio `invalidIdentityToken`)."""

    def __init__(self, reason: str) -> None:
        super().__init__("There was an error processing the identity token", reason=reason)


class EntryRefused(SigstoreRefusal):
    """A proposed log entry that does not hold (Rekor `validationError`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"error processing entry: {reason}")


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
