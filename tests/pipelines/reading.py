"""Reads components as GitLab does: what stands for an input is replaced in the text, then it is YAML."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = ("publish", "verify", "promote", "image")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DEFAULT_STAGES = (".pre", "build", "test", "deploy", ".post")
MANDATORY: dict[str, dict[str, Any]] = {
    "publish": {"needs": ["build"]},
    "verify": {"release": "acme-widgets==1.0"},
    "promote": {"release": "acme-widgets==1.0", "from": "staging", "to": "production"},
    "image": {
        "needs": ["build"],
        "ref": "registry.example.com/acme/app/build:1.0",
        "promote-to": "registry.example.com/acme/app:1.0",
    },
}
_BLOCK = re.compile(r"\$\[\[\s*(inputs|component)\.([\w-]+)\s*\]\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """A template.

    Attributes:
        header: The ``spec``.
        body: The text after it.
    """

    header: dict[str, Any]
    body: str

    @classmethod
    @cache
    def read(cls, name: str) -> Component:
        """Read one of this repository's, once: that takes long, and nobody changes it."""
        head, body = (TEMPLATES / f"{name}.yml").read_text(encoding="utf-8").split("\n---\n")
        return cls(header=yaml.safe_load(head)["spec"], body=body)

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Return the declared inputs."""
        found: dict[str, dict[str, Any]] = self.header["inputs"]
        return found

    def used(self) -> set[str]:
        """Return the inputs that the body uses."""
        return {name for kind, name in _BLOCK.findall(self.body) if kind == "inputs"}

    def jobs(self, **given: Any) -> dict[str, dict[str, Any]]:
        """Return the jobs that come of inputs."""
        values = {name: spec["default"] for name, spec in self.inputs.items() if "default" in spec} | given

        def value(match: re.Match[str]) -> str:
            found = COMMIT if match[1] == "component" else values[match[2]]
            return found if isinstance(found, str) else json.dumps(found)

        found: dict[str, dict[str, Any]] = yaml.safe_load(_BLOCK.sub(value, self.body))
        return found


def jobs_of(name: str, **given: Any) -> dict[str, dict[str, Any]]:
    """Return the jobs of a component with its mandatory inputs, and others."""
    return Component.read(name).jobs(**MANDATORY[name] | given)


def table() -> str:
    """Return what the page says of the inputs."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for name in NAMES:
        for key, spec in Component.read(name).inputs.items():
            default = spec.get("default")
            said = "mandatory" if default is None else "" if default == "" else f"`{_spelled(default)}`"
            rows.setdefault((key, said if key != "install" else "see below", spec["description"]), []).append(
                name
            )
    lines = [
        f"| `{key}` | {', '.join(names)} | {said} | {text} |" for (key, said, text), names in rows.items()
    ]
    return "\n".join(["| input | component | default | what it is |", "| --- | --- | --- | --- |", *lines])


def _spelled(default: object) -> str:
    """Return a default as YAML in one line."""
    text = yaml.safe_dump(default, default_flow_style=True, width=1000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
