"""The tables of a lock as models: only the keys that are read, each with its type."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pip_warden.display import escape_text
from pip_warden.locks.text import PACKAGE_KEYS, LockText


class Table(BaseModel):
    """A table. Other keys are allowed: a format gains some without a new major version."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


_Model = TypeVar("_Model", bound=Table)


def validated(text: LockText, model: type[_Model]) -> _Model:
    """Return a lock's document as a model.

    Raises:
        UsageError: ``bad-lock-file``: it is none; the first fault is told.
    """
    try:
        return model.model_validate(text.document)
    except ValidationError as err:
        first = err.errors(include_url=False, include_context=False, include_input=False)[0]
        place = first["loc"]
        position = place[1] if len(place) > 1 and place[0] in PACKAGE_KEYS else None
        key = ".".join(escape_text(str(part), 40) for part in place)
        raise text.bad(f"{key}: {first['msg']}", position if isinstance(position, int) else None) from err
