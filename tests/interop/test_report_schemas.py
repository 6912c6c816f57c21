"""Reports against the official schema of SARIF 2.1.0 (OASIS, errata 01): too large to be kept here."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from interop.stack.places import FILES
from pip_warden.report import sarif
from pip_warden.report.model import Report
from report.reports import ENDED, MIXED, UNSAID, many
from report.test_report import EVIL, report_of

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def schema() -> Any:
    """Return the schema: a Go program has it as a raw string, between the only two backquotes of its file."""
    _, text, _ = (FILES / "sarif_schema.go").read_text(encoding="utf-8").split("`")
    found = json.loads(text)
    assert found["id"].endswith("/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    return found


@pytest.mark.parametrize("report", [MIXED, *ENDED, *UNSAID, many(20), *map(report_of, EVIL)])
def test_sarif_is_valid(report: Report, schema: Any) -> None:
    document = json.loads(sarif.render(report))

    assert document["$schema"] == schema["id"]
    jsonschema.validate(document, schema)


def test_the_schema_refuses_what_is_not_sarif(schema: Any) -> None:
    document = json.loads(sarif.render(MIXED))
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)
