# SPDX-License-Identifier: BSD-2-Clause
"""Bars as SVG, readable on a light and on a dark page: one a row, from nothing
to the median, with a line from the least to the greatest of the rounds."""

import statistics
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 640, 110, 120, 44, 30, 16
OURS, OTHERS = "#2563a8", "#8a94a3"


def bars(heading, unit, rows, ours="kerbwrap"):
    """rows: {name: [value a round]}.  The text of an SVG file."""
    most = max(max(values) for values in rows.values())
    height = TOP + ROW * len(rows) + 12
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{height}" width="{WIDTH}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="13">',
        f"<title>{escape(heading)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
        f'<text x="16" y="27" font-weight="bold">{escape(heading)}</text>',
        f'<text x="{WIDTH - 16}" y="27" text-anchor="end" fill="#555">'
        f"{escape(unit)}</text>",
    ]
    for number, (name, values) in enumerate(rows.items()):
        parts += _bar(TOP + ROW * number, name, values, scale, name == ours)
    return "\n".join([*parts, "</svg>", ""])


def _bar(top, name, values, scale, is_ours):
    middle = statistics.median(values)
    centre = top + BAR / 2 + 2
    least, end, greatest = (LEFT + scale * value
                            for value in (min(values), middle, max(values)))
    yield (f'<text x="{LEFT - 10}" y="{centre + 4:.1f}" text-anchor="end">'
           f"{escape(name)}</text>")
    yield (f'<rect x="{LEFT}" y="{top + 2}" width="{end - LEFT:.1f}" '
           f'height="{BAR}" fill="{OURS if is_ours else OTHERS}"/>')
    yield (f'<path d="M{least:.1f} {centre}H{greatest:.1f}'
           f'M{least:.1f} {centre - 4}v8M{greatest:.1f} {centre - 4}v8" '
           'stroke="#1d2530" fill="none"/>')
    yield (f'<text x="{max(greatest, end) + 8:.1f}" y="{centre + 4:.1f}">'
           f"{_number(middle)}</text>")


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
