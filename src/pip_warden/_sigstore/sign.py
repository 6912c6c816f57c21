"""Signs through the sigstore library: one certificate for all files, and a new one when it runs out.

The library talks to the CA, the log and the time-stamp authority itself, so these calls are the named
exception to the one HTTP client; each runs under a deadline. Whatever the library raises is converted here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sigstore.dsse import Statement
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.oidc import ExpiredIdentity, IdentityToken, detect_credential
from sigstore.sign import Signer
from sigstore_models.common.v1 import HashAlgorithm

from pip_warden._sigstore.deadline import DeadlineError, Threads, within
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.services import Asked, Server, Services, StampError, said_by
from pip_warden._sigstore.trouble import cleaned, no_stamp, silence, trouble
from pip_warden.digests import Digest
from pip_warden.errors import UndecidedError, UsageError, WardenError

T = TypeVar("T")

_DEADLINE = 30.0
"""Seconds for one signature: a log of version 2 answers when it has a batch together, after some seconds."""

_MARGIN = 0.1
"""The part of a certificate's life that must be left to sign with it: the log must still answer in it."""


class _Held:
    """A signer with its certificate.

    Attributes:
        signer: The library's.
        ends: When it is to be replaced; unknown until its first bundle shows the certificate.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.ends: datetime | None = None


class Signatory:
    """A signer: an identity token, exchanged for a certificate when the first signature needs one.

    Safe to use from several threads. The library's own command shares one signer among threads, too: the key
    signs, the certificate is only read (and refused when it has expired), and each thread has connections of
    its own.

    Args:
        token: The identity token.
        services: The servers.
        threads: Where the library is called.
        allow_no_timestamp: Whether a time stamp may be missing (with a log of version 1).
        seconds: How long one signature may take.

    Attributes:
        services: As given.
        unstamped: URLs of the authorities that gave no stamp where one may be missing.
    """

    def __init__(
        self,
        token: IdentityToken,
        services: Services,
        threads: Threads,
        *,
        allow_no_timestamp: bool = False,
        seconds: float = _DEADLINE,
    ) -> None:
        self.services = services
        self.unstamped: list[str] = []
        self._token, self._threads, self._seconds = token, threads, seconds
        self._may_miss = allow_no_timestamp and services.log_version == 1
        self._context = services.context(self._note_unstamped if self._may_miss else None)
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._failed: WardenError | None = None

    @property
    def root(self) -> Root:
        """Return the trusted root that the signatures must verify against."""
        return self.services.root

    @property
    def stamps(self) -> int:
        """Return how many time stamps each signature must have."""
        return 0 if self._may_miss else len(self.services.authorities)

    def sign_digest(self, digest: Digest) -> bytes:
        """Sign a file by its digest and return the bundle as JSON.

        Raises:
            UndecidedError: ``signing-failed``, ``no-timestamp`` or ``token-ran-out``.
        """
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest.raw())
        return self._signed(lambda signer: signer.sign_artifact(hashed))

    def sign_statement(self, statement: bytes) -> bytes:
        """Sign an in-toto statement v1 as a DSSE envelope and return the bundle as JSON.

        Raises:
            UsageError: ``bad-predicate``: it is no such statement.
            UndecidedError: ``signing-failed``, ``no-timestamp`` or ``token-ran-out``.
        """
        try:
            parsed = Statement(statement)
        except Exception as err:
            raise UsageError(
                "bad-predicate", f"expected an in-toto statement, found {cleaned(said_by(err), '')}"
            ) from err
        return self._signed(lambda signer: signer.sign_dsse(parsed))

    def _signed(self, work: Callable[[Signer], Bundle]) -> bytes:
        for _ in range(2):
            held = self._certified()
            try:
                bundle = self._ask(self.services.log, lambda held=held: work(held.signer))  # type: ignore[misc]
            except _OverError:
                self._drop(held)
                continue
            held.ends = held.ends or _end_of(bundle)
            return bundle.to_json().encode()
        raise UndecidedError(
            "signing-failed",
            f"expected a certificate that is valid now of {self.services.ca}, found two that are over",
            hint="Do the clocks of this machine and of the certificate authority agree?",
        )

    def _certified(self) -> _Held:
        """Return the signer in force; where there is none yet, or it ends, the token is exchanged for one."""
        with self._lock:
            if self._failed is not None:
                raise self._failed
            held = self._held
            if held is not None and (held.ends is None or datetime.now(UTC) < held.ends):
                return held
            try:
                signer = self._ask(self.services.ca, lambda: Signer(self._token, self._context))
            except WardenError as err:
                self._failed = err  # no other thread waits for the same once more
                raise
            self._held = _Held(signer)
            return self._held

    def _drop(self, held: _Held) -> None:
        with self._lock:
            if self._held is held:
                self._held = None

    def _ask(self, first: Server, work: Callable[[], T]) -> T:
        asked = Asked(first)

        def noted() -> T:
            with self.services.noting(asked):
                return work()

        token = str(self._token)
        try:
            return self._threads.within(self._seconds, noted)
        except DeadlineError as err:
            raise silence(asked.server, self._seconds, self.services.log_version) from err
        except StampError as err:
            version = self.services.log_version
            raise no_stamp(err.server, err.__cause__, log_version=version, secret=token) from err
        except ExpiredIdentity as err:
            raise UndecidedError(
                "token-ran-out",
                "expected an identity token that serves until all is signed, found that it has expired",
                hint="What was written stays. Run the same command again with a new token, as a new job has: "
                "it signs what is missing.",
            ) from err
        except Exception as err:
            if type(err).__name__ == "ExpiredCertificate":  # the library does not offer the class
                raise _OverError from err
            raise trouble(asked.server, err, secret=token) from err

    def _note_unstamped(self, server: Server) -> None:
        if server.shown not in self.unstamped:
            self.unstamped.append(server.shown)


class _OverError(Exception):
    """The certificate has expired."""


def _end_of(bundle: Bundle) -> datetime:
    """Return until when a bundle's certificate is used for others."""
    certificate = bundle.signing_certificate
    end, start = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    return end - max(timedelta(), (end - start) * _MARGIN)


@contextmanager
def signatory(
    token: str,
    services: Services,
    *,
    client_id: str = "sigstore",
    allow_no_timestamp: bool = False,
    seconds: float = _DEADLINE,
) -> Iterator[Signatory]:
    """Sign with an identity token; nothing is asked of a server until something is signed.

    Args:
        token: The OIDC identity token; never logged or shown.
        services: The servers.
        client_id: The audience that it must have.
        allow_no_timestamp: Whether a time stamp may be missing (with a log of version 1).
        seconds: How long one signature may take.

    Raises:
        UndecidedError: ``signing-failed``: the library takes no such token.
    """
    try:
        identity = IdentityToken(token, client_id)
    except Exception as err:
        raise UndecidedError(
            "signing-failed",
            f"expected an identity token that can sign, found: {cleaned(said_by(err), token)}",
            hint="`pip-warden explain signing-failed` tells what a token needs.",
        ) from err
    with Threads() as threads:
        yield Signatory(identity, services, threads, allow_no_timestamp=allow_no_timestamp, seconds=seconds)


def ambient_token(
    *, seconds: float = _DEADLINE, detect: Callable[[], str | None] = detect_credential
) -> str | None:
    """Return the identity token that the CI system offers, None where there is none, or none in time.

    Args:
        seconds: How long to wait; the library has only a timeout for each read.
        detect: Gets the token.
    """
    try:
        return within(seconds, detect)
    except Exception:  # noqa: BLE001 -- raised where a CI system promises a token and has none
        return None
