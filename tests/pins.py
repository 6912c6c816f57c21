"""Spells a trust file that pins one package to one signer."""

from __future__ import annotations


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
