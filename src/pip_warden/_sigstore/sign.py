"""Signs through the sigstore library: one certificate for all files of a call.

The library talks to the CA, the log and the time-stamp authority itself, so these calls are the named
exception to the one HTTP client; each runs under a deadline. Whatever the library raises is converted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sigstore.dsse import Statement
from sigstore.hashes import Hashed
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken, detect_credential
from sigstore.sign import Signer, SigningContext
from sigstore_models.common.v1 import HashAlgorithm

from pip_warden._sigstore.deadline import DeadlineError, Threads, within
from pip_warden._sigstore.root import Root, load_root
from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import TrustRootError, UndecidedError, UsageError
from pip_warden.strict_json import MalformedError, loads_object

T = TypeVar("T")

_DEADLINE = 120.0
"""Seconds for one call of the library."""

_LARGEST_CONFIG = 8 << 20


@dataclass(frozen=True, slots=True)
class Signatory:
    """A signer: an identity token exchanged for a certificate. Safe to use from several threads.

    The library's own command shares one signer among threads, too: the key signs, the certificate is only
    read (and refused when it has expired), and each thread has connections of its own.

    Attributes:
        root: The trusted root that the signatures must verify against.
    """

    root: Root
    _signer: Signer
    _threads: Threads

    def sign_digest(self, digest: Digest) -> bytes:
        """Sign a file by its digest and return the bundle as JSON.

        Raises:
            UndecidedError: ``signing-failed``.
        """
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest.raw())
        return _under_deadline(
            lambda: self._signer.sign_artifact(hashed).to_json(), threads=self._threads
        ).encode()

    def sign_statement(self, statement: bytes) -> bytes:
        """Sign an in-toto statement v1 as a DSSE envelope and return the bundle as JSON.

        Raises:
            UndecidedError: ``signing-failed``.
        """
        return _under_deadline(
            lambda: self._signer.sign_dsse(Statement(statement)).to_json(), threads=self._threads
        ).encode()


@contextmanager
def signatory(token: str, trust_config: bytes | None) -> Iterator[Signatory]:
    """Exchange an identity token for a certificate.

    Args:
        token: The OIDC identity token; never logged or shown.
        trust_config: A client trust config as JSON; None for the public-good instance, fetched by TUF.

    Raises:
        UsageError: ``bad-trust-config``.
        TrustRootError: The trusted root in it cannot be used, or TUF failed.
        UndecidedError: ``signing-failed``: the CA refused, or did not answer.
    """
    config = _public_good() if trust_config is None else _read_config(trust_config)
    root = load_root(_root_of(config))
    signer = _under_deadline(
        lambda: Signer(IdentityToken(token), SigningContext.from_trust_config(config)), secret=token
    )
    with Threads() as threads:
        yield Signatory(root, signer, threads)


def ambient_token(
    *, seconds: float = _DEADLINE, detect: Callable[[], str | None] = detect_credential
) -> str | None:
    """Return the identity token that the CI system offers, None where there is none, or none in time.

    Args:
        seconds: How long to wait; the library has only a timeout for each read.
        detect: Gets the token.
    """
    try:
        return _under_deadline(detect, seconds=seconds)
    except Exception:  # noqa: BLE001 -- raised where a CI system promises a token and has none
        return None


def _read_config(raw: bytes) -> ClientTrustConfig:
    try:
        loads_object(raw, max_bytes=_LARGEST_CONFIG)
        return ClientTrustConfig.from_json(raw.decode("utf-8"))
    except MalformedError as err:
        raise UsageError("bad-trust-config", f"expected a Sigstore client trust config, found {err}") from err
    except Exception as err:
        raise UsageError(
            "bad-trust-config", f"expected a Sigstore client trust config, found {_said(err)}"
        ) from err


def _public_good() -> ClientTrustConfig:
    try:
        return _under_deadline(ClientTrustConfig.production)
    except UndecidedError as err:
        raise TrustRootError(
            "tuf-failed", err.message, hint="The public-good instance's TUF repository could not be reached."
        ) from err


def _root_of(config: ClientTrustConfig) -> bytes:
    """Serialise the trusted root with its inner model, since the public API cannot (as in :mod:`.tuf`)."""
    text: str = config.trusted_root._inner.to_json()  # noqa: SLF001 -- see the docstring
    return text.encode()


def _under_deadline(
    work: Callable[[], T], *, secret: str = "", seconds: float = _DEADLINE, threads: Threads | None = None
) -> T:
    try:
        return (threads.within if threads else within)(seconds, work)
    except DeadlineError as err:
        raise UndecidedError(
            "signing-failed",
            f"expected an answer of Sigstore within {seconds:g} s, found none",
            hint="Try again.",
        ) from err
    except Exception as err:
        said = _said(err)
        raise UndecidedError(
            "signing-failed",
            f"expected Sigstore to sign, found: {said.replace(secret, '***') if secret else said}",
            hint="If the CA refuses the token: it knows only some issuers, needs the audience `sigstore`, "
            "and the job's configuration must lie in the project itself. "
            "`pip-warden explain signing-failed` tells more.",
        ) from err


def _said(err: Exception) -> str:
    cause = f" ({err.__cause__})" if err.__cause__ is not None else ""
    return escape_text(f"{type(err).__name__}: {err}{cause}", 600)
