"""Spells a trust file that pins one package, or the images of one repository."""

from __future__ import annotations

from collections.abc import Sequence


def trust_text(
    *,
    root_sha256: str,
    issuer: str,
    url: str,
    registry: str,
    subject: str,
    name: str = "acme-widgets",
    source: str = "acme",
    more: str = "",
) -> str:
    """Spell it; the trusted root is `trusted_root.json` next to it, and `more` follows the subject."""
    return f"""version = 1
[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{root_sha256}"
issuers = ["{issuer}"]
[source.{source}]
type = "gitlab"
url = "{url}"
[[package]]
name = "{name}"
source = "{source}"
project = "{registry}"
  [[package.identity]]
  issuer = "{issuer}"
  subject = "{subject}"
{more}"""


def image_trust_text(
    *,
    root_sha256: str,
    issuer: str,
    repository: str,
    subjects: Sequence[str],
    realm: str = "",
    more: str = "",
) -> str:
    """Spell one that pins images to signers; the trusted root is `trusted_root.json` next to it."""
    signers = "".join(
        f'  [[image.identity]]\n  issuer = "{issuer}"\n  subject = "{subject}"\n' for subject in subjects
    )
    shown_to = f'realm = "{realm}"\n' if realm else ""
    return f"""version = 1
[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{root_sha256}"
issuers = ["{issuer}"]
[[image]]
repository = "{repository}"
{shown_to}{signers}{more}"""
