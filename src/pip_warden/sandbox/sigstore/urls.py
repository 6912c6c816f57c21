"""How Go reads a URL and writes it again, which is what the CA does to a subject (`net/url`)."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from pip_warden.sandbox.sigstore.errors import SigstoreRefusal

NOTHING = "https:"
"""The result for `https://` with nothing after it."""

_IN_PATH, _IN_FRAGMENT = "$&+,/:;=@-_.~", "$&+,/:;=?@!()*-_.~"  # what is not escaped
_KEPT = "!$&'()*+,;=:@[]%/-_.~"  # text of only these characters stays as it is


def normal(text: str) -> str:
    """Return an https URL as Go writes it after parsing it.

    Path and fragment stay as they are where that is a valid encoding; otherwise they are decoded and encoded
    again, so that `a%2Fb<` ends as `a/b%3C`. Go refuses control characters; here they are escaped like
    others, so that there can be a certificate whose extensions are full of them.

    Raises:
        SigstoreRefusal: Go does not parse it.
    """
    rest, hashed, fragment = text.removeprefix("https://").partition("#")
    rest, asked, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if not authority and not slash and not asked and not hashed:
        return NOTHING
    written = f"https://{authority}{slash}{_component(text, path, _IN_PATH)}"
    written += f"{asked}{query}{hashed}{_component(text, fragment, _IN_FRAGMENT, '?')}"
    if not written.isascii():
        raise SigstoreRefusal(f"x509: {_quoted(written)} cannot be encoded as an IA5String")
    return written


def _component(text: str, part: str, safe: str, also: str = "") -> str:
    wrong = re.search(r"%(?![0-9a-fA-F]{2}).{0,2}", part)
    if wrong:
        raise _unread(text, f"invalid URL escape {_quoted(wrong[0])}")
    if all(character.isascii() and (character.isalnum() or character in _KEPT + also) for character in part):
        return part
    return quote(unquote_to_bytes(part), safe=safe)


def _unread(text: str, why: str) -> SigstoreRefusal:
    return SigstoreRefusal(f"parse {_quoted(text)}: {why}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", escaped) + '"'
