# SPDX-License-Identifier: BSD-2-Clause
"""build/bench/index.html: what was measured, to be looked at. One file, nothing from outside; drawings are inline SVG."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, Optional, Sequence

import peers
from lines import LINES, Metric, held

Row = dict[str, Any]
WHO = (("guests", "#2a6f97", "guests"), ("io", "#e09f3e", "I/O partition"), ("hypervisor", "#9e2a2b", "hypervisor"))
PATHS = ("bare", "direct", "hosted")
NAMES = {"bare": "bare Linux", "direct": "direct (VF)", "hosted": "hosted (wire)"}
GREY, GOOD, BAD = "#9aa5ab", "#2e7d4f", "#b3261e"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #22303a; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-weight: 600; margin-bottom: 0 } h2 { font-weight: 600; margin-top: 2.5rem } .lead { color: #5a6a74; margin-top: .2rem }
.chips span { display: inline-block; border-radius: 1rem; padding: .1rem .9rem; margin: .5rem .5rem 0 0; color: #fff }
table { border-collapse: collapse; width: 100% } td, th { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #e6ebee }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } th { color: #5a6a74; font-weight: 500 }
.held { color: #2e7d4f } .broken { color: #b3261e; font-weight: 600 } .none { color: #9aa5ab }
svg { width: 100%; height: auto } svg text { font: 13px system-ui, sans-serif; fill: #22303a } svg .small { fill: #5a6a74; font-size: 12px }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem 2rem } .panels h3 { font-weight: 500; margin: .5rem 0 0 }
summary { cursor: pointer; color: #2a6f97 } footer { margin-top: 3rem; color: #5a6a74; font-size: 14px }
"""


def number(value: Optional[float]) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.3f}".rstrip("0").rstrip(".")


