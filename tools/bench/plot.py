"""Ratios as bars in an SVG: right of the line we are faster, left of it the peer. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = {"linux-plain": "#4477aa", "linux-uring": "#228833", "linux-isolated": "#cc6677"}
WIDTH, LABEL, RIGHT = 900, 300, 90
ROW, BAR, TOP, BOTTOM = 22, 12, 64, 40
FONT = 'font-family="sans-serif" font-size="12"'


@dataclass(frozen=True)
class Bar:
    """One bar: `ratio` with the range of single rounds, and whose it is."""

    label: str
    variant: str
    ratio: float
    low: float
    high: float


def draw(bars: Sequence[Bar], title: str) -> str:
    """Return the SVG; its axis is logarithmic, so that twice and half are as far from 1."""
    most = max((max(b.ratio, b.high, 1 / b.ratio, 1 / b.low) for b in bars), default=2.0)
    decades = max(math.log10(most) * 1.05, 0.1)
    height = TOP + ROW * len(bars) + BOTTOM

    def x(ratio: float) -> float:
        half = (WIDTH - LABEL - RIGHT) / 2
        return LABEL + half + half * math.log10(ratio) / decades

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="12" y="22" font-weight="bold">{escape(title)}</text>',
        *_legend(),
        *_axis(x, height, decades),
    ]
    for index, bar in enumerate(bars):
        parts += _bar(bar, TOP + ROW * index, x)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> list[str]:
    parts = []
    for index, (variant, colour) in enumerate(COLOURS.items()):
        left = 12 + 150 * index
        parts.append(f'<rect x="{left}" y="34" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18}" y="44">{variant}</text>')
    return parts


def _axis(x: Callable[[float], float], height: int, decades: float) -> list[str]:
    parts = []
    foot = height - BOTTOM + 6
    for tick in _ticks(decades):
        place = x(tick)
        colour = "#000000" if tick == 1 else "#dddddd"
        parts.append(f'<path d="M{place:.1f} {TOP - 6}V{foot}" stroke="{colour}"/>')
        parts.append(f'<text x="{place:.1f}" y="{foot + 14}" text-anchor="middle">{tick:g}</text>')
    return parts


def _ticks(decades: float) -> list[float]:
    steps = (1, 2, 5) if decades <= 1 else (1,)
    whole = math.ceil(decades)
    found = [step * 10.0**power for power in range(-whole, whole + 1) for step in steps]
    return [tick for tick in found if abs(math.log10(tick)) <= decades]


def _bar(bar: Bar, top: int, x: Callable[[float], float]) -> list[str]:
    left, right = sorted((x(1), x(bar.ratio)))
    middle = top + BAR / 2
    colour = COLOURS.get(bar.variant, "#777777")
    return [
        f'<text x="{LABEL - 8}" y="{top + 10}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{BAR}" '
        f'fill="{colour}"/>',
        f'<path d="M{x(bar.low):.1f} {middle}H{x(bar.high):.1f}" stroke="black"/>',
        f'<text x="{WIDTH - RIGHT + 12}" y="{top + 10}">{bar.ratio:.2f}</text>',
    ]
