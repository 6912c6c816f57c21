"""The JSON Schema of what is printed as JSON, made of the types that describe it.

It says what is there in this version; keys may be added in the next, so unknown ones are no fault of a
document. Specification: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from pip_warden.report import command_shapes as of
from pip_warden.report import trust_shapes as trust
from pip_warden.report.inspected_shapes import SaidShape
from pip_warden.report.json import JUDGING
from pip_warden.report.shapes import Envelope
from pip_warden.strict_json import JSONValue

DOCUMENTS: Mapping[str, type] = {
    "safe-install": of.FilesReport,
    "run": of.FilesReport,
    "verify": of.FilesReport,
    "verify-release": of.FilesReport,
    "publish": of.PublishedShape,
    "publish-evidence": of.PublishedShape,
    "promote": of.PromotedShape,
    "image verify": of.VerifiedImages,
    "image promote": of.PromotedImages,
    "sign": of.SignedFiles,
    "attest": of.SignedFiles,
    "image sign": of.SignedImages,
    "image attest": of.SignedImages,
    "image annotate": of.SignedImages,
    "inspect": SaidShape,
    "image inspect": of.InspectedShape,
    "trust add": trust.PinnedShape,
    "trust sync": trust.PinnedShape,
    "trust update": trust.PinnedShape,
    "trust remove": trust.EditedShape,
    "trust prune": trust.EditedShape,
    "trust list": trust.ListedShape,
    "trust show": trust.ShownShape,
    "trust diff": trust.ComparedShape,
    "trust explain": trust.InWordsShape,
    "trust check": trust.CheckedShape,
    "root update": trust.RootUpdate,
    "ci init": of.PipelineShape,
    "build-info": of.WrittenShape,
    "explain": of.ExplainedShape,
    "sandbox": of.SandboxShape,
    "demo": of.DemoShape,
}
"""What each command tells besides the envelope, where no error ended it."""

_SCALARS: Mapping[object, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    type(None): "null",
}


def report_schema(*, is_closed: bool = False) -> dict[str, JSONValue]:
    """Return the schema.

    Args:
        is_closed: Whether a key that is not described is a fault: for tests of what is printed.
    """
    found: dict[str, JSONValue] = {}
    envelope = _object(Envelope, found, is_closed=is_closed)
    envelope.pop("additionalProperties", None)
    rules: list[JSONValue] = []
    for shape in dict.fromkeys(DOCUMENTS.values()):
        found[shape.__name__] = _document(shape, found, is_closed=is_closed)
        rules.append(_of([each for each in DOCUMENTS if DOCUMENTS[each] is shape], {"$ref": _place(shape)}))
    images = {command for command in JUDGING if command.startswith("image ")}
    rules += [
        _of(sorted(JUDGING - images), {"required": _required(of.FilesReport)}),
        _of(sorted(images), {"required": _required(of.ImagesReport)}),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What pip-warden and safe-install print with --format json",
        **envelope,
        "allOf": rules,
        **({"unevaluatedProperties": False} if is_closed else {}),
        "$defs": {name: found[name] for name in sorted(found)},
    }


def _of(commands: Iterable[str], then: JSONValue) -> JSONValue:
    return {"if": {"properties": {"command": {"enum": [*commands]}}}, "then": then}


def _document(shape: type, found: dict[str, JSONValue], *, is_closed: bool) -> JSONValue:
    """Return what a command tells: where an error ended it, anything of that may be missing."""
    told = _object(shape, found, is_closed=is_closed)
    told.pop("additionalProperties", None)
    no_error: JSONValue = {"properties": {"error": {"type": "null"}}}
    return told | {"if": no_error, "then": {"required": told.pop("required")}}


def _object(shape: type, found: dict[str, JSONValue], *, is_closed: bool) -> dict[str, JSONValue]:
    """Return one of our types as a schema.

    Args:
        shape: A TypedDict.
        found: Where the types that it mentions are put, by name.
        is_closed: As for :func:`report_schema`.
    """
    words, about = _described(shape)
    properties: dict[str, JSONValue] = {}
    for name, hint in get_type_hints(shape).items():
        value = _value(hint, found, is_closed=is_closed)
        properties[name] = {"description": about[name], **value} if name in about else value
    closed: dict[str, JSONValue] = {"additionalProperties": False} if is_closed else {}
    return {
        "description": words,
        "type": "object",
        "properties": properties,
        "required": _required(shape),
        **closed,
    }


def _required(shape: type) -> list[JSONValue]:
    hints = get_type_hints(shape, include_extras=True)
    return [name for name, hint in hints.items() if get_origin(hint) is not NotRequired]


def _value(hint: Any, found: dict[str, JSONValue], *, is_closed: bool) -> dict[str, JSONValue]:
    """Return the schema of a key's type.

    Raises:
        TypeError: It is none of those that documents are described with.
    """
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if is_typeddict(hint):
        if hint.__name__ not in found:
            found[hint.__name__] = _object(hint, found, is_closed=is_closed)
        return {"$ref": _place(hint)}
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return {"enum": [*inner]}
    if get_origin(hint) is list:
        return {"type": "array", "items": _value(inner[0], found, is_closed=is_closed)}
    if get_origin(hint) is dict and inner[0] is str:
        return {"type": "object", "additionalProperties": _value(inner[1], found, is_closed=is_closed)}
    if get_origin(hint) in {Union, types.UnionType}:
        return {"anyOf": [_value(each, found, is_closed=is_closed) for each in inner]}
    raise TypeError(f"no schema for {hint!r}")


def _place(shape: type) -> str:
    return f"#/$defs/{shape.__name__}"


def _described(shape: type) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of a type, and of its keys."""
    words, _, attributes = inspect.cleandoc(shape.__doc__ or "").partition("\n\nAttributes:\n")
    told = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    return _one_line(words), {name: _one_line(text) for name, text in told}


def _one_line(text: str) -> str:
    return " ".join(text.split())
