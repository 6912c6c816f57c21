"""The options that name a signer on the command line, who then stands in the place of the trust file's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from pip_warden.cli.common import load_trust, trust_path, with_options
from pip_warden.errors import TrustRootError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pip_warden.trust.model import TrustFile

F = TypeVar("F", bound="Callable[..., object]")

_OPTIONS = (
    click.option(
        "--certificate-identity",
        "--cert-identity",
        "identity",
        metavar="SUBJECT",
        help="The signer; else the trust file says.",
    ),
    click.option(
        "--certificate-oidc-issuer",
        "--cert-oidc-issuer",
        "issuer",
        metavar="URL",
        help="The signer's OIDC issuer.",
    ),
    click.option(
        "--build-trigger",
        "build_trigger",
        multiple=True,
        metavar="TRIGGER",
        help="What may have started the signer's pipeline; else push.",
    ),
    click.option(
        "--trusted-root",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The Sigstore trusted root; else the trust file's.",
    ),
)


class TrustMaker(Protocol):
    """Makes the trust file that an identity on the command line stands for."""

    def __call__(
        self, *, subject: str, issuer: str, root: Path, build_trigger: Iterable[str] = ()
    ) -> TrustFile:
        """See :mod:`pip_warden.trust.command_line`."""
        ...


def signer_options(function: F) -> F:
    """Add the options that name a signer."""
    return with_options(function, _OPTIONS)


def trust_of(trust: Path | None, options: dict[str, Any], made: TrustMaker) -> TrustFile:
    """Return the trust file, or the one that an identity on the command line stands for.

    Args:
        trust: ``--trust``.
        options: A command's options; those of :func:`signer_options` are taken out.
        made: Makes the latter.

    Raises:
        UsageError: ``issuer-needed``, ``trusted-root-needed``, ``usage``; or as for ``made``.
        RefusedError: ``build-trigger-unsafe``.
        TrustRootError: ``trusted-root-digest``: the trust file pins another root.
        TrustFileError: There is no trust file, or it is faulty.
    """
    identity, issuer = options.pop("identity"), options.pop("issuer")
    triggers, root = options.pop("build_trigger"), options.pop("trusted_root")
    if triggers:
        _check_triggers(triggers, identity)
    if (identity is None) != (issuer is None):
        raise UsageError(
            "issuer-needed",
            "expected --certificate-identity and --certificate-oidc-issuer together, found one of them",
            hint="The same subject from another issuer is another identity.",
        )
    if identity is None:
        return _pinned(trust, root)
    return made(subject=identity, issuer=issuer, root=root or _default_root(trust), build_trigger=triggers)


def _check_triggers(triggers: tuple[str, ...], identity: str | None) -> None:
    """Check each ``--build-trigger``: the trust file says it of its own pins."""
    from pip_warden.verdict.triggers import require_pinnable

    if identity is None:
        raise UsageError(
            "usage", "expected --build-trigger together with --certificate-identity, found it alone"
        )
    for trigger in triggers:
        require_pinnable(trigger)


def _pinned(trust: Path | None, root: Path | None) -> TrustFile:
    from pip_warden.digests import digest_of
    from pip_warden.trust.roots import read_root_file

    loaded = load_trust(trust)
    if root is not None:
        pinned = {pin.sha256 for pin in loaded.roots}
        if digest_of(read_root_file(root)) not in pinned:
            raise TrustRootError(
                "trusted-root-digest",
                f"expected a trusted root that {loaded.path.name} pins, found {root} with another digest",
                hint="Leave --trusted-root out, or give an identity on the command line.",
            )
    return loaded


def _default_root(trust: Path | None) -> Path:
    path = trust_path(trust)
    if path is not None:
        roots = load_trust(trust).roots
        if roots:
            return roots[0].path
    raise UsageError(
        "trusted-root-needed",
        "expected --trusted-root FILE or a trust file that pins one, found neither",
        hint="Nothing is fetched unasked; the first `pip-warden trust add` stores and pins one.",
    )
