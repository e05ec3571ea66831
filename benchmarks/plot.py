"""The plots: SVG with text as text, on a ground of their own: legible whatever the page's is."""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

from .peers import PEERS, VARIANTS

_STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #323c48 }
.ground { fill: #f6f8fa }
.title { font-weight: 600; font-size: 13px }
.own { fill: #1f6fd0 } .other { fill: #87909a } .rule { stroke: #a86305; stroke-dasharray: 3 3 }
.ownline { stroke: #1f6fd0 } .otherline { stroke: #6b747e } polyline { fill: none; stroke-width: 2.5 }
.grid { stroke: #808890; stroke-opacity: .3 }
</style>"""

_OURS = "requests_partnerauth"
_WIDTH, _LABELS, _BAR = 760, 210, 17


def bars(cases: dict[str, Any]) -> str:
    """Three panels: the auth call, the slowest request in a refresh ahead, the import."""
    panels = [
        ("Auth call with a token in hand, against HTTPBasicAuth", _ratios(cases, "hot-path"), "{:.2f}", 1.0),
        ("Slowest request during a refresh of 500 ms: beyond the usual, ms", _beyond(cases), "{:.0f}", None),
        ("Import, against import requests", _ratios(cases, "imports"), "{:.2f}", 1.0),
    ]
    parts, top = [], 10
    for title, values, form, rule in panels:
        if values:
            part, top = _panel(title, values, form, rule, top)
            parts.append(part)
    return _svg(top, parts)


def _ratios(cases: dict[str, Any], case: str) -> dict[str, float]:
    figures = cases.get(case, {})
    return {name: figures[name]["ratio"] for name in PEERS if name in figures}


def _beyond(cases: dict[str, Any]) -> dict[str, float]:
    figures = cases.get("ahead", {})
    return {
        name: figures[name]["beyond_ms"]["median"]
        for name in [*PEERS, *VARIANTS]
        if "beyond_ms" in figures.get(name, {})
    }


def _panel(title: str, values: dict[str, float], form: str, rule: float | None, top: int) -> tuple[str, int]:
    room = _WIDTH - _LABELS - 70
    scale = room / max(values.values())
    parts = [f'<text class="title" x="8" y="{top + 12}">{escape(title)}</text>']
    first = y = top + 24
    for name, value in values.items():
        kind = "own" if name == _OURS else "other"
        length = max(1.0, value * scale)
        parts.append(f'<text x="{_LABELS - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        size = f'x="{_LABELS}" y="{y + 2}" width="{length:.1f}" height="{_BAR - 4}"'
        parts.append(f'<rect class="{kind}" {size}/>')
        after = length if rule is None or not length < rule * scale < length + 44 else rule * scale
        parts.append(f'<text x="{_LABELS + after + 6:.1f}" y="{y + 12}">{form.format(value)}</text>')
        y += _BAR
    if rule is not None:
        x = _LABELS + rule * scale
        parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{first}" y2="{y}"/>')
    return "\n".join(parts), y + 16


def lines(cases: dict[str, Any]) -> str:
    """rp.Gateway's auth call and one parse-and-write, by body size; both axes are logarithmic."""
    figures = cases.get("body-size", {})
    if not figures or "verdict" in figures:
        return _svg(40, [])
    sizes = [own["bytes"] for own in figures.values()]
    series = [
        ("otherline", "parsing and writing the body once", [own["plain_us"] for own in figures.values()]),
        ("ownline", "RpGatewayAuth", [own["us"] for own in figures.values()]),
    ]
    left, right, top, bottom = 80, 700, 40, 300
    low, high = (math.floor(math.log10(sizes[0])), round(math.log10(sizes[-1])))
    every = [value for _, _, values in series for value in values]
    least, most = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))

    def x(size: float) -> float:
        return left + (math.log10(size) - low) / (high - low) * (right - left)

    def y(value: float) -> float:
        return bottom - (math.log10(value) - least) / (most - least) * (bottom - top)

    parts = ['<text class="title" x="8" y="20">rp.Gateway: auth call by size of the JSON body</text>']
    for power in range(low, high + 1):
        parts.append(_tick_x(x(10**power), _words(10**power, ("B", "kB", "MB")), top, bottom))
    for power in range(least, most + 1):
        parts.append(_tick_y(y(10**power), _words(10**power, ("µs", "ms", "s")), left, right))
    for kind, label, values in series:
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline class="{kind}" points="{points}"/>')
        line = top + 14 if kind == "otherline" else top + 32
        stroke = f'x1="{left + 12}" x2="{left + 36}" y1="{line}" y2="{line}" stroke-width="2.5"'
        parts.append(f'<line class="{kind}" {stroke}/>')
        parts.append(f'<text x="{left + 44}" y="{line + 4}">{escape(label)}</text>')
    return _svg(bottom + 34, parts)


def _tick_x(x: float, words: str, top: int, bottom: int) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{words}</text>'
    )


def _tick_y(y: float, words: str, left: int, right: int) -> str:
    return (
        f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
    )


def _words(number: float, units: tuple[str, str, str]) -> str:
    for unit in units[:2]:
        if number < 1000:
            return f"{number:g} {unit}"
        number /= 1000
    return f"{number:g} {units[2]}"


def _svg(height: int, parts: list[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    ground = f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>'
    return "\n".join([head, _STYLE, ground, *parts, "</svg>"]) + "\n"
