"""The import contract works: for each rule a forbidden import is planted, and the contract refuses it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

import pip_warden

ROOT = Path(__file__).parent.parent
KINDS: dict[str, type[Contract]] = {
    "layers": LayersContract,
    "forbidden": ForbiddenContract,
    "protected": ProtectedContract,
}
LAYERS = "Data flows one way"
PLANTED = [
    (LAYERS, "pip_warden.index.parsing", "pip_warden.publish.registry"),
    (LAYERS, "pip_warden.oci.names", "pip_warden.trust.model"),
    (LAYERS, "pip_warden.verdict.origin", "pip_warden.sandbox.clock"),
    (LAYERS, "pip_warden.verdict.inquiry", "pip_warden.gate.once"),
    (LAYERS, "pip_warden.gate.one_file", "pip_warden.installer.server"),
    (LAYERS, "pip_warden.gate.gate", "pip_warden.session"),
    (LAYERS, "pip_warden.report.ledger", "pip_warden.vault.store"),
    (LAYERS, "pip_warden.evidence.locate", "pip_warden.trust.model"),
    (LAYERS, "pip_warden.transport.client", "pip_warden._sigstore.wire"),
    (LAYERS, "pip_warden.first_use.add", "pip_warden.install.run"),
    (LAYERS, "pip_warden.errors", "pip_warden.names"),
    (LAYERS, "pip_warden.publish.registry", "pip_warden.publication.run"),
    (LAYERS, "pip_warden.verify", "pip_warden.publication.run"),
    (LAYERS, "pip_warden.publication.run", "pip_warden.promote"),
    (LAYERS, "pip_warden.pipelines", "pip_warden.publish.registry"),
    (LAYERS, "pip_warden.locks.read", "pip_warden.first_use.add"),
    (LAYERS, "pip_warden.installer.requirements", "pip_warden.locks.read"),
    ("Reading a lock touches no network and runs nothing", "pip_warden.locks.read", "subprocess"),
    (LAYERS, "pip_warden.install.run", "pip_warden.cli.output"),
    ("The sandbox imports nothing of the rest", "pip_warden.sandbox.clock", "pip_warden.errors"),
    ("The sandbox imports nothing of the rest", "pip_warden.sandbox.sigstore.ca", "pip_warden.session"),
    ("The sandbox imports nothing of the rest", "pip_warden.sandbox.pytest_plugin", "pip_warden.trust.file"),
    ("The sandbox imports nothing of the rest", "pip_warden.sandbox.sigstore.ca", "sigstore"),
    ("Nobody but the command line starts the sandbox", "pip_warden.promote.run", "pip_warden.sandbox.world"),
    *(
        ("One room imports sigstore", importer, "sigstore")
        for importer in (
            "pip_warden.promote.summary",
            "pip_warden.publish.token",
            "pip_warden.first_use.observe",
            "pip_warden.verify",
            "pip_warden.explain",
            "pip_warden.evidence.bundle",
            "pip_warden.cli.verify",
        )
    ),
    ("One room imports sigstore", "pip_warden.verdict.evidence", "sigstore_models"),
    ("One room speaks HTTP", "pip_warden.index.simple", "requests"),
    ("One room speaks HTTP", "pip_warden._sigstore.rekor", "urllib3"),
    *(
        ("Judging touches nothing but its arguments", "pip_warden.verdict.evidence", imported)
        for imported in ("os", "time", "socket", "subprocess", "pip_warden.transport.client")
    ),
    ("Judging touches nothing but its arguments", "pip_warden.trust.model", "os"),
    ("Publishing never depends on judging", "pip_warden.publish.sign", "pip_warden.verdict.inquiry"),
    ("Publishing never depends on judging", "pip_warden.publish.registry", "pip_warden.vault.store"),
    ("Publishing never depends on judging", "pip_warden.publish.registry", "pip_warden.publication.judging"),
    ("Judging never depends on publishing", "pip_warden.verify", "pip_warden.publish.registry"),
    ("Judging never depends on publishing", "pip_warden.library", "pip_warden.publication.run"),
    ("What faces the installer knows no judging", "pip_warden.installer.server", "pip_warden.gate.gate"),
]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(pip_warden.__name__, include_external_packages=True, cache_dir=None)


def _contracts() -> dict[str, Contract]:
    configuration: dict[str, Any] = read_configuration(str(ROOT / "pyproject.toml"))
    return {
        options["name"]: KINDS[options["type"]](
            name=options["name"],
            session_options=configuration["session_options"],
            contract_options=options,
        )
        for options in configuration["contracts_options"]
    }


CONTRACTS = _contracts()


def test_every_rule_has_an_import_that_it_refuses() -> None:
    assert {rule for rule, *_ in PLANTED} == set(CONTRACTS)


@pytest.mark.parametrize("rule", sorted(CONTRACTS))
def test_what_there_is_keeps_to_it(rule: str, graph: grimp.ImportGraph) -> None:
    assert CONTRACTS[rule].check(deepcopy(graph), verbose=False).kept


@pytest.mark.parametrize(("rule", "importer", "imported"), PLANTED)
def test_a_planted_import_is_refused(
    rule: str, importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    assert importer in graph.modules, "the case names a module that is gone"
    planted = deepcopy(graph)
    if imported not in planted.modules:
        assert not imported.startswith("pip_warden."), "the case names a module that is gone"
        planted.add_module(imported, is_squashed=True)
    planted.add_import(
        importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}"
    )

    assert not CONTRACTS[rule].check(planted, verbose=False).kept


def test_a_room_that_no_layer_names_is_refused(graph: grimp.ImportGraph) -> None:
    planted = deepcopy(graph)
    planted.add_module("pip_warden.utils")

    assert not CONTRACTS[LAYERS].check(planted, verbose=False).kept
