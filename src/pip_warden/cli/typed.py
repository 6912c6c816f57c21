"""What a user typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports


class Typed:
    """What a user typed, and how the run is told as soon as that is known. It goes along as click's ``obj``.

    Attributes:
        words: The program and its arguments.
        reports: How it is told; None as long as the options were not read.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self.reports: Reports | None = None
