"""The browser login of a person, through the sigstore library."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from sigstore.oidc import Issuer

from pip_warden._sigstore.services import said_by
from pip_warden._sigstore.trouble import cleaned
from pip_warden.display import escape_text
from pip_warden.errors import UndecidedError


def log_in(issuer_url: str, *, client_id: str) -> str:
    """Have a person log in, and return the identity token.

    The library opens the browser; where it cannot, it prints a link and asks for the code that is shown
    there. Its requests have deadlines, the person has none: Ctrl-C ends it.

    Args:
        issuer_url: The OIDC issuer.
        client_id: As which client, which is the audience of the token.

    Raises:
        UndecidedError: ``login-failed``.
    """
    try:
        with redirect_stdout(sys.stderr):  # where it asks for the code
            return str(Issuer(issuer_url).identity_token(client_id=client_id))
    except Exception as err:
        raise UndecidedError(
            "login-failed",
            f"expected an identity token of {escape_text(issuer_url)}, found: {cleaned(said_by(err), '')}",
            hint="Nothing was signed. Is that the issuer, and does it know this client? "
            "--oidc-issuer and --oidc-client-id name others.",
        ) from err
