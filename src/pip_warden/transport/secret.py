"""One secret: as it is held, and as it is sent."""

from __future__ import annotations

from enum import StrEnum

from pip_warden.values import dataclass


class Secret:
    """A secret text. Printing, formatting or logging it shows nothing."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; call it only to put it into a request."""
        return self._text

    def redact(self, text: str) -> str:
        """Return a text with every occurrence of the secret replaced."""
        return text.replace(self._text, "[hidden]") if self._text else text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class CredentialKind(StrEnum):
    """What a credential is."""

    JOB = "job token"
    PERSONAL = "personal, project or group access token"
    TOKEN = "token of one host"  # noqa: S105 -- a description
    LOGIN = "user and password"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """One credential, for whatever origin it is held for."""

    kind: CredentialKind
    secret: Secret
    user: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthHeader:
    """The header to send.

    Attributes:
        name: ``Authorization``, ``JOB-TOKEN`` or ``PRIVATE-TOKEN``.
        value: Its value.
        secrets: Every form of the secret in it, to be hidden in what is shown.
    """

    name: str
    value: Secret
    secrets: tuple[Secret, ...]
