"""The gate as the registries' own paths see it, for a user's trust file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flow.user import User
from pip_warden.command.backend import Demanded, GateRegistries
from pip_warden.command.groups import GroupNumbers
from pip_warden.events import SILENT
from pip_warden.gate import Gate
from pip_warden.report.ledger import Ledger
from pip_warden.session.opening import open_parts
from pip_warden.session.settings import Settings
from pip_warden.trust.file import load
from pip_warden.trust.model import TrustFile


@dataclass(frozen=True, kw_only=True)
class Front:
    """What is behind the registries' paths."""

    trust: TrustFile
    gate: Gate
    ledger: Ledger
    backend: GateRegistries


@contextmanager
def front(user: User, demanded: Demanded | None = None) -> Iterator[Front]:
    """Open the gate for a user's trust file."""
    trust = load(user.home / "pytrust.toml", check_owner=False)
    ledger, served = Ledger(), user.home / "served"
    served.mkdir(exist_ok=True)
    with (
        open_parts(trust, Settings.from_environment(), SILENT) as session,
        session.gate(ledger) as gate,
    ):
        # The session's trust file knows this machine's mirrors.
        number_of = GroupNumbers(session.transport).number
        backend = GateRegistries(gate, session.trust, served, demanded=demanded, number_of=number_of)
        yield Front(trust=session.trust, gate=gate, ledger=ledger, backend=backend)
