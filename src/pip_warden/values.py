"""``dataclass`` for frozen values, as the standard library has it, made in a quarter of the time.

Before Python 3.13 it writes and compiles the text of six methods for each class: 0.7 ms, and a run that
installs loads some 140 classes. Here only ``__init__`` is written, and the others, which differ between
classes in names alone, are shared. From 3.13 on it is the standard library's own (ADR 24).
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable
from dataclasses import field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

if TYPE_CHECKING or sys.version_info >= (3, 13):
    from dataclasses import dataclass
else:

    def dataclass(cls: type[Any] | None = None, /, *, frozen: bool = False, **options: bool) -> Any:
        """Make a data class, or return what makes one, as :func:`dataclasses.dataclass` does."""
        made = _frozen(**options) if frozen else dataclasses.dataclass(**options)
        return made if cls is None else made(cls)


def _frozen(**options: bool) -> Callable[[type[Any]], type[Any]]:
    """Return a decorator as ``dataclasses.dataclass(frozen=True, …)`` does."""

    def made(cls: type[Any]) -> type[Any]:
        documented = cls.__doc__
        cls.__doc__ = documented or "—"  # else dataclasses would work out a signature for it
        derives = any(map(dataclasses.is_dataclass, cls.__bases__))
        value = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=derives, **options)(cls)
        value.__dataclass_params__.frozen = True  # what derives from it must be so, whoever makes it
        value.__doc__ = documented
        fields = dataclasses.fields(value)
        value.__values__ = _getter(each.name for each in fields if each.compare)
        value.__hashed__ = _getter(
            each.name for each in fields if (each.compare if each.hash is None else each.hash)
        )
        for name, method in {"__init__": _initializer(value, fields), **_METHODS}.items():
            if name not in vars(value):
                setattr(value, name, method)
        return value

    return made


class _Made:
    """Stands for a default that is made for each value."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Made()


def _fields(value: object) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value)  # type: ignore[arg-type]  # one of those that are made here


def _getter(names: Iterable[str]) -> Any:
    """Return what reads some fields: a tuple of them, of one its value."""
    known = tuple(names)
    return staticmethod(attrgetter(*known) if known else lambda _value: ())


def _initializer(cls: type[Any], fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """Write ``__init__``: it sets each field past ``__setattr__``, and then asks ``__post_init__``."""
    known: dict[str, Any] = {"_MADE": _MADE, "_set": object.__setattr__}
    parameters, named, body = ["self"], list[str](), list[str]()
    for each in fields:
        name, value = each.name, each.name
        if each.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = each.default_factory
            made = f"_make_{name}()"
            default, value = "=_MADE", f"{made} if {name} is _MADE else {name}" if each.init else made
        elif each.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = each.default
            default, value = f"=_default_{name}", name if each.init else f"_default_{name}"
        elif each.init:
            default = ""
        else:
            continue
        if each.init:
            (named if each.kw_only else parameters).append(f"{name}{default}")
        body.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join([*parameters, *(["*", *named] if named else [])])
    lines = "\n  ".join(body or ["pass"])
    text = f"def make({', '.join(known)}):\n def __init__({head}):\n  {lines}\n return __init__"
    space: dict[str, Any] = {}
    exec(text, sys.modules[cls.__module__].__dict__, space)  # noqa: S102 -- of names of fields alone, as dataclasses does
    initializer: Callable[..., None] = space["make"](**known)
    initializer.__qualname__ = f"{cls.__qualname__}.__init__"
    initializer.__annotations__ = {each.name: each.type for each in fields if each.init} | {"return": None}
    return initializer


class _Shared:
    """The methods that differ between classes in the names of their fields alone."""

    __values__: Callable[[Any], Any]
    __hashed__: Callable[[Any], Any]

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self.__values__(self) == self.__values__(other))

    def __hash__(self) -> int:
        return hash(self.__hashed__(self))

    def __repr__(self) -> str:
        shown = (f"{each.name}={getattr(self, each.name)!r}" for each in _fields(self) if each.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __getstate__(self) -> list[Any]:
        return [getattr(self, each.name) for each in _fields(self)]

    def __setstate__(self, state: list[Any]) -> None:
        for each, value in zip(_fields(self), state, strict=True):
            object.__setattr__(self, each.name, value)


_METHODS = {name: each for name, each in vars(_Shared).items() if callable(each)}
