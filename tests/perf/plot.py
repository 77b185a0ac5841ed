# SPDX-License-Identifier: Apache-2.0
"""Draws throughput against frame size and number of flows, as one SVG file that needs nothing
else: a panel for each, a line for each switch, a bar from the smallest to the largest value."""

from xml.sax.saxutils import escape

COLOURS = {"xvs": "#0b6e4f", "stock": "#b3401f", "reference": "#777777"}
NAMES = {"xvs": "XVS", "stock": "stock Open vSwitch", "reference": "forwarder that looks at nothing"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 560, 340, 60, 48, 60


def ceiling(value):
    """The next round number."""
    step = 0.1
    while step * 10 < value:
        step *= 2 if round(step, 6) in (0.1, 0.5, 1, 5) else 2.5
    return max(1, -(-value // step)) * step


def line(x1, y1, x2, y2, colour, width=1):
    """A straight line."""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def label(x, y, words, anchor="middle", size=12, colour="#222"):
    """Text."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour}">{escape(words)}</text>')


def panel(offset, title, axis, metrics):
    """`metrics`: {position on the x axis: {switch: {"median", "min", "max"}}}, in order."""
    switches = [s for s in COLOURS if any(s in m for m in metrics.values())]
    top = ceiling(max(m[s]["max"] for m in metrics.values() for s in switches if s in m))
    inner, height = WIDTH - LEFT - 20, HEIGHT - TOP - BOTTOM

    def x_of(i):
        return offset + LEFT + inner * (i + 0.5) / len(metrics)

    def y_of(value):
        return TOP + height * (1 - value / top)

    out = [label(offset + WIDTH / 2, 24, title, size=15),
           label(offset + WIDTH / 2, HEIGHT - 8, axis)]
    for tick in range(5):
        y = y_of(top * tick / 4)
        out.append(line(offset + LEFT, y, offset + WIDTH - 20, y, "#ddd"))
        out.append(label(offset + LEFT - 6, y + 4, f"{top * tick / 4:.3g}", "end"))
    for i, key in enumerate(metrics):
        shown = f"{int(key):,}" if key.isdigit() else key
        out.append(label(x_of(i), HEIGHT - BOTTOM + 18, shown))
    for switch in switches:
        points = [(x_of(i), m[switch]) for i, m in enumerate(metrics.values()) if switch in m]
        path = " ".join(f"{x:.1f},{y_of(v['median']):.1f}" for x, v in points)
        colour = COLOURS[switch]
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, v in points:
            out.append(line(x, y_of(v["min"]), x, y_of(v["max"]), colour))
            out.append(f'<circle cx="{x:.1f}" cy="{y_of(v["median"]):.1f}" r="3.5" '
                       f'fill="{colour}"/>')
    return out, switches


def svg(summary):
    """The drawing, or None if neither of its cases was run."""
    panels = [(name, *words) for name, *words in
              (("sizes", "Throughput by frame size (Mpps)", "bytes, with frame check sequence"),
               ("flows", "Throughput by number of flows (Mpps), 64 bytes", "flows"))
              if summary.get(name)]
    if not panels:
        return None
    body, shown = [], []
    for i, (name, title, axis) in enumerate(panels):
        drawn, switches = panel(i * WIDTH, title, axis, summary[name])
        body += drawn
        shown += [s for s in switches if s not in shown]
    for i, switch in enumerate(shown):
        x = LEFT + 20 + i * 190
        body.append(line(x, HEIGHT + 12, x + 24, HEIGHT + 12, COLOURS[switch], 3))
        body.append(label(x + 30, HEIGHT + 16, NAMES[switch], "start"))
    width = WIDTH * len(panels)
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 30}" '
         f'width="{width}" height="{HEIGHT + 30}" font-family="sans-serif">',
         f'<rect width="{width}" height="{HEIGHT + 30}" fill="white"/>', *body, "</svg>", ""])
