"""Draws results: lines over an axis, as SVG that is the same for the same figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 112, 40, 48
_COLOURS = ("#1a5fb4", "#c64600", "#26a269", "#813d9c", "#5e5c64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A tool's figures: for each place on the axis the median and, above and below it, the range."""

    name: str
    points: Mapping[int, tuple[float, float, float]]


def chart(title: str, labels: Sequence[str], lines: Sequence[Line], *, unit: str = "s") -> str:
    """Return a drawing; the places on the axis are evenly spaced, the heights are logarithms.

    Args:
        title: What is shown.
        labels: What is written under each place.
        lines: The figures, all above zero; the first is drawn thicker.
        unit: What they are measured in.
    """
    figures = [figure for line in lines for point in line.points.values() for figure in point]
    low, high = (round_(math.log10(each(figures))) for each, round_ in ((min, _down), (max, _up)))
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(place: int) -> float:
        return _LEFT + wide * (place + 0.5) / len(labels)

    def up(figure: float) -> float:
        return _TOP + tall * (high - math.log10(figure)) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        "<style>text { font: 13px sans-serif } .title { font: bold 15px sans-serif }</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" class="title">{escape(title)}</text>',
    ]
    for figure in _ticks(low, high):
        y = up(figure)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_LEFT + wide}" stroke="#deddda"/>')
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{figure:g} {escape(unit)}</text>'
        )
    for place, label in enumerate(labels):
        parts.append(
            f'<text x="{across(place):.1f}" y="{_HEIGHT - 20}" text-anchor="middle">{escape(label)}</text>'
        )
    heights = _spread([up(list(line.points.values())[-1][1]) for line in lines])
    for number, (line, height) in enumerate(zip(lines, heights, strict=True)):
        parts += _drawn(line, _COLOURS[number % len(_COLOURS)], 3.0 if number == 0 else 1.8, across, up)
        parts.append(
            f'<text x="{_LEFT + wide + 8}" y="{height + 4:.1f}" '
            f'fill="{_COLOURS[number % len(_COLOURS)]}">{escape(line.name)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(
    line: Line, colour: str, width: float, across: Callable[[int], float], up: Callable[[float], float]
) -> list[str]:
    parts = []
    path = " ".join(f"{across(at):.1f},{up(point[1]):.1f}" for at, point in line.points.items())
    parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
    for at, (least, middle, most) in line.points.items():
        x = across(at)
        parts.append(
            f'<path d="M{x:.1f} {up(least):.1f}V{up(most):.1f}" stroke="{colour}" stroke-opacity="0.5"/>'
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{up(middle):.1f}" r="{width + 1}" fill="{colour}"/>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(low), math.ceil(high) + 1)
    found = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    return [figure for figure in found if low - 1e-9 <= math.log10(figure) <= high + 1e-9]


def _down(power: float) -> float:
    """Return the tick at or below a power of ten."""
    return max(math.log10(each) for each in _all_ticks() if math.log10(each) <= power + 1e-9)


def _up(power: float) -> float:
    """Return the tick above a power of ten."""
    return min(math.log10(each) for each in _all_ticks() if math.log10(each) > power + 1e-9)


def _all_ticks() -> list[float]:
    return [step * 10.0**decade for decade in range(-6, 7) for step in (1, 2, 5)]


def _spread(heights: list[float]) -> list[float]:
    """Move names apart that would lie on one another."""
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    moved = list(heights)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + 16)
    return moved