def text(x: float, y: float, what: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{html.escape(what)}</text>'


# One bar of a chart: its name, its parts (value, colour), what is written behind it.
Bar = tuple[str, Sequence[tuple[float, str]], str]


def bars(rows: Sequence[Bar], width: int = 460, left: int = 130) -> str:
    """Horizontal bars to one scale, each of parts."""
    step, room = 26, width - left - 90
    most = max(sum(v for v, _ in parts) for _, parts, _ in rows) or 1
    out = [f'<svg viewBox="0 0 {width} {step * len(rows) + 4}" role="img">']
    for i, (name, parts, said) in enumerate(rows):
        y, x = i * step + 4, float(left)
        out.append(text(left - 8, y + 14, name, 'text-anchor="end"'))
        for value, colour in parts:
            length = room * value / most
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{max(length, 0):.1f}" height="18" fill="{colour}"/>')
            x += length
        out.append(text(x + 6, y + 14, said, 'class="small"'))
    return "".join([*out, "</svg>"])


def panel(title: str, drawing: str) -> str:
    return f"<div><h3>{html.escape(title)}</h3>{drawing}</div>"


def legend() -> str:
    return '<p class="chips">' + "".join(f'<span style="background:{c}">{n}</span>' for _, c, n in WHO) + "</p>"


# --- sections -------------------------------------------------------------------------------------

def comparison(now: dict[str, float]) -> str:
    """Whole round trips and packets, on every path that was measured, and under KVM."""
    found = peers.current()
    panels = []
    for key, title in (("rtt", "A round trip, 64 bytes"), ("stream", "A packet of a stream, 1472 bytes")):
        mine = [("bare Linux", now.get(f"bare_{key}") or found["bare Linux"][key], GREY),
                ("Causeway, VF", now.get(f"vf_{key}"), "#2a6f97"), ("Causeway, hosted", now.get(f"hosted_{key}"), "#2a6f97")]
        others = [(name, found[name][key], "#e09f3e") for name in ("KVM VFIO, GICv4", *peers.HOSTED) if name in found]
        rows: list[Bar] = [(n, [(v, c)], number(round(v))) for n, v, c in [*mine, *others] if v]
        panels.append(panel(title, bars(rows)))
    return ("<h2>What a packet costs, all of the machine</h2><p>Instructions, fewer is better. Blue was measured by this run; "
            "KVM by <code>make bench-kvm</code>, here or as recorded.</p>"
            f'<div class="panels">{"".join(panels)}</div>')


def split(matrix: Sequence[Row]) -> str:
    """Whose instructions: one flow, small multiples by payload and batch."""
    panels = []
    for size in sorted({r["size"] for r in matrix}):
        for batch in sorted({r["batch"] for r in matrix if r["size"] == size}):
            cell = {r["path"]: r for r in matrix if (r["size"], r["batch"], r["flows"]) == (size, batch, 1)}
            rows: list[Bar] = [(NAMES[p], [(cell[p][w], c) for w, c, _ in WHO], number(cell[p]["total"])) for p in PATHS if p in cell]
            if rows:
                panels.append(panel(f"{size} bytes, batches of {batch}", bars(rows)))
    if not panels:
        return ""
    return ("<h2>Whose instructions they are</h2><p>For one packet of a stream, one flow. On bare Linux both ends are one "
            f'kernel.</p>{legend()}<div class="panels">{"".join(panels)}</div>')


def matrix_table(matrix: Sequence[Row]) -> str:
    if not matrix:
        return ""
    head = ("path", "bytes", "batch", "flows", "total", "guests", "I/O partition", "hypervisor", "wire exits/1000", "wire interrupts/1000")
    keys = ("size", "batch", "flows", "total", "guests", "io", "hypervisor", "exits_per_1000", "interrupts_per_1000")
    body = "".join(f"<tr><td>{NAMES[r['path']]}</td>" + "".join(f'<td class="n">{number(r[k])}</td>' for k in keys) + "</tr>"
                   for r in matrix)
    cells = "".join(f'<th class="n">{h}</th>' if i else f"<th>{h}</th>" for i, h in enumerate(head))
    return f"<details><summary>Every payload, batch and number of flows</summary><table><tr>{cells}</tr>{body}</table></details>"


def gauge(metric: Metric) -> str:
    """How much of the limit is used; the mark is the limit."""
    limit, value = metric["limit"], metric["value"]
    part = min(value / limit, 1.25) if limit else (0.0 if value <= 0 else 1.25)
    colour = GOOD if held(metric) else BAD
    return (f'<svg viewBox="0 0 130 14" style="width:130px"><rect y="4" width="100" height="6" fill="#e6ebee"/><rect y="4" width="{max(part, 0) * 100:.0f}" '
            f'height="6" fill="{colour}"/><rect x="99" y="1" width="2" height="12" fill="#22303a"/></svg>')


def lines_table(metrics: Sequence[Metric], missing: Sequence[str]) -> str:
    said = {True: '<td class="held">held</td>', False: '<td class="broken">NOT HELD</td>'}
    rows = []
    for m in metrics:
        state = held(m)
        if state is not None:
            rows.append(f'<tr><td>{html.escape(m["name"])}</td><td class="n">{number(m["value"])}</td><td class="n">{number(m["limit"])}'
                        f'</td><td>{gauge(m)}</td>{said[state]}<td>{html.escape(m["unit"])}</td></tr>')
    rows += [f'<tr class="none"><td>{n}</td><td class="n">-</td><td class="n">{number(LINES[n].limit)}</td><td></td>'
             f'<td class="broken">not measured</td><td>{html.escape(LINES[n].unit)}</td></tr>' for n in missing]
    return ('<h2>The lines to hold</h2><table><tr><th>metric</th><th class="n">value</th><th class="n">at most</th><th></th><th></th>'
            f'<th>unit</th></tr>{"".join(rows)}</table>')


def stated(metrics: Sequence[Metric]) -> str:
    rows = "".join(f'<tr><td>{html.escape(m["name"])}</td><td class="n">{number(m["value"])}</td><td>{html.escape(m["unit"])}</td></tr>'
                   for m in metrics if held(m) is None)
    return f'<details><summary>Figures without a line</summary><table>{rows}</table></details>' if rows else ""


def page(metrics: Sequence[Metric], missing: Sequence[str], matrix: Sequence[Row], failed: Sequence[str] = ()) -> str:
    states = [held(m) for m in metrics]
    chips = [(GOOD, f"{states.count(True)} lines held")]
    chips += [(BAD, f"{n} {what}") for n, what in ((states.count(False), "not held"), (len(missing), "not measured")) if n]
    chips += [(BAD, f"part {name} could not measure") for name in failed]
    shown = "".join(f'<span style="background:{c}">{html.escape(t)}</span>' for c, t in chips)
    body = [comparison({m["name"]: m["value"] for m in metrics}), split(matrix), matrix_table(matrix), lines_table(metrics, missing), stated(metrics)]
    return ('<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Causeway: what it costs</title><style>{STYLE}</style><h1>Causeway: what it costs</h1>"
            '<p class="lead">Counted in instructions on an emulated machine that repeats itself to the last digit; caches, table walks '
            f'and devices cost nothing there.</p><p class="chips">{shown}</p>{"".join(body)}'
            "<footer>Written by <code>make bench</code> from what that run measured. What each figure means, and how to repeat it: "
            "<code>docs/performance.md</code>. The same as JSON: <code>build/bench.json</code>.</footer></html>\n")


def write(metrics: Sequence[Metric], missing: Sequence[str], matrix: Sequence[Row], failed: Sequence[str], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(page(metrics, missing, matrix, failed), "utf-8")
    return path
