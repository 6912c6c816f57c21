"""``pip-warden verify``: local wheels and sdists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import (
    connection_options,
    demand_options,
    demanding,
    format_option,
    load_trust,
    print_report,
    successes_option,
    trust_option,
    trust_path,
)
from pip_warden.cli.examples import examples
from pip_warden.errors import TrustRootError, UsageError

if TYPE_CHECKING:
    from pip_warden.trust.model import TrustFile

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "verify",
    epilog=examples(
        "pip-warden verify dist/*.whl",
        "pip-warden verify acme-1.0.tar.gz --bundle acme-1.0.sigstore.json",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@trust_option
@click.option("--bundle", type=_FILE, help="A Sigstore bundle of any version, or a PEP 740 attestation.")
@click.option("--signature", type=_FILE, help="A detached signature (with --certificate).")
@click.option("--certificate", type=_FILE, help="Its certificate: PEM, base64 of PEM, or DER.")
@click.option(
    "--certificate-identity",
    "--cert-identity",
    "identity",
    metavar="SUBJECT",
    help="The signer; else the trust file says.",
)
@click.option(
    "--certificate-oidc-issuer",
    "--cert-oidc-issuer",
    "issuer",
    metavar="URL",
    help="The signer's OIDC issuer.",
)
@click.option(
    "--build-trigger",
    "build_trigger",
    multiple=True,
    metavar="TRIGGER",
    help="What may have started the signer's pipeline; else push.",
)
@click.option("--trusted-root", type=_FILE, help="The Sigstore trusted root; else the trust file's.")
@demand_options
@successes_option
@format_option
@connection_options
@color_option
def command(
    *,
    files: tuple[Path, ...],
    trust: Path | None,
    bundle: Path | None,
    signature: Path | None,
    certificate: Path | None,
    identity: str | None,
    issuer: str | None,
    build_trigger: tuple[str, ...],
    trusted_root: Path | None,
    show_successes: bool,
    output_format: str,
    **options: Any,
) -> int:
    """Verify each FILE: a wheel or sdist with its evidence next to it, or named by an option.

    Who must have signed it is what the trust file pins for its project, or --certificate-identity with
    --certificate-oidc-issuer.
    """
    from pip_warden.cli.output import Console
    from pip_warden.cli.session import open_session, settings_of
    from pip_warden.verify import NamedEvidence, files_to_verify, verify_files

    files = files_to_verify(files)
    given = NamedEvidence(bundle=bundle, signature=signature, certificate=certificate)
    if build_trigger:
        _check_triggers(build_trigger, identity)
    trusted = _trust(files, trust, (identity, issuer, build_trigger), trusted_root)
    trusted = demanding(trusted, options)
    console = Console.of(options)
    with open_session(trusted, settings_of(options), console) as session:
        report = verify_files(session, files, given=given)
    return print_report(replace(report, with_successes=show_successes), output_format, console)


def _trust(
    files: tuple[Path, ...],
    trust: Path | None,
    signer: tuple[str | None, str | None, tuple[str, ...]],
    root: Path | None,
) -> TrustFile:
    """Return the trust file, or the one that an identity on the command line stands for."""
    identity, issuer, triggers = signer
    if (identity is None) != (issuer is None):
        raise UsageError(
            "issuer-needed",
            "expected --certificate-identity and --certificate-oidc-issuer together, found one of them",
            hint="The same subject from another issuer is another identity.",
        )
    if identity is None or issuer is None:
        return _pinned(trust, root)
    from pip_warden.trust.command_line import command_line_trust

    pinned = root or _default_root(trust)
    return command_line_trust(files, subject=identity, issuer=issuer, root=pinned, build_trigger=triggers)


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
