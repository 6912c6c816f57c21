"""A person who signs: offered where there is no token and somebody sits at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pip_warden.cli.output import is_ci_job
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from pip_warden._sigstore.services import Services
    from pip_warden.publish.token import TokenClaims


class Login:
    """The login of one run, which may not be needed.

    Args:
        issuer: The OIDC issuer; None for the trust config's.
        client_id: As which client.
        is_wanted: Whether it was asked for; else it is offered.
    """

    def __init__(self, issuer: str | None, client_id: str, *, is_wanted: bool) -> None:
        self._issuer, self._client_id, self._is_wanted = issuer, client_id, is_wanted
        self._is_done = False

    @property
    def is_possible(self) -> bool:
        """Return whether somebody can be asked: at a terminal, and in no CI job.

        Raises:
            UsageError: ``no-terminal``: nobody can, and it was asked for.
        """
        if not is_ci_job() and sys.stdin.isatty():
            return True
        if self._is_wanted:
            found = "a CI job" if is_ci_job() else "nobody"
            raise UsageError(
                "no-terminal",
                f"expected a person at a terminal for --browser, found {found}",
                hint="A CI job signs with its own ID token: leave --browser out.",
            )
        return False

    def token(self, services: Services) -> str:
        """Have the person log in, and return the identity token.

        Raises:
            UsageError: ``no-login``.
            RefusedError: ``not-confirmed``.
            UndecidedError: ``login-failed``.
        """
        from pip_warden._sigstore.login import log_in

        issuer = self._issuer or services.login_url
        if not self._is_wanted:
            _ask(f"There is no identity token. Log in at {escape_text(issuer)} with your browser?")
        token = log_in(issuer, client_id=self._client_id)
        self._is_done = True
        return token

    def confirm(self, claimed: TokenClaims) -> None:
        """Ask whether somebody who logged in will sign; whoever brought a token is not asked.

        Raises:
            RefusedError: ``not-confirmed``.
        """
        if self._is_done:
            _ask(f"Sign as {escape_text(claimed.claimed_subject)}?")


def _ask(question: str) -> None:
    if not click.confirm(question, err=True):
        raise RefusedError("not-confirmed", "expected a yes, found a no; nothing was signed")
