"""Keys and authorities over time: what was trusted, from when, until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pip_warden.sandbox.sigstore.wire import JSONObject, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

T = TypeVar("T")


@dataclass(kw_only=True, slots=True)
class Generation(Generic[T]):
    """One key or authority and what the trusted root says about it.

    Mutable on purpose: a test moves `start` and `end`, or clears `trusted`.

    Attributes:
        holder: The key or authority.
        start: Start of `validFor`.
        end: End of `validFor`; None leaves it open.
        trusted: Whether the trusted root lists it at all.
    """

    holder: T
    start: datetime
    end: datetime | None = None
    trusted: bool = True

    def valid_for(self) -> JSONObject:
        """Return the window as the trusted root writes it."""
        window: JSONObject = {"start": timestamp(self.start)}
        if self.end is not None:
            window["end"] = timestamp(self.end)
        return window


class KeyHistory(Generic[T]):
    """All generations of one service, oldest first; the last one is active."""

    def __init__(self, holder: T, start: datetime) -> None:
        self.generations: list[Generation[T]] = [Generation(holder=holder, start=start)]

    @property
    def current(self) -> T:
        """The active holder."""
        return self.generations[-1].holder

    def __iter__(self) -> Iterator[T]:
        return (generation.holder for generation in self.generations)

    def trusted(self) -> list[Generation[T]]:
        """Return the generations that the trusted root lists."""
        return [generation for generation in self.generations if generation.trusted]

    def rotate(self, holder: T, moment: datetime, *, end: bool = True, forget: bool = False) -> None:
        """Activate a new holder.

        Args:
            holder: The new one, valid from `moment`.
            moment: The time of the change.
            end: Close the old one's window at that moment; False leaves it open.
            forget: Remove the old one from the trusted root.
        """
        old = self.generations[-1]
        old.end = moment if end else old.end
        old.trusted = old.trusted and not forget
        self.generations.append(Generation(holder=holder, start=moment))
