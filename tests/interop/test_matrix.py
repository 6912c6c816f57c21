"""Which verifier accepts which producer's signatures, on both Rekors, and on logs whose first entry it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from interop import clients
from interop.clients import Bench, Evidence, Result
from interop.stack import services, supervisor
from interop.stack.places import Port
from interop.tables import check_table
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop

Producer = Callable[[Bench, str], Evidence]
Verifier = Callable[[Bench, Evidence], Result]

VERIFIERS: dict[str, Verifier] = clients.PEERS | {"pip-warden": clients.by_warden}

_BOTH, _FIRST = ("v1", "v2"), ("v1", "v2", "fresh-v1", "fresh-v2")
PRODUCERS: tuple[tuple[str, Producer, tuple[str, ...]], ...] = (
    ("cosign 2.2.3 `sign-blob`, a pair", clients.old_cosign_pair, ("v1",)),
    ("cosign 3.1.3 `sign-blob`, a pair", clients.cosign_pair, ("v1",)),
    ("sigstore-python `sign`, a pair", clients.python_pair, ("v1",)),
    ("pip-warden `sign --detached`, the pair", clients.warden_pair, ("v1",)),
    ("cosign 3.1.3 `sign-blob --bundle`", clients.cosign_sign, _FIRST),
    ("cosign 3.1.3 `attest-blob`", clients.cosign_attest, _FIRST),
    ("sigstore-python `sign`", clients.python_sign, _FIRST),
    ("sigstore-python `attest`", clients.python_attest, _BOTH),
    ("@sigstore/cli `attest`", clients.js_attest, ("v1",)),
    ("pip-warden `sign`", clients.warden_sign, _FIRST),
    ("pip-warden `attest`", clients.warden_attest, _FIRST),
)
_LOGS = {
    "v1": "Rekor v1",
    "v2": "Rekor v2",
    "fresh-v1": "Rekor v1, as its first entry",
    "fresh-v2": "Rekor v2, as its first entry",
}
_REKOR = {"fresh-v1": Port.FRESH_REKOR1}


@pytest.fixture
def bench(gitlab: Sandbox, tmp_path: Path) -> Bench:
    return Bench.of(gitlab, tmp_path)


def test_the_matrix_is_as_the_page_says(bench: Bench) -> None:
    measured, said = _measure(bench)
    check_table("matrix", ["signed by", "logged in", *VERIFIERS], measured, said=said)


def _measure(bench: Bench) -> tuple[list[list[str]], str]:
    """Return the table's rows, and the output where it was not ok."""
    rows, said = [], []
    with ThreadPoolExecutor(3) as pool:
        for title, produce, logs in PRODUCERS:
            for log in logs:
                with _running(log):
                    evidence = replace(produce(bench, log), rekor=_REKOR.get(log, Port.REKOR1))
                    results = list(pool.map(partial(_verify, bench, evidence), VERIFIERS.values()))
                rows.append([title, _LOGS[log], *map(_word, results)])
                said += [
                    f"{title}, {log}: {result.stdout}{result.stderr}"
                    for result in results
                    if result and result.returncode
                ]
    return rows, "\n".join(said)


def _verify(bench: Bench, evidence: Evidence, verifier: Verifier) -> Result:
    return verifier(bench, evidence)


def _word(result: Result) -> str:
    return "–" if result is None else "no" if result.returncode else "ok"


@contextmanager
def _running(log: str) -> Iterator[None]:
    """Run the log; a fresh one is started anew for every producer, and ended."""
    if log in _BOTH:
        yield
        return
    supervisor.stop(log)
    services.forget(log)
    supervisor.start(services.fresh(log))
    try:
        yield
    finally:
        supervisor.stop(log)
