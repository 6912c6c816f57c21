"""``pip-warden root``: the pinned Sigstore trusted root. Only this command, and the first ``trust add``, contact TUF."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from pip_warden.cli.common import load_trust, trust_option
from pip_warden.display import shown
from pip_warden.errors import RefusedError, UsageError


@click.group("root")
def command() -> None:
    """Look after the pinned Sigstore trusted root."""


@command.command("update")
@trust_option
@click.option(
    "--trusted-root",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new root; else that of the public-good instance, fetched by TUF.",
)
@click.option(
    "--sigstore", "name", default="default", show_default=True, metavar="NAME", help="X of [sigstore.X]."
)
@click.option("--yes", "-y", is_flag=True, help="Pin without asking.")
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
def update(*, trust: Path | None, trusted_root: Path | None, name: str, yes: bool, debug: bool) -> None:  # noqa: ARG001 -- read by cli.run
    """Replace the trusted root by a newer one and pin its digest, after a yes."""
    from pip_warden._sigstore.root import load_root
    from pip_warden._sigstore.tuf import fetch_public_good_root
    from pip_warden.digests import digest_of
    from pip_warden.trust.edit import replace_root_digest, write

    loaded = load_trust(trust)
    pin = next((root for root in loaded.roots if root.name == name), None)
    if pin is None:
        raise UsageError("not-in-trust-file", f"expected a trusted root {name} in {loaded.path}, found none")
    raw = fetch_public_good_root() if trusted_root is None else _read(trusted_root)
    left_out = load_root(raw).dropped
    digest = digest_of(raw)
    if digest.matches(pin.sha256):
        print(f"{pin.path.name} is current: sha256 {digest}")
        return
    print(f"{pin.path.name}\n  was  sha256 {pin.sha256}\n  new  sha256 {digest}")
    for part in left_out:
        print(f"  not usable here, and left out: {shown(part, 500)}")
    _confirm(yes=yes)
    text = replace_root_digest(
        loaded.path.read_text(encoding="utf-8"), replace(pin, sha256=digest), loaded.path
    )
    draft = pin.path.with_name(f".{pin.path.name}.new")
    draft.write_bytes(raw)
    write(loaded.path, text)
    draft.replace(pin.path)
    print(f"updated {loaded.path} and {pin.path}; commit both, and review the change")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise UsageError("no-such-file", f"expected a trusted root in {path}, found none readable") from err


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "yes-needed", "expected a yes, found nobody to ask", hint="--yes pins without asking."
        )
    if not click.confirm("Pin the new root?", err=True):
        raise RefusedError("declined", "expected a yes, found a no; nothing was changed")
