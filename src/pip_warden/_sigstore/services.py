"""The servers that a signature needs: which the trust config names, and which of them is being asked.

The library talks to them itself, and what it raises seldom says to whom. So it is given clients that note
each call before they pass it on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from sigstore.models import ClientTrustConfig
from sigstore.sign import SigningContext

from pip_warden._sigstore.deadline import DeadlineError, within
from pip_warden._sigstore.root import Root, load_root
from pip_warden.display import escape_text, without_userinfo
from pip_warden.errors import TrustRootError, UsageError
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.values import dataclass, field

_LARGEST_CONFIG = 8 << 20
_TUF_SECONDS = 60.0


class Role(Enum):
    """What a server does for a signature, as people call it."""

    CA = "the certificate authority (Fulcio)"
    LOG = "the transparency log (Rekor)"
    TSA = "the time-stamp authority"


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A server that signing needs.

    Attributes:
        role: What it does.
        url: Where it is, as the trust config says.
    """

    role: Role
    url: str

    @property
    def shown(self) -> str:
        """Return its URL for people: without a password, escaped."""
        return escape_text(without_userinfo(self.url))

    def __str__(self) -> str:
        """Return both, for people."""
        return f"{self.role.value} at {self.shown}"


class StampError(Exception):
    """A time-stamp authority gave no stamp; nothing was sent to the log.

    Attributes:
        server: The authority.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server.url)
        self.server = server


class Asked:
    """Which server one signature asked last, for whoever waits for it.

    Attributes:
        server: The server.
    """

    def __init__(self, first: Server) -> None:
        self.server = first


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The servers of a trust config, and the root that their signatures must verify against.

    Attributes:
        root: The trusted root.
        ca: The certificate authority.
        log: The transparency log.
        authorities: The time-stamp authorities, every one of which is asked for a stamp.
        log_version: Major version of the log's API: 1 or 2.
    """

    root: Root
    ca: Server
    log: Server
    authorities: tuple[Server, ...]
    log_version: int
    _config: ClientTrustConfig
    _asking: threading.local = field(default_factory=threading.local)

    @property
    def login_url(self) -> str:
        """Return where people log in.

        Raises:
            UsageError: ``no-login``: the trust config names no place.
        """
        try:
            return self._config.signing_config.get_oidc_url()
        except Exception as err:
            raise UsageError(
                "no-login",
                "expected an OIDC issuer in the trust config to log in at, found none",
                hint="--oidc-issuer URL names one; its Fulcio must know it.",
            ) from err

    @contextmanager
    def noting(self, asked: Asked) -> Iterator[None]:
        """Note what this thread asks.

        Args:
            asked: Where it is noted.
        """
        self._asking.asked = asked
        try:
            yield
        finally:
            del self._asking.asked

    def context(self, unstamped: Callable[[Server], None] | None) -> SigningContext:
        """Return what the library signs with.

        Args:
            unstamped: Is told which authority gave no stamp, where one may be missing; None where each must
                be there, and nothing is logged without.
        """
        signing = self._config.signing_config
        clients = zip(self.authorities, signing.get_tsas(), strict=True)
        tsas: list[Any] = [_Authority(server, client, self._note, unstamped) for server, client in clients]
        log: Any = _Log(self.log, signing.get_tlogs()[0], self._note)
        return SigningContext(
            fulcio=signing.get_fulcio(),
            rekor=log,
            trusted_root=self._config.trusted_root,
            tsa_clients=tsas,
        )

    def _note(self, server: Server) -> None:
        asked: Asked | None = getattr(self._asking, "asked", None)
        if asked is not None:
            asked.server = server


class _Log:
    """The library's client of the log; all but the one call that reaches it is passed on as it is."""

    def __init__(self, server: Server, client: Any, note: Callable[[Server], None]) -> None:
        self._server, self._client, self._note = server, client, note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_entry(self, *arguments: Any) -> Any:
        """Ask the log for an entry."""
        self._note(self._server)
        return self._client.create_entry(*arguments)


class _Authority:
    """The library's client of an authority. The library signs without the stamp that it cannot get."""

    def __init__(
        self,
        server: Server,
        client: Any,
        note: Callable[[Server], None],
        unstamped: Callable[[Server], None] | None,
    ) -> None:
        self.url = server.url
        self._server, self._client, self._note, self._unstamped = server, client, note, unstamped

    def request_timestamp(self, signature: bytes) -> Any:
        """Ask for a stamp.

        Raises:
            StampError: There is none, and it is needed.
            Exception: There is none, as the library says it, which then goes on without.
        """
        self._note(self._server)
        try:
            return self._client.request_timestamp(signature)
        except Exception as err:
            if self._unstamped is None:
                raise StampError(self._server) from err
            self._unstamped(self._server)
            raise


def read_services(trust_config: bytes | None) -> Services:
    """Read which servers sign.

    Args:
        trust_config: A client trust config as JSON; None for the public-good instance, fetched by TUF.

    Raises:
        UsageError: ``bad-trust-config``.
        TrustRootError: The trusted root in it cannot be used, or TUF failed.
    """
    config = _public_good() if trust_config is None else _read_config(trust_config)
    root = load_root(_root_of(config))
    try:
        signing = config.signing_config
        log: Any = signing.get_tlogs()[0]
        found = Services(
            root=root,
            ca=Server(role=Role.CA, url=signing.get_fulcio().url),
            log=Server(role=Role.LOG, url=log.url.rpartition("/api/")[0]),
            authorities=tuple(Server(role=Role.TSA, url=client.url) for client in signing.get_tsas()),
            log_version=2 if log.url.endswith("/api/v2") else 1,
            _config=config,
        )
    except Exception as err:
        raise _bad_config(said_by(err)) from err
    if found.log_version > 1 and not found.authorities:
        # Found before an entry is made that nobody can verify: such a log states no time.
        raise _bad_config("a Rekor v2 log without a time-stamp authority (tsaUrls)")
    return found


def said_by(err: BaseException) -> str:
    """Return what an exception of the library says, escaped."""
    cause = f" ({err.__cause__})" if err.__cause__ is not None else ""
    return escape_text(f"{type(err).__name__}: {err}{cause}", 600)


def _read_config(raw: bytes) -> ClientTrustConfig:
    try:
        loads_object(raw, max_bytes=_LARGEST_CONFIG)
        return ClientTrustConfig.from_json(raw.decode("utf-8"))
    except MalformedError as err:
        raise _bad_config(str(err)) from err
    except Exception as err:
        raise _bad_config(said_by(err)) from err


def _bad_config(found: str) -> UsageError:
    return UsageError("bad-trust-config", f"expected a Sigstore client trust config, found {found}")


def _public_good() -> ClientTrustConfig:
    hint = "The public-good instance's TUF repository could not be reached."
    try:
        return within(_TUF_SECONDS, ClientTrustConfig.production)
    except DeadlineError as err:
        found = f"no answer within {_TUF_SECONDS:g} s"
        raise TrustRootError("tuf-failed", f"expected a trusted root, found {found}", hint=hint) from err
    except Exception as err:
        raise TrustRootError(
            "tuf-failed", f"expected a trusted root, found: {said_by(err)}", hint=hint
        ) from err


def _root_of(config: ClientTrustConfig) -> bytes:
    """Serialise the trusted root with its inner model, since the public API cannot (as in :mod:`.tuf`)."""
    text: str = config.trusted_root._inner.to_json()  # noqa: SLF001 -- see the docstring
    return text.encode()
