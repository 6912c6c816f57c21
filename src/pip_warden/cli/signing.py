"""What ``sign`` and ``attest`` share: the token, the trust config, and how the outcome is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pip_warden.cli.common import with_options
from pip_warden.cli.output import Console
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden._sigstore.sign import Signatory
    from pip_warden.publish.sign import Signed
    from pip_warden.publish.token import TokenClaims
    from pip_warden.strict_json import JSONValue

F = TypeVar("F", bound=Callable[..., object])


_ACCESS = (
    click.option(
        "--identity-token",
        metavar="TOKEN",
        help="The OIDC identity token; else SIGSTORE_ID_TOKEN (safer: argv is visible).",
    ),
    click.option(
        "--trust-config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A Sigstore client trust config; else the public-good instance.",
    ),
    click.option(
        "--allow-no-timestamp",
        is_flag=True,
        help="Go on if a time-stamp authority of the trust config gives no stamp (Rekor v1 only).",
    ),
    click.option(
        "--browser", is_flag=True, help="Log in as a person, at a terminal: your address becomes public."
    ),
    click.option("--oidc-issuer", metavar="URL", help="Where to log in; else as the trust config says."),
    click.option(
        "--oidc-client-id",
        metavar="ID",
        default="sigstore",
        show_default=True,
        help="As which client, which is also the audience of the token.",
    ),
)
_OUTPUT = (
    click.option(
        "--output-directory",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where evidence is written; else next to each file.",
    ),
    click.option(
        "--overwrite", is_flag=True, help="Sign all anew; else evidence that is there and good stays."
    ),
    click.option("--quiet", "-q", count=True, help="Only warnings; twice: only errors."),
    click.option("--debug", is_flag=True, help="Show where a bug happened."),
)


def access_options(function: F) -> F:
    """Add the options that say who signs with what: the fields of :class:`Access`."""
    return with_options(function, _ACCESS)


def signing_options(function: F) -> F:
    """Add the options of commands that sign files; the first of them are the fields of :class:`Access`."""
    return access_options(with_options(function, _OUTPUT))


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Who signs with what, as options.

    Attributes:
        identity_token: The token, where one is given.
        trust_config: The client trust config; None for the public-good instance.
        allow_no_timestamp: Whether a time stamp may be missing.
        browser: Whether a person logs in.
        oidc_issuer: Where; None for the trust config's.
        oidc_client_id: As which client, and for which audience.
    """

    identity_token: str | None
    trust_config: Path | None
    allow_no_timestamp: bool
    browser: bool
    oidc_issuer: str | None
    oidc_client_id: str


@contextmanager
def open_signatory(access: Access, console: Console) -> Iterator[tuple[Signatory, TokenClaims]]:
    """Find and read the token, or have a person log in; say what will be pinned, and open the signer."""
    from pip_warden._sigstore.services import read_services
    from pip_warden._sigstore.sign import signatory
    from pip_warden.cli.login import Login
    from pip_warden.publish.token import find_token, no_token, read_token

    config = read_trust_config(access.trust_config)
    token = None if access.browser else find_token(access.identity_token, os.environ)
    login = Login(access.oidc_issuer, access.oidc_client_id, is_wanted=access.browser)
    if token is None and not login.is_possible:
        raise no_token()
    services = None
    if token is None:
        services = read_services(config)
        token = login.token(services)
    claimed = read_token(
        token,
        now=datetime.now(UTC),
        is_public_good=config is None,
        audience=access.oidc_client_id,
    )
    for line in claimed.in_words().splitlines():
        console.note(line)
    if claimed.is_person:
        console.warning("the log shows this address to everybody, for ever; no entry can be removed")
    login.confirm(claimed)
    with signatory(
        token,
        services or read_services(config),
        client_id=access.oidc_client_id,
        allow_no_timestamp=access.allow_no_timestamp,
    ) as by:
        yield by, claimed
        for url in by.unstamped:
            console.warning(f"signed without a time stamp of {url}, as --allow-no-timestamp says")


def read_trust_config(path: Path | None) -> bytes | None:
    """Return the content of ``--trust-config``; None where it is not given, for the public-good instance.

    Raises:
        UsageError: ``no-such-file``.
    """
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as err:
        raise UsageError(
            "no-such-file", f"expected a Sigstore client trust config in {path}, found none readable"
        ) from err


def tell(command: str, signed: list[Signed], output_format: str, console: Console) -> None:
    """Print what was signed; quiet prints it only as JSON."""
    if output_format == "json":
        from pip_warden.report.document import document

        files: list[JSONValue] = [
            {
                "file": item.path.name,
                "evidence": [path.name for path in (*item.kept, *item.written)],
                "kept": [path.name for path in item.kept],
                "subject": item.proved.claims.subjects[0],
                "issuer": item.proved.claims.issuer,
                "log_index": item.proved.log_index,
            }
            for item in signed
        ]
        print(document(command, {"files": files}))
        return
    if console.quiet:
        return
    for item in signed:
        names = ", ".join(escape_text(path.name) for path in (*item.kept, *item.written))
        said = "already signed, " if item.kept else ""
        print_block(f"{escape_text(item.path.name)}: {names} ({said}log index {item.proved.log_index})")
