"""``pip-warden root``: the pinned Sigstore trusted root.

Only this command, and the first ``trust add``, contact TUF.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pip_warden.cli.color import color_option
from pip_warden.cli.common import format_option, load_trust, trust_option
from pip_warden.cli.examples import examples
from pip_warden.cli.group import HelpfulGroup
from pip_warden.cli.style import print_block
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, TrustRootError, UsageError

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root
    from pip_warden.strict_json import JSONValue
    from pip_warden.trust.model import RootPin, TrustFile


@click.group("root", cls=HelpfulGroup, epilog=examples("pip-warden root update"))
@color_option
def command() -> None:
    """Look after the pinned Sigstore trusted root."""


@command.command("update", epilog=examples("pip-warden root update --trusted-root trusted_root.json"))
@trust_option
@click.option(
    "--trusted-root",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new root; else that of the public-good instance, fetched by TUF.",
)
@click.option(
    "--sigstore", "name", default="default", show_default=True, metavar="NAME", help="X of [sigstore.X]."
)
@click.option(
    "--allow-removal",
    is_flag=True,
    help="Pin a root that drops a key, authority or log of the old one, or makes an expired one valid again.",
)
@click.option("--yes", "-y", is_flag=True, help="Pin without asking.")
@format_option
@click.option("--debug", is_flag=True, help="Show where a bug happened.")
@color_option
def update(
    *,
    trust: Path | None,
    trusted_root: Path | None,
    name: str,
    allow_removal: bool,
    yes: bool,
    output_format: str,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Replace the trusted root by a newer one and pin its digest, after a yes.

    Without --trusted-root, only an older root of the public-good instance is replaced.
    """
    from pip_warden._sigstore.root import load_root
    from pip_warden._sigstore.tuf import fetch_public_good_root
    from pip_warden.trust.roots import read_root_file

    loaded = load_trust(trust)
    pin = _pinned(loaded, name)
    raw = fetch_public_good_root() if trusted_root is None else read_root_file(trusted_root)
    new = load_root(raw)
    is_data = output_format == "json"
    talk = partial(print_block, stream=sys.stderr) if is_data else print_block
    losses = _offer(pin, raw, new, talk, is_fetched=trusted_root is None, allow_removal=allow_removal)
    if losses is not None:
        _confirm(yes=yes)
        _replace(loaded, pin, raw)
        talk(f"updated {loaded.path} and {pin.path}; commit both, and review the change")
    if is_data:
        print(_document(loaded, pin, raw, new, losses))


def _offer(
    pin: RootPin,
    raw: bytes,
    new: Root,
    talk: Callable[[str], None],
    *,
    is_fetched: bool,
    allow_removal: bool,
) -> list[str] | None:
    """Show what would be pinned; return what it takes away, None where it is pinned already.

    Raises:
        RefusedError: As for :func:`_losses`.
        TrustRootError: As for :func:`_losses`.
    """
    from pip_warden.digests import digest_of

    digest = digest_of(raw)
    if digest.matches(pin.sha256):
        talk(f"{pin.path.name} is current: sha256 {digest}")
        return None
    talk(f"{pin.path.name}\n  was  sha256 {pin.sha256}\n  new  sha256 {digest}")
    for part in new.dropped:
        talk(f"  not usable here, and left out: {escape_text(part, 500)}")
    losses = _losses(pin, new, is_fetched=is_fetched, allow_removal=allow_removal)
    for change in losses:
        talk(f"  {escape_text(change, 500)}")
    return losses


def _document(loaded: TrustFile, pin: RootPin, raw: bytes, new: Root, losses: list[str] | None) -> str:
    from pip_warden.digests import digest_of
    from pip_warden.report.document import document

    told: dict[str, JSONValue] = {
        "trust_file": str(loaded.path),
        "sigstore": pin.name,
        "path": str(pin.path),
        "is_written": losses is not None,
        "before": pin.sha256.hex,
        "after": digest_of(raw).hex,
        "left_out": list(new.dropped),
        "losses": list(losses or ()),
    }
    return document("root update", told)


def _replace(loaded: TrustFile, pin: RootPin, raw: bytes) -> None:
    """Write the new root and its digest, if the trust file still says what was loaded.

    Raises:
        UsageError: ``trust-file-changed``, or ``trust-file-unwritable``.
    """
    from pip_warden.digests import digest_of
    from pip_warden.trust.editing.changed import changed_meanwhile
    from pip_warden.trust.editing.edit import alone, drafted, replace_root_digest, write
    from pip_warden.trust.file import parse, read_bytes

    path = loaded.path
    with alone(path):
        text = read_bytes(path).decode("utf-8", "replace")
        if parse(text, path) != loaded:
            raise changed_meanwhile(path)
        text = replace_root_digest(text, replace(pin, sha256=digest_of(raw)), path)
        with drafted(pin.path, raw) as put:
            write(path, text)
            put()


def _pinned(trust: TrustFile, name: str) -> RootPin:
    pin = trust.root(name)
    if pin is None:
        raise UsageError("not-in-trust-file", f"expected a trusted root {name} in {trust.path}, found none")
    return pin


def _losses(pin: RootPin, new: Root, *, is_fetched: bool, allow_removal: bool) -> list[str]:
    """Say what a new root takes away from the pinned one.

    Raises:
        RefusedError: ``other-trusted-root``: the public-good root would replace that of another instance;
            ``trusted-root-removal``: something is taken away, and that was not allowed.
        TrustRootError: What is pinned is not there to compare with, and that was not allowed.
    """
    from pip_warden._sigstore.root import load_root
    from pip_warden._sigstore.succession import is_of_another_instance, removed, reopened
    from pip_warden.trust.roots import read_root

    try:
        old = load_root(read_root(pin))
    except TrustRootError as err:
        if is_fetched or not allow_removal:
            raise
        return [f"what is pinned cannot be compared with it: {err.message}"]
    if is_fetched and is_of_another_instance(old, new):
        named = "" if pin.name == "default" else f" --sigstore {pin.name}"
        raise RefusedError(
            "other-trusted-root",
            f"expected an older root of the public-good instance in {pin.path.name}, found one that has none"
            " of its certificate authorities",
            hint="Name the newer root of your own instance: "
            f"`pip-warden root update{named} --trusted-root FILE`.",
        )
    losses = [f"removed: {part}" for part in removed(old, new)]
    losses += [f"valid again: {part}" for part in reopened(old, new)]
    if losses and not allow_removal:
        raise RefusedError(
            "trusted-root-removal",
            f"expected all that {pin.path.name} has, with its ends, "
            f"found {escape_text('; '.join(losses), 4000)}",
            hint="Is it the newer root, and of the same instance? If what is listed is meant, --allow-removal"
            " pins it.",
        )
    return losses


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "yes-needed", "expected a yes, found no terminal to ask at", hint="--yes pins without asking."
        )
    if not click.confirm("Pin the new root?", err=True):
        raise RefusedError("declined", "expected a yes, found a no; nothing was changed")
