"""How a command ended: what its failure means, and what it was stopped at."""

from __future__ import annotations

from collections.abc import Sequence

from pip_warden.errors import InstallerError, RefusedError
from pip_warden.installer.pip import how_it_ended
from pip_warden.installer.server import Server
from pip_warden.report.ledger import Ledger

_MOST_NAMED = 10
"""How many of the requests that were stopped are told: a tool may ask for one again and again."""


def raise_if_failed(ledger: Ledger, server: Server, code: int, *, lacking: Sequence[str] = ()) -> None:
    """Tell what a command was stopped at, and raise what its end comes to.

    Args:
        ledger: Gets a warning for each request that was stopped, unless that is why the command failed.
        server: The server that it had.
        code: Its exit code, or minus the number of the signal that ended it.
        lacking: What its lock files name and the trust file does not pin: it may have failed for want of it.

    Raises:
        WardenError: What the run was ended by: then the command has failed because of that.
        RefusedError: ``outside-the-gate``: it failed, and had asked for something else than the gate has.
        InstallerError: ``command-failed``: it failed.
    """
    strays = _several(server.strays)
    for who in server.mistrusts:
        ledger.warn(f"the run's certificate was not accepted for {who}")
    if server.denial is None and code != 0 and strays:
        raise RefusedError(
            "outside-the-gate",
            f"expected the command to ask for what the trust file pins, found {how_it_ended(code)}, after it "
            f"was stopped at the gate: {', '.join(strays)}",
            hint="If the tool asked its default registry, name a pinned one as the project's index. "
            "`pip-warden explain outside-the-gate` says how, and what else it may be.",
        )
    for stray in strays:
        ledger.warn(f"stopped at the gate: {stray}")
    if server.denial is not None:
        raise server.denial
    if code != 0:
        raise InstallerError(
            "command-failed",
            f"expected the command to succeed, found {how_it_ended(code)}",
            hint=f"Not pinned: {', '.join(_several(lacking))}. `pip-warden trust explain NAME` says what is."
            if lacking
            else "Its own words are above.",
        )


def _several(told: Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(told))
    more = len(distinct) - _MOST_NAMED
    return [*distinct[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
