"""What commands print as JSON, held against the schema that is published for it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from pip_warden.report.schema import report_schema


def described(raw: str | bytes) -> Any:
    """Read a command's document; it must be one, and have no key that the schema does not describe."""
    document = json.loads(raw)
    faults = [
        f"{'.'.join(map(str, each.path))}: {each.message}" for each in validator().iter_errors(document)
    ]
    assert faults == []
    return document


@cache
def validator() -> Draft202012Validator:
    """The published schema, closed: what is printed and not described is a fault, too."""
    schema: Any = report_schema(is_closed=True)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
