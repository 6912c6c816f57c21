"""The catalogue of codes: what each refusal and error means and what to do about it.

The texts are package data, one TOML file per room in ``codes/``, so that ``pip-warden explain`` and
``docs/codes.md`` have the same texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pip_warden.display import escape_text, nearest, without_secrets
from pip_warden.errors import UsageError
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One code, explained.

    Attributes:
        code: The stable kebab-case code.
        room: The room that raises it: the name of its file.
        exit_code: The exit code of a run that ends with it (design decision D11).
        title: A short title.
        meaning: What happened and why it matters.
        remedy: What to do next.
        step: The step of the verdict that gives it; None for an error.
    """

    code: str
    room: str
    exit_code: int
    title: str
    meaning: str
    remedy: str
    step: int | None = None


@cache
def catalogue() -> Mapping[str, Explanation]:
    """Read every code, by its name, in alphabetical order; once, as the texts are part of the package."""
    found: dict[str, Explanation] = {}
    for file in sorted(files("pip_warden.codes").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            room = file.name.removesuffix(".toml")
            for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[code] = _explanation(code, room, entry)
    return MappingProxyType(dict(sorted(found.items())))


def explain(code: str) -> Explanation:
    """Explain one code, however it is written: in capitals, or with blanks around it.

    Raises:
        UsageError: ``unknown-code``: there is no such code.
    """
    known = catalogue()
    if (spelled := code.strip().lower()) in known:
        return known[spelled]
    close = nearest(code, known, likeness=0.5)
    raise UsageError(
        "unknown-code",
        f"expected a code such as not-pinned, found {escape_text(without_secrets(code))!r}",
        hint=f"Did you mean {', '.join(close)}?" if close else "`pip-warden explain` alone lists every code.",
    )


def _explanation(code: str, room: str, entry: dict[str, object]) -> Explanation:
    step = entry.get("step")
    exit_code = entry.get("exit", 1 if step is not None else 70)
    return Explanation(
        code=code,
        room=room,
        exit_code=int(str(exit_code)),
        title=str(entry["title"]),
        meaning=" ".join(str(entry["meaning"]).split()),
        remedy=" ".join(str(entry["remedy"]).split()),
        step=int(str(step)) if step is not None else None,
    )
